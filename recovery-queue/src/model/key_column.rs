//! The columns of the service's own tables that hold keys of leads.

use crate::model::backlog::{ViewName, check_identifier};
use crate::model::error::ConfigError;

/// A column of the service's own that holds keys of leads, for the check of their spelling.
///
/// Recorded in a store ([`SqlStore::set_key_columns`](crate::SqlStore::set_key_columns)), it is looked at by the guardrail
/// `source_pk_consistency` of every program that checks the store. `NULL` in it is no key.
///
/// ```
/// use recovery_queue::KeyColumn;
///
/// let claims = KeyColumn::referring("crm.claims", "source_pk")?;
/// assert_eq!(claims.to_string(), r#""crm"."claims"."source_pk""#);
/// assert!(KeyColumn::of_leads("leads", "id; --").is_err());
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    table: ViewName,
    column: String,
    of_leads: bool,
}

impl KeyColumn {
    /// Names the column that holds the keys of the leads themselves; `table` is `name` or `schema.name`.
    ///
    /// Two keys there are two leads, even where they differ in nothing but the case of a letter, as Salesforce's ids
    /// of 15 characters do. The backlog's view is looked at in this way in any case.
    ///
    /// # Errors
    /// A name that is no identifier.
    pub fn of_leads(table: &str, column: &str) -> Result<Self, ConfigError> {
        Self::new(table, column, true)
    }

    /// Names a column that refers to leads by their keys, such as that of the claims.
    ///
    /// # Errors
    /// A name that is no identifier.
    pub fn referring(table: &str, column: &str) -> Result<Self, ConfigError> {
        Self::new(table, column, false)
    }

    fn new(table: &str, column: &str, of_leads: bool) -> Result<Self, ConfigError> {
        check_identifier("key column", column)?;
        let table = ViewName::of("table of a key column", table)?;
        Ok(Self { table, column: column.to_owned(), of_leads })
    }

    /// Gives the table.
    #[must_use]
    pub fn table(&self) -> &ViewName {
        &self.table
    }

    /// Gives the column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Says whether its keys are the leads' own, rather than references to leads.
    #[must_use]
    pub fn is_of_leads(&self) -> bool {
        self.of_leads
    }
}

impl std::fmt::Display for KeyColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.\"{}\"", self.table.quoted(), self.column)
    }
}
