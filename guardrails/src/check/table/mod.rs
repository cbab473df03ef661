//! Checks that need no code: a rule for the rows of one table.

mod kinds;
mod rule;
mod sql;

use serde_json::{Map, Value};

use self::sql::Filter;
use crate::facts::{Dialect, Offender, Offenders, Query, Tables, single_condition};
use crate::{Check, CheckError, Description, Finding};

pub use rule::{ColumnType, RuleError, RuleKind, TableRule};

/// A check of a [`TableRule`]: the kinds that other tools call `not_null`, `unique`, `accepted_values` and so on.
///
/// All kinds count offenders of a population, so that thresholds by count and by ratio hold for each of them.
///
/// ```
/// use guardrails::{RuleError, RuleKind, TableCheck, TableRule};
///
/// let rule = |table: &str| TableRule::new(table, RuleKind::RowCount { min: Some(1), max: None });
/// assert!(TableCheck::new("has_invoices", rule("billing.invoices")).is_ok());
/// let refused = TableCheck::new("has_invoices", rule("invoices; DROP")).unwrap_err();
/// assert!(matches!(refused, RuleError::Name { what: "table", .. }));
/// ```
#[derive(Debug, Clone)]
pub struct TableCheck {
    id: String,
    rule: TableRule,
    /// The values of the binds of its `where`.
    binds: Vec<String>,
    expected: String,
    declaration: Option<Map<String, Value>>,
}

impl TableCheck {
    /// Makes a check of a rule that can be.
    pub fn new(id: impl Into<String>, rule: TableRule) -> Result<Self, RuleError> {
        rule.validate()?;
        let declaration = rule.declaration();
        Ok(Self { id: id.into(), binds: Vec::new(), expected: rule.in_words(), rule, declaration })
    }

    /// Adds the value of the next bind of `where`: `$1` is the first.
    #[must_use]
    pub fn bind(mut self, value: impl Into<String>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// Says how a suite file wrote the rule, with its variables.
    #[cfg(feature = "toml")]
    pub(crate) fn declared_as(mut self, rule: &TableRule) -> Self {
        self.declaration = rule.declaration();
        self
    }

    /// Returns the rule.
    #[must_use]
    pub fn rule(&self) -> &TableRule {
        &self.rule
    }
}

impl<F: Tables + ?Sized> Check<F> for TableCheck {
    fn id(&self) -> &str {
        &self.id
    }

    fn describe(&self) -> Description {
        let mut description = Description::counting(&self.expected);
        description.column = self.rule.column().map(str::to_owned);
        description.at_most = self.rule.at_most();
        description.declaration.clone_from(&self.declaration);
        description
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let dialect = facts.dialect();
        let (rule, table) = (&self.rule, self.rule.table());
        let condition = rule.filter.as_deref().map(|sql| single_condition(sql, dialect));
        let filter = Filter { sql: condition.transpose()?, binds: &self.binds };
        match &rule.kind {
            RuleKind::Freshness { column, max_age } => {
                if dialect == Dialect::Postgres {
                    // Its own words for a column that holds no times name functions and types.
                    let columns = facts.query(&sql::columns(table, dialect), usize::MAX)?;
                    kinds::check_times(table, column, &columns.listed)?;
                }
                let found = facts.query(&sql::newest(table, column, filter, dialect), 1)?;
                let newest = found.listed.first().map_or("", |row| row.key.trim());
                let as_of = facts.snapshot().as_of;
                kinds::freshness(table, column, max_age, newest, dialect, as_of)
            }
            RuleKind::RowCount { min, max } => {
                let rows = counted(facts, sql::population(rule, filter))?;
                Ok(kinds::row_count(table, *min, *max, rows))
            }
            RuleKind::Schema { columns, exact } => {
                let found = facts.query(&sql::columns(table, dialect), usize::MAX)?;
                Ok(kinds::schema(table, columns, *exact, &found.listed, list))
            }
            kind => {
                let Some(query) = sql::offending(rule, filter, dialect) else {
                    return Err(CheckError::broken("the rule names no rows"));
                };
                let found = facts.query(&query, list)?;
                let population = Some(counted(facts, sql::population(rule, filter))?);
                Ok(Finding::counted(
                    Offenders { population, ..found },
                    format_args!("{} of `{table}` {}", kind.noun(), kind.fault()),
                ))
            }
        }
    }
}

fn counted<F: Tables + ?Sized>(
    facts: &F,
    query: Option<Query<'static>>,
) -> Result<u64, CheckError> {
    let query = query.ok_or_else(|| CheckError::broken("the rule counts no rows"))?;
    let found = facts.query(&query, 1)?;
    let count = found.listed.first().and_then(|Offender { key, .. }| key.trim().parse().ok());
    count.ok_or_else(|| CheckError::broken("the count of the rows did not come as a number"))
}
