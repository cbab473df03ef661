//! The queue's own book as a harness of Diesel's.

use diesel::migration::{Migration, MigrationSource, MigrationVersion, Result};
use diesel_migrations::MigrationHarness;

use crate::diesel::conn::database::Database;
use crate::diesel::conn::lent::Conn;
use crate::diesel::conn::namespace::{Names, Namespace};
use crate::diesel::migrate;
use crate::model::error::ConfigError;

/// The queue's own book on a connection: the checked way to apply [`QueueMigrations`](crate::QueueMigrations), as
/// [`SqlStore::migrate`](crate::SqlStore::migrate) does.
///
/// One program at a time, and all that is pending in one transaction. Nothing is applied to tables of another program or of
/// a newer version that breaks this one, to a book whose migrations were edited, and behind one that is applied already.
/// Migrations of a service's own have no place in this book: they are refused.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// use diesel::prelude::*;
/// use diesel_migrations::MigrationHarness;
/// use recovery_queue::{CheckedBook, QueueMigrations};
///
/// let mut connection = SqliteConnection::establish(":memory:")?;
/// let mut book = CheckedBook::on(&mut connection);
/// assert!(book.has_pending_migration(QueueMigrations::default())?);
/// book.run_pending_migrations(QueueMigrations::default())?;
/// assert!(!book.has_pending_migration(QueueMigrations::default())?);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct CheckedBook<'c, C> {
    connection: &'c mut C,
    names: Names,
}

impl<C> std::fmt::Debug for CheckedBook<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckedBook").field("names", &self.names.label).finish_non_exhaustive()
    }
}

impl<'c, C> CheckedBook<'c, C>
where
    for<'a> Conn<'a>: From<&'a mut C>,
{
    /// Opens the book of the default namespace; nothing is made or looked at yet.
    #[must_use]
    pub fn on(connection: &'c mut C) -> Self {
        Self::within(connection, &Namespace::default())
            .expect("the default namespace is every backend's")
    }

    /// Opens the book of a namespace.
    ///
    /// # Errors
    /// Another namespace than the default on SQLite, where a file is one.
    pub fn within(
        connection: &'c mut C,
        namespace: &Namespace,
    ) -> std::result::Result<Self, ConfigError> {
        let sqlite = Database::from(Conn::from(&mut *connection)).is_sqlite();
        Ok(Self { names: namespace.names(sqlite)?, connection })
    }

    fn db(&mut self) -> (Database<'_>, &Names) {
        (Database::from(Conn::from(&mut *self.connection)), &self.names)
    }

    fn applied(&mut self) -> Result<Vec<MigrationVersion<'static>>> {
        let (mut db, names) = self.db();
        let applied = migrate::status(&mut db, names)?.applied;
        // Newest first, as Diesel's own harness gives them.
        Ok(applied.into_iter().rev().map(MigrationVersion::from).collect())
    }
}

/// Refuses migrations that are none of the queue's.
fn check_ours<DB: diesel::backend::Backend>(migrations: &[Box<dyn Migration<DB>>]) -> Result<()> {
    migrations.iter().try_for_each(|migration| embedded(migration.as_ref()).map(drop))
}

/// Finds the queue's migration of that version.
fn embedded<DB: diesel::backend::Backend>(migration: &dyn Migration<DB>) -> Result<&'static str> {
    let version = migration.name().version().to_string();
    let known = migrate::MIGRATIONS.iter().find(|known| known.version == version);
    let known = known.map(|known| known.version).ok_or_else(|| {
        format!(
            "migration {} is none of the queue's; apply it through the service's own book",
            migration.name()
        )
    })?;
    Ok(known)
}

macro_rules! harness {
    ($backend:ty, $connection:ty) => {
        impl MigrationHarness<$backend> for CheckedBook<'_, $connection> {
            fn run_pending_migrations<S: MigrationSource<$backend>>(
                &mut self,
                source: S,
            ) -> Result<Vec<MigrationVersion<'_>>> {
                check_ours(&source.migrations()?)?;
                let (mut db, names) = self.db();
                let applied = migrate::migrate(&mut db, names)?;
                Ok(applied.into_iter().map(MigrationVersion::from).collect())
            }

            fn run_migration(
                &mut self,
                migration: &dyn Migration<$backend>,
            ) -> Result<MigrationVersion<'static>> {
                let version = embedded(migration)?;
                let (mut db, names) = self.db();
                migrate::migrate_one(&mut db, names, version)?;
                Ok(MigrationVersion::from(version))
            }

            fn revert_migration(
                &mut self,
                migration: &dyn Migration<$backend>,
            ) -> Result<MigrationVersion<'static>> {
                Err(format!(
                    "{} is not reverted: restore a backup of the database",
                    migration.name()
                )
                .into())
            }

            fn applied_migrations(&mut self) -> Result<Vec<MigrationVersion<'static>>> {
                self.applied()
            }
        }
    };
}

#[cfg(feature = "sqlite")]
harness!(diesel::sqlite::Sqlite, diesel::sqlite::SqliteConnection);
#[cfg(feature = "postgres")]
harness!(diesel::pg::Pg, diesel::pg::PgConnection);
