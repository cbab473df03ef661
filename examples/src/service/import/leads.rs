//! `leads.csv`.

use raw_packets::table::{RefusedRow, Row, TableReader};
use recovery_queue::SourcePk;

use super::instant::instant;
use super::staging::{Staging, check_key, refuse_repeated, stage, version};
use super::summary::ImportSummary;
use crate::cli::Failure;
use crate::own::OwnColumns;
use crate::people::lead_key;
use crate::service::database::Database;
use crate::tables::failed;

/// The columns of the table that are those of the file, in both.
const CONTENT: [&str; 10] = [
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

/// The column that the key of a lead comes from.
fn key_column(row: Row<'_>) -> &'static str {
    if row.optional("external_id").is_some() { "external_id" } else { "id" }
}

/// Reads the leads of a file; gives how many times named no zone.
fn read(table: &mut TableReader, own: &OwnColumns, staging: &mut Staging) -> Result<u64, Failure> {
    let mut zone_missing_total = 0;
    while let Some(row) = table.next_row().map_err(failed)? {
        let line = row.line();
        let Some(source_pk) = lead_key(row) else {
            let why = "neither `id` nor `external_id` is given; give one of them";
            table.refuse(RefusedRow::new(line, "id", why));
            continue;
        };
        if let Some((column, why)) = check_key(key_column(row), Some(source_pk), SourcePk::new) {
            table.refuse(RefusedRow::new(line, column, why));
            continue;
        }
        let created = match row.optional("lead_created_at").map(instant).transpose() {
            Ok(created) => created,
            Err(reason) => {
                table.refuse(RefusedRow::new(line, "lead_created_at", reason));
                continue;
            }
        };
        zone_missing_total += u64::from(created.as_ref().is_some_and(|(_, zoned)| !zoned));
        let version = version(row.cells().skip(2));
        let created = created.as_ref().map(|(instant, _)| instant.as_str());
        let keyed_by = Some(key_column(row));
        let named = [Some(source_pk), created, Some(&version), row.optional("id"), keyed_by];
        let own = own.kept(row);
        let content = CONTENT.map(|column| row.optional(column));
        staging.add(line, named.into_iter().chain(content).chain([own.as_deref()]))?;
    }
    Ok(zone_missing_total)
}

/// Imports the leads by `source_pk`; one that stands there with the same content stays untouched.
///
/// A lead that is not in a `full` file is removed.
pub(super) fn import(
    database: &mut Database,
    mut table: TableReader,
    own: &OwnColumns,
    full: bool,
) -> Result<ImportSummary, Failure> {
    let keyed = ["source_pk", "lead_created_at", "version", "lead_id", "keyed_by"];
    let columns = [keyed.as_slice(), &CONTENT, &["own_values"]].concat();
    let zone_missing_total =
        stage(database, ("incoming_leads", &columns), |staging| read(&mut table, own, staging))?;
    let repeated_total = refuse_repeated(database, &mut table, "incoming_leads", "source_pk")?;
    database.correct_incoming("incoming_leads")?;
    // Another lead than the one that stood under the key: of two leads with one key only one can be recovered.
    let replaced = database.number(
        "SELECT count(*) AS n FROM incoming_leads AS i JOIN leads AS l ON l.source_pk = i.source_pk
         WHERE l.lead_id <> i.lead_id",
    )?;
    let names = columns.join(", ");
    let changes: Vec<_> =
        columns[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let written_total = database.execute(&format!(
        "INSERT INTO leads ({names}) SELECT {names} FROM incoming_leads AS i WHERE
           NOT EXISTS (SELECT 1 FROM incoming_leads AS e WHERE e.source_pk = i.source_pk AND e.line < i.line)
         ORDER BY i.source_pk
         ON CONFLICT (source_pk) DO UPDATE SET {} WHERE leads.version <> excluded.version
           OR leads.keyed_by IS NULL OR leads.lead_id <> excluded.lead_id",
        changes.join(", ")
    ))?;
    // A lead that had an id alone and has an external id now is the same lead under another key.
    let gone = database.is_absent("leads", "source_pk", "incoming_leads");
    let rekeyed_total = database.execute(&format!(
        "DELETE FROM leads WHERE keyed_by = 'id' AND source_pk IN
           (SELECT lead_id FROM incoming_leads WHERE keyed_by = 'external_id') AND {gone}"
    ))?;
    let mut summary = ImportSummary::of(table.finish(), full);
    if summary.removes() {
        summary.removed_total = database.execute(&format!("DELETE FROM leads WHERE {gone}"))?;
    }
    database.execute("DROP TABLE incoming_leads")?;
    Ok(ImportSummary {
        written_total,
        repeated_total,
        zone_missing_total,
        rekeyed_total,
        replaced_total: replaced.unsigned_abs(),
        ..summary
    })
}
