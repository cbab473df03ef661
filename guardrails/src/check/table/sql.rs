//! The statements of declared checks: identifiers quoted, values bound.

use super::rule::{RuleError, RuleKind, TableRule};
use crate::facts::{Dialect, Query};

/// The columns of a table, each with its declared type; an unknown table has none.
pub(super) fn columns(table: &str, dialect: Dialect) -> Query<'static> {
    let (schema, name) = table.split_once('.').map_or((None, table), |(s, n)| (Some(s), n));
    match (dialect, schema) {
        (Dialect::Sqlite, None) => {
            Query::new("SELECT name, type FROM pragma_table_xinfo($1)").bind(name)
        }
        (Dialect::Sqlite, Some(schema)) => {
            Query::new("SELECT name, type FROM pragma_table_xinfo($1, $2)").bind(name).bind(schema)
        }
        (Dialect::Postgres, schema) => {
            let query = Query::new(
                "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute a \
                 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
            );
            query.bind(match schema {
                Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
                None => quoted(name),
            })
        }
    }
}

/// The condition that picks the rows of a rule, with the values of its binds.
///
/// It stands first in each statement, so that its binds are the first.
#[derive(Clone, Copy)]
pub(super) struct Filter<'a> {
    pub(super) sql: Option<&'a str>,
    pub(super) binds: &'a [String],
}

impl Filter<'_> {
    /// Begins a condition: what follows is joined by `AND`.
    fn begun(self) -> String {
        self.sql.map_or(String::new(), |condition| format!("(\n{condition}\n) AND "))
    }

    /// Makes the statement, with its own binds in front.
    fn query(self, sql: String) -> Query<'static> {
        self.binds.iter().fold(Query::new(sql), Query::bind)
    }
}

/// The rows of the rule's table that break it; the key first, then the reason.
pub(super) fn offending(
    rule: &TableRule,
    filter: Filter<'_>,
    dialect: Dialect,
) -> Option<Query<'static>> {
    let text = |column: &str| format!("CAST({} AS TEXT)", quoted(column));
    let place = match dialect {
        Dialect::Sqlite => "CAST(rowid AS TEXT)",
        Dialect::Postgres => "CAST(ctid AS TEXT)",
    };
    let key = rule.key.as_ref().map_or_else(|| place.to_owned(), |key| text(key));
    let named = format!("COALESCE({key}, '')");
    let rows = quoted_table(&rule.table);
    let chosen = filter.begun();
    Some(match &rule.kind {
        RuleKind::Missing { column } => filter.query(format!(
            "SELECT {named}, 'missing' FROM {rows} WHERE {chosen}({} IS NULL OR trim({}) = '')",
            quoted(column),
            text(column),
        )),
        RuleKind::Unique { columns } => filter.query(format!(
            "SELECT min({named}), 'shares its values with ' || CAST(count(*) - 1 AS TEXT) || ' more' \
             FROM {rows} WHERE {chosen}{} GROUP BY {} HAVING count(*) > 1",
            all_held(columns),
            listed(columns),
        )),
        RuleKind::AcceptedValues { column, values } => {
            let first = filter.binds.len() + 1;
            let binds: Vec<String> =
                (first..first + values.len()).map(|i| format!("${i}")).collect();
            let query = filter.query(format!(
                "SELECT {named}, 'not an accepted value' FROM {rows} \
                 WHERE {chosen}{} IS NOT NULL AND {} NOT IN ({})",
                quoted(column),
                text(column),
                binds.join(", "),
            ));
            values.iter().fold(query, Query::bind)
        }
        RuleKind::Relationships { column, to } => {
            let (other, its) = to.rsplit_once('.')?;
            let own = quoted(column);
            filter.query(format!(
                "SELECT {named}, 'its {column} is not in {to}' FROM {rows} \
                 WHERE {chosen}{own} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {} guardrails_other \
                 WHERE guardrails_other.{} = {rows}.{own})",
                quoted_table(other),
                quoted(its),
            ))
        }
        RuleKind::Freshness { .. } | RuleKind::RowCount { .. } | RuleKind::Schema { .. } => {
            return None;
        }
    })
}

/// The count of the rows that a rule is about.
pub(super) fn population(rule: &TableRule, filter: Filter<'_>) -> Option<Query<'static>> {
    let (rows, chosen) = (quoted_table(&rule.table), filter.begun());
    let count = |condition: &str| {
        filter.query(format!("SELECT CAST(count(*) AS TEXT) FROM {rows} WHERE {chosen}{condition}"))
    };
    Some(match &rule.kind {
        RuleKind::Missing { .. } | RuleKind::RowCount { .. } => count("1 = 1"),
        RuleKind::AcceptedValues { column, .. } | RuleKind::Relationships { column, .. } => {
            count(&format!("{} IS NOT NULL", quoted(column)))
        }
        RuleKind::Unique { columns } => filter.query(format!(
            "SELECT CAST(count(*) AS TEXT) FROM (SELECT DISTINCT {} FROM {rows} WHERE {chosen}{}) \
             guardrails_distinct",
            listed(columns),
            all_held(columns),
        )),
        RuleKind::Freshness { .. } | RuleKind::Schema { .. } => return None,
    })
}

/// The newest value of a column: seconds since 1970 on PostgreSQL, whose text of a time depends on settings;
/// on SQLite, which has no type for a time, the text that is kept.
pub(super) fn newest(
    table: &str,
    column: &str,
    filter: Filter<'_>,
    dialect: Dialect,
) -> Query<'static> {
    let newest = match dialect {
        Dialect::Sqlite => format!("max({})", quoted(column)),
        Dialect::Postgres => {
            format!("CAST(EXTRACT(EPOCH FROM max({})) AS numeric(20, 6))", quoted(column))
        }
    };
    filter.query(format!(
        "SELECT CAST({newest} AS TEXT) FROM {} WHERE {}1 = 1",
        quoted_table(table),
        filter.begun(),
    ))
}

fn listed(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

fn all_held(columns: &[String]) -> String {
    let held = columns.iter().map(|column| format!("{} IS NOT NULL", quoted(column)));
    held.collect::<Vec<_>>().join(" AND ")
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn quoted_table(name: &str) -> String {
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// Takes a name that is an identifier, so that quoting it is exact.
pub(super) fn identifier(what: &'static str, name: &str) -> Result<(), RuleError> {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let parts = name.split('.').count();
    if (1..=if what == "table" { 2 } else { 1 }).contains(&parts) && name.split('.').all(word) {
        Ok(())
    } else {
        Err(RuleError::Name { what, name: name.to_owned() })
    }
}
