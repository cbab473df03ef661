//! The record of runs: who, when, by which policy, how it ended.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::key::RunId;
use crate::model::resolver::FailReason;

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunKind {
    /// Seeds from a backlog.
    Seed,
    /// Recovers leads.
    Recover,
}

impl RunKind {
    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Recover => "recover",
        }
    }
}

/// A run that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRun {
    /// What it does.
    pub kind: RunKind,
    /// Who runs it, such as a host or a job's name.
    pub actor: String,
    /// The policy's version, where the resolver has one.
    pub policy: Option<String>,
}

impl NewRun {
    /// Describes a run of a kind by somebody.
    pub fn new(kind: RunKind, actor: impl Into<String>, policy: Option<String>) -> Self {
        Self { kind, actor: actor.into(), policy }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunOutcome {
    /// It did all there was to do.
    Done,
    /// Its limit was reached.
    Limit,
    /// The caller asked it to stop.
    Asked,
    /// An error ended it; what was committed stays, the batch in hand was given back.
    Failed,
    /// Its process died; the next run found the mark that it had left.
    Killed,
}

impl RunOutcome {
    /// Lists every outcome.
    pub const ALL: [Self; 5] = [Self::Done, Self::Limit, Self::Asked, Self::Failed, Self::Killed];

    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Limit => "limit",
            Self::Asked => "asked",
            Self::Failed => "failed",
            Self::Killed => "killed",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// What is recorded of a run.
///
/// Its figures are kept with it when it ends: to prune the ledger changes none of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// Its number.
    pub run_id: RunId,
    /// What it did.
    pub kind: RunKind,
    /// Who ran it.
    pub actor: String,
    /// The policy's version.
    pub policy: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended, for a killed run its last event; absent while it works, and until the next run finds
    /// that it was killed.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Leads in the backlog as it began, by the ledger.
    pub backlog_before: u64,
    /// Leads in the backlog as it ended, by the ledger; absent while unfinished and for a killed run.
    pub backlog_after: Option<u64>,
    /// Leads that came into the backlog while it worked, from any seed.
    pub new_backlog_in: u64,
    /// Leads that left the backlog while it worked other than by its own matches: withdrawn, or matched by others;
    /// counted from the events. Absent while unfinished, for a killed run and for one of an older version.
    pub other_out: Option<u64>,
    /// Leads per event kind (`matched`, `failed`, `arrived` …), from the ledger.
    pub events: BTreeMap<String, u64>,
    /// Leads that it settled as failed, by reason.
    pub failed: BTreeMap<FailReason, u64>,
    /// What is stored of its figures and cannot be read, as it is stored; they are then those of the ledger.
    pub damaged: Vec<String>,
    /// Leads settled per second; absent while unfinished or when nothing was settled.
    pub leads_per_second: Option<f64>,
}

impl RunRecord {
    /// Makes the record of a run that works and has done nothing yet.
    pub fn new(
        run_id: RunId,
        kind: RunKind,
        actor: impl Into<String>,
        started_at: DateTime<Utc>,
    ) -> Self {
        Self {
            run_id,
            kind,
            actor: actor.into(),
            policy: None,
            started_at,
            finished_at: None,
            outcome: None,
            backlog_before: 0,
            backlog_after: None,
            new_backlog_in: 0,
            other_out: None,
            events: BTreeMap::new(),
            failed: BTreeMap::new(),
            damaged: Vec::new(),
            leads_per_second: None,
        }
    }
}
