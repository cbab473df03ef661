//! Opening the database, and statements on it.

use std::fmt;
use std::path::Path;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager as _};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use recovery_queue::{BorrowedStore, DatabaseUrl, SqliteFile};
use serde::Serialize;

use super::map::Mapped;
use crate::cli::Failure;
use crate::files;
use crate::service::BACKLOG_VIEW;

/// Reads `--database-url`; left out, it is an embedded file of the runners' own.
///
/// # Errors
///
/// An empty value, or a scheme that is neither `sqlite` nor `postgres`.
pub fn database_url(flag: Option<&str>) -> Result<DatabaseUrl, Failure> {
    match flag {
        Some(url) => Ok(DatabaseUrl::parse(url)?),
        None => Ok(DatabaseUrl::Sqlite(files::default_out_dir().join("recovery.sqlite").into())),
    }
}

/// Says that another night is under way.
pub(crate) fn another_night(place: impl std::fmt::Display, by: &str) -> Failure {
    let by = if by.is_empty() { String::new() } else { format!(" ({by})") };
    Failure::new(format_args!("{place}: another night is under way{by}"))
        .remedy("wait for its end; it goes on where it is, and needs no second one")
}

/// The service's connection.
pub struct Database {
    pub(super) connection: AnyConnection,
    /// The operator's own tables, where a mapping names them.
    pub(super) map: Option<Mapped>,
    /// What stands before the names of tables in the queue's namespace.
    pub(super) namespace: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("dialect", &self.connection.dialect())
            .finish_non_exhaustive()
    }
}

#[derive(diesel::MultiConnection)]
pub(super) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl AnyConnection {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Begins a transaction: at once to write on `SQLite`, where a reader that turns writer later could be refused.
    fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            }
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection),
        }
    }
}

type Manager = <AnyConnection as Connection>::TransactionManager;

impl Dialect {
    /// Writes an insert that takes all its rows from one JSON array of objects.
    pub(super) fn insert_json(self, table: &str, columns: &[(&str, &str)]) -> String {
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => {
                let values: Vec<_> =
                    columns.iter().map(|(name, _)| format!("value ->> '{name}'")).collect();
                format!(
                    "INSERT INTO {table} ({names}) SELECT {} FROM json_each($1)",
                    values.join(", ")
                )
            }
            Self::Postgres => {
                let typed: Vec<_> =
                    columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
                format!(
                    "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_to_recordset($1::jsonb) AS r ({})",
                    typed.join(", ")
                )
            }
        }
    }

    /// Writes the rows of a JSON array of strings as a table expression with the column `value`.
    pub(super) fn json_texts(self) -> &'static str {
        match self {
            Self::Sqlite => "(SELECT value FROM json_each($1))",
            Self::Postgres => {
                "(SELECT value FROM jsonb_array_elements_text($1::jsonb) AS t (value))"
            }
        }
    }
}

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = Text)]
    holder: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Database {
    /// Opens the database and brings the service's tables up to date.
    ///
    /// A `SQLite` file and its folder are made where they are missing.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened or is no database, a server that does not answer, a migration that fails.
    pub fn open(url: &DatabaseUrl) -> Result<Self, Failure> {
        let mut database = Self::connect(url, open_sqlite)?;
        database.migrate().map_err(|failure| failure.within(url))?;
        // Not before: a database of another program is left as it was.
        if let AnyConnection::Sqlite(sqlite) = &mut database.connection {
            sqlite.batch_execute("PRAGMA journal_mode = WAL;")?;
        }
        Ok(database)
    }

    /// Opens the database to read: nothing is made or migrated, and every write is refused.
    ///
    /// Which tables it has is not asked.
    ///
    /// # Errors
    ///
    /// As [`Database::open`], and a `SQLite` file that is missing or no database; it is named.
    pub fn open_to_read(url: &DatabaseUrl) -> Result<Self, Failure> {
        if let DatabaseUrl::Sqlite(path) = url {
            // It says what is missing, and what to do.
            files::open(path)?;
        }
        Self::connect(&url.clone().read_only(), read_sqlite)
    }

    /// Opens tables of the operator's, after a look whether the mapping fits them; nothing is made.
    pub(crate) fn open_mapped(url: &DatabaseUrl, map: &super::TableMap) -> Result<Self, Failure> {
        if let DatabaseUrl::Sqlite(path) = url {
            // Where there is no file there are none of them.
            files::open(path)?;
        }
        Self::connect(url, open_sqlite)?.mapped(map).map_err(|failure| failure.within(url))
    }

    /// Opens a further connection to the same tables; nothing is made or migrated.
    ///
    /// # Errors
    ///
    /// As [`Database::open_to_read`].
    pub fn reopen(&self, url: &DatabaseUrl) -> Result<Self, Failure> {
        let mut other = Self::open_to_read(url)?;
        if let Some(map) = self.table_map() {
            other = other.mapped(map)?;
            self.namespace().clone_into(&mut other.namespace);
        }
        Ok(other)
    }

    /// Holds the place of the one night that runs on a PostgreSQL database, as long as the value lives.
    ///
    /// It is a lock of an open transaction that reads nothing, so no row is kept back and a pooler is left as it was. The
    /// server's list of sessions shows `holder` meanwhile.
    ///
    /// # Errors
    ///
    /// Another night on this database, with who holds it.
    pub(crate) fn only_night(url: &DatabaseUrl, holder: &str) -> Result<Option<Self>, Failure> {
        if matches!(url, DatabaseUrl::Sqlite(_)) {
            return Ok(None);
        }
        let mut database = Self::connect(url, open_sqlite)?;
        database.connection.begin()?;
        diesel::sql_query("SELECT set_config('application_name', $1, true)")
            .bind::<Text, _>(format!("run_night, {holder}"))
            .execute(&mut database.connection)?;
        let taken =
            "SELECT CAST(CAST(pg_try_advisory_xact_lock(7249016543) AS int) AS BIGINT) AS n";
        if database.number(taken)? == 0 {
            // The two halves of the number above.
            let holders: Vec<Holder> = database.load(
                "SELECT concat_ws(', ', nullif(a.application_name, ''), 'backend ' || a.pid, \
                     'from ' || host(a.client_addr)) AS holder \
                 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                   AND l.classid = 1 AND l.objid = 2954049247 \
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )?;
            let by = holders.first().map_or("", |row| row.holder.as_str());
            return Err(another_night(url, by));
        }
        Ok(Some(database))
    }

    /// Says whether the database answers on this connection.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.number("SELECT CAST(1 AS BIGINT) AS n").is_ok()
    }

    /// Takes a new connection where this one is gone.
    pub(crate) fn revive(&mut self, url: &DatabaseUrl) -> Result<(), Failure> {
        if !self.is_alive() {
            *self = self.reopen(url)?;
        }
        Ok(())
    }

    fn connect(
        url: &DatabaseUrl,
        sqlite: impl FnOnce(&SqliteFile) -> Opened<SqliteConnection>,
    ) -> Result<Self, Failure> {
        let cannot = |why: &dyn fmt::Display, remedy: &str| {
            Failure::new(format_args!("{url}: cannot be opened: {why}")).remedy(remedy)
        };
        let connection = match url {
            DatabaseUrl::Sqlite(path) => AnyConnection::Sqlite(sqlite(path).map_err(|error| {
                let remedy = if path.is_read_only() {
                    "name the SQLite database that the runners work on"
                } else {
                    "name a new file, or a SQLite database in a folder that you may write to"
                };
                cannot(&error, remedy)
            })?),
            DatabaseUrl::Postgres(server) => {
                AnyConnection::Postgres(PgConnection::establish(server.as_str()).map_err(
                    |error| cannot(&error, "check that the server runs and the URL is right"),
                )?)
            }
            other => {
                return Err(Failure::new(format_args!(
                    "{other:?}: this runner knows no such database"
                )));
            }
        };
        Ok(Self { connection, map: None, namespace: String::new() })
    }

    /// Makes the backlog view, over the service's own tables and the queue's view `links`.
    ///
    /// A lead that does not say when it came into being counts from its first import.
    ///
    /// The queue's tables must exist already.
    ///
    /// # Errors
    ///
    /// The database's, named.
    pub fn create_backlog_view(&mut self, links: &str) -> Result<(), Failure> {
        self.ensure_view(
            BACKLOG_VIEW,
            &format!(
                "SELECT source_pk AS lead_source_pk, coalesce(lead_created_at, imported_at) AS lead_date,
                        version AS lead_version
                 FROM leads
                 WHERE NOT EXISTS (SELECT 1 FROM {links} AS link WHERE link.source_pk = leads.source_pk)
                   AND NOT EXISTS (SELECT 1 FROM claims AS claim WHERE claim.source_pk = leads.source_pk)"
            ),
        )
    }

    /// Says whether a table or view of this name is there.
    ///
    /// # Errors
    ///
    /// The database's, named.
    pub fn has_table(&mut self, name: &'static str) -> Result<bool, Failure> {
        let sql = match self.connection.dialect() {
            Dialect::Sqlite => {
                format!("SELECT count(*) AS n FROM sqlite_master WHERE name = '{name}'")
            }
            Dialect::Postgres => format!("SELECT count(to_regclass('{name}')) AS n"),
        };
        Ok(self.number(&sql)? > 0)
    }

    /// Counts the rows of one of the service's tables or of the backlog view, or of the operator's table that stands for it.
    ///
    /// # Errors
    ///
    /// The database's, such as a table that is not there.
    pub fn count(&mut self, table: &'static str) -> Result<u64, Failure> {
        let mapped = self.map.as_ref().and_then(|map| map.stands_for(table));
        let table = mapped.unwrap_or_else(|| table.to_owned());
        Ok(self.number(&format!("SELECT count(*) AS n FROM {table}"))?.unsigned_abs())
    }

    /// Says whether one of the service's own tables has so many rows; no more are counted.
    pub(super) fn has_rows(&mut self, table: &'static str, many: u64) -> Result<bool, Failure> {
        let many = i64::try_from(many)?;
        let counted = format!(
            "SELECT count(*) AS n FROM (SELECT 1 AS one FROM {table} LIMIT {many}) AS found"
        );
        Ok(self.number(&counted)? >= many)
    }

    /// Runs all of `work` in one transaction of Diesel's: on an error nothing of it stays.
    ///
    /// The queue joins it: see [`Database::queue`].
    pub(crate) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.attempt(false, work)
    }

    /// Runs all of `work` in one transaction as [`Database::transaction`] does; a dry run takes it back.
    pub(crate) fn attempt<T>(
        &mut self,
        dry_run: bool,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.connection.begin()?;
        match work(self) {
            Ok(done) if dry_run => {
                Manager::rollback_transaction(&mut self.connection)?;
                Ok(done)
            }
            Ok(done) => {
                Manager::commit_transaction(&mut self.connection)?;
                Ok(done)
            }
            Err(failure) => {
                // Where even this fails the connection is gone, and what the work met says more.
                let _ = Manager::rollback_transaction(&mut self.connection);
                Err(failure)
            }
        }
    }

    /// Lends the connection to the recovery queue, which writes in the transaction that is open.
    pub fn queue(&mut self) -> BorrowedStore<'_> {
        match &mut self.connection {
            AnyConnection::Sqlite(connection) => BorrowedStore::on(connection),
            AnyConnection::Postgres(connection) => BorrowedStore::on(connection),
        }
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        Ok(diesel::sql_query(sql).execute(&mut self.connection)? as u64)
    }

    /// Returns the column `n` of a query's one row.
    pub(crate) fn number(&mut self, sql: &str) -> Result<i64, Failure> {
        let row: Count = diesel::sql_query(sql).get_result(&mut self.connection)?;
        Ok(row.n)
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.connection.dialect()
    }

    /// Has PostgreSQL count a temporary table, for it plans by the figures; `SQLite` plans without any.
    pub(crate) fn analyze(&mut self, table: &str) -> Result<(), Failure> {
        if self.is_postgres() {
            self.execute(&format!("ANALYZE {table}"))?;
        }
        Ok(())
    }

    /// Tells which of the two dialects the database speaks.
    pub(crate) fn is_postgres(&self) -> bool {
        self.connection.dialect() == Dialect::Postgres
    }

    /// Writes an insert that takes all its rows from one JSON array of objects.
    pub(crate) fn insert_json(&self, table: &str, columns: &[(&str, &str)]) -> String {
        self.connection.dialect().insert_json(table, columns)
    }

    /// Writes the rows of a JSON array of strings as a table expression with the column `value`.
    pub(crate) fn json_texts(&self) -> &'static str {
        self.connection.dialect().json_texts()
    }

    /// Runs a query without binds and returns its rows.
    pub(crate) fn load<T>(&mut self, sql: &str) -> Result<Vec<T>, Failure>
    where
        T: QueryableByName<MultiBackend> + 'static,
    {
        Ok(diesel::sql_query(sql).load(&mut self.connection)?)
    }

    /// Runs a query with one JSON bind and returns its rows.
    pub(crate) fn load_json<T>(
        &mut self,
        sql: String,
        json: &impl Serialize,
    ) -> Result<Vec<T>, Failure>
    where
        T: QueryableByName<MultiBackend> + 'static,
    {
        Ok(diesel::sql_query(sql)
            .bind::<Text, _>(serde_json::to_string(json)?)
            .load(&mut self.connection)?)
    }

    /// Runs a statement with one JSON bind and returns how many rows it touched.
    pub(crate) fn execute_json(
        &mut self,
        sql: &str,
        json: &impl Serialize,
    ) -> Result<usize, Failure> {
        Ok(diesel::sql_query(sql)
            .bind::<Text, _>(serde_json::to_string(json)?)
            .execute(&mut self.connection)?)
    }
}

type Opened<C> = Result<C, Box<dyn std::error::Error + Send + Sync>>;

fn read_sqlite(file: &SqliteFile) -> Opened<SqliteConnection> {
    let mut sqlite = SqliteConnection::establish(&file.address()?)?;
    // The last one reads the file, which opening alone does not.
    sqlite.batch_execute(
        "PRAGMA busy_timeout = 30000; PRAGMA query_only = ON; SELECT count(*) FROM sqlite_master;",
    )?;
    Ok(sqlite)
}

fn open_sqlite(file: &SqliteFile) -> Opened<SqliteConnection> {
    if let Some(folder) = file.parent().filter(|folder| *folder != Path::new("")) {
        std::fs::create_dir_all(folder)?;
    }
    let mut sqlite = SqliteConnection::establish(&file.address()?)?;
    sqlite.batch_execute(
        "PRAGMA busy_timeout = 30000; PRAGMA foreign_keys = ON; SELECT count(*) FROM sqlite_master;",
    )?;
    Ok(sqlite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(
            &path,
            "these are notes, not a database, and long enough to be read as a header",
        )
        .unwrap();
        let said =
            Database::open(&DatabaseUrl::Sqlite(path.clone().into())).unwrap_err().to_string();
        assert!(said.contains("notes.txt") && said.contains("what to do"), "{said}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("these are notes"));
    }

    #[test]
    fn a_database_with_such_a_table_of_its_own_is_refused_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crm.sqlite");
        let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        other.batch_execute("CREATE TABLE persons (name TEXT)").unwrap();
        Database::open(&DatabaseUrl::Sqlite(path.into())).unwrap_err();
        let tables: Count =
            diesel::sql_query("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table'")
                .get_result(&mut other)
                .unwrap();
        assert_eq!(tables.n, 1);
    }

    #[test]
    fn another_search_path_is_refused_and_makes_no_second_set_of_tables() {
        let Some(server) = crate::service::testing::postgres("another search_path") else { return };
        let mut service = Database::open(&DatabaseUrl::parse(server.url()).unwrap()).unwrap();
        service.execute("CREATE SCHEMA other").unwrap();
        let sign = if server.url().contains('?') { '&' } else { '?' };
        let other = format!("{}{sign}options=-csearch_path%3Dother", server.url());
        let said = Database::open(&DatabaseUrl::parse(&other).unwrap()).unwrap_err().to_string();
        assert!(said.contains("lie in schema \"public\""), "{said}");
        let made = "SELECT count(*) AS n FROM pg_class WHERE relnamespace = 'other'::regnamespace";
        assert_eq!(service.number(made).unwrap(), 0);
    }

    #[test]
    fn eight_that_open_a_new_database_at_once_all_succeed() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("new.sqlite").into());
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| Database::open(&url).unwrap());
            }
        });
    }
}
