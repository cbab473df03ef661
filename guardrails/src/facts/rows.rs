use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::many;

/// The name, the moment and the scope of one consistent read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotInfo {
    /// What the store calls the read, such as PostgreSQL's `pg_current_snapshot()`.
    pub id: String,
    /// The moment that the read shows, by the store's clock.
    pub as_of: DateTime<Utc>,
    /// The rows that the facts speak of, where these are not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

impl SnapshotInfo {
    /// Makes the name of a read of all rows.
    pub fn new(id: impl Into<String>, as_of: DateTime<Utc>) -> Self {
        Self { id: id.into(), as_of, scope: None }
    }

    /// Says that the facts speak of some rows alone.
    #[must_use]
    pub fn of(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
}

/// The rows that facts and a report speak of, where these are not all.
///
/// ```
/// use guardrails::facts::Scope;
///
/// let scope = Scope::Touched(1);
/// assert_eq!(scope.in_words(), "touched: 1 row that changed or was settled was looked at; the full suite looks at all");
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// So many rows that changed or were settled; nothing is said of the others.
    Touched(u64),
}

impl Scope {
    /// Says in words what was looked at and what was not.
    #[must_use]
    pub fn in_words(self) -> String {
        let Self::Touched(rows) = self;
        let were = if rows == 1 { "was" } else { "were" };
        format!(
            "touched: {} that changed or {were} settled {were} looked at; the full suite looks at all",
            many(rows, "row")
        )
    }
}

/// One row that breaks an invariant.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Offender {
    /// The row's key, such as a lead's `source_pk`; never a phone, document or e-mail.
    pub key: String,
    /// Why this row is here.
    pub reason: String,
}

impl Offender {
    /// Makes an offender from its key and its reason.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// The rows that break an invariant: all counted, some listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offenders {
    /// How many rows the invariant is about, or `None` where only the offenders can be counted.
    pub population: Option<u64>,
    /// How many rows break it: exact, however many are listed.
    pub total: u64,
    /// The first of them, in the order of their keys.
    pub listed: Vec<Offender>,
}

impl Offenders {
    /// Says that none of a population breaks the invariant.
    #[must_use]
    pub fn none_of(population: u64) -> Self {
        Self { population: Some(population), ..Self::default() }
    }

    /// Counts offenders of a population without listing any.
    #[must_use]
    pub fn counted(total: u64, population: u64) -> Self {
        Self { population: Some(population), total, listed: Vec::new() }
    }

    /// Counts offenders of a population, sorts them and lists the first `limit`.
    ///
    /// ```
    /// use guardrails::facts::{Offender, Offenders};
    ///
    /// let all = vec![Offender::new("b", "no link"), Offender::new("a", "no link")];
    /// let cut = Offenders::of(all, Some(10), 1);
    /// assert_eq!((cut.total, cut.listed[0].key.as_str()), (2, "a"));
    /// ```
    #[must_use]
    pub fn of(mut all: Vec<Offender>, population: Option<u64>, limit: usize) -> Self {
        all.sort();
        let total = all.len() as u64;
        all.truncate(limit);
        Self { population, total, listed: all }
    }
}
