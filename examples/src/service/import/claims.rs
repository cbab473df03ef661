//! `claims.csv`.

use raw_packets::table::{RefusedRow, TableReader};
use recovery_queue::{PersonKey, SourcePk};

use super::staging::{Staging, check_key, refuse_repeated, stage, version};
use super::summary::ImportSummary;
use crate::cli::Failure;
use crate::service::database::Database;
use crate::tables::failed;

/// The columns of the file and of the table.
pub(super) const COLUMNS: [&str; 3] = ["claim_id", "person_key", "source_pk"];

/// Reads the claims of a file.
fn read(table: &mut TableReader, staging: &mut Staging) -> Result<(), Failure> {
    while let Some(row) = table.next_row().map_err(failed)? {
        let line = row.line();
        let [id, person, lead] = COLUMNS.map(|column| row.optional(column));
        let refused = if id.is_none() {
            Some(("claim_id", "the claim has no id; give every claim one".to_owned()))
        } else if person.is_none() && lead.is_none() {
            let why = "the claim names neither a person nor a lead; give one of them";
            Some(("source_pk", why.to_owned()))
        } else {
            check_key("claim_id", id, SourcePk::new)
                .or_else(|| check_key("person_key", person, PersonKey::new))
                .or_else(|| check_key("source_pk", lead, SourcePk::new))
        };
        if let Some((column, why)) = refused {
            table.refuse(RefusedRow::new(line, column, why));
            continue;
        }
        let version = version(row.cells().skip(1));
        staging.add(line, [id, person, lead, Some(&version)])?;
    }
    Ok(())
}

/// Imports the claims by `claim_id`; one that stands there with the same content stays untouched.
pub(super) fn import(
    database: &mut Database,
    mut table: TableReader,
    full: bool,
) -> Result<ImportSummary, Failure> {
    let columns = [COLUMNS.as_slice(), &["version"]].concat();
    stage(database, ("incoming_claims", &columns), |staging| read(&mut table, staging))?;
    let repeated_total = refuse_repeated(database, &mut table, "incoming_claims", "claim_id")?;
    let written_total = database.execute(
        "INSERT INTO claims (claim_id, person_key, source_pk)
         SELECT claim_id, person_key, source_pk FROM incoming_claims AS i WHERE
           NOT EXISTS (SELECT 1 FROM incoming_claims AS e WHERE e.claim_id = i.claim_id AND e.line < i.line)
         ORDER BY i.claim_id
         ON CONFLICT (claim_id) DO UPDATE SET person_key = excluded.person_key, source_pk = excluded.source_pk
         WHERE coalesce(claims.person_key, '') <> coalesce(excluded.person_key, '')
            OR coalesce(claims.source_pk, '') <> coalesce(excluded.source_pk, '')",
    )?;
    let mut summary = ImportSummary::of(table.finish(), full);
    if summary.removes() {
        let gone = database.is_absent("claims", "claim_id", "incoming_claims");
        summary.removed_total = database.execute(&format!("DELETE FROM claims WHERE {gone}"))?;
    }
    database.execute("DROP TABLE incoming_claims")?;
    Ok(ImportSummary { written_total, repeated_total, ..summary })
}
