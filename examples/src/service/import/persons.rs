//! `persons.csv`.

use raw_packets::table::{RefusedRow, TableReader};
use recovery_queue::{PersonKey, WakeKeys};

use super::staging::{Staging, check_key, has_repeated, stage};
use super::summary::ImportSummary;
use crate::cli::Failure;
use crate::own::OwnColumns;
use crate::service::database::Database;
use crate::tables::failed;

/// The columns of the table: those of `persons.csv`, and one for the values of own kinds.
const PERSON_COLUMNS: [&str; 10] = [
    "person_key",
    "phone",
    "document",
    "document_type",
    "document_country",
    "email",
    "full_name",
    "birth_date",
    "plate",
    OWN_VALUES,
];
const OWN_VALUES: &str = "own_values";

/// Reads the persons of a file.
fn read(table: &mut TableReader, own: &OwnColumns, staging: &mut Staging) -> Result<(), Failure> {
    while let Some(row) = table.next_row().map_err(failed)? {
        let line = row.line();
        let person = row.optional("person_key");
        let refused = match person {
            None => Some(("person_key", "the person has no key; give every person one".to_owned())),
            Some(_) => check_key("person_key", person, PersonKey::new),
        };
        if let Some((column, why)) = refused {
            table.refuse(RefusedRow::new(line, column, why));
            continue;
        }
        let own = own.kept(row);
        let cell = |column| match column {
            OWN_VALUES => own.as_deref(),
            column => row.optional(column),
        };
        staging.add(line, PERSON_COLUMNS.map(cell))?;
    }
    Ok(())
}

/// Imports the persons, each as a whole: its records become those of the file.
///
/// A person's records are compared as a set, so neither their order in the file nor a repetition matters. A
/// person that the file does not name stays as it is.
pub(super) fn import(
    database: &mut Database,
    mut table: TableReader,
    own: &OwnColumns,
    keys: &WakeKeys,
    full: bool,
) -> Result<ImportSummary, Failure> {
    stage(database, ("incoming_persons", &PERSON_COLUMNS), |staging| {
        read(&mut table, own, staging)
    })?;
    let fields = PERSON_COLUMNS.join(", ");
    let repeated = has_repeated(database, "incoming_persons", "person_key")?;
    number_records(database, &fields, repeated)?;
    let bytes = if database.is_postgres() { " COLLATE \"C\"" } else { "" };
    database.execute(&format!(
        "CREATE TEMPORARY TABLE changed_persons (person_key TEXT{bytes} PRIMARY KEY)"
    ))?;
    let differs: Vec<_> = PERSON_COLUMNS[1..]
        .iter()
        .map(|column| format!("p.{column} IS DISTINCT FROM i.{column}"))
        .collect();
    database.execute(&format!(
        "INSERT INTO changed_persons
         SELECT i.person_key FROM incoming_records AS i
           LEFT JOIN persons AS p ON p.person_key = i.person_key AND p.record = i.record
           WHERE p.person_key IS NULL OR {}
         UNION
         SELECT p.person_key FROM persons AS p
           WHERE EXISTS (SELECT 1 FROM incoming_persons AS k WHERE k.person_key = p.person_key)
             AND NOT EXISTS (SELECT 1 FROM incoming_records AS i
               WHERE i.person_key = p.person_key AND i.record = p.record)",
        differs.join(" OR ")
    ))?;
    let mut summary = ImportSummary::of(table.finish(), full);
    if summary.removes() {
        let gone = database.is_absent("persons", "person_key", "incoming_persons");
        summary.removed_total = database.execute(&format!(
            "INSERT INTO changed_persons SELECT DISTINCT person_key FROM persons WHERE {gone}"
        ))?;
    }
    database.analyze("changed_persons")?;
    // By the records that the changed persons had, and by those that they have now.
    let woken_total =
        database.wake_by(keys, "changed_persons", &["persons", "incoming_records"])?;
    let read = database.number("SELECT count(*) AS n FROM incoming_persons")?;
    let distinct = database.number("SELECT count(*) AS n FROM incoming_records")?;
    let written = database.number("SELECT count(*) AS n FROM changed_persons")?;
    database.execute(
        "DELETE FROM persons WHERE person_key IN (SELECT person_key FROM changed_persons)",
    )?;
    database.execute(&format!(
        "INSERT INTO persons ({fields}, record) SELECT {fields}, record FROM incoming_records
         WHERE person_key IN (SELECT person_key FROM changed_persons)
         ORDER BY person_key, record"
    ))?;
    let records = if repeated { "TABLE" } else { "VIEW" };
    for gone in [records, "TABLE"].into_iter().zip(["incoming_records", "changed_persons"]) {
        database.execute(&format!("DROP {} {}", gone.0, gone.1))?;
    }
    database.execute("DROP TABLE incoming_persons")?;
    Ok(ImportSummary {
        written_total: written.unsigned_abs() - summary.removed_total,
        repeated_total: (read - distinct).unsigned_abs(),
        woken_total,
        ..summary
    })
}

/// Numbers the records of each person; where no person has two, there is nothing to be sorted or copied.
fn number_records(database: &mut Database, fields: &str, repeated: bool) -> Result<(), Failure> {
    if !repeated {
        database.execute(&format!(
            "CREATE TEMPORARY VIEW incoming_records AS
             SELECT {fields}, CAST(1 AS BIGINT) AS record FROM incoming_persons"
        ))?;
        return Ok(());
    }
    database.execute(&format!(
        "CREATE TEMPORARY TABLE incoming_records AS
         SELECT {fields}, row_number() OVER (PARTITION BY person_key ORDER BY {}) AS record
         FROM (SELECT DISTINCT {fields} FROM incoming_persons) AS i",
        PERSON_COLUMNS[1..].join(", ")
    ))?;
    database
        .execute("CREATE INDEX incoming_records_key ON incoming_records (person_key, record)")?;
    database.analyze("incoming_records")
}
