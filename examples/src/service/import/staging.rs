//! The temporary table that a file goes into before it goes anywhere else.

use std::sync::mpsc::{SyncSender, sync_channel};

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

/// The rows of a file on their way into its temporary table, each with the line that it came from.
pub(super) struct Staging {
    rows: Rows,
    hand_over: SyncSender<Rows>,
}

impl Staging {
    /// Adds a row with a value for each column; none is NULL.
    pub(super) fn add<'v>(
        &mut self,
        line: u64,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) -> Result<(), Failure> {
        self.rows.add(i64::try_from(line)?, values);
        let full = self.rows.len() >= BATCH || self.rows.bytes() >= BATCH_BYTES;
        if full { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), Failure> {
        // Nobody takes rows any more where the database has refused some: its error is the one to tell.
        self.hand_over
            .send(std::mem::take(&mut self.rows))
            .map_err(|_| Failure::new("the rows of the file cannot be written"))
    }
}

/// Makes a temporary table and fills it with what `read` adds, on a thread of its own: the next rows are read while those
/// before them are written.
///
/// The table has the column `line` and these; the first of them is the key. Texts are compared byte for byte, whatever
/// the database's collation.
pub(super) fn stage<T: Send>(
    database: &mut Database,
    (name, columns): (&'static str, &[&'static str]),
    read: impl FnOnce(&mut Staging) -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let bytes = if database.is_postgres() { " COLLATE \"C\"" } else { "" };
    let declared: Vec<_> = columns.iter().map(|column| format!("{column} TEXT{bytes}")).collect();
    let declared = declared.join(", ");
    database.execute(&format!("CREATE TEMPORARY TABLE {name} (line BIGINT, {declared})"))?;
    let read = std::thread::scope(|threads| {
        let (hand_over, batches) = sync_channel(1);
        let reading = threads.spawn(move || {
            let mut staging = Staging { rows: Rows::default(), hand_over };
            let read = read(&mut staging)?;
            staging.hand_over()?;
            Ok(read)
        });
        let written =
            batches.iter().try_for_each(|rows| database.write_staged(name, columns, &rows));
        // Whoever reads must not wait to hand over what nobody takes.
        drop(batches);
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written.and(read)
    })?;
    let key = columns[0];
    database.execute(&format!("CREATE INDEX {name}_key ON {name} ({key}, line)"))?;
    database.analyze(name)?;
    Ok(read)
}

impl Database {
    fn write_staged(&mut self, name: &str, columns: &[&str], rows: &Rows) -> Result<(), Failure> {
        if rows.len() == 0 {
            return Ok(());
        }
        match &mut self.connection {
            AnyConnection::Sqlite(connection) => Ok(rows.insert(connection, name, columns)?),
            AnyConnection::Postgres(connection) => rows.copy(connection, name),
        }
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

#[cfg(test)]
mod tests {
    use recovery_queue::DatabaseUrl;

    use super::*;

    fn database(folder: &tempfile::TempDir) -> Database {
        let url = DatabaseUrl::Sqlite(folder.path().join("s.sqlite").into());
        Database::open(&url).unwrap()
    }

    #[test]
    fn rows_are_written_in_their_order_and_what_was_read_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(&folder);
        let read = stage(&mut database, ("incoming_leads", &["key"]), |staging| {
            for line in 0..12_345 {
                staging.add(line, [Some(line.to_string().as_str())])?;
            }
            Ok("read")
        });
        assert_eq!(read.unwrap(), "read");
        let same = "SELECT count(*) AS n FROM incoming_leads WHERE CAST(line AS TEXT) = key AND rowid = line + 1";
        assert_eq!(database.number(same).unwrap(), 12_345);
    }

    #[test]
    fn what_the_database_refuses_ends_the_reading_and_is_what_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(&folder);
        database.execute("PRAGMA temp.max_page_count = 50").unwrap();
        let mut added = 0;
        let refused = stage(&mut database, ("incoming_leads", &["key"]), |staging| {
            for line in 0..1_000_000 {
                staging.add(line, [Some("a text of some length, so that pages fill")])?;
                added += 1;
            }
            Ok(())
        });
        assert!(refused.unwrap_err().to_string().contains("full"));
        assert!(added < 1_000_000, "the reading went on to its end");
    }

    #[test]
    fn what_cannot_be_read_is_told_though_rows_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = database(&folder);
        let refused: Result<(), _> =
            stage(&mut database, ("incoming_leads", &["key"]), |staging| {
                for line in 0..6_000 {
                    staging.add(line, [None])?;
                }
                Err(Failure::new("line 6001 cannot be read"))
            });
        assert_eq!(refused.unwrap_err().to_string(), "line 6001 cannot be read");
    }
}
