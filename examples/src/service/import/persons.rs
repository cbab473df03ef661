//! `persons.csv`.

use raw_packets::table::{RefusedRow, TableReader};
use recovery_queue::{PersonKey, WakeKeys};

use super::ImportSummary;
use super::staging::{Staging, check_key};
use crate::cli::Failure;
use crate::service::database::Database;
use crate::tables::failed;

/// The columns of `persons.csv`, and of the table that keeps them.
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

/// Imports the persons, each as a whole: its records become those of the file.
///
/// A person's records are compared as a set, so neither their order in the file nor a repetition matters. A
/// person that the file does not name stays as it is.
pub(super) fn import(
    database: &mut Database,
    mut table: TableReader,
    keys: &WakeKeys,
) -> Result<ImportSummary, Failure> {
    let mut staging = Staging::new(database, "incoming_persons", &PERSON_COLUMNS)?;
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
        staging.add(line, PERSON_COLUMNS.map(|column| (column, row.optional(column))))?;
    }
    staging.finish()?;
    let fields = PERSON_COLUMNS.join(", ");
    database.execute(&format!(
        "CREATE TEMPORARY TABLE incoming_records AS
         SELECT {fields}, row_number() OVER (PARTITION BY person_key ORDER BY {}) AS record
         FROM (SELECT DISTINCT {fields} FROM incoming_persons) AS i",
        PERSON_COLUMNS[1..].join(", ")
    ))?;
    database.execute("CREATE TEMPORARY TABLE changed_persons (person_key TEXT PRIMARY KEY)")?;
    database.execute(&format!(
        "INSERT INTO changed_persons SELECT DISTINCT person_key FROM (
           SELECT * FROM (SELECT {fields}, record FROM incoming_records
             EXCEPT SELECT {fields}, record FROM persons) AS added
           UNION ALL
           SELECT * FROM (SELECT {fields}, record FROM persons
             WHERE person_key IN (SELECT person_key FROM incoming_records)
             EXCEPT SELECT {fields}, record FROM incoming_records) AS removed
         ) AS changed"
    ))?;
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
         WHERE person_key IN (SELECT person_key FROM changed_persons)"
    ))?;
    for table in ["incoming_persons", "incoming_records", "changed_persons"] {
        database.execute(&format!("DROP TABLE {table}"))?;
    }
    Ok(ImportSummary {
        table: table.finish(),
        written_total: written.unsigned_abs(),
        repeated_total: (read - distinct).unsigned_abs(),
        zone_missing_total: 0,
        woken_total,
    })
}
