use std::borrow::Cow;
use std::time::Duration;

/// The reason why a fact could not be given, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// These facts leave it out: the check is `inconclusive`.
    #[error("these facts are not provided: {}", fact.replace('_', " "))]
    NotProvided {
        /// What was asked for, such as `ageing`.
        fact: Cow<'static, str>,
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
    /// Says that these facts leave something out, by its name in `snake_case`.
    #[must_use]
    pub fn not_provided(fact: impl Into<Cow<'static, str>>) -> Self {
        Self::NotProvided { fact: fact.into() }
    }

    /// Wraps what the store said.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: source.into() }
    }

    /// Returns whether the facts leave it out, rather than fail to give it.
    #[must_use]
    pub fn is_not_provided(&self) -> bool {
        matches!(self, Self::NotProvided { .. })
    }
}

/// Turns a fact that is left out into `None`, and passes on every other error.
///
/// ```
/// use guardrails::facts::{FactsError, if_provided};
///
/// assert_eq!(if_provided::<u8>(Err(FactsError::not_provided("ageing"))).unwrap(), None);
/// assert_eq!(if_provided(Ok(3)).unwrap(), Some(3));
/// ```
pub fn if_provided<T>(answer: Result<T, FactsError>) -> Result<Option<T>, FactsError> {
    match answer {
        Ok(given) => Ok(Some(given)),
        Err(FactsError::NotProvided { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
