//! The record of the service's own tables: its view of persons, and its columns that hold keys of leads.
//!
//! A name without a schema is found once, as it is recorded; from then on the same name must be found there, whatever the
//! `search_path` of a session is. To move on purpose, the schema is named.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::view::{columns, elsewhere, schema_of};
use crate::model::backlog::ViewName;
use crate::model::error::{ConfigError, StoreError};
use crate::model::key_column::KeyColumn;
use crate::model::person_view::PersonView;

const PERSONS: &str = "the record of the view of persons";
const KEYS: &str = "the record of the columns of keys";

/// A table and its column, as they are recorded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct Recorded {
    #[diesel(sql_type = Text)]
    view_schema: String,
    #[diesel(sql_type = Text)]
    view_name: String,
    #[diesel(sql_type = Text)]
    key_column: String,
    #[diesel(sql_type = BigInt)]
    of_leads: i64,
}

/// A table that is to be recorded, and how messages call it.
struct Named<'a> {
    what: &'static str,
    table: &'a ViewName,
    column: &'a str,
}

impl Recorded {
    fn is_where(&self, other: &Self) -> bool {
        (&self.view_schema, &self.view_name, &self.key_column)
            == (&other.view_schema, &other.view_name, &other.key_column)
    }
}

impl Named<'_> {
    /// Finds the table and its column, and refuses them where the name led to another schema before.
    fn find(
        &self,
        db: &mut Database,
        known: &[Recorded],
        of_leads: bool,
    ) -> Result<Recorded, StoreError> {
        let refused = |reason: String, remedy| {
            let value = format!("{}.\"{}\"", self.table.quoted(), self.column);
            Err(ConfigError::new(self.what, value, reason, remedy).into())
        };
        let found = Recorded {
            view_schema: schema_of(db, self.table)?,
            view_name: self.table.name().to_owned(),
            key_column: self.column.to_owned(),
            of_leads: i64::from(of_leads),
        };
        let same_name = known
            .iter()
            .find(|was| was.view_name == found.view_name && was.key_column == found.key_column);
        let was = same_name.filter(|was| self.table.schema().is_none() && !was.is_where(&found));
        if let Some(was) = was {
            let (reason, remedy) = elsewhere(&was.view_schema, &found.view_schema);
            return refused(reason, remedy);
        }
        let columns = columns(db, self.table)?;
        if columns.is_empty() {
            return refused("it does not exist".to_owned(), "create it, or name another");
        }
        if !columns.iter().any(|(column, _)| *column == found.key_column) {
            let remedy = "name the column that holds the keys";
            return refused("it has no such column".to_owned(), remedy);
        }
        Ok(found)
    }
}

/// Records the view of persons, or that there is none.
pub(crate) fn set_persons(
    db: &mut Database,
    names: &Names,
    persons: Option<&PersonView>,
) -> Result<(), StoreError> {
    let Some(persons) = persons else {
        let sql = names.sql("DELETE FROM {ns}queue_person_view");
        db.execute(&sql, &[]).map_err(failed(PERSONS))?;
        return Ok(());
    };
    let sql = "SELECT view_schema, view_name, key_column, CAST(0 AS BIGINT) AS of_leads \
         FROM {ns}queue_person_view";
    let known: Vec<Recorded> = db.query(&names.sql(sql), &[]).map_err(failed(PERSONS))?;
    let asked = Named { what: "person view", table: persons.view(), column: persons.column() };
    let found = asked.find(db, &known, false)?;
    // A role that may use the tables alone starts like any other.
    if known.contains(&found) {
        return Ok(());
    }
    let sql = "INSERT INTO {ns}queue_person_view (id, view_schema, view_name, key_column) \
         VALUES (1, $1, $2, $3) ON CONFLICT (id) DO UPDATE SET view_schema = excluded.view_schema, \
             view_name = excluded.view_name, key_column = excluded.key_column";
    let Recorded { view_schema, view_name, key_column, .. } = &found;
    let params = [view_schema, view_name, key_column].map(|text| Param::Text(text));
    db.execute(&names.sql(sql), &params).map_err(failed(PERSONS))?;
    Ok(())
}

/// Records the columns that hold keys of leads, in the place of those that are recorded.
pub(crate) fn set_key_columns(
    db: &mut Database,
    names: &Names,
    columns: &[KeyColumn],
) -> Result<(), StoreError> {
    let sql = "SELECT view_schema, view_name, key_column, of_leads FROM {ns}queue_key_column \
         ORDER BY view_schema, view_name, key_column";
    let mut known: Vec<Recorded> = db.query(&names.sql(sql), &[]).map_err(failed(KEYS))?;
    let mut wanted = Vec::new();
    for column in columns {
        let asked = Named { what: "key column", table: column.table(), column: column.column() };
        wanted.push(asked.find(db, &known, column.is_of_leads())?);
    }
    known.sort();
    wanted.sort();
    // Named both ways, a column is one of leads.
    wanted.dedup_by(|next, kept| {
        let same = next.is_where(kept);
        kept.of_leads = kept.of_leads.max(if same { next.of_leads } else { 0 });
        same
    });
    // A role that may use the tables alone starts like any other.
    if known == wanted {
        return Ok(());
    }
    db.execute(&names.sql("DELETE FROM {ns}queue_key_column"), &[]).map_err(failed(KEYS))?;
    let sql = "INSERT INTO {ns}queue_key_column (view_schema, view_name, key_column, of_leads) \
         VALUES ($1, $2, $3, $4)";
    for Recorded { view_schema, view_name, key_column, of_leads } in &wanted {
        let params = [
            Param::Text(view_schema),
            Param::Text(view_name),
            Param::Text(key_column),
            Param::Int(*of_leads),
        ];
        db.execute(&names.sql(sql), &params).map_err(failed(KEYS))?;
    }
    Ok(())
}
