//! `decisions.csv`: what a run decided, lead by lead.
//!
//! A decision is written only once the batch that it belongs to has been committed, so the file never tells of
//! a link that is not there. Memory holds one batch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use recovery_queue::{
    ClaimedLead, Evidence, Resolution, ResolveError, Resolver, SettledLead, Status,
};
use serde::Serialize;

use crate::cli::Failure;
use crate::files::AtomicFile;

/// One row of `decisions.csv`.
#[derive(Debug, Serialize)]
struct Row {
    source_pk: String,
    status: &'static str,
    person_key: String,
    match_rule: String,
    confidence: String,
    fail_reason: String,
    evidence: String,
}

fn text(evidence: Option<&Evidence>) -> String {
    evidence.map(Evidence::as_str).unwrap_or_default().to_owned()
}

impl Row {
    /// Makes the row of a lead that nothing was decided for.
    fn of(lead: &SettledLead) -> Self {
        Self {
            source_pk: lead.source_pk.as_str().to_owned(),
            status: lead.status.code(),
            person_key: String::new(),
            match_rule: String::new(),
            confidence: String::new(),
            fail_reason: lead.reason.as_ref().map(ToString::to_string).unwrap_or_default(),
            evidence: String::new(),
        }
    }

    fn new(lead: &ClaimedLead, resolution: &Resolution) -> Self {
        let mut row = Self {
            source_pk: lead.source_pk.as_str().to_owned(),
            status: "failed",
            person_key: String::new(),
            match_rule: String::new(),
            confidence: String::new(),
            fail_reason: String::new(),
            evidence: String::new(),
        };
        match resolution {
            Resolution::Matched(found) => {
                row.status = "matched";
                found.person_key.as_str().clone_into(&mut row.person_key);
                row.match_rule.clone_from(&found.rule);
                row.confidence.clone_from(&found.confidence);
                row.evidence = text(found.evidence.as_ref());
            }
            Resolution::Unmatched { reason, evidence, .. } => {
                reason.code().clone_into(&mut row.fail_reason);
                row.evidence = text(evidence.as_ref());
            }
            // The lead stays pending and is tried again.
            _ => {
                row.status = "pending";
                "ERROR".clone_into(&mut row.fail_reason);
            }
        }
        row
    }
}

/// The file of a run's decisions; several workers may share it.
#[derive(Clone, Debug)]
pub struct DecisionLog(Arc<Mutex<csv::Writer<AtomicFile>>>);

impl DecisionLog {
    /// Begins the file.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut out =
            csv::WriterBuilder::new().has_headers(false).from_writer(AtomicFile::create(path)?);
        out.write_record([
            "source_pk",
            "status",
            "person_key",
            "match_rule",
            "confidence",
            "fail_reason",
            "evidence",
        ])?;
        Ok(Self(Arc::new(Mutex::new(out))))
    }

    /// Puts the file in its place; the last of its workers must be done.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn commit(self) -> Result<(), Failure> {
        let out = Arc::into_inner(self.0)
            .ok_or_else(|| Failure::new("decisions: a worker still writes"))?
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        out.into_inner().map_err(|error| Failure::new(error.error()))?.commit()
    }
}

/// The decisions of the batch in hand, which are written once it is committed.
#[derive(Clone, Debug, Default)]
pub struct Batch(Arc<Mutex<BTreeMap<String, Row>>>);

impl Batch {
    /// Corrects the decisions that the store overruled as it settled the batch: of leads that had left the backlog,
    /// and of those whose person was gone.
    pub fn correct(&self, settled: &[SettledLead]) {
        let mut batch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lead in settled.iter().filter(|lead| lead.status != Status::Pending) {
            let Some(row) = batch.get_mut(lead.source_pk.as_str()) else { continue };
            if row.status != lead.status.code() {
                *row = Row::of(lead);
            }
        }
    }

    /// Writes the decisions of a batch that has been committed.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn settle(&self, log: &DecisionLog) -> Result<(), Failure> {
        let rows = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows.into_values() {
            out.serialize(row)?;
        }
        Ok(())
    }
}

/// A resolver that remembers what the resolver within it decides.
#[derive(Debug)]
pub struct Recorded<R> {
    resolver: R,
    batch: Batch,
}

impl<R: Resolver> Recorded<R> {
    /// Listens to a resolver.
    pub fn new(resolver: R) -> Self {
        Self { resolver, batch: Batch::default() }
    }

    /// Returns the decisions of the batch in hand.
    #[must_use]
    pub fn batch(&self) -> Batch {
        self.batch.clone()
    }
}

impl<R: Resolver> Resolver for Recorded<R> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let resolutions = self.resolver.resolve(leads)?;
        let mut batch = self.batch.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A batch that is tried again replaces what was said of its leads before.
        batch.extend(leads.iter().zip(&resolutions).map(|(lead, resolution)| {
            let row = Row::new(lead, resolution);
            (row.source_pk.clone(), row)
        }));
        Ok(resolutions)
    }
}
