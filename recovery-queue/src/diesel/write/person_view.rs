//! The record of the service's view of persons.

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::view::{columns, schema_of};
use crate::model::error::{ConfigError, StoreError};
use crate::model::person_view::PersonView;

const RECORD: &str = "the record of the view of persons";

/// Records the view, or that there is none.
pub(crate) fn set(
    db: &mut Database,
    names: &Names,
    persons: Option<&PersonView>,
) -> Result<(), StoreError> {
    let Some(persons) = persons else {
        db.execute(&names.sql("DELETE FROM {ns}queue_person_view"), &[]).map_err(failed(RECORD))?;
        return Ok(());
    };
    let columns = columns(db, persons.view())?;
    let refused = |reason: &str, remedy| {
        ConfigError::new("person view", persons.to_string(), reason, remedy).into()
    };
    if columns.is_empty() {
        return Err(refused("it does not exist", "create it, or name another"));
    }
    if !columns.iter().any(|(column, _)| column == persons.column()) {
        return Err(refused(
            "it has no such column",
            "name the column that holds the persons' keys",
        ));
    }
    let schema = schema_of(db, persons.view())?;
    let params =
        [&schema, persons.view().name(), persons.column()].map(|text: &str| Param::Text(text));
    let sql = "SELECT count(*) AS value FROM {ns}queue_person_view \
         WHERE view_schema = $1 AND view_name = $2 AND key_column = $3";
    if db.int(&names.sql(sql), &params).map_err(failed(RECORD))? > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO {ns}queue_person_view (id, view_schema, view_name, key_column) \
         VALUES (1, $1, $2, $3) ON CONFLICT (id) DO UPDATE SET view_schema = excluded.view_schema, \
             view_name = excluded.view_name, key_column = excluded.key_column";
    db.execute(&names.sql(sql), &params).map_err(failed(RECORD))?;
    Ok(())
}
