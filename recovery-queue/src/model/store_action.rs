//! What was done with a store as a whole.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What was done with a store as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreActionKind {
    /// A backlog was held: none of its leads was claimed from then on.
    Paused,
    /// A backlog's leads could be claimed again.
    Resumed,
    /// What was old was removed.
    Pruned,
    /// A lead was forgotten; which one is not kept.
    LeadForgotten,
    /// A person was forgotten; which one is not kept.
    PersonForgotten,
    /// A service's table was imported; recorded by whoever imports.
    Imported,
    /// Migrations were applied.
    Migrated,
    /// Migrations were recorded whose tables were there already.
    Stamped,
    /// Written by a newer version of this crate.
    Unknown,
}

impl StoreActionKind {
    /// Lists every kind that this build writes.
    pub const ALL: [Self; 8] = [
        Self::Paused,
        Self::Resumed,
        Self::Pruned,
        Self::LeadForgotten,
        Self::PersonForgotten,
        Self::Imported,
        Self::Migrated,
        Self::Stamped,
    ];

    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Pruned => "pruned",
            Self::LeadForgotten => "lead_forgotten",
            Self::PersonForgotten => "person_forgotten",
            Self::Imported => "imported",
            Self::Migrated => "migrated",
            Self::Stamped => "stamped",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// One thing that was done with a store as a whole; it is kept for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreAction {
    /// What was done.
    pub kind: StoreActionKind,
    /// The backlog that was held, what was to be removed at which age, what was imported, or the versions of migrations; nothing
    /// where somebody was forgotten.
    pub subject: String,
    /// Rows and texts that were written, removed or replaced; of migrations, how many.
    pub rows: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it; of migrations the role on PostgreSQL, and this crate on SQLite.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl StoreAction {
    /// Makes an action that touched no row.
    pub fn new(
        kind: StoreActionKind,
        subject: impl Into<String>,
        at: DateTime<Utc>,
        by: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self { kind, subject: subject.into(), rows: 0, at, by: by.into(), reason: reason.into() }
    }
}
