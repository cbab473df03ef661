use serde::{Deserialize, Serialize};

/// What must hold for the rows of one table, in the field's terms.
///
/// Names of tables and columns are identifiers of letters, digits and underscores; a table may stand in a
/// schema (`billing.invoices`). Values are bound, never written into a statement. `where` is a condition in
/// SQL that picks the rows the rule speaks of. A report names a row by its `key` column; without one by its
/// place (`rowid`, `ctid`), which a view does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TableRule {
    /// No value of the column is missing: `NULL` or blank text. Population: rows.
    Missing {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The column that names a row in the report; the row's place otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// No two rows have the same values in the columns; a row with a `NULL` among them is passed over.
    /// Population: distinct values. An offender is a value that stands in several rows, named by one of them.
    Unique {
        /// The table.
        table: String,
        /// The columns.
        columns: Vec<String>,
        /// The column that names a row in the report; the row's place otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// Every value of the column is one of those listed, as text; `NULL` is passed over. Population: rows with
    /// a value.
    AcceptedValues {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The values that are accepted.
        values: Vec<String>,
        /// The column that names a row in the report; the row's place otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// Every value of the column stands in a column of another table; `NULL` is passed over. Population: rows
    /// with a value.
    Relationships {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The other table and its column, as `table.column`.
        to: String,
        /// The column that names a row in the report; the row's place otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// The newest time in the column is no older than `max_age` at the moment of the snapshot. Population: 1.
    Freshness {
        /// The table.
        table: String,
        /// The column: a time or a date. SQLite keeps it as text such as `2026-03-01T06:00:00Z` or
        /// `2026-03-01`. Without a zone it is read as UTC; a date is its midnight.
        column: String,
        /// The greatest age, such as `90m`, `24h` or `7d`.
        max_age: String,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// The table has at least `min` and at most `max` rows. An offender is a row too few or too many;
    /// population: the bound that is missed, or the rows.
    RowCount {
        /// The table.
        table: String,
        /// The least number of rows.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        /// The greatest number of rows.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
        /// Which rows, as a condition in SQL.
        #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
        filter: Option<String>,
    },
    /// The table has these columns, each of its type. Population: the columns listed.
    Schema {
        /// The table.
        table: String,
        /// Each column with its type.
        columns: std::collections::BTreeMap<String, ColumnType>,
        /// Refuses columns that are not listed, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
    },
}

/// The type of a column, as both databases know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnType {
    /// Whatever type it has.
    Any,
    /// Text of any length.
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers with decimals, exact or floating.
    Number,
    /// True or false; SQLite keeps it as a whole number.
    Boolean,
    /// A day; SQLite keeps it as text.
    Date,
    /// A moment; SQLite keeps it as text or a whole number.
    Timestamp,
}

/// Why a rule cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A name of a table or column is no identifier: letters, digits and underscores, not a digit first.
    #[error("`{name}` is no name of a {what}: letters, digits and underscores, not a digit first")]
    Name {
        /// What it should name: `table` or `column`.
        what: &'static str,
        /// The name as it was given.
        name: String,
    },
    /// `to` does not name a table and its column.
    #[error("`{to}` does not name a table and its column, such as `invoices.id`")]
    To {
        /// `to` as it was given.
        to: String,
    },
    /// An age is not a number with its unit.
    #[error("`{age}` is no age above zero, such as `90m`, `24h` or `7d`")]
    Age {
        /// The age as it was given.
        age: String,
    },
    /// A list that must have entries has none.
    #[error(
        "`{list}` is empty, so that the check could never hold or never fail; list at least one"
    )]
    Empty {
        /// The list's key.
        list: &'static str,
    },
    /// No number of rows lies within the bounds, or every number does.
    #[error(
        "no row count can break or keep `min` and `max`: give a min above 0, or a max, with min at most max"
    )]
    Bounds,
}
