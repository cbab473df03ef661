//! The record of the service's own tables: its view of persons, and its columns that hold keys of leads.
//!
//! A name without a schema is found once, as it is recorded; from then on the same name must be found there, whatever the
//! `search_path` of a session is. To move on purpose, the schema is named.

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{queue_key_column, queue_person_view};
use crate::diesel::write::view::{columns, elsewhere, schema_of};
use crate::model::backlog::ViewName;
use crate::model::error::{ConfigError, StoreError};
use crate::model::key_column::KeyColumn;
use crate::model::person_view::PersonView;

const PERSONS: &str = "the record of the view of persons";
const KEYS: &str = "the record of the columns of keys";

/// A table and its column, as they are recorded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Queryable)]
struct Recorded {
    view_schema: String,
    view_name: String,
    key_column: String,
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
        typed!(db, names, execute, diesel::delete(queue_person_view::table))
            .map_err(failed(PERSONS))?;
        return Ok(());
    };
    let known: Vec<(String, String, String)> = typed!(
        db,
        names,
        load,
        queue_person_view::table.select((
            queue_person_view::view_schema,
            queue_person_view::view_name,
            queue_person_view::key_column,
        ))
    )
    .map_err(failed(PERSONS))?;
    let recorded = |(view_schema, view_name, key_column)| Recorded {
        view_schema,
        view_name,
        key_column,
        of_leads: 0,
    };
    let known: Vec<Recorded> = known.into_iter().map(recorded).collect();
    let asked = Named { what: "person view", table: persons.view(), column: persons.column() };
    let found = asked.find(db, &known, false)?;
    // A role that may use the tables alone starts like any other.
    if known.contains(&found) {
        return Ok(());
    }
    let data = (
        queue_person_view::view_schema.eq(&found.view_schema),
        queue_person_view::view_name.eq(&found.view_name),
        queue_person_view::key_column.eq(&found.key_column),
    );
    let insert = diesel::insert_into(queue_person_view::table)
        .values((queue_person_view::id.eq(1), data))
        .on_conflict(queue_person_view::id)
        .do_update()
        .set(data);
    typed!(db, names, execute, insert).map(drop).map_err(failed(PERSONS))
}

/// Records the columns that hold keys of leads, in the place of those that are recorded.
pub(crate) fn set_key_columns(
    db: &mut Database,
    names: &Names,
    columns: &[KeyColumn],
) -> Result<(), StoreError> {
    use queue_key_column as column;
    let mut known: Vec<Recorded> =
        typed!(db, names, load, column::table.select(column::all_columns)).map_err(failed(KEYS))?;
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
    typed!(db, names, execute, diesel::delete(column::table)).map_err(failed(KEYS))?;
    for Recorded { view_schema, view_name, key_column, of_leads } in &wanted {
        let row = (
            column::view_schema.eq(view_schema),
            column::view_name.eq(view_name),
            column::key_column.eq(key_column),
            column::of_leads.eq(of_leads),
        );
        typed!(db, names, execute, diesel::insert_into(column::table).values(row))
            .map_err(failed(KEYS))?;
    }
    Ok(())
}
