//! The persons of a batch on SQLite: who is new, who is known, and whose origin moves to an earlier lead.
//!
//! Keys are as random as the users make them, and each look at the index of keys may be a look at another page. So every
//! person is put in as new, under a number that the batch gives out, for the writer is alone; only where some were known
//! already are the leads told their true numbers.

use diesel::prelude::*;

use crate::diesel::batch::settled::{BATCH, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;

/// The person of a matched lead, before anybody has looked whether the person is known.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    /// The number that the person gets if new.
    pub(crate) id: i64,
    /// Whether the lead is the person's first in the batch.
    pub(crate) first: bool,
}

/// Numbers the persons of the batch in the order of their first leads; leads that are not matched have none.
pub(crate) fn numbered(
    db: &mut Database,
    names: &Names,
    settled: &[Settled],
) -> QueryResult<Vec<Option<Person>>> {
    let mut persons = vec![None; settled.len()];
    // By key, and for each key by age.
    let mut leads: Vec<(&str, (i64, i64), usize)> = settled
        .iter()
        .enumerate()
        .filter_map(|(at, lead)| match &lead.verdict {
            Verdict::Matched { person_key, .. } => {
                Some((person_key.as_str(), (lead.claim.lead_at, lead.claim.lead_id), at))
            }
            _ => None,
        })
        .collect();
    if leads.is_empty() {
        return Ok(persons);
    }
    leads.sort_unstable();
    let mut groups: Vec<_> = leads.chunk_by(|one, other| one.0 == other.0).collect();
    groups.sort_unstable_by_key(|group| group[0].1.1);
    let last = names.sql("SELECT COALESCE(max(id), 0) AS value FROM {ns}queue_person");
    let last = db.int_prepared(&last)?;
    for (id, group) in (last + 1..).zip(groups) {
        for (nth, &(_, _, lead)) in group.iter().enumerate() {
            persons[lead] = Some(Person { id, first: nth == 0 });
        }
    }
    Ok(persons)
}

const ADD: &str = include_str!("../../../queries/sqlite/add_persons.sql");

const RECOGNISE: &str = include_str!("../../../queries/sqlite/recognise_persons.sql");

const KEEP_REPLACED_ORIGINS: &str =
    include_str!("../../../queries/sqlite/keep_replaced_origins.sql");

const MOVE_ORIGINS: &str = include_str!("../../../queries/sqlite/move_origins.sql");

/// Adds the persons of the staged batch and moves origins, so that every matched lead has its person's number.
pub(crate) fn write(
    db: &mut Database,
    names: &Names,
    context: &Context,
    persons: u64,
) -> Result<(), StoreError> {
    let by = [Param::Int(context.now), Param::Int(context.run_id)];
    let mut run = |sql: &str, params: &[Param<'_>]| {
        db.execute_prepared(&names.query(sql), params).map_err(failed(BATCH))
    };
    if run(ADD, &by)? < persons && run(RECOGNISE, &[])? > 0 {
        run(KEEP_REPLACED_ORIGINS, &by)?;
        run(MOVE_ORIGINS, &by)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Text;

    use super::*;
    use crate::diesel::{DatabaseUrl, OpenOptions, SqlStore};

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }

    #[test]
    fn persons_are_sought_by_index_whatever_their_number() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::parse(folder.path().join("plan.sqlite").to_str().unwrap()).unwrap();
        let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
        store.migrate().unwrap();
        let Database::Sqlite(connection) = &mut store.db else { unreachable!("a file") };
        for (sql, by) in [
            (RECOGNISE, "SEARCH person USING INDEX sqlite_autoindex_queue_person_1 (person_key=?)"),
            (KEEP_REPLACED_ORIGINS, "SEARCH person USING INTEGER PRIMARY KEY"),
            (MOVE_ORIGINS, "SEARCH person USING INTEGER PRIMARY KEY"),
        ] {
            let sql = format!("EXPLAIN QUERY PLAN {}", store.names.query(sql));
            let steps: Vec<Step> = diesel::sql_query(sql).load(&mut **connection).unwrap();
            assert!(steps.iter().any(|step| step.detail.starts_with(by)), "{by}");
        }
    }
}
