//! The batch's writes on SQLite: one insert into a temporary table, then set-based statements.
//!
//! The writer holds the database alone, so the leads claimed are exactly the pending rows between the
//! cursor and the last one: they are removed as one range of the clustered table.

use diesel::prelude::*;

use crate::diesel::batch::settled::{BATCH, Claim, Context, Settled, Verdict};
use crate::diesel::batch::sqlite_persons::{self, Person};
use crate::diesel::batch::sqlite_rows::{self, StagedRow};
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::open::BATCH_TABLE;
use crate::model::cursor::Position;
use crate::model::error::StoreError;

/// Keys per statement: below SQLite's limit of 32,766 binds.
const CHUNK: usize = 2000;

const MATCHED: i64 = 1;
const FAILED: i64 = 2;
const WITHDRAWN: i64 = 3;
const LINKED: i64 = 4;
const RETRY: i64 = 5;

const CLAIM: &str = include_str!("../../../queries/sqlite/claim.sql");
const REMOVE_CLAIMED: &str = include_str!("../../../queries/sqlite/remove_claimed.sql");

/// Binds a place in the order of claims.
fn binds(place: Position) -> [Param<'static>; 3] {
    [place.priority, place.lead_at, place.lead_id].map(Param::Int)
}

/// Reads the leads that stand next, and leaves them where they are.
pub(crate) fn next(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    after: Position,
    size: u32,
) -> QueryResult<Vec<Claim>> {
    let [backlog, size] = [backlog_id, i64::from(size)].map(Param::Int);
    db.query_prepared(&names.query(CLAIM), &[&[backlog], &binds(after)[..], &[size]].concat())
}

pub(crate) fn claim(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    after: Position,
    size: u32,
) -> QueryResult<Vec<Claim>> {
    let claims = next(db, names, backlog_id, after, size)?;
    if let Some(last) = claims.last().map(Claim::position) {
        let range = [&[Param::Int(backlog_id)], &binds(after)[..], &binds(last)[..]].concat();
        db.execute_prepared(&names.query(REMOVE_CLAIMED), &range)?;
    }
    Ok(claims)
}

fn row(lead: &Settled, person: Option<Person>) -> StagedRow<'_> {
    let claim = &lead.claim;
    let mut row = StagedRow {
        lead_id: claim.lead_id,
        lead_at: claim.lead_at,
        attempts: lead.attempts,
        status: LINKED,
        person_id: person.map(|person| person.id).or(claim.person_id),
        first: person.map(|person| i64::from(person.first)),
        ..StagedRow::default()
    };
    match &lead.verdict {
        Verdict::Matched { person_key, rule, confidence, evidence } => {
            row.status = MATCHED;
            row.person_key = Some(person_key);
            row.rule = Some(rule);
            row.confidence = Some(confidence);
            row.evidence = evidence.as_deref();
        }
        Verdict::AlreadyLinked => {}
        Verdict::Withdrawn => row.status = WITHDRAWN,
        Verdict::Failed { reason, evidence, .. } => {
            row.status = FAILED;
            row.reason = Some(reason.code());
            row.evidence = evidence.as_deref();
        }
        Verdict::Retry { not_before, message } => {
            row.status = RETRY;
            row.evidence = Some(message);
            row.not_before = Some(*not_before);
        }
    }
    row
}

fn fill(
    db: &mut Database,
    settled: &[Settled],
    persons: Vec<Option<Person>>,
) -> Result<(), StoreError> {
    let rows: Vec<StagedRow<'_>> =
        settled.iter().zip(persons).map(|(lead, person)| row(lead, person)).collect();
    #[allow(irrefutable_let_patterns)] // there may be no other backend
    let Database::Sqlite(connection) = db else { return Ok(()) };
    sqlite_rows::stage(connection, &rows).map_err(failed(BATCH))
}

const LINK: &str = include_str!("../../../queries/sqlite/link.sql");

const SETTLE: &str = include_str!("../../../queries/sqlite/settle.sql");

const PARK: &str = include_str!("../../../queries/sqlite/park.sql");

/// Writes the batch, in the order of the leads.
///
/// `OR FAIL`, since whatever fails undoes the whole transaction: without it SQLite keeps a copy of each page that a
/// statement changes, to undo that statement alone.
pub(crate) fn settle(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let persons = sqlite_persons::numbered(db, names, settled).map_err(failed(BATCH))?;
    let count = persons.iter().flatten().filter(|person| person.first).count() as u64;
    if !db.is_ours() {
        db.script(BATCH_TABLE).map_err(failed(BATCH))?;
    }
    fill(db, settled, persons)?;
    if count > 0 {
        sqlite_persons::write(db, names, context, count)?;
    }
    let (now, run, backlog) =
        (Param::Int(context.now), Param::Int(context.run_id), Param::Int(context.backlog_id));
    let has = |wanted: fn(&Verdict) -> bool| settled.iter().any(|lead| wanted(&lead.verdict));
    let steps: [(bool, &str, &[Param<'_>]); 3] = [
        (count > 0, LINK, &[run, now]),
        (has(|verdict| !matches!(verdict, Verdict::Retry { .. })), SETTLE, &[backlog, run, now]),
        (has(|verdict| matches!(verdict, Verdict::Retry { .. })), PARK, &[backlog, now]),
    ];
    for (wanted, sql, params) in steps {
        if wanted {
            db.execute_prepared(&names.query(sql), params).map_err(failed(BATCH))?;
        }
    }
    if has(|verdict| matches!(verdict, Verdict::AlreadyLinked)) {
        let persons = "SELECT person_id FROM temp.rq_batch WHERE status = 4";
        crate::diesel::write::origins::ensure(db, names, persons, context)?;
    }
    wake_keys(db, names, settled)?;
    let clear = if db.is_ours() { "DELETE FROM temp.rq_batch" } else { "DROP TABLE temp.rq_batch" };
    db.execute_prepared(clear, &[]).map_err(failed(BATCH))?;
    Ok(())
}

fn wake_keys(db: &mut Database, names: &Names, settled: &[Settled]) -> Result<(), StoreError> {
    let keys: Vec<(&str, i64)> = settled
        .iter()
        .filter_map(|lead| match &lead.verdict {
            Verdict::Failed { wake_keys, .. } => Some((wake_keys, lead.claim.lead_id)),
            _ => None,
        })
        .flat_map(|(keys, lead_id)| keys.iter().map(move |key| (key.as_str(), lead_id)))
        .collect();
    for chunk in keys.chunks(CHUNK) {
        let values = vec!["(?,?)"; chunk.len()].join(",");
        let params: Vec<Param<'_>> =
            chunk.iter().flat_map(|&(key, id)| [Param::Text(key), Param::Int(id)]).collect();
        db.execute(
            &names.sql(&format!("INSERT OR IGNORE INTO {{ns}}queue_wake_key VALUES {values}")),
            &params,
        )
        .map_err(failed(BATCH))?;
    }
    Ok(())
}
