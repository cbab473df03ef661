//! Where the tables lie: a schema on PostgreSQL, a prefix on SQLite.

use crate::model::backlog::check_identifier;
use crate::model::error::ConfigError;

/// Names where a store keeps its tables.
///
/// On PostgreSQL it is a schema (default `recovery`), on SQLite a prefix of every table and view (default
/// none). Several stores share one database under several namespaces.
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

    /// Gives what stands before each table name of a backend.
    pub(crate) fn names(&self, sqlite: bool) -> Names {
        #[cfg(feature = "postgres")]
        if !sqlite {
            return self.postgres();
        }
        let _ = sqlite;
        self.sqlite()
    }

    /// Gives what stands before each table name of SQLite.
    pub(crate) fn sqlite(&self) -> Names {
        let prefix = self.0.as_ref().map(|name| format!("{name}_")).unwrap_or_default();
        Names {
            label: format!("prefix \"{prefix}\""),
            ns: prefix.clone(),
            bare: prefix,
            schema: None,
        }
    }

    /// Gives what stands before each table name of PostgreSQL.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(&self) -> Names {
        let schema = self.0.clone().unwrap_or_else(|| "recovery".to_owned());
        Names {
            label: format!("schema \"{schema}\""),
            ns: format!("\"{schema}\"."),
            bare: String::new(),
            schema: Some(schema),
        }
    }
}

/// The names of one store's tables.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// How messages call the place.
    pub(crate) label: String,
    /// What `{ns}` stands for: qualifies a table or view.
    pub(crate) ns: String,
    /// What `{bare}` stands for: begins the name of an index, which takes no schema.
    pub(crate) bare: String,
    /// The schema, on PostgreSQL.
    pub(crate) schema: Option<String>,
}

impl Names {
    /// Puts the names into a statement.
    pub(crate) fn sql(&self, template: &str) -> String {
        template.replace("{ns}", &self.ns).replace("{bare}", &self.bare)
    }

    /// Gives a table's name as the catalogue of the database holds it.
    pub(crate) fn catalogued(&self, table: &str) -> String {
        format!("{}{table}", self.bare)
    }
}
