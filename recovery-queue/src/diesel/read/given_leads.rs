//! Leads that a caller names: their numbers, and which of them a backlog holds.

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, IntRow, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::lookup;
use crate::diesel::write::view::BacklogView;
use crate::diesel::write::view_values::key_text;
use crate::model::backlog::{Backlog, BacklogRows, BacklogSource};
use crate::model::error::StoreError;
use crate::model::key::SourcePk;

const LOOK: &str = "the look at touched leads";

/// Leads per statement.
pub(crate) const CHUNK: usize = 2_000;

/// Finds the numbers of leads; those that the store does not know are left out.
pub(crate) fn numbers(
    db: &mut Database,
    names: impl Fn(&str) -> String,
    leads: &[SourcePk],
) -> Result<Vec<i64>, StoreError> {
    let mut numbers = Vec::with_capacity(leads.len());
    for chunk in leads.chunks(CHUNK) {
        let keys: Vec<&str> = chunk.iter().map(SourcePk::as_str).collect();
        let from = if db.is_sqlite() {
            "json_each($1) n CROSS JOIN {ns}queue_lead l WHERE l.source_pk = n.value"
        } else {
            "{ns}queue_lead l WHERE l.source_pk = ANY($1)"
        };
        let sql = names(&format!("SELECT l.id AS value FROM {from}"));
        let rows: Vec<IntRow> = with_keys(db, &keys, |db, param| db.query(&sql, &[param]))?;
        numbers.extend(rows.into_iter().map(|row| row.value));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// Runs a statement with keys as its parameter.
fn with_keys<T>(
    db: &mut Database,
    keys: &[&str],
    run: impl FnOnce(&mut Database, Param<'_>) -> QueryResult<T>,
) -> Result<T, StoreError> {
    let done = match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => serde_json::to_string(keys)
            .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))
            .and_then(|keys| run(db, Param::Text(&keys))),
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            let keys: Vec<Option<&str>> = keys.iter().copied().map(Some).collect();
            run(db, Param::OptTexts(&keys))
        }
    };
    done.map_err(failed(LOOK))
}

/// Gives those of the keys that a backlog holds now.
pub(crate) fn in_backlog(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    keys: &[&str],
) -> Result<Vec<String>, StoreError> {
    let BacklogSource::View(view) = backlog.source() else {
        let rows = BacklogRows::read(backlog)?;
        let held = |key: &&&str| rows.contains(&SourcePk::stored((**key).to_owned()));
        return Ok(keys.iter().filter(held).map(|key| (*key).to_owned()).collect());
    };
    let view = BacklogView::checked(db, names, backlog, view)?;
    let (relation, key) = if db.is_sqlite() {
        ("json_each($1) n", "n.value")
    } else {
        ("unnest($1) AS n (lead_key)", "n.lead_key")
    };
    let text = key_text(db.is_sqlite(), "lead_source_pk");
    // How they are found is the database's to say, once.
    let from =
        with_keys(db, &[], |db, none| Ok(lookup::by_index(db, &view, relation, key, &[none])))??;
    // A view that is read whole is read once.
    let part = if from.is_some() { CHUNK } else { keys.len().max(1) };
    let mut held = Vec::new();
    for chunk in keys.chunks(part) {
        let sql = match &from {
            Some(from) => {
                format!("SELECT DISTINCT CAST(v.lead_source_pk AS TEXT) AS value FROM {from}")
            }
            None if db.is_sqlite() => format!(
                "SELECT DISTINCT {text} AS value FROM {} WHERE {text} IN (SELECT n.value FROM json_each($1) n)",
                view.quoted()
            ),
            // IS TRUE keeps it a look into a table of hashes.
            None => format!(
                "SELECT DISTINCT {text} AS value FROM {} WHERE ({text} IN (SELECT n.key FROM unnest($1) AS n (key))) IS TRUE",
                view.quoted()
            ),
        };
        let rows: Vec<TextRow> = with_keys(db, chunk, |db, keys| db.query(&sql, &[keys]))?;
        held.extend(rows.into_iter().map(|row| row.value));
    }
    Ok(held)
}
