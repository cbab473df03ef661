//! The batch on PostgreSQL: one statement claims, one settles each kind of answer, columns go as arrays.

use diesel::prelude::*;

use crate::diesel::batch::postgres_link;
use crate::diesel::batch::settled::{BATCH, Claim, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::cursor::Position;
use crate::model::error::StoreError;

const CLAIM: &str = include_str!("../../../queries/postgres/claim.sql");

pub(crate) fn claim(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    after: Position,
    size: u32,
) -> QueryResult<Vec<Claim>> {
    db.query_prepared(
        &names.query(CLAIM),
        &[
            Param::Int(backlog_id),
            Param::Int(after.priority),
            Param::Int(after.lead_at),
            Param::Int(after.lead_id),
            Param::Int(i64::from(size)),
        ],
    )
}

const SETTLE_UNLINKED: &str = include_str!("../../../queries/postgres/settle_unlinked.sql");

/// Settles the leads that need no link: those that failed or have left the backlog, and those that have one.
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
            Verdict::Withdrawn => (3, None, 0, None),
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
        &names.query(SETTLE_UNLINKED),
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

const PARK: &str = include_str!("../../../queries/postgres/park.sql");
const ADD_WAKE_KEYS: &str = include_str!("../../../queries/postgres/add_wake_keys.sql");

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
        &names.query(PARK),
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
        &names.query(ADD_WAKE_KEYS),
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
    use crate::diesel::conn::transaction::Begin;
    use crate::diesel::{DatabaseUrl, Namespace, OpenOptions, SqlStore};
    use crate::model::backlog::{BacklogLead, InMemoryBacklog};
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
        let backlog = InMemoryBacklog::new("plan", (0..LEADS).map(lead));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.db.begin(Begin::Batch).unwrap();
        store
    }

    /// Gives the plan that a batch keeps for a statement: one for any values.
    fn plan(store: &mut SqlStore, name: &str, types: &str, sql: &str) -> String {
        let sql = store.names.query(sql);
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
