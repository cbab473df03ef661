//! Decisions in a file, as `decide` wrote it.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use identity_matching::index::joined::Stamp;
use recovery_queue::ResolveError;

use super::made_by::check;
use crate::at_scale::rows::DECISIONS;
use crate::cli::Failure;
use crate::files;
use crate::service::DecisionRow;

/// The decisions of a file: where each lead's row begins; the rows stay in the file.
pub(super) struct DecidedFile {
    rows: Mutex<csv::Reader<File>>,
    places: HashMap<Box<str>, csv::Position>,
}

impl std::fmt::Debug for DecidedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecidedFile").field("leads", &self.places.len()).finish_non_exhaustive()
    }
}

impl DecidedFile {
    /// Reads where the decisions of a file lie, and that all were made as `stamp` says.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is none of `decide`, and what it must not hold; named by row.
    pub(super) fn open(path: &Path, stamp: &Stamp) -> Result<Self, Failure> {
        let name = path.display();
        let mut rows = csv::Reader::from_reader(files::open(path)?);
        let header = rows.headers().map_err(|_| Failure::new(format_args!("{name} is no CSV")))?;
        if header.iter().ne(DECISIONS.iter().map(|column| column.name)) {
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
                check(&row[8], stamp).map_err(|failure| failure.within(at()))?;
            }
            let place = row.position().cloned().unwrap_or_else(csv::Position::new);
            if places.insert(row[0].into(), place).is_some() {
                return Err(Failure::new("a lead is decided twice")
                    .within(at())
                    .remedy("give the decisions of one run"));
            }
        }
        Ok(Self { rows: Mutex::new(rows), places })
    }

    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    /// Reads the rows of these leads; those that are not decided are left out.
    pub(super) fn rows(&self, keys: &[&str]) -> Result<HashMap<String, DecisionRow>, ResolveError> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut row = csv::StringRecord::new();
        let mut found = HashMap::new();
        for key in keys {
            let Some(place) = self.places.get(*key) else { continue };
            rows.seek(place.clone()).and_then(|()| rows.read_record(&mut row)).map_err(
                |error| ResolveError::Unavailable(format!("the decisions cannot be read: {error}")),
            )?;
            let text = |at: usize| row.get(at).filter(|text| !text.is_empty()).map(str::to_owned);
            let decision = DecisionRow {
                source_pk: text(0),
                status: text(1),
                person_key: text(2),
                match_rule: text(3),
                confidence: text(4),
                fail_reason: text(5),
                evidence: text(6),
                record_digest: text(7),
                stamp: text(8),
            };
            found.insert((*key).to_owned(), decision);
        }
        Ok(found)
    }
}

fn broken(name: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or(0, csv::Position::line);
    Failure::new(format_args!("{name}, line {line}: the row cannot be read"))
        .remedy("write the decisions anew: the file was cut short or changed")
}
