//! Whose a connection is: the store's own, one of a pool, or the caller's.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
#[cfg(feature = "sqlite")]
use diesel::sqlite::SqliteConnection;

use crate::model::stop::Stop;

/// A connection that is lent: by a caller to a store, or by a store to a caller.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use diesel::prelude::*;
/// use recovery_queue::{BorrowedStore, Conn};
///
/// let mut connection = SqliteConnection::establish(":memory:").expect("memory is there");
/// let store = BorrowedStore::on(Conn::from(&mut connection));
/// # drop(store);
/// # }
/// ```
#[allow(missing_debug_implementations)] // Diesel's connections have none.
#[non_exhaustive]
pub enum Conn<'a> {
    /// A connection to SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut SqliteConnection),
    /// A connection to PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'a mut PgConnection),
}

#[cfg(feature = "sqlite")]
impl<'a> From<&'a mut SqliteConnection> for Conn<'a> {
    fn from(connection: &'a mut SqliteConnection) -> Self {
        Self::Sqlite(connection)
    }
}

#[cfg(feature = "postgres")]
impl<'a> From<&'a mut PgConnection> for Conn<'a> {
    fn from(connection: &'a mut PgConnection) -> Self {
        Self::Postgres(connection)
    }
}

/// What a connection must be so that a pool can hold it.
#[cfg(feature = "r2d2")]
pub(crate) trait Pooling: diesel::r2d2::R2D2Connection + 'static {}
#[cfg(feature = "r2d2")]
impl<C: diesel::r2d2::R2D2Connection + 'static> Pooling for C {}
/// What a connection must be.
#[cfg(not(feature = "r2d2"))]
pub(crate) trait Pooling: 'static {}
#[cfg(not(feature = "r2d2"))]
impl<C: 'static> Pooling for C {}

/// How long a connection of ours waits for another writer of SQLite, and the flag that ends the wait.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))] // PostgreSQL waits by its own limits
    pub(crate) limit: Duration,
    pub(crate) stop: Option<Stop>,
}

impl Waits {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, stop: None }
    }
}

/// A connection to one backend, by whose it is.
pub(crate) enum Held<'c, C: Pooling> {
    /// Opened and set up by the store, and closed with it.
    Ours(Box<C>, Waits),
    /// The caller's, which goes back as it came; or ours, lent on with its waits.
    Lent(&'c mut C, Option<Waits>),
    /// From a pool, whose next user finds it as it came.
    #[cfg(feature = "r2d2")]
    Pooled(Box<diesel::r2d2::PooledConnection<diesel::r2d2::ConnectionManager<C>>>),
}

impl<C: Pooling> Held<'_, C> {
    /// Says whether the store set the connection up and may leave settings, statements and tables on it.
    pub(crate) fn is_ours(&self) -> bool {
        self.waits().is_some()
    }

    /// Gives how a connection of ours waits.
    pub(crate) fn waits(&self) -> Option<&Waits> {
        match self {
            Self::Ours(_, waits) => Some(waits),
            Self::Lent(_, waits) => waits.as_ref(),
            #[cfg(feature = "r2d2")]
            Self::Pooled(_) => None,
        }
    }

    /// Has the flag end the waits of a connection of ours.
    pub(crate) fn heed(&mut self, stop: &Stop) {
        if let Self::Ours(_, waits) = self {
            waits.stop = Some(stop.clone());
        }
    }

    /// Lends the connection on.
    pub(crate) fn lend(&mut self) -> Held<'_, C> {
        let waits = self.waits().cloned();
        Held::Lent(&mut **self, waits)
    }
}

impl<C: Pooling> Deref for Held<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        match self {
            Self::Ours(connection, _) => connection,
            Self::Lent(connection, _) => connection,
            #[cfg(feature = "r2d2")]
            Self::Pooled(connection) => connection,
        }
    }
}

impl<C: Pooling> DerefMut for Held<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        match self {
            Self::Ours(connection, _) => connection,
            Self::Lent(connection, _) => connection,
            #[cfg(feature = "r2d2")]
            Self::Pooled(connection) => connection,
        }
    }
}
