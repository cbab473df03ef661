//! The batch on PostgreSQL: one statement claims, one settles each kind of answer, columns go as arrays.

use diesel::prelude::*;

use crate::diesel::batch::postgres_link;
use crate::diesel::batch::{BATCH, Claim, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;
use crate::worker::Position;

/// Claims the next leads, and takes them out of the hot table.
///
/// Materialized, so that the limit holds and each lock is taken once. `OFFSET 0` keeps each look-up a look-up
/// by index, whatever the planner believes of tables that have just been filled: a scan of a table as long as
/// the queue would make every claim cost what the whole queue costs. Rows are removed by their place, which costs no
/// look-up; a row cannot move while it is locked.
const CLAIM: &str = "WITH c AS MATERIALIZED (SELECT p.priority, p.lead_at, p.lead_id, p.attempts, \
            p.since, p.ctid AS place \
        FROM {ns}queue_pending p WHERE p.backlog_id = $1 \
        AND (p.priority, p.lead_at, p.lead_id) > ($2, $3, $4) \
        ORDER BY p.priority, p.lead_at, p.lead_id LIMIT $5 FOR UPDATE OF p SKIP LOCKED), \
    x AS (DELETE FROM {ns}queue_pending WHERE ctid = ANY (ARRAY(SELECT place FROM c))) \
    SELECT c.priority, c.lead_at, c.lead_id, c.attempts, c.since, l.source_pk, l.lead_version, \
        k.person_id \
    FROM c CROSS JOIN LATERAL (SELECT source_pk, lead_version FROM {ns}queue_lead \
        WHERE id = c.lead_id OFFSET 0) l \
    LEFT JOIN LATERAL (SELECT person_id FROM {ns}queue_link WHERE lead_id = c.lead_id OFFSET 0) k ON true \
    ORDER BY c.priority, c.lead_at, c.lead_id";

pub(crate) fn claim(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    after: Position,
    size: u32,
) -> QueryResult<Vec<Claim>> {
    db.query_prepared(
        &names.sql(CLAIM),
        &[
            Param::Int(backlog_id),
            Param::Int(after.priority),
            Param::Int(after.lead_at),
            Param::Int(after.lead_id),
            Param::Int(i64::from(size)),
        ],
    )
}

const SETTLE: &str = "INSERT INTO {ns}queue_settled \
        (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence) \
    SELECT unnest($1), $2, unnest($3), unnest($4), NULLIF(unnest($5), 0), unnest($6), $7, $8, unnest($9)";

/// Settles the leads that need no link: those that failed, and those that have one.
fn settle_others(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let (mut lead_id, mut status, mut reason) = (Vec::new(), Vec::new(), Vec::new());
    let (mut person_id, mut attempts, mut evidence) = (Vec::new(), Vec::new(), Vec::new());
    for lead in settled {
        let row = match &lead.verdict {
            Verdict::AlreadyLinked => (1, None, lead.claim.person_id.unwrap_or_default(), None),
            Verdict::Failed { reason, evidence, .. } => {
                (2, Some(reason.code()), 0, evidence.as_deref())
            }
            Verdict::Matched { .. } | Verdict::Retry { .. } => continue,
        };
        lead_id.push(lead.claim.lead_id);
        status.push(row.0);
        reason.push(row.1);
        person_id.push(row.2);
        attempts.push(lead.attempts);
        evidence.push(row.3);
    }
    if lead_id.is_empty() {
        return Ok(());
    }
    db.execute_prepared(
        &names.sql(SETTLE),
        &[
            Param::Ints(&lead_id),
            Param::Int(context.backlog_id),
            Param::Ints(&status),
            Param::OptTexts(&reason),
            Param::Ints(&person_id),
            Param::Ints(&attempts),
            Param::Int(context.run_id),
            Param::Int(context.now),
            Param::OptTexts(&evidence),
        ],
    )
    .map_err(failed(BATCH))?;
    let linked: Vec<i64> = person_id.into_iter().filter(|&id| id != 0).collect();
    if linked.is_empty() {
        return Ok(());
    }
    crate::diesel::write::origins::ensure(
        db,
        names,
        &crate::diesel::write::origins::listed(&linked),
        context,
    )
}

const PARK: &str = "INSERT INTO {ns}queue_parked \
        (lead_id, backlog_id, not_before, attempts, since, message) \
    SELECT unnest($1), $2, unnest($3), unnest($4), $5, unnest($6)";

/// Puts leads off after a technical error.
fn park(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let (mut lead_id, mut due, mut attempts, mut messages) = (vec![], vec![], vec![], vec![]);
    for lead in settled {
        if let Verdict::Retry { not_before, message } = &lead.verdict {
            lead_id.push(lead.claim.lead_id);
            due.push(*not_before);
            attempts.push(lead.attempts);
            messages.push(Some(message.as_str()));
        }
    }
    if lead_id.is_empty() {
        return Ok(());
    }
    db.execute_prepared(
        &names.sql(PARK),
        &[
            Param::Ints(&lead_id),
            Param::Int(context.backlog_id),
            Param::Ints(&due),
            Param::Ints(&attempts),
            Param::Int(context.now),
            Param::OptTexts(&messages),
        ],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}

pub(crate) fn settle(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    postgres_link::link(db, names, context, settled)?;
    settle_others(db, names, context, settled)?;
    park(db, names, context, settled)?;
    wake_keys(db, names, settled)
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
    db.execute_prepared(
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

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use std::io::Write as _;

    use chrono::{DateTime, TimeDelta};
    use diesel::sql_types::Text;

    use super::*;
    use crate::diesel::conn::database::Begin;
    use crate::diesel::{DatabaseUrl, Namespace, OpenOptions, SqlStore};
    use crate::model::backlog::{BacklogLead, MemoryBacklog};
    use crate::model::key::SourcePk;
    use crate::model::options::SeedOptions;
    use crate::store::QueueStore as _;
    use crate::testing::PostgresServer;

    const LEADS: i64 = 20_000;

    /// Opens a seeded store that PostgreSQL has not analysed, inside the transaction of a batch.
    fn batch(server: &PostgresServer) -> SqlStore {
        let url = DatabaseUrl::parse(server.url()).unwrap();
        let namespace = Namespace::new(&format!("plan_{}", std::process::id())).unwrap();
        let options = OpenOptions::default().with_namespace(namespace);
        let mut store = SqlStore::open(&url, options).unwrap();
        store.migrate().unwrap();
        let lead = |number: i64| {
            let lead_at = DateTime::UNIX_EPOCH + TimeDelta::minutes(number * 7919 % LEADS);
            BacklogLead::new(SourcePk::new(format!("L-{number}")).unwrap(), lead_at)
        };
        let backlog = MemoryBacklog::new("plan", (0..LEADS).map(lead));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.db.begin(Begin::Batch).unwrap();
        store
    }

    /// Gives the plan that a batch keeps for a statement: one for any values.
    fn plan(store: &mut SqlStore, name: &str, types: &str, sql: &str) -> String {
        let sql = store.names.sql(sql);
        store.db.script(&format!("PREPARE {name} ({types}) AS {sql}")).unwrap();
        let values = vec!["NULL"; types.split(',').count()].join(", ");
        let explain = format!("EXPLAIN EXECUTE {name} ({values})");
        let lines: Vec<String> = match &mut store.db {
            Database::Postgres(session) => {
                diesel::dsl::sql::<Text>(&explain).load(&mut *session.connection)
            }
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => unreachable!("the URL names a server"),
        }
        .unwrap();
        lines.join("\n")
    }

    #[test]
    fn a_batch_goes_by_index_before_any_table_is_analysed() {
        let server = match PostgresServer::start() {
            Ok(server) => server,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                let _ = writeln!(std::io::stderr(), "LEFT OUT: the plan of a batch: {error}");
                return;
            }
        };
        let mut store = batch(&server);
        let claim = plan(&mut store, "claim", "bigint, bigint, bigint, bigint, bigint", CLAIM);
        assert!(claim.contains("using queue_pending_pkey"), "{claim}");
        assert!(claim.contains("using queue_lead_pkey"), "{claim}");
        assert!(claim.contains("Tid Scan on queue_pending"), "{claim}");
        let columns = "bigint[], bigint[], bigint[], bigint[], text[], bigint[], text[], \
             bigint, bigint, text[], text[], bigint";
        let link = plan(&mut store, "link", columns, postgres_link::LINK);
        assert!(link.contains("Hash Cond"), "{link}");
        assert!(link.contains("using queue_person_person_key_key"), "{link}");
        for plan in [claim, link] {
            assert!(!plan.contains("Seq Scan on queue"), "{plan}");
            assert!(!plan.contains("Bitmap"), "{plan}");
        }
        store.db.rollback();
    }
}
