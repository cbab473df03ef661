//! Rows of a backlog's view, each found by its key and an index.

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::read::presence::reads_by_index;
use crate::diesel::write::view::BacklogView;
use crate::model::error::StoreError;

const LOOK: &str = "the look at leads of the backlog";

/// Gives the part of a query that reads the rows, as `v`, of the view whose keys stand in a relation called `n`, each found
/// by an index; none where an index does not find them. `params` are those of the relation.
pub(crate) fn by_index(
    db: &mut Database,
    view: &BacklogView,
    relation: &str,
    key: &str,
    params: &[Param<'_>],
) -> Result<Option<String>, StoreError> {
    let quoted = view.quoted();
    let from = if db.is_sqlite() {
        // A column of another type may hold a number that is equal to no text.
        if !view.has_text_keys() {
            return Ok(None);
        }
        format!(
            "{relation} CROSS JOIN {quoted} v WHERE v.lead_source_pk IN ({key}, CAST({key} AS BLOB)) \
               AND CAST(v.lead_source_pk AS TEXT) COLLATE BINARY = {key}"
        )
    } else {
        let sql = "SELECT CAST(t.typname AS TEXT) AS value FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = to_regclass($1) AND a.attname = 'lead_source_pk' AND NOT a.attisdropped";
        let rows: Vec<TextRow> = db.query(sql, &[Param::Text(&quoted)]).map_err(failed(LOOK))?;
        // Each key as the column's own type; one that cannot be of it is none of the column's.
        let sought = match rows.first().map(|row| row.value.as_str()) {
            Some("text" | "varchar") => key.to_owned(),
            Some("int2" | "int4" | "int8") => {
                format!("CASE WHEN {key} ~ '^-?[0-9]{{1,18}}$' THEN CAST({key} AS BIGINT) END")
            }
            Some("uuid") => format!(
                "CASE WHEN {key} ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN CAST({key} AS UUID) END"
            ),
            _ => return Ok(None),
        };
        // OFFSET 0 keeps it a look-up for each key.
        format!(
            "{relation} CROSS JOIN LATERAL (SELECT * FROM {quoted} u WHERE u.lead_source_pk = {sought} \
                 AND CAST(u.lead_source_pk AS TEXT) COLLATE \"C\" = {key} COLLATE \"C\" OFFSET 0) v"
        )
    };
    Ok(reads_by_index(db, &from, params).map_err(failed(LOOK))?.then_some(from))
}
