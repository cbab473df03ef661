use std::time::Duration;

use super::Invariant;

/// A family of facts that an implementation of [`Facts`](super::Facts) may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Counts of the queue and the backlog.
    Queue,
    /// Offenders against one invariant.
    Offenders(Invariant),
    /// Daily rows and balances.
    Ledger,
    /// Runs of the recovery.
    Runs,
    /// Migrations held and applied.
    Migrations,
    /// The backlog by age.
    Ageing,
    /// Which kinds of identifiers the failed leads lack.
    Lacking,
    /// Queries of the user's own.
    Query,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Queue => f.write_str("queue"),
            Self::Offenders(invariant) => write!(f, "offenders({invariant})"),
            Self::Ledger => f.write_str("ledger"),
            Self::Runs => f.write_str("runs"),
            Self::Migrations => f.write_str("migrations"),
            Self::Ageing => f.write_str("ageing"),
            Self::Lacking => f.write_str("lacking"),
            Self::Query => f.write_str("query"),
        }
    }
}

impl From<Invariant> for Family {
    fn from(invariant: Invariant) -> Self {
        Self::Offenders(invariant)
    }
}

/// Why a fact could not be given, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// These facts leave the family out: the check is `inconclusive`.
    #[error("these facts do not provide `{family}`")]
    NotProvided {
        /// The family that was asked for.
        family: Family,
    },
    /// The database lacks the tables: migrate it, then ask again.
    #[error("the database is not migrated: {detail}")]
    NotMigrated {
        /// What is missing, such as a table or a version.
        detail: String,
    },
    /// The query was not run, since it is not a single reading statement or does not parse.
    #[error("the query was refused: {reason}")]
    Refused {
        /// Why, in words that name no value of a row.
        reason: String,
    },
    /// The answer took longer than the check may take.
    #[error("no answer within {limit:?}")]
    TimedOut {
        /// The limit that was passed.
        limit: Duration,
    },
    /// The store could not answer: see the source, then try again.
    #[error("the facts could not be read")]
    Unavailable {
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FactsError {
    /// Says that a family, or the offenders against an invariant, are not part of these facts.
    #[must_use]
    pub fn not_provided(family: impl Into<Family>) -> Self {
        Self::NotProvided { family: family.into() }
    }

    /// Wraps what the store said.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: source.into() }
    }

    /// Returns whether the facts leave the family out, rather than fail to give it.
    #[must_use]
    pub fn is_not_provided(&self) -> bool {
        matches!(self, Self::NotProvided { .. })
    }
}
