//! Where the tables lie: in a schema on PostgreSQL; a file of SQLite is one namespace.

use crate::model::backlog::check_identifier;
use crate::model::error::ConfigError;

/// Where a store keeps its tables.
///
/// On PostgreSQL it is a schema (default `recovery`), so that several stores share one database. A file of SQLite is one
/// namespace, the default one: another is refused.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Namespace(Option<String>);

impl Namespace {
    /// Checks a name.
    ///
    /// # Errors
    /// A text that is no identifier, or longer than 32 characters, is refused.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        check_identifier("namespace", name)?;
        if name.len() > 32 {
            return Err(ConfigError::new(
                "namespace",
                name,
                "it leaves no room for the table names",
                "use at most 32 characters",
            ));
        }
        Ok(Self(Some(name.to_owned())))
    }

    /// Returns the schema that it is on PostgreSQL.
    ///
    /// ```
    /// use recovery_queue::Namespace;
    ///
    /// assert_eq!(Namespace::default().schema(), "recovery");
    /// assert_eq!(Namespace::new("crm_queue")?.schema(), "crm_queue");
    /// # Ok::<(), recovery_queue::ConfigError>(())
    /// ```
    #[must_use]
    pub fn schema(&self) -> &str {
        self.0.as_deref().unwrap_or("recovery")
    }

    /// Gives what stands before each table name of a backend.
    ///
    /// # Errors
    /// A namespace on SQLite.
    pub(crate) fn names(&self, sqlite: bool) -> Result<Names, ConfigError> {
        if sqlite {
            return match &self.0 {
                None => Ok(Names { label: "the file".to_owned(), ns: String::new(), schema: None }),
                Some(name) => Err(ConfigError::new(
                    "namespace",
                    name,
                    "a file of SQLite holds one store",
                    "leave the namespace out: migrate renames the tables under a prefix; give each store a file of its own",
                )),
            };
        }
        let schema = self.schema().to_owned();
        Ok(Names {
            label: format!("schema \"{schema}\""),
            ns: format!("\"{schema}\"."),
            schema: Some(schema),
        })
    }
}

/// The names of one store's tables.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// How messages call the place.
    pub(crate) label: String,
    /// What `{ns}` stands for: qualifies a table or view; `{tmp}` qualifies a temporary table.
    pub(crate) ns: String,
    /// The schema, on PostgreSQL.
    pub(crate) schema: Option<String>,
}

impl Names {
    /// Puts the names into a statement.
    pub(crate) fn sql(&self, template: &str) -> String {
        // What the user has is never taken for a temporary table of ours, nor the other way round.
        let temporary = if self.schema.is_some() { "pg_temp." } else { "temp." };
        // `{bare}` stood before the names of indexes when SQLite had prefixes; migrations are never edited.
        template.replace("{ns}", &self.ns).replace("{tmp}", temporary).replace("{bare}", "")
    }

    /// Puts the names into a statement of `queries/`, which is written for the default place and is valid as it lies.
    pub(crate) fn query(&self, file: &str) -> String {
        match &self.schema {
            Some(_) => file.replace("recovery.", &self.ns),
            None => file.to_owned(),
        }
    }
}
