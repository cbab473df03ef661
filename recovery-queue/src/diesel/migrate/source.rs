//! The migrations as a source of Diesel's, for a service that keeps one book of all its migrations.

use std::fmt;

use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{
    Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion, Result,
};

use crate::diesel::conn::database::clock;
use crate::diesel::conn::namespace::{Names, Namespace};
use crate::diesel::migrate::{self, Embedded};

/// The migrations of the queue as a source of Diesel's.
///
/// For a service that applies all migrations of its database through one book, such as that of `diesel_migrations`
/// (`connection.run_pending_migrations(QueueMigrations::default())`). Each migration is also recorded in the queue's own
/// book, so that every check of a store (checksum, order, newer versions, drift) works as ever. Where
/// [`SqlStore::migrate`](crate::SqlStore::migrate) has made the tables already, that is the way to go on: it takes a lock
/// and checks before it writes, which Diesel's book does not.
///
/// No migration is reverted: what it would take away is the record of who is whom.
#[derive(Clone, Debug, Default)]
pub struct QueueMigrations {
    namespace: Namespace,
}

impl QueueMigrations {
    /// Makes the source of a namespace.
    #[must_use]
    pub fn within(namespace: Namespace) -> Self {
        Self { namespace }
    }

    fn list(&self, sqlite: bool) -> Result<Vec<Step>> {
        let names = self.namespace.names(sqlite)?;
        let first = migrate::in_effect(migrate::LINES).next().map(|first| first.version);
        Ok(migrate::in_effect(migrate::LINES)
            .map(|migration| Step {
                name: Name(migration),
                script: script(migration, &names, sqlite, first == Some(migration.version)),
            })
            .collect())
    }
}

/// Writes a migration with its record; the first also makes the schema and the book.
fn script(migration: &Embedded, names: &Names, sqlite: bool, is_first: bool) -> String {
    let schema = match &names.schema {
        Some(schema) if is_first => format!(
            "DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{schema}') \
             THEN CREATE SCHEMA \"{schema}\"; END IF; END $do$;\n"
        ),
        _ => String::new(),
    };
    let book = if is_first { format!("{};\n", names.sql(migrate::BOOK)) } else { String::new() };
    let clock = clock(sqlite);
    let record = names.sql(&format!(
        "INSERT INTO {{ns}}queue_migration (version, name, sha256, breaking, applied_at) \
         VALUES ('{}', '{}', '{}', {}, {clock});\n",
        migration.version,
        migration.name,
        migration.sha256(sqlite),
        i64::from(migration.breaking),
    ));
    format!("{schema}{book}{}\n{record}", names.sql(migration.script(sqlite)))
}

struct Step {
    name: Name,
    script: String,
}

struct Name(&'static Embedded);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.0.version, self.0.name)
    }
}

impl MigrationName for Name {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(self.0.version)
    }
}

/// Each migration is one transaction.
struct InTransaction;

impl MigrationMetadata for InTransaction {
    fn run_in_transaction(&self) -> bool {
        true
    }
}

impl<DB: Backend> Migration<DB> for Step {
    fn run(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Ok(connection.batch_execute(&self.script)?)
    }

    fn revert(&self, _: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Err(format!("{} is not reverted: restore a backup of the database", self.name).into())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &InTransaction
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}

#[cfg(feature = "sqlite")]
impl MigrationSource<diesel::sqlite::Sqlite> for QueueMigrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>>> {
        Ok(self.list(true)?.into_iter().map(|step| Box::new(step) as Box<_>).collect())
    }
}

#[cfg(feature = "postgres")]
impl MigrationSource<diesel::pg::Pg> for QueueMigrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<diesel::pg::Pg>>>> {
        Ok(self.list(false)?.into_iter().map(|step| Box::new(step) as Box<_>).collect())
    }
}
