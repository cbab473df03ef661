//! The batch on PostgreSQL: one statement claims, one statement writes, columns go as arrays.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::batch::{BATCH, Context, Settled, Verdict};
use super::database::{Database, Param, failed};
use super::namespace::Names;
use crate::error::StoreError;

const MATCHED: i64 = 1;
const FAILED: i64 = 2;
const LINKED: i64 = 4;
const RETRY: i64 = 5;

/// Claims the next leads.
///
/// Materialized, so that the limit holds and each lock is taken once. `OFFSET 0` keeps each look-up a look-up
/// by index, whatever the planner believes of tables that have just been filled: a scan of a table as long as
/// the queue would make every claim cost what the whole queue costs.
pub(super) const CLAIM: &str = "WITH c AS MATERIALIZED (SELECT p.priority, p.lead_at, p.lead_id, p.attempts, p.ctid \
        FROM {ns}queue_pending p WHERE p.backlog_id = $1 \
        AND (p.priority, p.lead_at, p.lead_id) > ($2, $3, $4) \
        ORDER BY p.priority, p.lead_at, p.lead_id LIMIT $5 FOR UPDATE OF p SKIP LOCKED) \
    SELECT c.priority, c.lead_at, c.lead_id, c.attempts, l.source_pk, l.lead_version, k.person_id, \
        CAST(c.ctid AS TEXT) AS place \
    FROM c CROSS JOIN LATERAL (SELECT source_pk, lead_version FROM {ns}queue_lead \
        WHERE id = c.lead_id OFFSET 0) l \
    LEFT JOIN LATERAL (SELECT person_id FROM {ns}queue_link WHERE lead_id = c.lead_id OFFSET 0) k ON true \
    ORDER BY c.priority, c.lead_at, c.lead_id";

/// The batch by columns, as `unnest` takes it, in the byte order of the persons' keys.
///
/// Two workers meet shared persons in that one order, so neither waits for the other in a circle.
#[derive(Default)]
struct Columns<'a> {
    place: Vec<Option<&'a str>>,
    lead_id: Vec<i64>,
    lead_at: Vec<i64>,
    attempts: Vec<i64>,
    status: Vec<i64>,
    person_id: Vec<i64>,
    not_before: Vec<i64>,
    reason: Vec<Option<&'a str>>,
    person_key: Vec<Option<&'a str>>,
    /// 1 at the first of a person's leads, 0 at the others.
    first: Vec<i64>,
    rule: Vec<Option<&'a str>>,
    confidence: Vec<Option<&'a str>>,
    evidence: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(mut leads: Vec<&'a Settled>) -> Self {
        let mut columns = Self::default();
        leads.sort_unstable_by_key(|lead| {
            (lead.verdict.person_key(), lead.claim.lead_at, lead.claim.lead_id)
        });
        for lead in leads {
            columns.push(lead);
        }
        columns
    }

    fn push(&mut self, lead: &'a Settled) {
        self.lead_id.push(lead.claim.lead_id);
        self.place.push(lead.claim.place.as_deref());
        self.lead_at.push(lead.claim.lead_at);
        self.attempts.push(lead.attempts);
        self.person_id.push(lead.claim.person_id.unwrap_or_default());
        let (status, reason, key, rule, confidence, evidence, not_before) = match &lead.verdict {
            Verdict::Matched { person_key, rule, confidence, evidence } => (
                MATCHED,
                None,
                Some(person_key.as_str()),
                Some(rule.as_str()),
                Some(confidence.as_str()),
                evidence.as_deref(),
                0,
            ),
            Verdict::AlreadyLinked => (LINKED, None, None, None, None, None, 0),
            Verdict::Failed { reason, evidence, .. } => {
                (FAILED, Some(reason.code()), None, None, None, evidence.as_deref(), 0)
            }
            Verdict::Retry { not_before, message } => {
                (RETRY, None, None, None, None, Some(message.as_str()), *not_before)
            }
        };
        self.status.push(status);
        self.reason.push(reason);
        let known = self.person_key.last().is_some_and(|last| *last == key);
        self.first.push(i64::from(key.is_some() && !known));
        self.person_key.push(key);
        self.rule.push(rule);
        self.confidence.push(confidence);
        self.evidence.push(evidence);
        self.not_before.push(not_before);
    }
}

/// Writes the batch: the leads leave the hot table and come to lie where they belong.
///
/// - `p`: the persons that are new are added, and origins move to earlier leads. A replaced origin is kept in the row by the update itself,
///   which sees the locked row, and goes to the history (`h`): no other worker's change can slip in between.
/// - `r`: the leads with their persons, those that `p` wrote and those that were there. A person whom another
///   worker has added since the statement began is neither: such a lead is left over, and written by a second
///   statement, which sees the person.
/// - `x`: rows are removed by their place, which costs no look-up.
const SETTLE: &str = "WITH d AS MATERIALIZED (SELECT * FROM \
        unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
        AS u(lead_id, lead_at, attempts, status, person_id, not_before, reason, person_key, \
             first, rule, confidence, evidence)), \
    p AS (INSERT INTO {ns}queue_person AS o \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
        SELECT person_key, lead_id, lead_at, $15, $14 FROM d WHERE first = 1 \
        ON CONFLICT (person_key) DO UPDATE SET replaced_lead_id = o.origin_lead_id, \
            replaced_lead_at = o.origin_lead_at, replaced_since = o.origin_since, \
            replaced_run_id = o.origin_run_id, origin_lead_id = excluded.origin_lead_id, \
            origin_lead_at = excluded.origin_lead_at, origin_since = excluded.origin_since, \
            origin_run_id = excluded.origin_run_id \
        WHERE o.origin_lead_id IS NULL OR (excluded.origin_lead_at, excluded.origin_lead_id) \
            < (o.origin_lead_at, o.origin_lead_id) \
        RETURNING o.id, o.person_key, o.replaced_lead_id, o.replaced_lead_at, o.replaced_since, \
            o.replaced_run_id), \
    h AS (INSERT INTO {ns}queue_origin_history \
            (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id) \
        SELECT id, replaced_lead_id, replaced_lead_at, replaced_since, replaced_run_id, $15, $14 FROM p \
        WHERE replaced_lead_id IS NOT NULL), \
    r AS MATERIALIZED (SELECT d.*, COALESCE(p.id, e.id, NULLIF(d.person_id, 0)) AS person \
        FROM d LEFT JOIN p ON p.person_key = d.person_key \
        LEFT JOIN LATERAL (SELECT id FROM {ns}queue_person \
            WHERE p.id IS NULL AND person_key = d.person_key OFFSET 0) e ON true), \
    x AS (DELETE FROM {ns}queue_pending \
        WHERE ctid = ANY (CAST(CAST($16 AS text[]) AS tid[])) RETURNING lead_id), \
    k AS (INSERT INTO {ns}queue_link \
            (lead_id, person_id, rule, confidence, run_id, linked_at, evidence) \
        SELECT lead_id, person, rule, confidence, $14, $15, evidence FROM r \
        WHERE status = 1 AND person IS NOT NULL ORDER BY lead_id), \
    w AS (INSERT INTO {ns}queue_parked (lead_id, backlog_id, not_before, attempts, since, message) \
        SELECT lead_id, $13, not_before, attempts, $15, evidence FROM r WHERE status = 5), \
    s AS (INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence) \
        SELECT lead_id, $13, CASE status WHEN 2 THEN 2 ELSE 1 END, reason, \
            CASE WHEN status <> 2 THEN person END, attempts, $14, $15, \
            CASE status WHEN 2 THEN evidence END \
        FROM r WHERE status = 2 OR (status <> 5 AND person IS NOT NULL) ORDER BY lead_id) \
    SELECT CAST(NULL AS bigint) AS left_over, count(*) AS removed FROM x \
    UNION ALL SELECT lead_id, 0 FROM r WHERE status = 1 AND person IS NULL";

#[derive(QueryableByName)]
struct Written {
    /// A lead that the statement could not write yet.
    #[diesel(sql_type = Nullable<BigInt>)]
    left_over: Option<i64>,
    /// How many leads left the hot table.
    #[diesel(sql_type = BigInt)]
    removed: i64,
}

fn write(
    db: &mut Database,
    names: &Names,
    context: &Context,
    columns: &Columns<'_>,
) -> Result<Vec<Written>, StoreError> {
    db.query(
        &names.sql(SETTLE),
        &[
            Param::Ints(&columns.lead_id),
            Param::Ints(&columns.lead_at),
            Param::Ints(&columns.attempts),
            Param::Ints(&columns.status),
            Param::Ints(&columns.person_id),
            Param::Ints(&columns.not_before),
            Param::OptTexts(&columns.reason),
            Param::OptTexts(&columns.person_key),
            Param::Ints(&columns.first),
            Param::OptTexts(&columns.rule),
            Param::OptTexts(&columns.confidence),
            Param::OptTexts(&columns.evidence),
            Param::Int(context.backlog_id),
            Param::Int(context.run_id),
            Param::Int(context.now),
            Param::OptTexts(if context.leased { &[] } else { &columns.place }),
        ],
    )
    .map_err(failed(BATCH))
}

pub(super) fn settle(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let columns = Columns::of(settled.iter().collect());
    let written = write(db, names, context, &columns)?;
    let removed: i64 = written.iter().map(|row| row.removed).sum();
    if !context.leased && i64::try_from(settled.len()) != Ok(removed) {
        return Err(gone(settled.len()));
    }
    let left_over: BTreeSet<i64> = written.iter().filter_map(|row| row.left_over).collect();
    if !left_over.is_empty() {
        let rest = settled.iter().filter(|lead| left_over.contains(&lead.claim.lead_id));
        let mut rest = Columns::of(rest.collect());
        rest.place.clear();
        // Each statement sees what was committed before it began, so now the persons are there.
        if write(db, names, context, &rest)?.iter().any(|row| row.left_over.is_some()) {
            return Err(gone(settled.len()));
        }
    }
    if columns.status.contains(&LINKED) {
        let linked: Vec<i64> = columns.person_id.iter().copied().filter(|&id| id != 0).collect();
        super::origins::ensure(db, names, &super::origins::listed(&linked), context)?;
    }
    wake_keys(db, names, settled)
}

fn gone(leads: usize) -> StoreError {
    StoreError::Conflict {
        key: format!("in a batch of {leads}"),
        reason: "it was changed by hand while it was claimed; the batch was given back".to_owned(),
    }
}

fn wake_keys(db: &mut Database, names: &Names, settled: &[Settled]) -> Result<(), StoreError> {
    let (mut keys, mut leads) = (Vec::new(), Vec::new());
    for lead in settled {
        if let Verdict::Failed { wake_keys, .. } = &lead.verdict {
            for key in wake_keys {
                keys.push(Some(key.as_str()));
                leads.push(lead.claim.lead_id);
            }
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    db.execute(
        &names.sql(
            "INSERT INTO {ns}queue_wake_key (wake_key, lead_id) \
             SELECT u.wake_key, u.lead_id FROM unnest($1, $2) AS u(wake_key, lead_id) \
             ORDER BY u.wake_key, u.lead_id ON CONFLICT DO NOTHING",
        ),
        &[Param::OptTexts(&keys), Param::Ints(&leads)],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::io::Write as _;

    use chrono::{DateTime, TimeDelta};
    use diesel::sql_types::Text;

    use super::*;
    use crate::backlog::{BacklogLead, MemoryBacklog};
    use crate::key::SourcePk;
    use crate::options::SeedOptions;
    use crate::sql::database::Begin;
    use crate::sql::{DatabaseUrl, Namespace, OpenOptions, SqlStore};
    use crate::store::QueueStore as _;
    use crate::testing::PostgresServer;

    #[test]
    fn a_claim_goes_by_index_before_any_table_is_analysed() {
        let server = match PostgresServer::start() {
            Ok(server) => server,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                let _ = writeln!(std::io::stderr(), "LEFT OUT: the plan of a claim: {error}");
                return;
            }
        };
        let url = DatabaseUrl::parse(server.url()).unwrap();
        let namespace = Namespace::new(&format!("plan_{}", std::process::id())).unwrap();
        let options = OpenOptions::default().with_namespace(namespace);
        let mut store = SqlStore::open(&url, options).unwrap();
        store.migrate().unwrap();
        let lead = |number: i64| {
            let lead_at = DateTime::UNIX_EPOCH + TimeDelta::minutes(number * 7919 % 20_000);
            BacklogLead::new(SourcePk::new(format!("L-{number}")).unwrap(), lead_at)
        };
        let backlog = MemoryBacklog::new("plan", (0..20_000).map(lead));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut sql = format!("EXPLAIN {}", store.names.sql(CLAIM)).replace("$1", "1");
        for bind in ["$2", "$3", "$4"] {
            sql = sql.replace(bind, "-1");
        }
        let sql = sql.replace("$5", "1000");
        store.db.begin(Begin::Batch).unwrap();
        let lines: Vec<String> = match &mut store.db {
            Database::Postgres(connection) => diesel::dsl::sql::<Text>(&sql).load(connection),
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => unreachable!("the URL names a server"),
        }
        .unwrap();
        store.db.rollback();
        let plan = lines.join("\n");
        assert!(plan.contains("using queue_pending_pkey"), "{plan}");
        assert!(plan.contains("using queue_lead_pkey"), "{plan}");
        assert!(!plan.contains("Seq Scan on queue_lead"), "{plan}");
        assert!(!plan.contains("Bitmap"), "{plan}");
    }
}
