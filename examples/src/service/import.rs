//! CSV files into the service's tables: all of a file or nothing of it, and nothing where nothing changed.
//!
//! Each file goes into a temporary table in batches and from there, set by set, into its own table, in one
//! transaction for all files. Memory holds one batch. A row that stands there already as it is stays
//! untouched, so a second import of the same file changes nothing.

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::database::Database;
use crate::cli::{Console, Exit, Failure};
use crate::input::{Row, Table, TableSummary};

const BATCH: usize = 5_000;

const LEAD_COLUMNS: [&str; 13] = [
    "id",
    "external_id",
    "lead_created_at",
    "phone",
    "document",
    "document_type",
    "document_country",
    "email",
    "first_name",
    "middle_name",
    "last_name",
    "birth_date",
    "plate",
];
const PERSON_COLUMNS: [&str; 9] = [
    "person_key",
    "phone",
    "document",
    "document_type",
    "document_country",
    "email",
    "full_name",
    "birth_date",
    "plate",
];
const CLAIM_COLUMNS: [&str; 3] = ["claim_id", "person_key", "source_pk"];

/// The files of an import, opened and with their headers read; nothing is written yet.
#[derive(Debug)]
pub struct Import {
    leads: Option<Table>,
    persons: Option<Table>,
    claims: Option<Table>,
}

impl Import {
    /// Opens the files; one that is left out leaves its table as it is.
    ///
    /// # Errors
    ///
    /// A file that is missing, unreadable or has no id column.
    pub fn open(
        leads: Option<&Path>,
        persons: Option<&Path>,
        claims: Option<&Path>,
    ) -> Result<Self, Failure> {
        let table = |path: Option<&Path>, ids: &[&'static str], columns: &[&'static str]| {
            path.map(|path| Table::open(path, ids, columns)).transpose()
        };
        Ok(Self {
            leads: table(leads, &["id", "external_id"], &LEAD_COLUMNS)?,
            persons: table(persons, &["person_key"], &PERSON_COLUMNS)?,
            claims: table(claims, &["claim_id"], &CLAIM_COLUMNS)?,
        })
    }
}

/// What an import found and did, table by table.
#[derive(Clone, Debug, Serialize)]
pub struct ImportSummary {
    /// What the file held.
    #[serde(flatten)]
    pub table: TableSummary,
    /// Rows (of persons: persons) that were new or had changed.
    pub written_total: u64,
    /// Rows that repeat an earlier row of the same file word for word.
    pub repeated_total: u64,
    /// Leads whose `lead_created_at` names no zone and was read as UTC.
    pub zone_missing_total: u64,
}

impl ImportSummary {
    /// Tells on stderr what was refused, ignored or read by assumption.
    pub fn tell(&self, console: &Console) {
        self.table.tell(console);
        let file = &self.table.file;
        if self.repeated_total > 0 {
            console
                .note(format_args!("{file}: {} rows repeat an earlier one", self.repeated_total));
        }
        if self.zone_missing_total > 0 {
            let rows = self.zone_missing_total;
            console.note(format_args!("{file}: {rows} times name no zone and were read as UTC"));
        }
    }

    /// Returns what the exit code must say of this import.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.table.exit()
    }
}

impl Database {
    /// Imports the files in one transaction: all of them or, on an error, none.
    ///
    /// Leads are written by `source_pk`, which is `external_id`, or `id` where that is blank, byte for byte;
    /// persons are replaced as a whole, record by record; claims by `claim_id`. A broken row is no error: it
    /// is refused and told in the summary.
    ///
    /// # Errors
    ///
    /// The disk's and the database's.
    pub fn import(&mut self, files: Import) -> Result<Vec<ImportSummary>, Failure> {
        self.transaction(|database| {
            let mut summaries = Vec::new();
            if let Some(table) = files.leads {
                summaries.push(import_leads(database, table)?);
            }
            if let Some(table) = files.persons {
                summaries.push(import_persons(database, table)?);
            }
            if let Some(table) = files.claims {
                summaries.push(import_claims(database, table)?);
            }
            Ok(summaries)
        })
    }
}

#[derive(Serialize)]
struct IncomingLead<'a> {
    line: u64,
    source_pk: &'a str,
    lead_created_at: Option<String>,
    phone: Option<&'a str>,
    document: Option<&'a str>,
    document_type: Option<&'a str>,
    document_country: Option<&'a str>,
    email: Option<&'a str>,
    first_name: Option<&'a str>,
    middle_name: Option<&'a str>,
    last_name: Option<&'a str>,
    birth_date: Option<&'a str>,
    plate: Option<&'a str>,
    version: String,
}

const LEAD_TABLE: [(&str, &str); 14] = [
    ("line", "bigint"),
    ("source_pk", "text"),
    ("lead_created_at", "text"),
    ("phone", "text"),
    ("document", "text"),
    ("document_type", "text"),
    ("document_country", "text"),
    ("email", "text"),
    ("first_name", "text"),
    ("middle_name", "text"),
    ("last_name", "text"),
    ("birth_date", "text"),
    ("plate", "text"),
    ("version", "text"),
];

fn import_leads(database: &mut Database, mut table: Table) -> Result<ImportSummary, Failure> {
    let mut zone_missing_total = 0;
    let mut staging = Staging::new(database, "incoming_leads", &LEAD_TABLE)?;
    while let Some(row) = table.next_row()? {
        let Some(source_pk) = row.optional("external_id").or_else(|| row.optional("id")) else {
            let line = row.line();
            table.refuse(
                line,
                Some("id"),
                "neither `id` nor `external_id` is given; give one of them",
            );
            continue;
        };
        let created = match row.optional("lead_created_at").map(instant).transpose() {
            Ok(created) => created,
            Err(reason) => {
                let line = row.line();
                table.refuse(line, Some("lead_created_at"), reason);
                continue;
            }
        };
        zone_missing_total += u64::from(created.as_ref().is_some_and(|(_, zoned)| !zoned));
        staging.add(&IncomingLead {
            line: row.line(),
            source_pk,
            lead_created_at: created.map(|(instant, _)| instant),
            phone: row.optional("phone"),
            document: row.optional("document"),
            document_type: row.optional("document_type"),
            document_country: row.optional("document_country"),
            email: row.optional("email"),
            first_name: row.optional("first_name"),
            middle_name: row.optional("middle_name"),
            last_name: row.optional("last_name"),
            birth_date: row.optional("birth_date"),
            plate: row.optional("plate"),
            version: version(&row, &LEAD_COLUMNS[2..]),
        })?;
    }
    staging.flush()?;
    let repeated_total =
        refuse_repeated(database, &mut table, "incoming_leads", "source_pk", "version")?;
    let names = names(&LEAD_TABLE[1..]);
    let written_total = database.execute(&format!(
        "INSERT INTO leads ({names}) SELECT {names} FROM incoming_leads AS i WHERE
           NOT EXISTS (SELECT 1 FROM incoming_leads AS e WHERE e.source_pk = i.source_pk AND e.line < i.line)
         ON CONFLICT (source_pk) DO UPDATE SET {} WHERE leads.version <> excluded.version",
        LEAD_TABLE[2..].iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ")
    ))?;
    database.execute("DROP TABLE incoming_leads")?;
    Ok(ImportSummary { table: table.close(), written_total, repeated_total, zone_missing_total })
}

#[derive(Serialize)]
struct IncomingPerson<'a> {
    line: u64,
    person_key: &'a str,
    phone: Option<&'a str>,
    document: Option<&'a str>,
    document_type: Option<&'a str>,
    document_country: Option<&'a str>,
    email: Option<&'a str>,
    full_name: Option<&'a str>,
    birth_date: Option<&'a str>,
    plate: Option<&'a str>,
}

const PERSON_TABLE: [(&str, &str); 10] = [
    ("line", "bigint"),
    ("person_key", "text"),
    ("phone", "text"),
    ("document", "text"),
    ("document_type", "text"),
    ("document_country", "text"),
    ("email", "text"),
    ("full_name", "text"),
    ("birth_date", "text"),
    ("plate", "text"),
];

fn import_persons(database: &mut Database, mut table: Table) -> Result<ImportSummary, Failure> {
    let mut staging = Staging::new(database, "incoming_persons", &PERSON_TABLE)?;
    while let Some(row) = table.next_row()? {
        let Some(person_key) = row.optional("person_key") else {
            let line = row.line();
            table.refuse(line, Some("person_key"), "the person has no key; give every person one");
            continue;
        };
        staging.add(&IncomingPerson {
            line: row.line(),
            person_key,
            phone: row.optional("phone"),
            document: row.optional("document"),
            document_type: row.optional("document_type"),
            document_country: row.optional("document_country"),
            email: row.optional("email"),
            full_name: row.optional("full_name"),
            birth_date: row.optional("birth_date"),
            plate: row.optional("plate"),
        })?;
    }
    staging.flush()?;
    // A person's records are compared as a set, so neither their order in the file nor a repetition matters.
    let fields = names(&PERSON_TABLE[1..]);
    database.execute(&format!(
        "CREATE TEMPORARY TABLE incoming_records AS
         SELECT {fields}, row_number() OVER (PARTITION BY person_key ORDER BY {}) AS record
         FROM (SELECT DISTINCT {fields} FROM incoming_persons) AS i",
        (3..=PERSON_TABLE.len()).map(|at| PERSON_TABLE[at - 1].0).collect::<Vec<_>>().join(", ")
    ))?;
    database.execute(&format!(
        "CREATE TEMPORARY TABLE changed_persons AS
         SELECT DISTINCT person_key FROM (
           SELECT * FROM (SELECT {fields}, record FROM incoming_records
             EXCEPT SELECT {fields}, record FROM persons) AS added
           UNION ALL
           SELECT * FROM (SELECT {fields}, record FROM persons
             WHERE person_key IN (SELECT person_key FROM incoming_records)
             EXCEPT SELECT {fields}, record FROM incoming_records) AS removed
         ) AS changed"
    ))?;
    let read: i64 = database.number("SELECT count(*) AS n FROM incoming_persons")?;
    let distinct: i64 = database.number("SELECT count(*) AS n FROM incoming_records")?;
    let written: i64 = database.number("SELECT count(*) AS n FROM changed_persons")?;
    database.execute(
        "DELETE FROM persons WHERE person_key IN (SELECT person_key FROM changed_persons)",
    )?;
    database.execute(&format!(
        "INSERT INTO persons ({fields}, record) SELECT {fields}, record FROM incoming_records
         WHERE person_key IN (SELECT person_key FROM changed_persons)"
    ))?;
    for table in ["incoming_persons", "incoming_records", "changed_persons"] {
        database.execute(&format!("DROP TABLE {table}"))?;
    }
    Ok(ImportSummary {
        table: table.close(),
        written_total: written.unsigned_abs(),
        repeated_total: (read - distinct).unsigned_abs(),
        zone_missing_total: 0,
    })
}

#[derive(Serialize)]
struct IncomingClaim<'a> {
    line: u64,
    claim_id: &'a str,
    person_key: Option<&'a str>,
    source_pk: Option<&'a str>,
    version: String,
}

const CLAIM_TABLE: [(&str, &str); 5] = [
    ("line", "bigint"),
    ("claim_id", "text"),
    ("person_key", "text"),
    ("source_pk", "text"),
    ("version", "text"),
];

fn import_claims(database: &mut Database, mut table: Table) -> Result<ImportSummary, Failure> {
    let mut staging = Staging::new(database, "incoming_claims", &CLAIM_TABLE)?;
    while let Some(row) = table.next_row()? {
        let line = row.line();
        let Some(claim_id) = row.optional("claim_id") else {
            table.refuse(line, Some("claim_id"), "the claim has no id; give every claim one");
            continue;
        };
        let (person_key, source_pk) = (row.optional("person_key"), row.optional("source_pk"));
        if person_key.is_none() && source_pk.is_none() {
            table.refuse(
                line,
                Some("source_pk"),
                "the claim names neither a person nor a lead; give one of them",
            );
            continue;
        }
        let version = version(&row, &CLAIM_COLUMNS[1..]);
        staging.add(&IncomingClaim { line, claim_id, person_key, source_pk, version })?;
    }
    staging.flush()?;
    let repeated_total =
        refuse_repeated(database, &mut table, "incoming_claims", "claim_id", "version")?;
    let written_total = database.execute(
        "INSERT INTO claims (claim_id, person_key, source_pk)
         SELECT claim_id, person_key, source_pk FROM incoming_claims AS i WHERE
           NOT EXISTS (SELECT 1 FROM incoming_claims AS e WHERE e.claim_id = i.claim_id AND e.line < i.line)
         ON CONFLICT (claim_id) DO UPDATE SET person_key = excluded.person_key, source_pk = excluded.source_pk
         WHERE coalesce(claims.person_key, '') <> coalesce(excluded.person_key, '')
            OR coalesce(claims.source_pk, '') <> coalesce(excluded.source_pk, '')",
    )?;
    database.execute("DROP TABLE incoming_claims")?;
    Ok(ImportSummary { table: table.close(), written_total, repeated_total, zone_missing_total: 0 })
}

/// A temporary table that is filled in batches.
struct Staging<'a> {
    database: &'a mut Database,
    insert: String,
    batch: Vec<serde_json::Value>,
}

impl<'a> Staging<'a> {
    fn new(
        database: &'a mut Database,
        table: &'static str,
        columns: &[(&'static str, &'static str)],
    ) -> Result<Self, Failure> {
        let typed: Vec<_> = columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        database.execute(&format!("CREATE TEMPORARY TABLE {table} ({})", typed.join(", ")))?;
        database
            .execute(&format!("CREATE INDEX {table}_key ON {table} ({}, line)", columns[1].0))?;
        let insert = database.connection.dialect().insert_json(table, columns);
        Ok(Self { database, insert, batch: Vec::with_capacity(BATCH) })
    }

    fn add(&mut self, row: &impl Serialize) -> Result<(), Failure> {
        self.batch.push(serde_json::to_value(row)?);
        if self.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.batch.is_empty() {
            self.database.execute_json(self.insert.clone(), &self.batch)?;
            self.batch.clear();
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
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Refuses rows whose key stands on an earlier line with another content, and counts plain repetitions.
fn refuse_repeated(
    database: &mut Database,
    table: &mut Table,
    staging: &str,
    key: &'static str,
    version: &str,
) -> Result<u64, Failure> {
    let later = format!(
        "FROM {staging} AS i JOIN {staging} AS f ON f.{key} = i.{key} AND f.line < i.line
         AND NOT EXISTS (SELECT 1 FROM {staging} AS e WHERE e.{key} = i.{key} AND e.line < f.line)"
    );
    let differing: Vec<Repeated> = diesel::sql_query(format!(
        "SELECT i.line AS line, f.line AS first, count(*) OVER () AS n {later} AND f.{version} <> i.{version}
         ORDER BY i.line LIMIT 100"
    ))
    .load(&mut database.connection)?;
    let total = differing.first().map_or(0, |row| row.n.unsigned_abs());
    for row in &differing {
        let first = row.first;
        let reason =
            format!("the same key stands on line {first} with other content; keep one of the two");
        table.refuse(row.line.unsigned_abs(), Some(key), reason);
    }
    table.refuse_unlisted(total - differing.len() as u64);
    let repeated =
        database.number(&format!("SELECT count(*) AS n {later} AND f.{version} = i.{version}"))?;
    Ok(repeated.unsigned_abs())
}

fn names(columns: &[(&'static str, &'static str)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A fingerprint of a row's content, which changes when and only when the content does.
fn version(row: &Row<'_>, columns: &[&str]) -> String {
    let mut hash = Sha256::new();
    for column in columns {
        let text = row.text(column).as_bytes();
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let (half, _) = hash.split_first_chunk().expect("a hash of 32 bytes has a first half");
    format!("{:032x}", u128::from_be_bytes(*half))
}

/// Reads a time as UTC and says whether it named its zone.
fn instant(text: &str) -> Result<(String, bool), String> {
    let shown = |utc: DateTime<Utc>| utc.to_rfc3339_opts(SecondsFormat::Micros, true);
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Ok((shown(zoned.to_utc()), true));
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"] {
        if let Ok(zoned) = DateTime::parse_from_str(text, format) {
            return Ok((shown(zoned.to_utc()), true));
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            return Ok((shown(local.and_utc()), false));
        }
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok((shown(day.and_time(chrono::NaiveTime::MIN).and_utc()), false));
    }
    let shown: String = text.chars().take(40).collect();
    Err(format!("`{shown}` is no time; write it as 2026-01-31T09:30:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use recovery_queue::DatabaseUrl;

    struct Place {
        folder: tempfile::TempDir,
        database: Database,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database =
                Database::open(&DatabaseUrl::Sqlite(folder.path().join("s.sqlite"))).unwrap();
            Self { folder, database }
        }

        fn import(&mut self, leads: &str, persons: &str) -> Result<Vec<ImportSummary>, Failure> {
            let (leads_csv, persons_csv) =
                (self.folder.path().join("leads.csv"), self.folder.path().join("persons.csv"));
            std::fs::write(&leads_csv, leads).unwrap();
            std::fs::write(&persons_csv, persons).unwrap();
            self.database.import(Import::open(Some(&leads_csv), Some(&persons_csv), None)?)
        }
    }

    #[test]
    fn a_second_import_of_the_same_files_writes_nothing() {
        let mut place = Place::new();
        let leads = "id,external_id,phone\nA,,1\nB,web B,2\n";
        let persons = "person_key,phone,email\nP,1,\nP,,x@y.z\nQ,2,\n";
        let first = place.import(leads, persons).unwrap();
        assert_eq!((first[0].written_total, first[1].written_total), (2, 2));
        // The records of a person may stand in another order.
        let persons = "person_key,phone,email\nQ,2,\nP,,x@y.z\nP,1,\n";
        let second = place.import(leads, persons).unwrap();
        assert_eq!((second[0].written_total, second[1].written_total), (0, 0));
        let changed = place.import("id,phone\nA,9\n", "person_key,phone\nP,1\n").unwrap();
        assert_eq!((changed[0].written_total, changed[1].written_total), (1, 1));
        assert_eq!(place.database.count("leads").unwrap(), 2);
        assert_eq!(place.database.count("persons").unwrap(), 2);
    }

    #[test]
    fn the_same_lead_twice_is_counted_and_the_same_key_with_other_content_refused() {
        let mut place = Place::new();
        let leads = "id,phone\nA,1\nA,1\nA,2\nB,3\n,4\n";
        let summary = &place.import(leads, "person_key\nP\n").unwrap()[0];
        assert_eq!((summary.written_total, summary.repeated_total), (2, 1));
        let lines: Vec<_> = summary.table.rows_refused_listed.iter().map(|row| row.line).collect();
        assert_eq!(lines, [6, 4]);
        assert_eq!(summary.exit(), Exit::RowsRefused);
    }

    #[test]
    fn a_wrong_file_leaves_every_table_as_it_was() {
        let mut place = Place::new();
        place.import("id,phone\nA,1\n", "person_key,phone\nP,1\n").unwrap();
        assert!(place.import("id,phone\nB,1\n", "name,phone\nP,1\n").is_err());
        assert_eq!(place.database.count("leads").unwrap(), 1);
    }

    #[test]
    fn times_are_read_with_their_zone_and_without_it_as_utc() {
        let utc = "2026-01-31T14:30:00.000000Z";
        for zoned in ["2026-01-31T14:30:00Z", "2026-01-31T09:30:00-05:00", "2026-01-31 09:30:00-05"]
        {
            assert_eq!(instant(zoned), Ok((utc.to_owned(), true)), "{zoned}");
        }
        for local in ["2026-01-31T14:30:00", "2026-01-31 14:30:00", "2026-01-31 14:30"] {
            assert_eq!(instant(local), Ok((utc.to_owned(), false)), "{local}");
        }
        for garbage in ["", "yesterday", "31/01/2026", "2026-02-30", "2026-01-31T25:00:00Z"] {
            assert!(instant(garbage).is_err(), "{garbage}");
        }
    }
}
