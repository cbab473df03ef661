//! The temporary table that a file goes into before it goes anywhere else.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use raw_packets::table::{RefusedRow, TableReader};
use recovery_queue::KeyError;
use sha2::{Digest, Sha256};

use super::bulk::Rows;
use crate::cli::Failure;
use crate::service::database::{AnyConnection, Database};

/// The most rows, and about the most bytes of text, that go to the database at once.
const BATCH: usize = 5_000;
const BATCH_BYTES: usize = 4 << 20;

/// A temporary table of texts, each row with the line that it came from.
pub(super) struct Staging<'a> {
    database: &'a mut Database,
    name: &'static str,
    columns: &'a [&'static str],
    rows: Rows,
}

impl<'a> Staging<'a> {
    /// Makes the table `name` with the column `line` and these; the first of them is the key.
    ///
    /// Texts are compared byte for byte, whatever the database's collation.
    pub(super) fn new(
        database: &'a mut Database,
        name: &'static str,
        columns: &'a [&'static str],
    ) -> Result<Self, Failure> {
        let bytes = if database.is_postgres() { " COLLATE \"C\"" } else { "" };
        let declared: Vec<_> =
            columns.iter().map(|column| format!("{column} TEXT{bytes}")).collect();
        let declared = declared.join(", ");
        database.execute(&format!("CREATE TEMPORARY TABLE {name} (line BIGINT, {declared})"))?;
        Ok(Self { database, name, columns, rows: Rows::default() })
    }

    /// Adds a row with a value for each column; none is NULL.
    pub(super) fn add<'v>(
        &mut self,
        line: u64,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) -> Result<(), Failure> {
        self.rows.add(i64::try_from(line)?, values);
        let full = self.rows.len() >= BATCH || self.rows.bytes() >= BATCH_BYTES;
        if full { self.flush() } else { Ok(()) }
    }

    /// Writes the last batch, and orders the rows by key and line.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        let (name, key) = (self.name, self.columns[0]);
        self.database.execute(&format!("CREATE INDEX {name}_key ON {name} ({key}, line)"))?;
        self.database.analyze(name)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        match &mut self.database.connection {
            AnyConnection::Sqlite(connection) => {
                self.rows.insert(connection, self.name, self.columns)?;
            }
            AnyConnection::Postgres(connection) => self.rows.copy(connection, self.name)?,
        }
        self.rows.clear();
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Repeated {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = BigInt)]
    first: i64,
}

/// Says whether a key stands on more than one line.
pub(super) fn has_repeated(
    database: &mut Database,
    staging: &str,
    key: &'static str,
) -> Result<bool, Failure> {
    let repeated = database.number(&format!(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM {staging} GROUP BY {key} HAVING count(*) > 1 LIMIT 1) AS r"
    ))?;
    Ok(repeated > 0)
}

impl Database {
    /// Writes the condition that a row's key is not among those that came in, so that each backend reads both once.
    pub(super) fn is_absent(&self, table: &str, key: &str, incoming: &str) -> String {
        if self.is_postgres() {
            format!("NOT EXISTS (SELECT 1 FROM {incoming} AS e WHERE e.{key} = {table}.{key})")
        } else {
            format!("{key} NOT IN (SELECT {key} FROM {incoming})")
        }
    }
}

/// Refuses rows whose key stands on an earlier line with another `version`, and counts plain repetitions.
pub(super) fn refuse_repeated(
    database: &mut Database,
    table: &mut TableReader,
    staging: &str,
    key: &'static str,
) -> Result<u64, Failure> {
    if !has_repeated(database, staging, key)? {
        return Ok(0);
    }
    let later = format!(
        "FROM {staging} AS i JOIN {staging} AS f ON f.{key} = i.{key} AND f.line < i.line
         AND NOT EXISTS (SELECT 1 FROM {staging} AS e WHERE e.{key} = i.{key} AND e.line < f.line)"
    );
    // Page by page, for every one is told and there may be many.
    let mut last = 0;
    loop {
        let differing: Vec<Repeated> = diesel::sql_query(format!(
            "SELECT i.line AS line, f.line AS first {later} AND f.version <> i.version AND i.line > {last}
             ORDER BY i.line LIMIT {BATCH}"
        ))
        .load(&mut database.connection)?;
        let Some(end) = differing.last() else { break };
        last = end.line;
        for row in &differing {
            let first = row.first;
            let why = format!(
                "the same key stands on line {first} with other content; keep one of the two"
            );
            table.refuse(RefusedRow::new(row.line.unsigned_abs(), key, why));
        }
    }
    let repeated =
        database.number(&format!("SELECT count(*) AS n {later} AND f.version = i.version"))?;
    Ok(repeated.unsigned_abs())
}

/// Refuses a key that the queue would refuse later.
pub(super) fn check_key<K>(
    column: &'static str,
    key: Option<&str>,
    make: impl FnOnce(Box<str>) -> Result<K, KeyError>,
) -> Option<(&'static str, String)> {
    let refused = make(key?.into()).err()?;
    Some((column, refused.to_string()))
}

/// A fingerprint of a row's content, which changes when and only when the content does.
pub(super) fn version<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for cell in cells {
        hash.update((cell.len() as u64).to_le_bytes());
        hash.update(cell);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let (half, _) = hash.split_first_chunk().expect("a hash of 32 bytes has a first half");
    format!("{:032x}", u128::from_be_bytes(*half))
}
