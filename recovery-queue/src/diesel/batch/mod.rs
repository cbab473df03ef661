//! One batch: claim, resolve, settle. What both backends share; the two hot statements are theirs.

pub(crate) mod again;
#[cfg(feature = "sqlite")]
mod ahead;
pub(crate) mod hook;
pub(crate) mod lease;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_link;
pub(crate) mod settled;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_persons;
#[cfg(feature = "sqlite")]
mod sqlite_rows;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::diesel::batch::again::Settling;
use crate::diesel::batch::open::{is_used_up, open_leads};
use crate::diesel::batch::settled::{BATCH, Claim, Context, Settled, Verdict, rows};
use crate::diesel::conn::database::{Database, Param, failed, now};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::rejected_pairs;
use crate::diesel::write::events::Events;
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::evidence::Evidence;
use crate::model::options::RecoverOptions;
use crate::model::resolver::{
    ClaimedLead, FailReason, LONGEST_REST, Resolution, ResolveError, Resolver,
};
use crate::model::work::{BatchRequest, BatchSummary, from_std};
use crate::worker::resolve_isolated;

#[derive(QueryableByName)]
struct Overview {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    due: i64,
    #[diesel(sql_type = BigInt)]
    now: i64,
}

/// Brings parked leads whose time has come back to the hot table, oldest due first.
fn promote(db: &mut Database, names: &Names, now: i64) -> Result<(), StoreError> {
    let into =
        "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since)";
    if db.is_sqlite() {
        db.execute(
            &names.sql(&format!(
                "{into} SELECT l.backlog_id, l.priority, l.lead_at, l.id, q.attempts, q.since \
                 FROM {{ns}}queue_parked q INDEXED BY {{bare}}queue_parked_due \
                 CROSS JOIN {{ns}}queue_lead l WHERE l.id = q.lead_id AND q.not_before <= $1"
            )),
            &[Param::Int(now)],
        )
        .map_err(failed(BATCH))?;
        db.execute(
            &names.sql(
                "DELETE FROM {ns}queue_parked INDEXED BY {bare}queue_parked_due WHERE not_before <= $1",
            ),
            &[Param::Int(now)],
        )
        .map_err(failed(BATCH))?;
    } else {
        db.execute(
            &names.sql(&format!(
                "WITH c AS MATERIALIZED (SELECT lead_id FROM {{ns}}queue_parked \
                     WHERE not_before <= $1 ORDER BY not_before LIMIT 10000 FOR UPDATE SKIP LOCKED), \
                 d AS (DELETE FROM {{ns}}queue_parked q USING c WHERE q.lead_id = c.lead_id \
                     RETURNING q.lead_id, q.attempts, q.since) \
                 {into} SELECT l.backlog_id, l.priority, l.lead_at, l.id, d.attempts, d.since \
                 FROM d JOIN {{ns}}queue_lead l ON l.id = d.lead_id"
            )),
            &[Param::Int(now)],
        )
        .map_err(failed(BATCH))?;
    }
    Ok(())
}

/// What a batch has claimed.
pub(crate) struct Claimed {
    pub(crate) context: Context,
    pub(crate) claims: Vec<Claim>,
    /// The backlogs that may be claimed from.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))] // read by what is begun ahead
    pub(crate) backlogs: Vec<i64>,
}

/// Claims the next leads of the backlog whose turn it is: they leave the hot table with this transaction.
pub(crate) fn claim(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    cursor: &mut Cursor,
) -> Result<Option<Claimed>, StoreError> {
    let now = db.clock();
    let overview: Vec<Overview> = db
        .query_prepared(
            &names.sql(&format!(
                "WITH t AS (SELECT COALESCE($1, {now}) AS now) \
                 SELECT b.id, t.now, CAST(CASE WHEN EXISTS (SELECT 1 FROM {{ns}}queue_parked q \
                     WHERE q.not_before <= t.now) THEN 1 ELSE 0 END AS BIGINT) AS due \
                 FROM t CROSS JOIN {{ns}}queue_backlog b \
                 WHERE b.paused = 0 AND COALESCE($2, b.name) = b.name",
            )),
            &[Param::OptInt(clock), Param::OptText(batch.options.backlog.as_deref())],
        )
        .map_err(failed(BATCH))?;
    let Some(now) = overview.first().map(|row| row.now) else { return Ok(None) };
    if overview.iter().any(|row| row.due != 0) {
        promote(db, names, now)?;
    }
    let together = cursor.together();
    let _turn = together.turn();
    let backlogs: Vec<i64> = overview.iter().map(|row| row.id).collect();
    for backlog_id in cursor.in_turn(backlogs.clone()) {
        let after = cursor.position(backlog_id);
        let claims = match db {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => {
                crate::diesel::batch::sqlite::claim(db, names, backlog_id, after, batch.size)
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => {
                crate::diesel::batch::postgres::claim(db, names, backlog_id, after, batch.size)
            }
        }
        .map_err(failed(BATCH))?;
        if let Some(last) = claims.last() {
            cursor.advance(backlog_id, last.position());
            let context = Context { backlog_id, run_id: batch.run.get(), now };
            return Ok(Some(Claimed { context, claims, backlogs }));
        }
    }
    Ok(None)
}

/// Makes the verdict of a lead that is given up after technical errors.
fn given_up(message: &str) -> Verdict {
    Verdict::Failed {
        reason: FailReason::Error,
        evidence: Some(serde_json::json!({ "error": message }).to_string()),
        wake_keys: Vec::new(),
    }
}

/// Turns the answers into what is written; a lead without one is pending again at once.
pub(crate) fn verdicts(
    claims: Vec<Claim>,
    options: &RecoverOptions,
    now: i64,
    mut answer: impl FnMut(&Claim) -> Option<Resolution>,
) -> Vec<Settled> {
    let settle = |claim: Claim| {
        let mut attempts = claim.attempts;
        let verdict = if claim.person_id.is_some() {
            Verdict::AlreadyLinked
        } else if is_used_up(&claim, options) {
            given_up("every attempt ended without an answer")
        } else {
            match answer(&claim) {
                None => Verdict::Retry { not_before: now, message: "no answer".to_owned() },
                Some(Resolution::Matched(found)) => Verdict::Matched {
                    person_key: found.person_key.as_str().to_owned(),
                    rule: found.rule,
                    confidence: found.confidence,
                    evidence: found.evidence.map(Evidence::into_string),
                },
                Some(Resolution::Unmatched { reason, evidence, wake_keys }) => {
                    let evidence = evidence.map(Evidence::into_string);
                    Verdict::Failed { reason, evidence, wake_keys }
                }
                Some(Resolution::Later { rest, message }) => Verdict::Retry {
                    not_before: now.saturating_add(from_std(rest.min(LONGEST_REST))),
                    message,
                },
                Some(Resolution::Error { message }) => {
                    attempts += 1;
                    if attempts >= i64::from(options.max_attempts) {
                        given_up(&message)
                    } else {
                        let tries = u32::try_from(attempts).unwrap_or(u32::MAX);
                        let rest = from_std(options.backoff.delay(&claim.source_pk, tries));
                        Verdict::Retry { not_before: now.saturating_add(rest), message }
                    }
                }
            }
        };
        Settled { claim, attempts, verdict }
    };
    claims.into_iter().map(settle).collect()
}

pub(crate) fn summarise(settled: &[Settled]) -> BatchSummary {
    let mut summary = BatchSummary { claimed: settled.len() as u64, ..BatchSummary::default() };
    for lead in settled {
        match &lead.verdict {
            Verdict::Matched { .. } => summary.matched += 1,
            Verdict::AlreadyLinked => {
                summary.matched += 1;
                summary.already_linked += 1;
            }
            Verdict::Failed { reason, .. } => {
                *summary.failed.entry(reason.clone()).or_default() += 1;
            }
            Verdict::Retry { .. } => summary.retried += 1,
            Verdict::Withdrawn => summary.withdrawn += 1,
        }
    }
    summary
}

/// Counts an attempt of the next lead before it is made, so that it counts even if it kills the process.
pub(crate) fn count_attempt(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    cursor: &Cursor,
) -> Result<(), StoreError> {
    let claimed = claim(db, names, clock, batch, &mut cursor.alone())?;
    let Some(Claimed { context, claims, .. }) = claimed else { return Ok(()) };
    let rows = rows(&claims, |claim| {
        let Claim { priority, lead_at, lead_id, attempts, since, .. } = *claim;
        [context.backlog_id, priority, lead_at, lead_id, attempts + 1, since]
    });
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             VALUES {rows}"
        )),
        &[],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}

/// Writes a resolved batch and its events.
pub(crate) fn write(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<BatchSummary, StoreError> {
    match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {
            crate::diesel::batch::sqlite::settle(db, names, context, settled)?;
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            crate::diesel::batch::postgres::settle(db, names, context, settled)?;
        }
    }
    let summary = summarise(settled);
    Events::of(summary.events()).append(
        db,
        names,
        context.now,
        context.backlog_id,
        Some(context.run_id),
    )?;
    Ok(summary)
}

/// A resolver that works while the batch's transaction is open.
struct Outside<'a> {
    resolver: &'a mut dyn Resolver,
    sqlite: bool,
}

/// What SQLite says, in any language, of a writer that waited in vain for another one.
const LOCKED: &str = "database is locked";

impl Resolver for Outside<'_> {
    /// Tells a resolver that writes to the file which the batch itself keeps locked: to halve the batch, or to try again
    /// later, would wait out the busy time each time, and in vain.
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let answer = self.resolver.resolve(leads);
        let locked = match &answer {
            Err(error) => error.to_string().contains(LOCKED),
            Ok(answers) => answers.iter().any(|answer| {
                matches!(answer, Resolution::Error { message } if message.contains(LOCKED))
            }),
        };
        if self.sqlite && locked {
            return Err(ResolveError::Unavailable(format!(
                "{LOCKED}: the resolver writes to the file that this batch's transaction keeps locked; claim by \
                 ClaimMode::Lease, or write in the hook `after_settle`"
            )));
        }
        answer
    }
}

/// Claims, resolves and settles one batch inside the transaction that is open.
pub(crate) fn in_transaction(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    cursor: &mut Cursor,
    resolver: &mut dyn Resolver,
    settling: &mut Settling,
) -> Result<BatchSummary, StoreError> {
    let Some(claimed) = claim(db, names, clock, batch, cursor)? else {
        return Ok(BatchSummary::default());
    };
    #[cfg(feature = "sqlite")]
    let backlogs = claimed.backlogs;
    let Claimed { mut context, claims, .. } = claimed;
    let rejected = rejected_pairs::of_claims(db, names, &claims)?;
    let open = open_leads(&claims, batch.options, &rejected);
    #[cfg(feature = "sqlite")]
    ahead::forget_changed(db, resolver, settling)?;
    let mut outside = Outside { resolver, sqlite: db.is_sqlite() };
    let mut answers = resolve_isolated(&mut outside, &open)?.into_iter();
    #[cfg(feature = "sqlite")]
    ahead::begin_next(db, names, batch, cursor.in_turn(backlogs), cursor, resolver, settling)?;
    let mut settled = verdicts(claims, batch.options, context.now, |_| answers.next());
    // The resolver may have taken its time; events are dated when they are written.
    context.now = now(db, clock)?;
    again::refuse_rejected(&mut settled, &rejected);
    again::look(db, names, &context, &mut settled, &mut settling.looks)?;
    let summary = write(db, names, &context, &settled)?;
    hook::call(settling.after_settle.as_mut(), db, &settled)?;
    Ok(summary)
}
