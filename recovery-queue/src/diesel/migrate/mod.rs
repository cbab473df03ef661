//! The migrations: embedded, ordered, checked against what a database says was applied.
//!
//! The book lies in a table of its own (`queue_migration`), so a service that runs `diesel_migrations` for its
//! own tables in the same database collides with nothing. Unlike Diesel's, the book knows each file's
//! checksum, migrating takes a lock, and a database newer than the build is told apart by whether the newer
//! part breaks older builds.

pub(crate) mod expected_schema;
pub(crate) mod status;

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use sha2::{Digest, Sha256};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::migrate::expected_schema::SHAPE;
use crate::diesel::migrate::status::MigrationStatus;
use crate::model::error::StoreError;

/// One embedded migration, for both backends.
pub(crate) struct Embedded {
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
    /// Whether a build that does not know it must not work on the tables.
    pub(crate) breaking: bool,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! embedded {
    ($($version:literal $name:literal breaking: $breaking:literal),+ $(,)?) => {
        &[$(Embedded {
            version: $version,
            name: $name,
            breaking: $breaking,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $version, "_", $name, "/up.sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $version, "_", $name, "/up.sql")),
        }),+]
    };
}

/// Every migration, oldest first; the last is the one head.
pub(crate) const MIGRATIONS: &[Embedded] = embedded![
    "00000000000001" "recovery_queue" breaking: true,
    "00000000000002" "run_outcome" breaking: false,
    "00000000000003" "candidate_index" breaking: false,
    "00000000000004" "person_numbers" breaking: false,
    "00000000000005" "lead_actions" breaking: false,
];

impl Embedded {
    fn script(&self, sqlite: bool) -> &'static str {
        if sqlite { self.sqlite } else { self.postgres }
    }

    fn sha256(&self, sqlite: bool) -> String {
        use std::fmt::Write as _;
        Sha256::digest(self.script(sqlite).as_bytes()).iter().fold(
            String::new(),
            |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            },
        )
    }
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

const BOOK: &str = "CREATE TABLE {ns}queue_migration (version TEXT PRIMARY KEY, name TEXT NOT NULL, \
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
            "SELECT CAST(table_name AS TEXT) AS table_name, CAST(column_name AS TEXT) AS column_name \
             FROM information_schema.columns WHERE table_schema = $1",
            &[Param::Text(names.schema.as_deref().unwrap_or_default())],
        )
    }
    .map_err(failed("the look at the tables"))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let table = row.table_name.strip_prefix(names.bare.as_str())?.to_owned();
            Some((table, row.column_name?))
        })
        .collect())
}

/// Lists what of the expected shape is not there.
fn missing(columns: &BTreeSet<(String, String)>) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, expected) in SHAPE {
        if !columns.iter().any(|(name, _)| name == table) {
            missing.push((*table).to_owned());
            continue;
        }
        for column in *expected {
            if !columns.contains(&((*table).to_owned(), (*column).to_owned())) {
                missing.push(format!("{table}.{column}"));
            }
        }
    }
    missing
}

/// Compares the book with the embedded migrations; reads only.
pub(crate) fn status(db: &mut Database, names: &Names) -> Result<MigrationStatus, StoreError> {
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
        let ours = SHAPE.iter().find(|(table, _)| columns.iter().any(|(name, _)| name == table));
        if let Some((table, _)) = ours {
            return Err(StoreError::Schema {
                namespace: names.label.clone(),
                reason: format!(
                    "there is a {} and no record of migrations",
                    names.catalogued(table)
                ),
                remedy: "choose another namespace, or call stamp when the tables were made by this crate",
            });
        }
        Vec::new()
    };
    let newest = applied.last().map(|row| row.version.clone()).unwrap_or_default();
    let mut status = MigrationStatus {
        embedded: MIGRATIONS.iter().map(|m| m.version.to_owned()).collect(),
        applied: applied.iter().map(|row| row.version.clone()).collect(),
        heads: MIGRATIONS.last().map(|m| m.version.to_owned()).into_iter().collect(),
        ..MigrationStatus::default()
    };
    for migration in MIGRATIONS {
        match applied.iter().find(|row| row.version == migration.version) {
            Some(row) if row.sha256 != migration.sha256(sqlite) => {
                status.changed.push(row.version.clone());
            }
            Some(_) => {}
            None => {
                status.pending.push(migration.version.to_owned());
                if migration.version < newest.as_str() {
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
    if status.pending.is_empty() {
        status.missing = missing(&columns);
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
    db.transaction("the migration", |db| {
        lock(db, names)?;
        let status = status(db, names)?;
        if let Some((reason, remedy)) = status.refusal() {
            return Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy });
        }
        if status.applied.is_empty() {
            make_book(db, names)?;
        }
        let now = db.now().map_err(failed("the migration"))?;
        let sqlite = db.is_sqlite();
        for migration in MIGRATIONS.iter().filter(|m| status.pending.iter().any(|v| v == m.version))
        {
            db.script(&names.sql(migration.script(sqlite))).map_err(failed("a migration"))?;
            record(db, names, migration, now)?;
            tracing::info!(name: "recovery_queue.migrated", version = migration.version);
        }
        Ok(status.pending)
    })
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

/// Adopts tables that exist already, after checking that they have the expected shape.
pub(crate) fn stamp(db: &mut Database, names: &Names) -> Result<(), StoreError> {
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
        let missing = missing(&columns);
        if !missing.is_empty() {
            return Err(StoreError::Schema {
                namespace: names.label.clone(),
                reason: format!("they lack {}", missing.join(", ")),
                remedy: "adopt only tables of the newest version of this crate",
            });
        }
        make_book(db, names)?;
        let now = db.now().map_err(failed("the stamp"))?;
        for migration in MIGRATIONS {
            record(db, names, migration, now)?;
        }
        Ok(())
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

    #[cfg(feature = "sqlite")]
    #[test]
    fn the_expected_shape_is_what_the_migrations_make() {
        use diesel::sqlite::SqliteConnection;

        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let mut db = Database::from(crate::Conn::from(&mut connection));
        let names = crate::Namespace::default().sqlite();
        migrate(&mut db, &names).unwrap();
        let mut made = columns(&mut db, &names).unwrap();
        made.retain(|(table, _)| table != "queue_migration" && !table.starts_with("sqlite_"));
        let expected: BTreeSet<(String, String)> = SHAPE
            .iter()
            .flat_map(|(table, columns)| {
                columns.iter().map(|column| ((*table).to_owned(), (*column).to_owned()))
            })
            .collect();
        assert_eq!(made, expected);
    }
}
