//! Errors, told apart by what the caller can do about them.

use crate::model::key::KeyError;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a name, an option or a policy was refused; nothing was read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is refused: {reason}; {remedy}")]
#[non_exhaustive]
pub struct ConfigError {
    /// What was refused, such as `backlog view`.
    pub what: &'static str,
    /// The value as given.
    pub value: String,
    /// Why.
    pub reason: String,
    /// What to do instead.
    pub remedy: &'static str,
}

impl ConfigError {
    /// Says what was refused, why, and what to do instead; a secret is no value to show.
    pub fn new(
        what: &'static str,
        value: impl Into<String>,
        reason: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { what, value: value.into(), reason: reason.into(), remedy }
    }
}

/// Why a store did not do what it was asked.
///
/// Whatever the variant, the transaction in hand was rolled back: nothing is half-written. What the database itself said is
/// the [`source`](std::error::Error::source), and stands in no message: a report shows the whole chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A name or an option is wrong; mend it and call again.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key is no key; mend it at its source.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The backlog cannot be read as one: mend the view.
    #[error("the backlog {backlog} is refused: {reason}; {remedy}")]
    Backlog {
        /// The backlog's name.
        backlog: String,
        /// What is wrong, with the number of rows where rows are wrong.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The tables are not the ones that this build works on.
    #[error("the tables of {namespace} are refused: {reason}; {remedy}")]
    Schema {
        /// The schema or prefix.
        namespace: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The lead, link or run does not exist.
    #[error("no {what} {key} is known here")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its key.
        key: String,
    },
    /// The state of a lead does not allow the command.
    #[error("lead {key}: {reason}")]
    Conflict {
        /// The lead's key.
        key: String,
        /// Why not.
        reason: String,
    },
    /// The resolver did not answer one resolution per lead; the batch was given back.
    #[error(
        "the resolver answered {given} resolutions for {wanted} leads; it must answer one each, in order"
    )]
    ResolutionCount {
        /// How many leads were claimed.
        wanted: usize,
        /// How many resolutions came.
        given: usize,
    },
    /// The resolver as a whole cannot work now; the batch was given back and no attempt was counted.
    #[error("the resolver cannot work now, the batch was given back: {reason}")]
    ResolverUnavailable {
        /// What the resolver said.
        reason: String,
    },
    /// The database is away, busy or gave up this transaction; the same call may succeed later.
    #[error("the database did not complete {operation}")]
    Unavailable {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Source,
    },
    /// The database gave this transaction up, and no code says why: it may be a deadlock, which goes by itself, or a
    /// statement that can never work. Worth one more try.
    #[error("the database did not complete {operation}")]
    Unclear {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Source,
    },
    /// A limit of the server or of the role ended the transaction: do less in one, or raise the limit.
    #[error(
        "{operation} was ended by the server's setting {setting} ({limit:?}); raise it for this role, or make the work \
         of one transaction smaller"
    )]
    Cut {
        /// What was being done.
        operation: &'static str,
        /// The setting, such as `statement_timeout`.
        setting: &'static str,
        /// Its value.
        limit: std::time::Duration,
        /// What the database said.
        source: Source,
    },
    /// The caller's open transaction of SQLite cannot be raised to a write, for another connection writes.
    #[error(
        "{operation} cannot write in the transaction that is open, since another connection does: roll it back and \
         begin it with immediate_transaction"
    )]
    Busy {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Source,
    },
    /// The caller's open transaction has failed before: it can only be rolled back.
    #[error(
        "{operation} cannot join the transaction that is open, since a statement in it has failed: roll it back and \
         begin another"
    )]
    Aborted {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Source,
    },
    /// The database refused a statement; repeating the call will not help.
    #[error("the database refused {operation}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Source,
    },
}

impl StoreError {
    /// Says whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Unclear { .. } | Self::ResolverUnavailable { .. }
        )
    }
}
