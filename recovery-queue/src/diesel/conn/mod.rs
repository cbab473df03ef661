//! Connections: whose they are, how one is set up, and the few verbs that the store needs of either backend.
//!
//! A [`Database`](database::Database) is a connection with those verbs. It is *ours* (opened by the store, set up and
//! closed by it), from a *pool*, or *lent* by a caller ([`Conn`](lent::Conn)). Four rules follow from that:
//!
//! - **What is set stays on a connection of ours only**, and there only what SQLite needs: on PostgreSQL every setting
//!   is `SET LOCAL`, since a pooler may hand the session on to other programs after each transaction.
//! - **A transaction that is open is joined** ([`transaction`]): the work is one savepoint. An error rolls back to it and is
//!   returned; to try again, to halve a batch and to reconnect belong to connections of ours, since the caller's own
//!   statements would not be repeated.
//! - **Nothing is kept prepared by name** but in a session that is proven to be ours ([`session`]), or where the owner
//!   of a lent one asks for it.
//! - **Temporary tables go with the work**: they are dropped at its end, and an error rolls their creation back.
//!
//! Absent on lent connections: time limits for the checks' statements on SQLite (its progress handler would stay), and
//! the crash marker with the batch run, which reconnects.

pub(crate) mod database;
pub(crate) mod failure;
#[cfg(all(feature = "sqlite", feature = "guardrails"))] // deadlines are the checks'
pub(crate) mod interrupt;
pub(crate) mod lent;
#[cfg_attr(not(feature = "postgres"), allow(dead_code))] // SQLite sets no such limits
pub(crate) mod limits;
pub(crate) mod namespace;
pub(crate) mod open;
#[cfg(feature = "postgres")]
pub(crate) mod own_session;
pub(crate) mod pace;
pub(crate) mod prepared;
pub(crate) mod rows;
#[cfg(feature = "postgres")]
pub(crate) mod session;
pub(crate) mod source;
pub(crate) mod sqlite_file;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_text;
pub(crate) mod transaction;
pub(crate) mod typed;
pub(crate) mod url;
