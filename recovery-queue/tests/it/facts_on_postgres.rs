//! The facts of a store on PostgreSQL: one read, queries that only read, time limits that hold.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use guardrails::clock::StoppedClock;
use guardrails::facts::{FactsError, Query, Tables};
use guardrails::recovery::{Invariant, RecoveryFacts};
use guardrails::{QueryCheck, Settings, Suite, Verdict};
use recovery_queue::testing::PostgresServer;
use recovery_queue::*;

use crate::facts_on_sqlite::{
    assert_no_figure_moved, assert_several_readers_see_what_one_does, committing,
    every_check_twice_around,
};
use crate::support::server;

fn run(store: &mut SqlStore, sql: &str) {
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    connection.batch_execute(sql).unwrap();
}

/// A store with ten leads in its backlog, and the names of its table and its view.
fn filled() -> Option<(SqlStore, String, ViewBacklog)> {
    server::shared().map(filled_on)
}

fn filled_on(server: &PostgresServer) -> (SqlStore, String, ViewBacklog) {
    let mut store = server::store(server);
    let (leads, view) = (store.view_name("leads"), store.view_name("lead_backlog"));
    run(
        &mut store,
        &format!(
            "CREATE TABLE {leads} (id TEXT PRIMARY KEY); \
             INSERT INTO {leads} SELECT 'L-' || i FROM generate_series(1, 10) i; \
             CREATE VIEW {view} AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date FROM {leads};"
        ),
    );
    let backlog = ViewBacklog::new(&view.replace('"', "")).unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    (store, leads, backlog)
}

#[test]
fn a_commit_between_two_checks_of_one_suite_moves_no_figure() {
    let Some((mut store, leads, backlog)) = filled() else { return };
    let mut writer = store.reopen().unwrap();
    let theirs = backlog.clone();
    let suite = every_check_twice_around(committing(move || {
        run(&mut writer, &format!("INSERT INTO {leads} VALUES ('N-1'), ('N-2')"));
        writer.seed(&theirs, &SeedOptions::default()).unwrap();
    }));
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    guardrails::testing::conformance(&facts);
    assert_no_figure_moved(&suite.run(&facts, &StoppedClock));
    drop(facts);
    // A suite over borrowed facts lasts no longer than they do.
    drop(suite);
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    assert_eq!(facts.queue().unwrap().backlog, 12, "the next read sees what was written");
}

#[test]
fn several_readers_see_what_one_does_also_while_others_write() {
    let Some((mut store, leads, backlog)) = filled() else { return };
    let mut writer = store.reopen().unwrap();
    let readers = assert_several_readers_see_what_one_does(&mut store, &backlog, || {
        run(&mut writer, &format!("INSERT INTO {leads} VALUES ('N-1'), ('N-2')"));
    });
    assert_eq!(readers, 3);
}

#[test]
fn a_key_in_another_spelling_is_found_in_every_table() {
    let Some((mut store, leads, backlog)) = filled() else { return };
    let claims = store.view_name("claims");
    run(
        &mut store,
        &format!(
            "CREATE TABLE {claims} (source_pk TEXT); INSERT INTO {claims} VALUES \
             ('L-1'), (' l-2'), ('X-9'), ('x-9'), (' '), (NULL); INSERT INTO {leads} VALUES ('L-3.0')"
        ),
    );
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let claims = KeyColumn::referring(&claims.replace('"', ""), "source_pk").unwrap();
    store.set_key_columns(&[claims]).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let odd = facts.offenders(Invariant::SOURCE_PK_IN_ONE_FORMAT, 99).unwrap();
    let mut keys: Vec<_> = odd.listed.iter().map(|row| row.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, [" ", " l-2", "L-3.0", "X-9", "x-9"], "{odd:?}");
}

#[test]
fn a_query_that_writes_by_a_function_is_refused_and_writes_nothing() {
    let Some((mut store, leads, backlog)) = filled() else { return };
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    for sql in [
        format!("WITH gone AS (DELETE FROM {leads} RETURNING id) SELECT id FROM gone"),
        format!("SELECT id FROM {leads} FOR UPDATE"),
        "SELECT no_such_column FROM no_such_table".to_owned(),
    ] {
        let refused = facts.query(&Query::new(sql.as_str()), 9);
        assert!(matches!(refused, Err(FactsError::Refused { .. })), "{sql}: {refused:?}");
    }
    assert_eq!(
        facts.query(&Query::new(format!("SELECT id, 'why' FROM {leads}")), 3).unwrap().total,
        10
    );
}

#[test]
fn a_check_over_its_time_limit_is_an_error_and_the_others_run() {
    server::in_each_language().for_each(over_its_time);
}

fn over_its_time(server: &PostgresServer) {
    let (mut store, leads, backlog) = filled_on(server);
    let slow = QueryCheck::new("slow", "it ends", "SELECT 'a' FROM pg_sleep(600)");
    let after = QueryCheck::new("after", "there is no lead", format!("SELECT id FROM {leads}"));
    let soon = Settings::default().with_time_limit(Duration::from_millis(20));
    let suite = Suite::new("s").with_settings(slow, soon).unwrap().with(after).unwrap();
    let report = suite.run(&StoreFacts::new(store.read().unwrap(), &backlog), &StoppedClock);
    let slow = &report.checks[0];
    assert_eq!(slow.verdict, Verdict::Error);
    assert_eq!(slow.reason.as_deref(), Some("no answer within 20ms"));
    assert_eq!((report.checks[1].verdict, report.checks[1].numerator), (Verdict::Fail, 10));
}

#[test]
fn the_time_limit_of_a_check_holds_for_its_statements_together() {
    server::in_each_language().for_each(over_its_time_together);
}

fn over_its_time_together(server: &PostgresServer) {
    let (mut store, leads, _) = filled_on(server);
    let view = store.view_name("slow_backlog");
    run(
        &mut store,
        &format!(
            "CREATE VIEW {view} AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date \
             FROM {leads}, pg_sleep(600)"
        ),
    );
    let slow = ViewBacklog::new(&view.replace('"', "")).unwrap();
    let soon = Settings::default().with_time_limit(Duration::from_millis(20));
    let suite = Suite::recovery().only(["source_pk_consistency", "ledger_balance"]).unwrap();
    let suite = suite.configure("source_pk_consistency", soon).unwrap();
    let report = suite.run(&StoreFacts::new(store.read().unwrap(), &slow), &StoppedClock);
    assert_eq!(report.checks[0].reason.as_deref(), Some("no answer within 20ms"), "{report:#?}");
    assert_eq!(report.checks[1].verdict, Verdict::Pass, "{report:#?}");
}
