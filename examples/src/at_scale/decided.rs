//! Decisions that were made elsewhere, as answers of a resolver.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use identity_matching::index::Seal;
use identity_matching::index::joined::{RecordDigest, Stamp};
use recovery_queue::{
    ClaimedLead, Evidence, FailReason, LeadSource, PersonKey, Resolution, ResolveError, Resolver,
    WakeKeys,
};

use super::rows::DECISIONS;
use crate::cli::{Console, Failure};
use crate::files;

/// How long a lead rests that has no decision of its present state.
const REST: Duration = Duration::from_mins(1);

/// The decisions of a file that `decide` wrote, found by lead.
///
/// Memory holds each lead's key and where its row begins, some hundred bytes a lead; the rows stay in the file.
#[derive(Clone)]
pub struct Decided {
    rows: Arc<Mutex<csv::Reader<File>>>,
    places: Arc<HashMap<Box<str>, csv::Position>>,
    seal: Seal,
    told: Arc<Told>,
}

/// What became of leads that were not settled.
#[derive(Debug, Default)]
struct Told {
    stale: AtomicU64,
    missing: AtomicU64,
}

impl std::fmt::Debug for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decided").field("leads", &self.places.len()).finish_non_exhaustive()
    }
}

impl Decided {
    /// Reads where the decisions of a file lie, and that all were made as `stamp` says.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is none of `decide`, a lead that stands twice, and decisions under another policy,
    /// region, secret or version; named by row, before anything is settled.
    pub fn open(path: &Path, stamp: &Stamp, seal: Seal) -> Result<Self, Failure> {
        let name = path.display();
        let mut rows = csv::Reader::from_reader(files::open(path)?);
        let wanted: Vec<&str> = DECISIONS.iter().map(|column| column.name).collect();
        let header = rows.headers().map_err(|_| Failure::new(format_args!("{name} is no CSV")))?;
        if header.iter().ne(wanted.iter().copied()) {
            return Err(Failure::new(format_args!("{name} holds no decisions of `decide`"))
                .remedy(
                    "give the file as `decide` wrote it; parts of a cluster's folder go into one",
                ));
        }
        let ours = stamp.to_string();
        let mut places = HashMap::new();
        let mut row = csv::StringRecord::new();
        let mut number = 0_u64;
        while rows.read_record(&mut row).map_err(|error| broken(&name.to_string(), &error))? {
            number += 1;
            let at = || format!("{name}, row {number}");
            if row[8] != ours {
                let made = row[8].parse().and_then(|made: Stamp| stamp.check(&made));
                made.map_err(|error| Failure::from(error).within(at()))?;
            }
            let place = row.position().cloned().unwrap_or_else(csv::Position::new);
            if places.insert(row[0].into(), place).is_some() {
                return Err(Failure::new("a lead is decided twice")
                    .within(at())
                    .remedy("give the decisions of one run"));
            }
        }
        let (rows, places) = (Arc::new(Mutex::new(rows)), Arc::new(places));
        Ok(Self { rows, places, seal, told: Arc::default() })
    }

    /// Returns how many leads are decided.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether no lead is decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Makes a resolver that answers for leads as they stand now, with wake keys for those that stay unmatched.
    pub fn resolver<S: LeadSource + Send>(
        &self,
        source: S,
        keys: WakeKeys,
    ) -> impl Resolver + Send + use<S> {
        DecidedResolver { decided: self.clone(), source, keys }
    }

    /// Tells how many leads stay pending, and why; returns whether there are any.
    pub fn tell(&self, console: &Console) -> bool {
        let stale = self.told.stale.load(Ordering::Relaxed);
        if stale > 0 {
            console.warn(format_args!(
                "{stale} leads have changed since they were decided and stay pending: decide them anew"
            ));
        }
        let missing = self.told.missing.load(Ordering::Relaxed);
        if missing > 0 {
            console.warn(format_args!(
                "{missing} leads have no decision in the file and stay pending"
            ));
        }
        stale + missing > 0
    }

    fn row(&self, place: &csv::Position) -> Result<csv::StringRecord, csv::Error> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.seek(place.clone())?;
        let mut row = csv::StringRecord::new();
        rows.read_record(&mut row)?;
        Ok(row)
    }
}

struct DecidedResolver<S> {
    decided: Decided,
    source: S,
    keys: WakeKeys,
}

impl<S: LeadSource> Resolver for DecidedResolver<S> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let subjects = self.source.fetch(leads)?;
        let answers = leads.iter().zip(subjects).map(|(lead, subject)| {
            let key = lead.source_pk.as_str();
            let Some(subject) = subject else {
                return Ok(Resolution::unmatched(FailReason::LeadNotFound));
            };
            let told = &self.decided.told;
            let Some(place) = self.decided.places.get(key) else {
                told.missing.fetch_add(1, Ordering::Relaxed);
                return Ok(Resolution::later(REST, "it is not among the decisions"));
            };
            let row = self.decided.row(place).map_err(|error| {
                ResolveError::Unavailable(format!("the decisions cannot be read: {error}"))
            })?;
            if row[7] != RecordDigest::of(key, &subject, &self.decided.seal).to_string() {
                told.stale.fetch_add(1, Ordering::Relaxed);
                return Ok(Resolution::later(REST, "it has changed since it was decided"));
            }
            Ok(answer(&row)
                .unwrap_or_else(Resolution::error)
                .with_wake_keys(self.keys.of(&subject)))
        });
        answers.collect()
    }
}

/// Reads one row; what is wrong with it where it is no decision.
fn answer(row: &csv::StringRecord) -> Result<Resolution, &'static str> {
    let evidence = Evidence::parse(&row[6]).map_err(|_| "its evidence is no JSON")?;
    let answer = match &row[1] {
        "matched" => {
            let person =
                PersonKey::new(&row[2]).map_err(|_| "its person's key cannot be stored")?;
            Resolution::matched(person, &row[3], &row[4])
        }
        "failed" => {
            let reason = FailReason::from_str(&row[5]).map_err(|_| "its reason is unknown")?;
            Resolution::unmatched(reason)
        }
        _ => return Err("its status is neither matched nor failed"),
    };
    Ok(answer.with_evidence(evidence))
}

fn broken(name: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or(0, csv::Position::line);
    Failure::new(format_args!("{name}, line {line}: the row cannot be read"))
        .remedy("write the decisions anew: the file was cut short or changed")
}
