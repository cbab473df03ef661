//! Tables in partitions by lead: every law of a store holds in them as in whole ones.

use std::ops::ControlFlow;
use std::time::Instant;

use diesel::RunQueryDsl as _;
use recovery_queue::testing::{PostgresServer, check_all, check_invariants};
use recovery_queue::*;

use crate::support::backends::{answer, backlog_of, fill, prove_drained, script};
use crate::support::server;

const PARTITIONS: u16 = 16;
const BY_LEAD: [&str; 3] = ["queue_settled", "queue_link", "queue_wake_key"];

fn store(server: &PostgresServer, partitions: u16) -> SqlStore {
    let mut store = server::unmade(server.url());
    store.migrate().unwrap();
    store.partition_by_lead(partitions).unwrap();
    store
}

/// Asks for one number of the store's tables; `{ns}` stands for their schema.
fn number(store: &mut SqlStore, sql: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let sql = sql.replace("{ns}", &store.view_name(""));
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    diesel::sql_query(sql).get_result::<Number>(connection).unwrap().n
}

#[test]
fn a_store_in_partitions_conforms() {
    if let Some(server) = server::shared() {
        // It makes many stores: a few partitions each.
        check_all(&mut || store(server, 3));
    }
}

fn answers(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    Ok(leads.iter().map(answer).collect())
}

/// Twenty thousand leads, or as many as `PARTITIONED_LEADS` says, drained by two workers; prints how long it took.
#[test]
fn a_queue_in_partitions_drains_as_a_whole_one() {
    let Some(server) = server::shared() else { return };
    let leads = std::env::var("PARTITIONED_LEADS").map_or(20_000, |leads| leads.parse().unwrap());
    let mut told = Vec::new();
    for (mut store, parts) in [(store(server, PARTITIONS), 16), (server::store(server), 1)] {
        let backlog = fill(&mut store, leads);
        let begun = Instant::now();
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let seeded = begun.elapsed();
        let worker = |store: &SqlStore| (store.reopen().unwrap(), answers);
        let mut workers = vec![worker(&store), worker(&store)];
        let options = RecoverOptions::default();
        let run = recover_with_workers(&mut workers, &options, &mut |_| ControlFlow::Continue(()));
        assert_eq!(run.unwrap().claimed, u64::from(leads));
        println!("{parts} partitions: seed {seeded:?}, with the drain {:?}", begun.elapsed());
        prove_drained(&mut store, leads);
        if std::env::var_os("TEST_PARTITIONS").is_none() {
            for table in BY_LEAD {
                let sql = format!("SELECT count(DISTINCT tableoid) AS n FROM {{ns}}{table}");
                assert_eq!(number(&mut store, &sql), parts, "{table}");
            }
        }

        // A link that is undone brings its lead back, whichever partition it lies in; the wake key finds all in theirs.
        let undone = SourcePk::new("L-1").unwrap();
        store.unlink(&undone, Decider { by: "ana", reason: "wrong" }).unwrap();
        let woken = store.wake(&["k".to_owned()]).unwrap();
        assert_eq!(woken, u64::from(leads.div_ceil(3)));
        let backlog = backlog_of(&store);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut answers, &options).unwrap();
        check_invariants(&mut store);
        let mut counts = BY_LEAD
            .map(|table| number(&mut store, &format!("SELECT count(*) AS n FROM {{ns}}{table}")));
        counts.sort_unstable();
        told.push(counts);
    }
    assert_eq!(told[0], told[1]);
}

/// What a table has around it, in the server's words: columns, keys, indexes and rights.
fn around(store: &mut SqlStore, table: &str) -> String {
    #[derive(diesel::QueryableByName)]
    struct Words {
        #[diesel(sql_type = diesel::sql_types::Text)]
        words: String,
    }
    let schema = store.view_name("").replace(['"', '.'], "");
    let sql = format!(
        "SELECT concat_ws(E'\\n', \
             (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull, \
                 pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attnum) FROM pg_attribute a \
                 LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
             (SELECT string_agg(k.conname || pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) \
                 FROM pg_constraint k WHERE k.conrelid = c.oid), \
             (SELECT string_agg(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '), ',' ORDER BY i.indexrelid::regclass::text) \
                 FROM pg_index i WHERE i.indrelid = c.oid), \
             (SELECT string_agg(a.grantee::regrole || a.privilege_type, ',' ORDER BY 1) FROM aclexplode(c.relacl) a \
                 WHERE a.grantee <> c.relowner)) AS words \
         FROM pg_class c WHERE c.oid = '{schema}.{table}'::regclass"
    );
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    diesel::sql_query(sql).get_result::<Words>(connection).unwrap().words
}

#[test]
fn a_table_in_partitions_has_all_that_the_whole_one_had() {
    let Some(server) = server::shared() else { return };
    let mut store = server::unmade(server.url());
    store.migrate().unwrap();
    let role = store.view_name("").replace(['"', '.'], "") + "_reader";
    // A service's view and rights are there before.
    let sql = "CREATE ROLE {role}; GRANT SELECT, INSERT ON {ns}queue_link TO {role}; \
         CREATE VIEW {ns}linked AS SELECT source_pk FROM {ns}identity_links";
    let sql = sql.replace("{ns}", &store.view_name("")).replace("{role}", &role);
    script(&mut store, &sql);
    let before = BY_LEAD.map(|table| around(&mut store, table));
    assert!(before[1].contains(&format!("{role}SELECT")), "{}", before[1]);
    store.partition_by_lead(PARTITIONS).unwrap();
    assert_eq!(BY_LEAD.map(|table| around(&mut store, table)), before);
    assert_eq!(store.migration_status().unwrap().partitions, 16);
    // Again it changes nothing, and another number is refused.
    store.partition_by_lead(PARTITIONS).unwrap();
    let told = store.partition_by_lead(8).unwrap_err().to_string();
    assert!(told.contains("queue_link is kept in 16 partitions already"), "{told}");
    assert!(store.migrate().unwrap().is_empty());
    assert_eq!(number(&mut store, "SELECT count(*) AS n FROM {ns}linked"), 0);
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    script(&mut store, &drop);
}

#[test]
fn a_partition_that_is_gone_is_told_and_no_run_begins() {
    let Some(server) = server::shared() else { return };
    let mut store = store(server, PARTITIONS);
    let backlog = fill(&mut store, 3);
    let ns = store.view_name("");
    let mut detach = |sql: &str| script(&mut store, &sql.replace("{ns}", &ns));
    detach("ALTER TABLE {ns}queue_link DETACH PARTITION {ns}queue_link_p7");
    let mut store = store.reopen().unwrap();
    let status = store.migration_status().unwrap();
    assert_eq!(status.missing, ["queue_link: 1 of 16 partitions"]);
    let told = store.seed(&backlog, &SeedOptions::default()).unwrap_err().to_string();
    assert!(told.contains("they lack queue_link: 1 of 16 partitions"), "{told}");
    // A book that is lost is not made again over it.
    script(&mut store, &format!("ALTER TABLE {ns}queue_migration RENAME TO kept"));
    let told =
        store.stamp(Decider { by: "ana", reason: "they were there" }).unwrap_err().to_string();
    assert!(told.contains("queue_link: 1 of 16 partitions"), "{told}");
    // Partitions may be split: 7 of 16 is 7 and 23 of 32.
    script(
        &mut store,
        &"ALTER TABLE {ns}kept RENAME TO queue_migration; DROP TABLE {ns}queue_link_p7; \
          CREATE TABLE {ns}queue_link_p7 PARTITION OF {ns}queue_link FOR VALUES WITH (MODULUS 32, REMAINDER 7); \
          CREATE TABLE {ns}queue_link_p23 PARTITION OF {ns}queue_link FOR VALUES WITH (MODULUS 32, REMAINDER 23)"
            .replace("{ns}", &ns),
    );
    let status = store.migration_status().unwrap();
    assert!(status.is_current() && status.partitions == 32, "{status:?}");
    // What was made by this crate and lost its book is adopted in this form, too.
    script(&mut store, &format!("DROP TABLE {ns}queue_migration"));
    store.stamp(Decider { by: "ana", reason: "they were there" }).unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
}

#[test]
fn partitions_are_refused_where_they_cannot_be() {
    #[cfg(feature = "sqlite")]
    {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::parse(dir.path().join("q.sqlite").to_str().unwrap()).unwrap();
        let mut sqlite = SqlStore::open(&url, OpenOptions::default()).unwrap();
        sqlite.migrate().unwrap();
        let told = sqlite.partition_by_lead(16).unwrap_err().to_string();
        assert!(told.contains("SQLite keeps each table in one piece"), "{told}");
    }
    let Some(server) = server::shared() else { return };
    let mut store = server::unmade(server.url());
    let told = store.partition_by_lead(16).unwrap_err().to_string();
    assert!(told.contains("are pending; call migrate first"), "{told}");
    store.migrate().unwrap();
    for wrong in [0, 1, 1025] {
        let told = store.partition_by_lead(wrong).unwrap_err().to_string();
        assert!(told.contains("2 to 1024"), "{told}");
    }
    let ns = store.view_name("");
    let trigger = "CREATE FUNCTION {ns}noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER noted AFTER INSERT ON {ns}queue_settled EXECUTE FUNCTION {ns}noted()";
    script(&mut store, &trigger.replace("{ns}", &ns));
    let told = store.partition_by_lead(16).unwrap_err().to_string();
    assert!(told.contains("queue_settled has triggers or policies"), "{told}");
    assert_eq!(store.migration_status().unwrap().partitions, 0, "no table was changed");
    script(&mut store, &"DROP TRIGGER noted ON {ns}queue_settled".replace("{ns}", &ns));

    let backlog = fill(&mut store, 3);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut answers, &RecoverOptions::default()).unwrap();
    let told = store.partition_by_lead(16).unwrap_err().to_string();
    assert!(told.contains("queue_link holds rows"), "{told}");
    prove_drained(&mut store, 3);
}
