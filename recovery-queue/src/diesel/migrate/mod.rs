//! The migrations: embedded, ordered, checked against what a database says was applied.
//!
//! The book lies in a table of its own (`queue_migration`), so a service that runs `diesel_migrations` for its
//! own tables in the same database collides with nothing. Unlike Diesel's, the book knows each file's
//! checksum, migrating takes a lock, and a database newer than the build is told apart by whether the newer
//! part breaks older builds. The tables of the candidate index are a line of migrations of their own, which a build
//! without them neither applies nor misses.

pub(crate) mod expected_schema;
pub(crate) mod harness;
mod partitions;
pub(crate) mod prefixed;
pub(crate) mod source;
pub(crate) mod status;

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use sha2::{Digest, Sha256};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::migrate::expected_schema::{Shape, shape};
use crate::diesel::migrate::partitions::Kept;
use crate::diesel::migrate::status::MigrationStatus;
use crate::diesel::write::store_actions;
use crate::model::error::StoreError;
use crate::model::links::Decider;
use crate::model::store_action::StoreActionKind;

/// One embedded migration, for both backends.
pub(crate) struct Embedded {
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
    line: Line,
    /// Whether a build that does not know it must not work on the tables.
    pub(crate) breaking: bool,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Migrations that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The queue's own tables.
    Queue,
    /// The tables of the population's candidate index.
    Index,
}

/// The lines that this build applies.
pub(crate) const LINES: &[Line] =
    if cfg!(feature = "identity-matching") { &[Line::Queue, Line::Index] } else { &[Line::Queue] };

/// Every line, whatever this build applies.
const ALL: [Line; 2] = [Line::Queue, Line::Index];

macro_rules! embedded {
    ($($version:literal $name:literal $line:ident breaking: $breaking:literal),+ $(,)?) => {
        &[$(Embedded {
            version: $version,
            name: $name,
            line: Line::$line,
            breaking: $breaking,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $version, "_", $name, "/up.sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $version, "_", $name, "/up.sql")),
        }),+]
    };
}

/// Every migration, oldest first; the last of each line is its one head.
pub(crate) const MIGRATIONS: &[Embedded] = embedded![
    "00000000000001" "recovery_queue" Queue breaking: true,
    "00000000000002" "run_outcome" Queue breaking: false,
    "00000000000003" "candidate_index" Index breaking: false,
    "00000000000004" "person_numbers" Queue breaking: false,
    "00000000000005" "lead_actions" Queue breaking: false,
    "00000000000006" "rejected" Queue breaking: false,
    "00000000000007" "person_view" Queue breaking: false,
    "00000000000008" "run_totals" Queue breaking: false,
    "00000000000009" "rejected_pairs" Queue breaking: false,
    "00000000000010" "key_columns" Queue breaking: false,
    "00000000000011" "reviews" Queue breaking: false,
    "00000000000012" "service_migrations" Queue breaking: false,
    "00000000000013" "wake_key_order" Queue breaking: false,
    "00000000000014" "corrections" Queue breaking: false,
    "00000000000015" "store_actions" Queue breaking: false,
    "00000000000016" "missing_origins" Queue breaking: false,
];

/// Gives the migrations of some lines, oldest first.
pub(crate) fn in_effect(lines: &[Line]) -> impl Iterator<Item = &'static Embedded> {
    MIGRATIONS.iter().filter(move |migration| lines.contains(&migration.line))
}

/// Gives the tables and views that the migrations of some lines make.
fn expected(sqlite: bool, lines: &[Line]) -> Shape {
    shape(in_effect(lines).map(|migration| migration.script(sqlite)))
}

impl Embedded {
    fn script(&self, sqlite: bool) -> &'static str {
        if sqlite { self.sqlite } else { self.postgres }
    }

    fn sha256(&self, sqlite: bool) -> String {
        digest(self.script(sqlite))
    }
}

/// Gives the SHA-256 of a script in hexadecimal.
pub(crate) fn digest(script: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(script.as_bytes()))
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = BigInt)]
    breaking: i64,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    column_name: Option<String>,
}

pub(crate) const BOOK: &str = "CREATE TABLE {ns}queue_migration (version TEXT PRIMARY KEY, name TEXT NOT NULL, \
    sha256 TEXT NOT NULL, breaking BIGINT NOT NULL, applied_at BIGINT NOT NULL)";

/// Reads the columns of every table of ours that exists, book included.
fn columns(db: &mut Database, names: &Names) -> Result<BTreeSet<(String, String)>, StoreError> {
    let rows: Vec<Column> = if db.is_sqlite() {
        db.query(
            "SELECT m.name AS table_name, c.name AS column_name FROM sqlite_master m \
             LEFT JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')",
            &[],
        )
    } else {
        db.query(
            "SELECT CAST(c.relname AS TEXT) AS table_name, CAST(a.attname AS TEXT) AS column_name \
             FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition",
            &[Param::Text(names.schema.as_deref().unwrap_or_default())],
        )
    }
    .map_err(failed("the look at the tables"))?;
    Ok(rows.into_iter().filter_map(|row| Some((row.table_name, row.column_name?))).collect())
}

/// Gives what a migration and all before it make.
fn made_by(version: &str, sqlite: bool, lines: &[Line]) -> Shape {
    shape(in_effect(lines).filter(|m| m.version <= version).map(|m| m.script(sqlite)))
}

/// Lists what of the expected shape is not there.
fn missing(expected: &Shape, columns: &BTreeSet<(String, String)>) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, wanted) in expected {
        if !columns.iter().any(|(name, _)| name == table) {
            missing.push(table.clone());
            continue;
        }
        for column in wanted {
            if !columns.contains(&(table.clone(), column.clone())) {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    missing
}

/// Compares the book with the embedded migrations; reads only.
pub(crate) fn status(db: &mut Database, names: &Names) -> Result<MigrationStatus, StoreError> {
    status_of(db, names, LINES)
}

fn status_of(
    db: &mut Database,
    names: &Names,
    lines: &[Line],
) -> Result<MigrationStatus, StoreError> {
    let sqlite = db.is_sqlite();
    let columns = columns(db, names)?;
    let has_book = columns.iter().any(|(table, _)| table == "queue_migration");
    let applied: Vec<Applied> = if has_book {
        db.query(
            &names
                .sql("SELECT version, sha256, breaking FROM {ns}queue_migration ORDER BY version"),
            &[],
        )
        .map_err(failed("the look at the migrations"))?
    } else {
        Vec::new()
    };
    let is_applied = |version: &str| applied.iter().any(|row| row.version == version);
    let is_known = |row: &Applied| MIGRATIONS.iter().any(|m| m.version == row.version);
    let newest = |line: Line| {
        let known = in_effect(&[line]).filter(|m| is_applied(m.version)).map(|m| m.version).last();
        // A version that this build does not know follows the queue's own line.
        let later = applied.iter().rev().find(|row| line == Line::Queue && !is_known(row));
        known.max(later.map(|row| row.version.as_str()))
    };
    let mut status = MigrationStatus {
        embedded: in_effect(lines).map(|m| m.version.to_owned()).collect(),
        applied: applied.iter().map(|row| row.version.clone()).collect(),
        heads: in_effect(&[Line::Queue]).last().map(|m| m.version.to_owned()).into_iter().collect(),
        ..MigrationStatus::default()
    };
    for migration in in_effect(lines) {
        match applied.iter().find(|row| row.version == migration.version) {
            Some(row) if row.sha256 != migration.sha256(sqlite) => {
                status.changed.push(row.version.clone());
            }
            Some(_) => {}
            None => {
                status.pending.push(migration.version.to_owned());
                if newest(migration.line).is_some_and(|newest| migration.version < newest) {
                    status.out_of_order.push(migration.version.to_owned());
                }
            }
        }
    }
    for row in &applied {
        if !MIGRATIONS.iter().any(|m| m.version == row.version) {
            status.unknown.push(row.version.clone());
            if row.breaking != 0 {
                status.unknown_breaking.push(row.version.clone());
            }
        }
    }
    if has_book {
        for version in &status.pending {
            let made = made_by(version, sqlite, lines);
            let before = shape(
                in_effect(lines).filter(|m| m.version < version.as_str()).map(|m| m.script(sqlite)),
            );
            if made != before && missing(&made, &columns).is_empty() {
                status.made.push(version.clone());
            }
        }
    } else {
        let held = |table: &String| columns.iter().any(|(name, _)| name == table);
        status.unrecorded = expected(sqlite, lines).into_keys().filter(held).collect();
    }
    if status.pending.is_empty() {
        status.missing = missing(&expected(sqlite, lines), &columns);
    }
    for kept in partitions::look(db, names)? {
        status.missing.extend(kept.missing());
        status.partitions = status.partitions.max(kept.wanted.unsigned_abs());
    }
    Ok(status)
}

fn lock(db: &mut Database, names: &Names) -> Result<(), StoreError> {
    if let Some(schema) = &names.schema {
        // Four programs that start at once queue up here; the lock ends with the transaction.
        db.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 7471))",
            &[Param::Text(schema)],
        )
        .map_err(failed("the lock of the migrations"))?;
    }
    Ok(())
}

fn record(
    db: &mut Database,
    names: &Names,
    migration: &Embedded,
    now: i64,
) -> Result<(), StoreError> {
    let sha256 = migration.sha256(db.is_sqlite());
    db.execute(
        &names.sql(
            "INSERT INTO {ns}queue_migration (version, name, sha256, breaking, applied_at) \
             VALUES ($1, $2, $3, $4, $5)",
        ),
        &[
            Param::Text(migration.version),
            Param::Text(migration.name),
            Param::Text(&sha256),
            Param::Int(i64::from(migration.breaking)),
            Param::Int(now),
        ],
    )
    .map_err(failed("the record of a migration"))?;
    Ok(())
}

/// Applies what is pending, in one transaction; gives the versions applied.
pub(crate) fn migrate(db: &mut Database, names: &Names) -> Result<Vec<String>, StoreError> {
    migrate_to(db, names, LINES)
}

fn migrate_to(db: &mut Database, names: &Names, lines: &[Line]) -> Result<Vec<String>, StoreError> {
    db.transaction("the migration", |db| {
        lock(db, names)?;
        if db.is_sqlite() {
            prefixed::adopt_only(db, names, &expected(true, &ALL))?;
        }
        let status = status_of(db, names, lines)?;
        if let Some((reason, remedy)) = status.refusal() {
            return Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy });
        }
        let pending = in_effect(lines).filter(|m| status.pending.iter().any(|v| v == m.version));
        apply(db, names, &status, pending)?;
        Ok(status.pending)
    })
}

/// Keeps the tables that grow with the leads in so many partitions; they hold no row yet.
pub(crate) fn partition(
    db: &mut Database,
    names: &Names,
    partitions: u16,
) -> Result<(), StoreError> {
    partitions::check(partitions, db.is_sqlite(), names)?;
    db.transaction("the partitioning", |db| {
        lock(db, names)?;
        ensure_usable(db, names)?;
        partitions::make(db, names, partitions)
    })
}

/// Applies one migration, the next of its line.
///
/// # Errors
/// As [`migrate`], and a migration that is applied already or that another one comes before.
pub(crate) fn migrate_one(
    db: &mut Database,
    names: &Names,
    version: &str,
) -> Result<(), StoreError> {
    db.transaction("the migration", |db| {
        lock(db, names)?;
        let status = status_of(db, names, LINES)?;
        let refused = |reason: String, remedy| {
            Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy })
        };
        if let Some((reason, remedy)) = status.refusal() {
            return refused(reason, remedy);
        }
        match status.pending.first() {
            Some(next) if next == version => {}
            Some(next) => {
                let reason = format!("the next pending migration is {next}, and not {version}");
                return refused(reason, "apply them in order: call migrate");
            }
            None => {
                return refused(
                    format!("the migration {version} is not pending"),
                    "nothing is to be done",
                );
            }
        }
        apply(db, names, &status, MIGRATIONS.iter().filter(|known| known.version == version))
    })
}

/// Runs the scripts of migrations and records them.
fn apply(
    db: &mut Database,
    names: &Names,
    status: &MigrationStatus,
    migrations: impl Iterator<Item = &'static Embedded>,
) -> Result<(), StoreError> {
    if status.applied.is_empty() {
        make_book(db, names)?;
    }
    let now = db.now().map_err(failed("the migration"))?;
    let sqlite = db.is_sqlite();
    let mut applied = Vec::new();
    for migration in migrations {
        db.script(&names.sql(migration.script(sqlite))).map_err(failed("a migration"))?;
        record(db, names, migration, now)?;
        tracing::info!(name: "recovery_queue.migrated", version = migration.version);
        applied.push(migration.version);
    }
    if applied.is_empty() {
        return Ok(());
    }
    let by = by(db)?;
    let decider =
        Decider { by: &by, reason: concat!("recovery-queue ", env!("CARGO_PKG_VERSION")) };
    keep(db, names, now, (StoreActionKind::Migrated, &applied), decider)
}

/// Says who migrates: the role that PostgreSQL knows; SQLite knows nobody.
fn by(db: &mut Database) -> Result<String, StoreError> {
    if db.is_sqlite() {
        return Ok("recovery-queue".to_owned());
    }
    let sql = "SELECT CAST(session_user AS TEXT) AS value";
    let role: Vec<TextRow> = db.query(sql, &[]).map_err(failed("the migration"))?;
    Ok(role.into_iter().next().map(|row| row.value).unwrap_or_default())
}

/// Keeps in the history what was done with versions, where the table of the history is there.
fn keep(
    db: &mut Database,
    names: &Names,
    now: i64,
    (kind, versions): (StoreActionKind, &[&str]),
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    if !columns(db, names)?.iter().any(|(table, _)| table == "queue_store_action") {
        return Ok(());
    }
    let (rows, versions) = (versions.len() as u64, versions.join(", "));
    store_actions::record(db, names, now, (kind, &versions, rows), decider)
}

fn make_book(db: &mut Database, names: &Names) -> Result<(), StoreError> {
    if let Some(schema) = &names.schema {
        // Asked first, for a user without the right to create schemas may be given one.
        let exists: Vec<TextRow> = db
            .query(
                "SELECT CAST(nspname AS TEXT) AS value FROM pg_namespace WHERE nspname = $1",
                &[Param::Text(schema)],
            )
            .map_err(failed("the look at the schema"))?;
        if exists.is_empty() {
            db.script(&format!("CREATE SCHEMA \"{schema}\"")).map_err(failed("the new schema"))?;
        }
    }
    db.script(&names.sql(BOOK)).map_err(failed("the record of migrations"))
}

/// Renames the tables that lie under a prefix in a file of SQLite, and applies what is pending.
pub(crate) fn adopt_prefix(
    db: &mut Database,
    names: &Names,
    prefix: &str,
) -> Result<Vec<String>, StoreError> {
    db.transaction("the migration", |db| {
        prefixed::adopt(db, names, &expected(true, &ALL), prefix)?;
        migrate(db, names)
    })
}

/// Adopts tables that exist already, after checking that they have the expected shape.
pub(crate) fn stamp(
    db: &mut Database,
    names: &Names,
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    decider.check()?;
    db.transaction("the stamp", |db| {
        lock(db, names)?;
        let columns = columns(db, names)?;
        if columns.iter().any(|(table, _)| table == "queue_migration") {
            return Err(StoreError::Schema {
                namespace: names.label.clone(),
                reason: "their migrations are recorded already".to_owned(),
                remedy: "call migrate",
            });
        }
        let mut missing = missing(&expected(db.is_sqlite(), LINES), &columns);
        missing.extend(partitions::look(db, names)?.iter().filter_map(Kept::missing));
        if !missing.is_empty() {
            return Err(StoreError::Schema {
                namespace: names.label.clone(),
                reason: format!("they lack {}", missing.join(", ")),
                remedy: "adopt only tables of the newest version of this crate",
            });
        }
        make_book(db, names)?;
        let now = db.now().map_err(failed("the stamp"))?;
        for migration in in_effect(LINES) {
            record(db, names, migration, now)?;
        }
        let versions: Vec<&str> = in_effect(LINES).map(|known| known.version).collect();
        keep(db, names, now, (StoreActionKind::Stamped, &versions), decider)
    })
}

/// Records one pending migration whose tables and columns are there already, such as those of another branch.
pub(crate) fn stamp_version(
    db: &mut Database,
    names: &Names,
    version: &str,
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    decider.check()?;
    db.transaction("the stamp", |db| {
        lock(db, names)?;
        let status = status_of(db, names, LINES)?;
        let refused = |reason: String, remedy| {
            Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy })
        };
        if let Some((reason, remedy)) = status.fault() {
            return refused(reason, remedy);
        }
        let migration = MIGRATIONS.iter().find(|known| known.version == version);
        let Some(migration) = migration.filter(|_| status.pending.iter().any(|v| v == version))
        else {
            let pending = match status.pending.as_slice() {
                [] => "nothing".to_owned(),
                pending => pending.join(", "),
            };
            let reason = format!("the migration to be recorded is not pending; pending: {pending}");
            return refused(reason, "stamp a pending version");
        };
        let sqlite = db.is_sqlite();
        let made = made_by(migration.version, sqlite, LINES);
        let before = in_effect(LINES).filter(|known| known.version < migration.version);
        if made == shape(before.map(|known| known.script(sqlite))) {
            let reason = format!(
                "nothing shows whether {version} was applied: it makes no table and no column"
            );
            return refused(reason, "call migrate, which applies it");
        }
        let missing = missing(&made, &columns(db, names)?);
        if !missing.is_empty() {
            let reason = format!("they lack {}", missing.join(", "));
            return refused(reason, "call migrate, which makes what is not there");
        }
        if status.applied.is_empty() {
            make_book(db, names)?;
        }
        let now = db.now().map_err(failed("the stamp"))?;
        record(db, names, migration, now)?;
        keep(db, names, now, (StoreActionKind::Stamped, &[migration.version]), decider)
    })
}

/// Refuses to work on tables that are not those of this build; newer ones that break nothing are fine.
pub(crate) fn ensure_usable(db: &mut Database, names: &Names) -> Result<(), StoreError> {
    let status = status(db, names)?;
    if let Some((reason, remedy)) = status.refusal() {
        return Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy });
    }
    if !status.pending.is_empty() {
        return Err(StoreError::Schema {
            namespace: names.label.clone(),
            reason: format!("the migrations {} are pending", status.pending.join(", ")),
            remedy: "call migrate first",
        });
    }
    if !status.unknown.is_empty() {
        tracing::warn!(name: "recovery_queue.newer_tables", versions = ?status.unknown);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_ascend_strictly_so_there_is_one_head() {
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].version < pair[1].version));
    }

    fn made(db: &mut Database, names: &Names) -> Shape {
        let mut shape = Shape::new();
        for (table, column) in columns(db, names).unwrap() {
            if table != "queue_migration" && !table.starts_with("sqlite_") {
                shape.entry(table).or_default().insert(column);
            }
        }
        shape
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn the_expected_shape_is_what_the_migrations_make_on_sqlite() {
        let mut connection = diesel::sqlite::SqliteConnection::establish(":memory:").unwrap();
        let mut db = Database::from(crate::Conn::from(&mut connection));
        let names = crate::Namespace::default().names(true).unwrap();
        migrate(&mut db, &names).unwrap();
        assert_eq!(made(&mut db, &names), expected(true, LINES));
    }

    #[cfg(all(feature = "postgres", feature = "testing"))]
    #[test]
    fn the_expected_shape_is_what_the_migrations_make_on_postgres() {
        use std::io::Write as _;
        let server = match crate::testing::PostgresServer::start() {
            Ok(server) => server,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                let _ = writeln!(std::io::stderr(), "LEFT OUT: the shape on PostgreSQL: {error}");
                return;
            }
        };
        let mut connection = diesel::pg::PgConnection::establish(server.url()).unwrap();
        let mut db = Database::from(crate::Conn::from(&mut connection));
        let schema = format!("parts_{}", std::process::id());
        let names = crate::Namespace::new(&schema).unwrap().names(false).unwrap();
        // Each later migration also works on tables in partitions.
        migrate_one(&mut db, &names, MIGRATIONS[0].version).unwrap();
        db.transaction("the test", |db| partitions::make(db, &names, 3)).unwrap();
        migrate(&mut db, &names).unwrap();
        the_shape_is_checked(&mut db, &names, 3);

        let schema = format!("shape_{}", std::process::id());
        let names = crate::Namespace::new(&schema).unwrap().names(false).unwrap();
        migrate(&mut db, &names).unwrap();
        the_shape_is_checked(&mut db, &names, 0);
    }

    #[cfg(all(feature = "postgres", feature = "testing"))]
    fn the_shape_is_checked(db: &mut Database, names: &Names, partitions: u64) {
        assert_eq!(made(db, names), expected(false, LINES));
        assert_eq!(status(db, names).unwrap().partitions, partitions);

        // Whatever one column is missing, it is told, and neither a check nor a stamp passes.
        for (table, columns) in expected(false, LINES) {
            let Some(column) = columns.iter().next_back() else { continue };
            let gone: Result<(), _> = db.transaction("the test", |db| {
                let drop = format!("ALTER TABLE {{ns}}{table} DROP COLUMN {column} CASCADE");
                if db.script(&names.sql(&drop)).is_err() {
                    return Err(crate::StoreError::NotFound { what: "table", key: table.clone() });
                }
                let missing = status(db, names)?.missing;
                assert!(missing.contains(&format!("{table}.{column}")), "{table}: {missing:?}");
                db.script(&names.sql("DROP TABLE {ns}queue_migration")).unwrap();
                let decider = Decider { by: "ana", reason: "a test" };
                let error = stamp(db, names, decider).unwrap_err().to_string();
                assert!(error.contains(&format!("{table}.{column}")), "{error}");
                Err(crate::StoreError::NotFound { what: "regret", key: String::new() })
            });
            gone.unwrap_err();
        }
        assert!(status(db, names).unwrap().is_current());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn the_index_tables_are_a_line_of_their_own() {
        let mut connection = diesel::sqlite::SqliteConnection::establish(":memory:").unwrap();
        let mut db = Database::from(crate::Conn::from(&mut connection));
        let names = crate::Namespace::default().names(true).unwrap();
        migrate_to(&mut db, &names, &[Line::Queue]).unwrap();
        assert!(made(&mut db, &names).keys().all(|table| !table.starts_with("queue_index")));
        assert!(status_of(&mut db, &names, &[Line::Queue]).unwrap().is_current());
        let both = [Line::Queue, Line::Index];
        let status = status_of(&mut db, &names, &both).unwrap();
        assert_eq!((status.pending.len(), status.out_of_order.len()), (1, 0), "{status:?}");
        assert_eq!(migrate_to(&mut db, &names, &both).unwrap(), ["00000000000003"]);
        for lines in [&both[..], &both[..1]] {
            let status = status_of(&mut db, &names, lines).unwrap();
            assert!(status.is_current(), "a build without the index knows its tables: {status:?}");
        }
    }
}
