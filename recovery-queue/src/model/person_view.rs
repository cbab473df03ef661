//! The persons who are there, as the service tells them.

use crate::model::backlog::{ViewName, check_identifier};
use crate::model::error::ConfigError;

/// Names a view or table of the service's own, and its column with the keys of the persons who are there.
///
/// Recorded in a store ([`SqlStore::set_person_view`](crate::SqlStore::set_person_view)), it keeps batches from linking
/// leads to persons who have gone since the population was read, and lets the guardrail `link_target_exists` find the
/// links whose persons are gone. Give the column an index: without one each batch reads the view whole.
///
/// ```
/// use recovery_queue::PersonView;
///
/// let persons = PersonView::new("crm.persons", "person_key")?;
/// assert_eq!(persons.to_string(), r#""crm"."persons"."person_key""#);
/// assert!(PersonView::new("persons", "key; --").is_err());
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    view: ViewName,
    column: String,
}

impl PersonView {
    /// Checks the name of a view, `name` or `schema.name`, and that of its column.
    ///
    /// # Errors
    /// A text that is no identifier.
    pub fn new(view: &str, column: &str) -> Result<Self, ConfigError> {
        check_identifier("person key column", column)?;
        Ok(Self { view: ViewName::of("person view", view)?, column: column.to_owned() })
    }

    /// Gives the view.
    #[must_use]
    pub fn view(&self) -> &ViewName {
        &self.view
    }

    /// Gives the column.
    #[must_use]
    pub fn column(&self) -> &str {
        &self.column
    }
}

impl std::fmt::Display for PersonView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.\"{}\"", self.view.quoted(), self.column)
    }
}
