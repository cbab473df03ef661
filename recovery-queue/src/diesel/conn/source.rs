//! Where a store gets its connections: from a URL, or from a pool of the service.

use crate::diesel::conn::database::Database;
#[cfg(feature = "r2d2")]
use crate::diesel::conn::lent::Held;
use crate::diesel::conn::open::{OpenOptions, Purpose, connect};
#[cfg(all(feature = "r2d2", feature = "postgres"))]
use crate::diesel::conn::session::Session;
use crate::diesel::conn::url::DatabaseUrl;
use crate::model::error::StoreError;

#[cfg(feature = "r2d2")]
type Pool<C> = diesel::r2d2::Pool<diesel::r2d2::ConnectionManager<C>>;

/// A pool of Diesel's connections to one backend.
#[cfg(feature = "r2d2")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionPool {
    /// Connections to SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(Pool<diesel::sqlite::SqliteConnection>),
    /// Connections to PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Pool<diesel::pg::PgConnection>),
}

#[cfg(all(feature = "r2d2", feature = "sqlite"))]
impl From<Pool<diesel::sqlite::SqliteConnection>> for ConnectionPool {
    fn from(pool: Pool<diesel::sqlite::SqliteConnection>) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(all(feature = "r2d2", feature = "postgres"))]
impl From<Pool<diesel::pg::PgConnection>> for ConnectionPool {
    fn from(pool: Pool<diesel::pg::PgConnection>) -> Self {
        Self::Postgres(pool)
    }
}

/// Where a store gets its connections.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Url(DatabaseUrl),
    #[cfg(feature = "r2d2")]
    Pool(ConnectionPool),
}

impl Source {
    pub(crate) fn is_sqlite(&self) -> bool {
        match self {
            Self::Url(url) => matches!(url, DatabaseUrl::Sqlite(_)),
            #[cfg(feature = "r2d2")]
            Self::Pool(pool) => match pool {
                #[cfg(feature = "sqlite")]
                ConnectionPool::Sqlite(_) => true,
                #[cfg(feature = "postgres")]
                ConnectionPool::Postgres(_) => false,
            },
        }
    }

    /// Says whether a connection is to go back as soon as it is not needed.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self, Self::Url(_))
    }

    /// Opens a connection, or takes one from the pool.
    ///
    /// # Errors
    /// A database that does not answer, and a pool that has none left within its time limit.
    pub(crate) fn connect(
        &self,
        options: &OpenOptions,
        purpose: Purpose,
    ) -> Result<Database<'static>, StoreError> {
        match self {
            Self::Url(url) => connect(url, options, purpose),
            #[cfg(feature = "r2d2")]
            Self::Pool(pool) => {
                let none_left = |error| StoreError::Unavailable {
                    operation: "the wait for a connection of the pool",
                    source: Box::new(error),
                };
                Ok(match pool {
                    #[cfg(feature = "sqlite")]
                    ConnectionPool::Sqlite(pool) => {
                        Database::Sqlite(Held::Pooled(Box::new(pool.get().map_err(none_left)?)))
                    }
                    #[cfg(feature = "postgres")]
                    ConnectionPool::Postgres(pool) => {
                        let held = Held::Pooled(Box::new(pool.get().map_err(none_left)?));
                        Database::Postgres(Session::new(held, false))
                    }
                })
            }
        }
    }
}
