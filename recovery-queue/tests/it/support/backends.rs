//! What tests on real databases share: a store of each backend, leads with their view, and the proof afterwards.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use recovery_queue::testing::check_invariants;
use recovery_queue::*;

/// Runs a test on an empty store of each backend that is there; `store.reopen()` gives it further workers.
pub(crate) fn on_each(mut test: impl FnMut(SqlStore)) {
    #[cfg(feature = "sqlite")]
    let dir = tempfile::tempdir().unwrap();
    #[cfg(feature = "sqlite")]
    test(crate::loop_on_sqlite::open(&dir));
    #[cfg(feature = "postgres")]
    if let Some(server) = crate::support::server::shared() {
        test(crate::support::server::store(server));
    }
}

/// Says whether a connection is to a file of SQLite.
pub(crate) fn is_sqlite(connection: &Conn<'_>) -> bool {
    match connection {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(_) => true,
        _ => false,
    }
}

/// What an error says, and what lies behind it; no part of the chain is told twice.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut chain = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        assert!(chain.iter().all(|above| !above.contains(&said)), "{said} again in {chain:?}");
        chain.push(said);
        cause = deeper.source();
    }
    chain.join(": ")
}

/// Runs statements of the user's own.
pub(crate) fn script(store: &mut SqlStore, sql: &str) {
    match store.connection() {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(connection) => connection.batch_execute(sql).unwrap(),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => connection.batch_execute(sql).unwrap(),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

/// Makes the table of the leads `L-0` to `L-{leads - 1}` and the view of those that are not linked.
pub(crate) fn fill(store: &mut SqlStore, leads: u32) -> ViewBacklog {
    let (table, view) = (store.view_name("leads"), store.view_name("lead_backlog"));
    let links = store.view_name("identity_links");
    script(
        store,
        &format!(
            "CREATE TABLE {table} (id TEXT PRIMARY KEY, born TEXT); \
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {leads} - 1) \
             INSERT INTO {table} SELECT 'L-' || CAST(i AS TEXT), \
                 '2026-01-' || CAST(10 + i % 20 AS TEXT) || 'T10:00:00Z' FROM n WHERE i < {leads}; \
             CREATE VIEW {view} AS SELECT id AS lead_source_pk, born AS lead_date FROM {table} t \
                 WHERE NOT EXISTS (SELECT 1 FROM {links} k WHERE k.source_pk = t.id);"
        ),
    );
    backlog_of(store)
}

pub(crate) fn backlog_of(store: &SqlStore) -> ViewBacklog {
    ViewBacklog::new(&store.view_name("lead_backlog").replace('"', "")).unwrap()
}

pub(crate) fn number(lead: &ClaimedLead) -> u32 {
    lead.source_pk.as_str()[2..].parse().unwrap()
}

/// Leaves every third lead unmatched, with the wake key `k`; the others are 500 persons'.
pub(crate) fn answer(lead: &ClaimedLead) -> Resolution {
    if number(lead).is_multiple_of(3) {
        return Resolution::unmatched(FailReason::NoCandidates).with_wake_keys(vec!["k".into()]);
    }
    let person = PersonKey::new(format!("P-{}", number(lead) % 500)).unwrap();
    Resolution::matched(person, "PHONE_EXACT", "high")
}

pub(crate) fn resolve(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    Ok(leads.iter().map(answer).collect())
}

pub(crate) fn go(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn counts(store: &mut SqlStore) -> BTreeMap<Status, u64> {
    store.snapshot().unwrap().status_counts().unwrap()
}

/// Sums up the ledger by kind.
pub(crate) fn events(store: &mut SqlStore) -> BTreeMap<EventKind, u64> {
    let mut events: BTreeMap<EventKind, u64> = EventKind::ALL.map(|kind| (kind, 0)).into();
    let add = &mut |slot: LedgerSlot| *events.entry(slot.kind).or_default() += slot.leads;
    store.snapshot().unwrap().ledger(DateTime::<Utc>::MAX_UTC, add).unwrap();
    events
}

/// Proves that no lead is lost and none linked twice, that ledger and queue agree, and that guardrails pass.
pub(crate) fn prove(store: &mut SqlStore, leads: u32) {
    check_invariants(store);
    let counts = counts(store);
    assert_eq!(counts.values().sum::<u64>(), u64::from(leads), "no lead is lost: {counts:?}");
    guard(store);
}

/// Proves, after a drained queue of [`answer`], that each lead was settled once and no more.
pub(crate) fn prove_drained(store: &mut SqlStore, leads: u32) {
    prove(store, leads);
    let counts = counts(store);
    let unmatched = u64::from(leads.div_ceil(3));
    assert_eq!(counts[&Status::Pending], 0, "{counts:?}");
    assert_eq!(counts[&Status::Failed], unmatched, "{counts:?}");
    assert_eq!(events(store)[&EventKind::Matched], u64::from(leads) - unmatched, "none twice");
}

#[cfg(feature = "guardrails")]
fn guard(store: &mut SqlStore) {
    use guardrails::{Suite, Verdict, clock::StoppedClock};
    const CHECKS: [&str; 7] = [
        "drain",
        "origin_missing",
        "source_pk_consistency",
        "identity_link_integrity",
        "single_migration_head",
        "ledger_balance",
        "impact",
    ];
    let backlog = backlog_of(store);
    let leads = counts(store);
    let (matched, seeded) = (leads[&Status::Matched] > 0, leads.values().sum::<u64>() > 0);
    let runs = store.snapshot().unwrap().runs(1000).unwrap();
    let ran = runs.iter().any(|run| run.kind == RunKind::Recover && run.finished_at.is_some());
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let report = Suite::recovery().only(CHECKS).unwrap().run(&facts, &StoppedClock);
    drop(facts);
    for name in CHECKS {
        // Inconclusive is a check that has nothing to judge, and no other.
        let judges = match name {
            "drain" | "origin_missing" | "identity_link_integrity" => matched,
            "impact" => ran,
            "source_pk_consistency" => seeded,
            _ => true,
        };
        let found = report.check(name).unwrap();
        let sound = match found.verdict {
            Verdict::Pass => true,
            Verdict::Inconclusive => !judges,
            _ => false,
        };
        assert!(sound, "{found:#?}");
    }
}

#[cfg(not(feature = "guardrails"))]
fn guard(_: &mut SqlStore) {}
