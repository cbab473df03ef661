use serde_json::{Map, Value};

use crate::facts::{Query, Tables};
use crate::{Check, CheckError, Description, Finding};

/// A query of the user's own that must return no rows.
///
/// Each row that it returns is an offender: the first column its key, the second, where there is
/// one, its reason. A second query may count the population, so that ratios can be set and an empty
/// table is told apart from a clean one; it returns the number in its first column's first row.
///
/// ```
/// use guardrails::QueryCheck;
///
/// let check = QueryCheck::new(
///     "claims_have_person",
///     "every claim names a person",
///     "SELECT claim_id, 'no person' FROM claims WHERE person_key IS NULL AND made_on >= $1",
/// )
/// .bind("2026-01-01")
/// .population("SELECT count(*) FROM claims");
/// # let _ = check;
/// ```
#[derive(Debug, Clone)]
pub struct QueryCheck {
    id: String,
    expected: String,
    sql: String,
    binds: Vec<String>,
    population: Option<(String, Vec<String>)>,
    declaration: Map<String, Value>,
}

impl QueryCheck {
    /// Makes a check of a query and of the clause that says what it expects.
    pub fn new(id: impl Into<String>, expected: impl Into<String>, sql: impl Into<String>) -> Self {
        let (expected, sql) = (expected.into(), sql.into());
        let mut declaration = Map::new();
        declaration.insert("expected".to_owned(), expected.clone().into());
        declaration.insert("sql".to_owned(), sql.clone().into());
        let id = id.into();
        Self { id, expected, sql, binds: Vec::new(), population: None, declaration }
    }

    /// Adds the value of the query's next bind: `$1` is the first.
    #[must_use]
    pub fn bind(mut self, value: impl Into<String>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// Adds the query that counts the population.
    #[must_use]
    pub fn population(self, sql: impl Into<String>) -> Self {
        self.population_with(sql, Vec::new())
    }

    /// Says how a suite file wrote the queries, with their variables.
    #[cfg(feature = "toml")]
    pub(crate) fn declared_as(mut self, sql: &str, population: Option<&str>) -> Self {
        for (key, text) in [("sql", Some(sql)), ("population", population)] {
            if let Some(text) = text {
                self.declaration.insert(key.to_owned(), text.into());
            }
        }
        self
    }

    /// Adds the query that counts the population, with its binds.
    #[must_use]
    pub fn population_with(mut self, sql: impl Into<String>, binds: Vec<String>) -> Self {
        let sql = sql.into();
        self.declaration.insert("population".to_owned(), sql.clone().into());
        self.population = Some((sql, binds));
        self
    }
}

impl<F: Tables + ?Sized> Check<F> for QueryCheck {
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> Description {
        let mut description = Description::counting(&self.expected);
        description.sql = Some(self.sql.clone());
        description.declaration = Some(self.declaration.clone());
        description
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let query = |sql, binds: &[String]| binds.iter().fold(Query::new(sql), Query::bind);
        let mut offenders = facts.query(&query(&self.sql, &self.binds), list)?;
        if let Some((sql, binds)) = &self.population {
            let counted = facts.query(&query(sql, binds), 1)?;
            let count = counted.listed.first().and_then(|row| row.key.trim().parse().ok());
            offenders.population = Some(count.ok_or_else(|| {
                CheckError::broken(
                    "the population query did not return a count in its first column",
                )
            })?);
        }
        Ok(Finding::counted(offenders, format_args!("rows break: {}", self.expected)))
    }
}
