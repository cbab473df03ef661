//! Decisions that were made elsewhere, as answers of a resolver.

mod file;
mod made_by;
mod table;

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use identity_matching::index::Seal;
use identity_matching::index::joined::{RecordDigest, Stamp};
use recovery_queue::{
    ClaimedLead, DatabaseUrl, Evidence, FailReason, LeadSource, PersonKey, Resolution,
    ResolveError, Resolver, WakeKeys,
};

use self::file::DecidedFile;
use self::table::DecidedTable;
use crate::cli::{Console, Failure};
use crate::service::{Database, DecisionRow};

/// How long a lead rests that has no decision of its present state.
const REST: Duration = Duration::from_mins(1);

/// Decisions that `decide` wrote, found by lead: in a file, or in a table or view of the queue's database.
///
/// Of a file memory holds each lead's key and where its row begins, some hundred bytes a lead; of a table nothing: each
/// batch asks for its own leads.
#[derive(Clone, Debug)]
pub struct Decided {
    rows: Rows,
    total: u64,
    /// What the decisions must have been made by, as rows carry it.
    stamp: Arc<str>,
    seal: Seal,
    told: Arc<Told>,
}

#[derive(Clone, Debug)]
enum Rows {
    File(Arc<DecidedFile>),
    Table(DecidedTable),
}

/// What became of leads that were not settled.
#[derive(Debug, Default)]
struct Told {
    stale: AtomicU64,
    missing: AtomicU64,
    replaced: AtomicU64,
}

impl Decided {
    /// Finds the decisions under a name, and sees that all were made as `stamp` says.
    ///
    /// # Errors
    ///
    /// A name that is neither a file nor a table or view, or both; what cannot be read or holds no decisions; a lead
    /// that is decided twice; and decisions under another policy, region, secret or version: before anything is settled.
    pub fn open(
        name: &Path,
        stamp: &Stamp,
        seal: Seal,
        service: &mut Database,
        console: &Console,
    ) -> Result<Self, Failure> {
        let table = name.to_str().map_or(Ok(None), |name| DecidedTable::find(name, service))?;
        let shown = name.display();
        let (rows, total) = match (name.exists(), table) {
            (true, None) => {
                let file = DecidedFile::open(name, stamp)?;
                let total = file.len();
                (Rows::File(Arc::new(file)), total)
            }
            (false, Some(table)) => {
                let total = table.check(stamp, service, console)?;
                (Rows::Table(table), total)
            }
            (true, Some(_)) => {
                return Err(Failure::new(format_args!(
                    "{shown} is a file, and a table of this database is called so, too"
                ))
                .remedy(format_args!(
                    "write ./{shown} for the file; for the table write its schema, too (main.{shown} on SQLite)"
                )));
            }
            (false, None) => {
                return Err(Failure::new(format_args!(
                    "{shown} is neither a file nor a table or view of the queue's database"
                ))
                .remedy(
                    "name the file that `decide` wrote, or the table that holds its rows: TABLE or SCHEMA.TABLE; case counts",
                ));
            }
        };
        Ok(Self { rows, total, stamp: stamp.to_string().into(), seal, told: Arc::default() })
    }

    /// Returns how many leads are decided.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Tells whether no lead is decided.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Makes a resolver that answers for leads as they stand now, with wake keys for those that stay unmatched; it reads a
    /// table over a connection of its own.
    ///
    /// # Errors
    ///
    /// A database that does not let a further connection in.
    pub fn resolver<S: LeadSource + Send>(
        &self,
        (url, service): (&DatabaseUrl, &Database),
        source: S,
        keys: WakeKeys,
    ) -> Result<impl Resolver + Send + use<S>, Failure> {
        let database = match &self.rows {
            Rows::File(_) => None,
            Rows::Table(_) => Some((url.clone(), service.reopen(url)?)),
        };
        Ok(DecidedResolver { decided: self.clone(), database, source, keys })
    }

    /// Tells how many leads stay pending, and why; returns whether there are any.
    pub fn tell(&self, console: &Console) -> bool {
        let told = [
            (
                &self.told.stale,
                "have changed since they were decided and stay pending: decide them anew",
            ),
            (&self.told.missing, "are not among the decisions and stay pending"),
            (
                &self.told.replaced,
                "stay pending, for their decisions were replaced while the run was at work: run it again",
            ),
        ];
        let mut any = false;
        for (leads, what) in told {
            let leads = leads.load(Ordering::Relaxed);
            any |= leads > 0;
            if leads > 0 {
                console.warn(format_args!("{leads} leads {what}"));
            }
        }
        any
    }
}

struct DecidedResolver<S> {
    decided: Decided,
    /// Where a table is read.
    database: Option<(DatabaseUrl, Database)>,
    source: S,
    keys: WakeKeys,
}

impl<S> DecidedResolver<S> {
    fn rows(&mut self, keys: &[&str]) -> Result<HashMap<String, DecisionRow>, ResolveError> {
        match (&self.decided.rows, &mut self.database) {
            (Rows::Table(table), Some((url, database))) => table.rows(keys, url, database),
            (Rows::File(file), _) => file.rows(keys),
            (Rows::Table(_), None) => Ok(HashMap::new()),
        }
    }
}

impl<S: LeadSource> Resolver for DecidedResolver<S> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let subjects = self.source.fetch(leads)?;
        let keys: Vec<&str> = leads.iter().map(|lead| lead.source_pk.as_str()).collect();
        let rows = self.rows(&keys)?;
        let later = |count: &AtomicU64, why| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Resolution::later(REST, why))
        };
        let (decided, told) = (&self.decided, &self.decided.told);
        let answers = keys.iter().zip(subjects).map(|(key, subject)| {
            let Some(subject) = subject else {
                return Ok(Resolution::unmatched(FailReason::LeadNotFound));
            };
            let Some(row) = rows.get(*key) else {
                return later(&told.missing, "it is not among the decisions");
            };
            // All were looked at before; a table may have been filled anew since.
            if row.stamp.as_deref() != Some(&*decided.stamp) {
                return later(&told.replaced, "its decision was replaced");
            }
            let digest = RecordDigest::of(key, &subject, &decided.seal).to_string();
            if row.record_digest.as_deref() != Some(&*digest) {
                return later(&told.stale, "it has changed since it was decided");
            }
            let answer = answer(row).unwrap_or_else(Resolution::error);
            Ok(answer.with_wake_keys(self.keys.of(&subject)))
        });
        answers.collect()
    }
}

/// Reads one row; what is wrong with it where it is no decision.
fn answer(row: &DecisionRow) -> Result<Resolution, &'static str> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let evidence = Evidence::parse(text(&row.evidence)).map_err(|_| "its evidence is no JSON")?;
    let answer = match row.status.as_deref() {
        Some("matched") => {
            let person = PersonKey::new(text(&row.person_key))
                .map_err(|_| "its person's key cannot be stored")?;
            Resolution::matched(person, text(&row.match_rule), text(&row.confidence))
        }
        Some("failed") => {
            let reason = FailReason::from_str(&text(&row.fail_reason))
                .map_err(|_| "its reason is unknown")?;
            Resolution::unmatched(reason)
        }
        _ => return Err("its status is neither matched nor failed"),
    };
    Ok(answer.with_evidence(evidence))
}
