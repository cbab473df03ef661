//! The temporary table that a file goes into before it goes anywhere else.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use raw_packets::table::{RefusedRow, TableReader};
use recovery_queue::KeyError;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::Failure;
use crate::service::database::Database;

/// The most rows, and about the most bytes of text, that go to the database at once.
const BATCH: usize = 5_000;
const BATCH_BYTES: usize = 4 << 20;

/// A temporary table of texts, each row with the line that it came from.
pub(super) struct Staging<'a> {
    database: &'a mut Database,
    insert: String,
    batch: Vec<BTreeMap<&'static str, Field>>,
    bytes: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Field {
    Line(u64),
    Text(String),
}

impl<'a> Staging<'a> {
    /// Makes the table `name` with the column `line` and these; the first of them is the key.
    pub(super) fn new(
        database: &'a mut Database,
        name: &'static str,
        columns: &[&'static str],
    ) -> Result<Self, Failure> {
        let typed: Vec<_> = std::iter::once(("line", "bigint"))
            .chain(columns.iter().map(|column| (*column, "text")))
            .collect();
        let declared: Vec<_> =
            typed.iter().map(|(column, kind)| format!("{column} {kind}")).collect();
        database.execute(&format!("CREATE TEMPORARY TABLE {name} ({})", declared.join(", ")))?;
        database.execute(&format!("CREATE INDEX {name}_key ON {name} ({}, line)", columns[0]))?;
        let insert = database.insert_json(name, &typed);
        Ok(Self { database, insert, batch: Vec::with_capacity(BATCH), bytes: 0 })
    }

    /// Adds a row; what it does not give is null.
    pub(super) fn add<'v>(
        &mut self,
        line: u64,
        values: impl IntoIterator<Item = (&'static str, Option<&'v str>)>,
    ) -> Result<(), Failure> {
        let mut row: BTreeMap<_, _> = values
            .into_iter()
            .filter_map(|(column, value)| Some((column, value?)))
            .map(|(column, value)| {
                self.bytes += value.len();
                (column, Field::Text(value.to_owned()))
            })
            .collect();
        row.insert("line", Field::Line(line));
        self.batch.push(row);
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes the last batch.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.batch.is_empty() {
            self.database.execute_json(&self.insert, &self.batch)?;
            self.batch.clear();
            self.bytes = 0;
        }
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

/// Refuses rows whose key stands on an earlier line with another `version`, and counts plain repetitions.
pub(super) fn refuse_repeated(
    database: &mut Database,
    table: &mut TableReader,
    staging: &str,
    key: &'static str,
) -> Result<u64, Failure> {
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
