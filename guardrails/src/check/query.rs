use crate::facts::Facts;
use crate::{Check, CheckError, Description, Finding};

/// A query of the user's own that must return no rows.
///
/// Each row that it returns is an offender: the first column its key, the second, where there is
/// one, its reason. A second query may count the population, so that ratios can be set and an empty
/// table is told apart from a clean one; it returns the number in its first column's first row.
///
/// ```
/// use guardrails::{Check, QueryCheck};
///
/// let check = QueryCheck::new(
///     "claims_have_person",
///     "every claim names a person",
///     "SELECT claim_id, 'no person' FROM claims WHERE person_key IS NULL",
/// )
/// .population("SELECT count(*) FROM claims");
/// assert_eq!(check.describe().expected, "every claim names a person");
/// ```
#[derive(Debug, Clone)]
pub struct QueryCheck {
    id: String,
    expected: String,
    sql: String,
    population: Option<String>,
}

impl QueryCheck {
    /// Makes a check of a query and of the clause that says what it expects.
    pub fn new(id: impl Into<String>, expected: impl Into<String>, sql: impl Into<String>) -> Self {
        Self { id: id.into(), expected: expected.into(), sql: sql.into(), population: None }
    }

    /// Adds the query that counts the population.
    #[must_use]
    pub fn population(mut self, sql: impl Into<String>) -> Self {
        self.population = Some(sql.into());
        self
    }
}

impl Check for QueryCheck {
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> Description {
        let mut description = Description::counting(&self.expected);
        description.sql = Some(self.sql.clone());
        description
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let mut offenders = facts.query(&self.sql, list)?;
        if let Some(sql) = &self.population {
            let counted = facts.query(sql, 1)?;
            let count = counted.listed.first().and_then(|row| row.key.trim().parse().ok());
            offenders.population =
                Some(
                    count.ok_or_else(|| CheckError::Broken {
                        message: "the population query did not return a count in its first column"
                            .to_owned(),
                    })?,
                );
        }
        Ok(Finding::counted(offenders, format_args!("rows break: {}", self.expected)))
    }
}
