//! `decisions.csv`: what runs decided, lead by lead.
//!
//! It is written from the database once a run has ended, so it holds what was committed and nothing else: each settled
//! lead once, with the person that the database has. A run that was killed, or could not write its file, leaves its
//! leads to the file of the next one; a mark in the database says up to which run they are written. Memory holds one page.

use std::path::Path;

use recovery_queue::{Decision, QueueStore as _, RunId, SqlStore};
use serde::Serialize;

use crate::cli::Failure;
use crate::files::{AtomicFile, cell};
use crate::service::Database;

/// The name of the mark.
const WRITTEN_UP_TO: &str = "decisions written up to run";

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

impl From<Decision> for Row {
    fn from(decision: Decision) -> Self {
        let text = |text: Option<String>| text.map(|text| cell(&text)).unwrap_or_default();
        Self {
            source_pk: cell(decision.source_pk.as_str()),
            status: decision.status.code(),
            person_key: text(decision.person_key.map(|key| key.to_string())),
            match_rule: text(decision.rule),
            confidence: text(decision.confidence),
            fail_reason: text(decision.reason),
            evidence: text(decision.evidence),
        }
    }
}

/// The file of decisions, begun before a run and written after it.
#[derive(Debug)]
pub struct DecisionFile {
    file: AtomicFile,
    after: RunId,
}

impl DecisionFile {
    /// Begins the file, and takes note of the runs whose decisions no file was asked to hold.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written, and the database's.
    pub fn begin(
        path: &Path,
        store: &mut SqlStore,
        service: &mut Database,
    ) -> Result<Self, Failure> {
        let file = AtomicFile::create(path)?;
        let after = if let Some(run) = service.kept(WRITTEN_UP_TO)? {
            run.parse().map_err(|_| {
                Failure::new(format_args!("table runner_state: {WRITTEN_UP_TO}: `{run}` is no run"))
            })?
        } else {
            let last = store.snapshot()?.runs(1)?.first().map_or(0, |run| run.run_id.get());
            service.keep(WRITTEN_UP_TO, &last.to_string())?;
            last
        };
        Ok(Self { file, after: RunId::new(after) })
    }

    /// Writes what a run has settled, and earlier runs whose decisions are not written yet; gives the number of leads.
    ///
    /// # Errors
    ///
    /// The database's and the disk's; the next run's file holds these leads then.
    pub fn write(
        self,
        run: RunId,
        store: &mut SqlStore,
        service: &mut Database,
    ) -> Result<u64, Failure> {
        let mut out = csv::WriterBuilder::new().has_headers(false).from_writer(self.file);
        out.write_record([
            "source_pk",
            "status",
            "person_key",
            "match_rule",
            "confidence",
            "fail_reason",
            "evidence",
        ])?;
        let (mut written, mut failed) = (0, None);
        let newest = store.read()?.decisions(run, self.after, &mut |decision| {
            if failed.is_none() {
                written += 1;
                failed = out.serialize(Row::from(decision)).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        out.into_inner().map_err(|error| Failure::new(error.error()))?.commit()?;
        service.keep(WRITTEN_UP_TO, &newest.get().to_string())?;
        Ok(written)
    }
}
