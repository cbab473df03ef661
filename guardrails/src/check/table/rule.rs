use serde::{Deserialize, Serialize};

/// A rule for the rows of one table.
///
/// Names of tables and columns are identifiers of letters, digits and underscores; a table may stand in a
/// schema (`billing.invoices`). Values are bound, never written into a statement. A report names a row by its
/// [key column](Self::with_key); without one by its place (`rowid`, `ctid`), which a view does not have.
///
/// ```
/// use guardrails::{RuleKind, TableCheck, TableRule};
///
/// let paid = RuleKind::Missing { column: "paid_on".into() };
/// let rule = TableRule::new("billing.invoices", paid).with_key("number").with_filter("status = 'paid'");
/// assert!(TableCheck::new("paid_invoices_have_a_date", rule).is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableRule {
    pub(super) table: String,
    #[serde(flatten)]
    pub(super) kind: RuleKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
}

impl TableRule {
    /// Makes a rule for all rows of a table.
    pub fn new(table: impl Into<String>, kind: RuleKind) -> Self {
        Self { table: table.into(), kind, key: None, filter: None }
    }

    /// Names a row in the report by this column; for kinds whose offenders are rows or values of rows.
    #[must_use]
    pub fn with_key(mut self, column: impl Into<String>) -> Self {
        self.key = Some(column.into());
        self
    }

    /// Picks the rows that the rule is about by a condition in SQL (`where`); a schema has no rows.
    #[must_use]
    pub fn with_filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Returns the table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns what must hold.
    #[must_use]
    pub fn kind(&self) -> &RuleKind {
        &self.kind
    }
}

/// The kind of a rule with its own settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuleKind {
    /// No value of the column is missing: `NULL` or blank text. Population: rows.
    Missing {
        /// The column.
        column: String,
    },
    /// No two rows have the same values in the columns; a row with a `NULL` among them is passed over.
    /// Population: distinct values. An offender is a value that stands in several rows, named by one of them.
    Unique {
        /// The columns.
        columns: Vec<String>,
    },
    /// Every value of the column is one of those listed, as text; `NULL` is passed over. Population: rows with
    /// a value.
    AcceptedValues {
        /// The column.
        column: String,
        /// The values that are accepted.
        values: Vec<String>,
    },
    /// Every value of the column stands in a column of another table; `NULL` is passed over. Population: rows
    /// with a value.
    Relationships {
        /// The column.
        column: String,
        /// The other table and its column, as `table.column`.
        to: String,
    },
    /// The newest time in the column is no older than `max_age` at the moment of the snapshot. Population: 1.
    Freshness {
        /// The column: a time or a date. SQLite keeps it as text such as `2026-03-01T06:00:00Z` or
        /// `2026-03-01`. Without a zone it is read as UTC; a date is its midnight.
        column: String,
        /// The greatest age, such as `90m`, `24h` or `7d`.
        max_age: String,
    },
    /// The table has at least `min` and at most `max` rows. An offender is a row too few or too many;
    /// population: the bound that is missed, or the rows.
    RowCount {
        /// The least number of rows.
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        /// The greatest number of rows.
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
    /// The table has these columns, each of its type. Population: the columns listed.
    Schema {
        /// Each column with its type.
        columns: std::collections::BTreeMap<String, ColumnType>,
        /// Refuses columns that are not listed, too.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
    },
}

impl RuleKind {
    /// The word for it in a suite file.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Unique { .. } => "unique",
            Self::AcceptedValues { .. } => "accepted_values",
            Self::Relationships { .. } => "relationships",
            Self::Freshness { .. } => "freshness",
            Self::RowCount { .. } => "row_count",
            Self::Schema { .. } => "schema",
        }
    }

    /// Says whether its offenders are rows, or values of rows, that a key column can name.
    pub(crate) fn names_rows(&self) -> bool {
        !matches!(self, Self::Freshness { .. } | Self::RowCount { .. } | Self::Schema { .. })
    }

    /// Says whether it is about rows, which a condition can pick.
    pub(crate) fn reads_rows(&self) -> bool {
        !matches!(self, Self::Schema { .. })
    }
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

/// The reason why a rule is not valid.
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
    /// A kind has a key column or a condition that it has no use for.
    #[error("a check of kind `{kind}` takes no `{key}`; leave it out")]
    NotTaken {
        /// The kind.
        kind: &'static str,
        /// `key` or `where`.
        key: &'static str,
    },
    /// No number of rows lies within the bounds, or every number does.
    #[error(
        "no row count can break or keep `min` and `max`: give a min above 0, or a max, with min at most max"
    )]
    Bounds,
}
