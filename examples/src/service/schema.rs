//! What of the database is the runners' own: tables made by migrations, and views; made when they are pending, and
//! not touched again.

use data_encoding::HEXLOWER;
use diesel::connection::SimpleConnection as _;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use recovery_queue::{DatabaseUrl, ServiceMigrations};
use sha2::{Digest as _, Sha256};

use super::database::{AnyConnection, Database, Dialect};
use crate::cli::Failure;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Returns the service's own migrations, for the check of the heads; their book is Diesel's.
///
/// # Errors
///
/// None: they are embedded.
pub fn migrations(url: &DatabaseUrl) -> Result<ServiceMigrations, Failure> {
    embedded(match url {
        DatabaseUrl::Sqlite(_) => Dialect::Sqlite,
        _ => Dialect::Postgres,
    })
}

fn embedded(dialect: Dialect) -> Result<ServiceMigrations, Failure> {
    let embedded = match dialect {
        Dialect::Sqlite => ServiceMigrations::of_scripts::<Sqlite>("service", &SQLITE),
        Dialect::Postgres => ServiceMigrations::of_scripts::<Pg>("service", &POSTGRES),
    };
    Ok(embedded.map_err(Failure::new)?.with_remedy(
        "Migrate the service's tables; every runner that writes does so when it starts.",
        "seed_queue",
    ))
}

/// The lock under which the runners make what is theirs on PostgreSQL; it ends with the transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7249016541)";

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Object {
    #[diesel(sql_type = Text)]
    kind: String,
    /// The comment on it in PostgreSQL, the statement that made it in `SQLite`.
    #[diesel(sql_type = Text)]
    note: String,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text)]
    schema: String,
}

/// Refuses a `search_path` that leads past the service's tables: a second, empty set would withdraw every lead.
fn check_place(
    postgres: &mut PgConnection,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let elsewhere: Vec<Place> = diesel::sql_query(
        "SELECT CAST(n.nspname AS TEXT) AS schema FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = 'wake_secret' AND c.relkind = 'r' AND to_regclass('wake_secret') IS NULL
         ORDER BY n.nspname",
    )
    .load(postgres)?;
    match elsewhere.first() {
        None => Ok(()),
        Some(Place { schema }) => Err(format!(
            "the service's tables lie in schema \"{schema}\", and the search_path leads elsewhere; \
             put it first in the search_path, as by ?options=-csearch_path%3D{schema} in the URL"
        )
        .into()),
    }
}

/// How the service's tables stand to the migrations of this program.
struct Book {
    /// Whether any of them was applied.
    has_any: bool,
    is_pending: bool,
    /// A version that a newer release has applied.
    newer: Option<String>,
}

impl Book {
    fn refuse_newer(&self) -> Result<(), Failure> {
        match &self.newer {
            None => Ok(()),
            Some(version) => Err(Failure::new(format_args!(
                "the runners' own tables were migrated by a newer release ({version})"
            ))
            .remedy("use that release or a newer one; nothing was changed")),
        }
    }
}

/// What a database has in the place of a view of ours.
enum Standing {
    Nothing,
    Ours,
    /// Ours, of a former release.
    Former,
    /// Made in the place of ours by a release that left no mark.
    Unmarked,
    NotOurs,
}

impl Database {
    /// Applies the service's migrations that are pending; where none is, no statement asks for more than reading.
    pub(super) fn migrate(&mut self) -> Result<(), Failure> {
        if !self.check_migratable()?.is_pending {
            return Ok(());
        }
        // Diesel's migrations take no lock of their own, so both wait for their turn first; and both apply all that is
        // pending or, in a database that has such tables already, nothing.
        let applied = match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => sqlite
                .immediate_transaction(|sqlite| sqlite.run_pending_migrations(SQLITE).map(|_| ())),
            AnyConnection::Postgres(postgres) => postgres.transaction(|postgres| {
                postgres.batch_execute(LOCK)?;
                check_place(postgres)?;
                postgres.run_pending_migrations(POSTGRES).map(|_| ())
            }),
        };
        applied.map_err(|error| {
            Failure::new(format_args!("the runners' own tables cannot be made: {error}")).remedy(
                "where the transaction is read-only, name the server and role that take writes; the search_path must name a schema to make them in, such as public; where a right is missing, run once as the role that owns the tables, or name your own tables with --map",
            )
        })
    }

    /// Refuses a database whose tables are not those of this program, for somebody who only reads.
    ///
    /// # Errors
    ///
    /// A database without them, with older or with newer ones.
    pub(super) fn check_own_tables(&mut self, url: &DatabaseUrl) -> Result<(), Failure> {
        let book = self.book()?;
        if !book.has_any || !self.has_table("leads")? {
            return Err(Failure::new(format_args!("{url}: it holds no tables of these runners"))
                .remedy("name the database that they work on, import into this one first (recovery_cycle), or name your own tables with --map"));
        }
        book.refuse_newer().map_err(|failure| failure.within(url))?;
        if book.is_pending {
            return Err(Failure::new(format_args!("{url}: its tables are of an older release"))
                .remedy("run `queue_admin migrate` as the role that owns them"));
        }
        Ok(())
    }

    /// Refuses a database whose tables a newer release has migrated, or that has tables of such names from elsewhere.
    fn check_migratable(&mut self) -> Result<Book, Failure> {
        let book = self.book()?;
        book.refuse_newer()?;
        if !book.has_any {
            for name in ["leads", "persons", "claims"] {
                if self.has_table(name)? {
                    return Err(Failure::new(format_args!(
                        "there is a table {name} already, and these runners have not made it"
                    ))
                    .remedy(
                        "name a database of their own, or your own tables with --map; nothing was changed",
                    ));
                }
            }
        }
        Ok(book)
    }

    /// Says whether [`Database::open`] would bring the tables of this database up to date, without doing so.
    ///
    /// # Errors
    ///
    /// Tables of a newer release, or of another program.
    pub fn check_pending(url: &DatabaseUrl) -> Result<(), Failure> {
        let mut database = Self::open_to_read(url)?;
        database.check_migratable().map(drop).map_err(|failure| failure.within(url))
    }

    fn book(&mut self) -> Result<Book, Failure> {
        const BOOK: &str = "__diesel_schema_migrations";
        if !self.has_table(BOOK)? {
            return Ok(Book { has_any: false, is_pending: true, newer: None });
        }
        let applied: Vec<Version> =
            self.load(&format!("SELECT CAST(version AS TEXT) AS version FROM {BOOK}"))?;
        let embedded = embedded(self.dialect())?;
        let known = embedded.versions();
        let is_pending = known.iter().any(|known| applied.iter().all(|row| row.version != *known));
        let head = known.iter().max().cloned().unwrap_or_default();
        let has_any = applied.iter().any(|row| known.contains(&row.version));
        let newer = applied.into_iter().map(|row| row.version).find(|version| *version > head);
        Ok(Book { has_any, is_pending, newer })
    }

    /// Makes a view of ours where it is missing or of a former release; one that is not ours is refused and left.
    ///
    /// On PostgreSQL a comment on the view says that it is ours, in `SQLite` the statement that made it. `name` is as
    /// it stands in statements.
    ///
    /// # Errors
    ///
    /// Something else of that name, and a role that may not make views where one is pending.
    pub(super) fn ensure_view(&mut self, name: &str, select: &str) -> Result<(), Failure> {
        match self.standing(name, select)? {
            Standing::Ours => return Ok(()),
            Standing::NotOurs => return Err(not_ours(name)),
            Standing::Nothing | Standing::Former | Standing::Unmarked => {}
        }
        let made = self.transaction(|database| {
            if database.is_postgres() {
                database.execute(LOCK)?;
            }
            // Another program may have been faster.
            match database.standing(name, select)? {
                Standing::Ours => return Ok(()),
                Standing::NotOurs => return Err(not_ours(name)),
                Standing::Unmarked if !database.reads_as(name, select)? => {
                    return Err(not_ours(name));
                }
                Standing::Nothing => {
                    database.execute(&format!("CREATE VIEW {name} AS {select}"))?;
                }
                Standing::Unmarked => {}
                Standing::Former => {
                    database.execute(&format!("DROP VIEW {name}"))?;
                    // Another view holds other leads, whatever has changed.
                    if database.has_table("runner_state")? {
                        database.execute("DELETE FROM runner_state WHERE name = 'lead_feed'")?;
                    }
                    database.execute(&format!("CREATE VIEW {name} AS {select}"))?;
                }
            }
            if database.is_postgres() {
                database.execute(&format!("COMMENT ON VIEW {name} IS '{}'", mark(select)))?;
            }
            Ok(())
        });
        made.map_err(|failure| {
            Failure::new(format_args!("the view {name} cannot be made: {failure}"))
        })
    }

    fn standing(&mut self, name: &str, select: &str) -> Result<Standing, Failure> {
        let sql = match self.dialect() {
            Dialect::Sqlite => {
                "SELECT type AS kind, coalesce(sql, '') AS note FROM sqlite_master WHERE name = $1"
            }
            Dialect::Postgres => {
                "SELECT CAST(c.relkind AS TEXT) AS kind, coalesce(obj_description(c.oid, 'pg_class'), '') AS note \
                 FROM pg_class c WHERE c.oid = to_regclass($1)"
            }
        };
        let found: Option<Object> = diesel::sql_query(sql)
            .bind::<Text, _>(name)
            .get_result(&mut self.connection)
            .optional()?;
        let Some(found) = found else { return Ok(Standing::Nothing) };
        Ok(match (self.dialect(), found.kind.as_str()) {
            (Dialect::Sqlite, "view") => {
                let made = words(&found.note);
                let made = made.split_once(" AS ").map_or("", |(_, made)| made);
                if made == words(select) { Standing::Ours } else { Standing::NotOurs }
            }
            (Dialect::Postgres, "v") if found.note == mark(select) => Standing::Ours,
            (Dialect::Postgres, "v") if found.note.starts_with(MARK) => Standing::Former,
            (Dialect::Postgres, "v") if found.note.is_empty() => Standing::Unmarked,
            _ => Standing::NotOurs,
        })
    }

    /// Says whether a view of PostgreSQL reads just what `select` does, by having the server write both out.
    fn reads_as(&mut self, name: &str, select: &str) -> Result<bool, Failure> {
        self.execute(&format!("CREATE TEMPORARY VIEW runners_expected AS {select}"))?;
        let same = self.number(&format!(
            "SELECT CAST(pg_get_viewdef(CAST('pg_temp.runners_expected' AS regclass)) = \
                         pg_get_viewdef(CAST('{}' AS regclass)) AS int)::bigint AS n",
            name.replace('\'', "''")
        ))?;
        self.execute("DROP VIEW pg_temp.runners_expected")?;
        Ok(same == 1)
    }
}

const MARK: &str = "made by the reference runners; ";

/// The comment that says that a view is ours, and of which release.
fn mark(select: &str) -> String {
    format!("{MARK}{}", HEXLOWER.encode(&Sha256::digest(words(select))[..8]))
}

/// The words of a statement, one blank between two.
fn words(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn not_ours(name: &str) -> Failure {
    Failure::new(format_args!("{name} is there already, and these runners have not made it"))
        .remedy("give that view or table another name, or name your own tables with --map; nothing was changed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::BACKLOG_VIEW;

    fn on_each(test: fn(&DatabaseUrl)) {
        crate::service::testing::on_each("views", test);
    }

    #[test]
    fn a_view_of_that_name_that_is_not_ours_is_refused_and_left() {
        on_each(|url| {
            let (_, mut service) = crate::service::open(url).unwrap();
            for other in
                ["VIEW backlog_leads AS SELECT 1 AS lead_id", "TABLE backlog_leads (a TEXT)"]
            {
                service.execute("DROP VIEW backlog_leads").unwrap();
                service.execute(&format!("CREATE {other}")).unwrap();
                let said = crate::service::open(url).unwrap_err().to_string();
                assert!(said.contains(BACKLOG_VIEW) && said.contains("what to do"), "{said}");
                let kind = other.split(' ').next().unwrap();
                service.execute(&format!("DROP {kind} backlog_leads")).unwrap();
                let (_, reopened) = crate::service::open(url).unwrap();
                service = reopened;
            }
        });
    }

    #[test]
    fn a_view_of_a_former_release_is_taken_over() {
        on_each(|url| {
            let (_, mut service) = crate::service::open(url).unwrap();
            if !service.is_postgres() {
                return;
            }
            service.execute("COMMENT ON VIEW backlog_leads IS NULL").unwrap();
            crate::service::open(url).unwrap();
            service.execute("DROP VIEW backlog_leads").unwrap();
            service.execute("CREATE VIEW backlog_leads AS SELECT 1 AS former").unwrap();
            service.execute(&format!("COMMENT ON VIEW backlog_leads IS '{MARK}0'")).unwrap();
            crate::service::open(url).unwrap();
            assert_eq!(service.count(BACKLOG_VIEW).unwrap(), 0);
            service.number("SELECT count(lead_source_pk) AS n FROM backlog_leads").unwrap();
        });
    }

    #[test]
    fn a_start_waits_behind_no_reader_where_nothing_is_pending() {
        on_each(|url| {
            let (_, mut reader) = crate::service::open(url).unwrap();
            if !reader.is_postgres() {
                return;
            }
            reader.execute("BEGIN").unwrap();
            reader.number("SELECT count(*) AS n FROM backlog_leads").unwrap();
            reader.number("SELECT count(*) AS n FROM leads").unwrap();
            // Were anything made or replaced, this would wait for ever.
            crate::service::open(url).unwrap();
        });
    }
}
