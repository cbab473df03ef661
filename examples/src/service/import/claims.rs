//! `claims.csv`.

use super::ImportSummary;
use super::staging::{Staging, refuse_repeated, version};
use crate::cli::Failure;
use crate::input::Table;
use crate::service::database::Database;

/// The columns of the file and of the table.
pub(super) const COLUMNS: [&str; 3] = ["claim_id", "person_key", "source_pk"];

/// Imports the claims by `claim_id`; one that stands there with the same content stays untouched.
pub(super) fn import(database: &mut Database, mut table: Table) -> Result<ImportSummary, Failure> {
    let columns = [COLUMNS.as_slice(), &["version"]].concat();
    let mut staging = Staging::new(database, "incoming_claims", &columns)?;
    while let Some(row) = table.next_row()? {
        let line = row.line();
        if row.optional("claim_id").is_none() {
            table.refuse(line, Some("claim_id"), "the claim has no id; give every claim one");
            continue;
        }
        if row.optional("person_key").is_none() && row.optional("source_pk").is_none() {
            let reason = "the claim names neither a person nor a lead; give one of them";
            table.refuse(line, Some("source_pk"), reason);
            continue;
        }
        let version = version(&row, &COLUMNS[1..]);
        let named = COLUMNS.map(|column| (column, row.optional(column)));
        staging.add(line, named.into_iter().chain([("version", Some(version.as_str()))]))?;
    }
    staging.finish()?;
    let repeated_total = refuse_repeated(database, &mut table, "incoming_claims", "claim_id")?;
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
