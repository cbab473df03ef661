//! A durable recovery queue for unlinked leads on SQLite and PostgreSQL.
