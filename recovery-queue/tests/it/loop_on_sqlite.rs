//! The whole loop on a file of SQLite.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use recovery_queue::*;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn open(dir: &tempfile::TempDir) -> SqlStore {
    let path = dir.path().join("queue.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    store
}

pub(crate) fn run(store: &mut SqlStore, sql: &str) {
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    connection.batch_execute(sql).unwrap();
}

const TABLES: &str = "CREATE TABLE leads (id TEXT PRIMARY KEY, created TEXT, person TEXT); \
    CREATE VIEW lead_backlog AS SELECT id AS lead_source_pk, created AS lead_date FROM leads \
    WHERE id NOT IN (SELECT source_pk FROM identity_links);";

fn resolver(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    Ok(leads
        .iter()
        .map(|lead| {
            let number: u32 = lead.source_pk.as_str()[2..].parse().unwrap();
            match number % 4 {
                0 => Resolution::matched(
                    PersonKey::new(format!("P-{}", number / 8)).unwrap(),
                    "PHONE_EXACT",
                    "high",
                ),
                1 => Resolution::unmatched(FailReason::NoCandidates)
                    .with_wake_keys(vec![format!("k{number}")]),
                2 => Resolution::unmatched(FailReason::MissingIdentifiers),
                _ => Resolution::unmatched(FailReason::ConflictMultipleCandidates)
                    .with_evidence(serde_json::json!({ "candidates": 2 }).into()),
            }
        })
        .collect())
}

#[test]
fn the_loop_settles_every_lead_and_a_second_time_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    run(&mut store, TABLES);
    let mut sql = String::from("BEGIN;");
    for i in 0..2500 {
        sql +=
            &format!("INSERT INTO leads VALUES ('L-{i:05}', '2026-01-{:02}', NULL);", 1 + i % 28);
    }
    run(&mut store, &(sql + "COMMIT;"));
    store.set_clock(Some(at("2026-03-01T10:00:00Z")));
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    let seeded = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert_eq!((seeded.backlog_size, seeded.arrived, seeded.opening), (2500, 2500, true));
    store.set_clock(Some(at("2026-03-01T10:01:00Z")));
    let mut resolver = resolver;
    let mut steps = 0;
    let summary = store
        .recover_with_progress(&mut resolver, &RecoverOptions::default(), &mut |_| {
            steps += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((summary.claimed, summary.matched, summary.failed_total()), (2500, 625, 1875));
    assert_eq!(steps, 3);

    let again = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert!(!again.changed(), "{again:?}");
    let idle = store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
    assert_eq!(idle.claimed, 0);

    let mut snapshot = store.snapshot().unwrap();
    let counts = snapshot.status_counts().unwrap();
    assert_eq!(counts[&Status::Matched], 625);
    assert_eq!(counts[&Status::Failed], 1875);
    assert_eq!(backlog_size(&counts), 1875);
    let mut links = 0;
    snapshot.links(&mut |_| links += 1).unwrap();
    assert_eq!(links, 625);
    let mut origins = Vec::new();
    snapshot.origins(&mut |row| origins.push(row)).unwrap();
    assert_eq!(origins.len(), 313);
    assert!(snapshot.matched_in(&backlog).unwrap().is_empty());
    let day = at("2026-03-01T00:00:00Z").date_naive();
    let days =
        snapshot.daily_metrics(day, day + TimeDelta::days(1), chrono_tz::America::Lima).unwrap();
    assert_eq!(
        (days[0].backlog_start, days[0].matched_out, days[0].backlog_end),
        (2500, 625, 1875)
    );
    assert_eq!(days[0].top_fail_reason, Some(FailReason::ConflictMultipleCandidates));
    assert_eq!(days[1].backlog_start, 1875);
    let runs = snapshot.runs(10).unwrap();
    assert_eq!(runs.len(), 4);
    assert_eq!(runs[2].events["matched"], 625);
}

#[test]
fn a_withdrawn_lead_comes_back_as_an_arrival_and_a_changed_one_reopens() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let lead = |pk: &str, version: &str| {
        BacklogLead::new(SourcePk::new(pk).unwrap(), at("2026-01-01T00:00:00Z"))
            .with_version(version)
    };
    let mut backlog =
        InMemoryBacklog::new("all", [lead("L-1", "a"), lead("L-2", "a"), lead("L-2", "a")]);
    let first = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert_eq!((first.backlog_size, first.duplicates, first.arrived), (2, 1, 2));
    let mut resolver = resolver;
    store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
    backlog.leads = vec![lead("L-1", "b")];
    let second = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert_eq!((second.reopened, second.withdrawn, second.arrived), (1, 1, 0));
    backlog.leads = vec![lead("L-1", "b"), lead("L-2", "a")];
    let third = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert_eq!((third.reopened, third.withdrawn, third.arrived), (0, 0, 1));
}

#[test]
fn a_technical_error_is_tried_again_later_and_fails_after_the_last_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let lead = BacklogLead::new(SourcePk::new("L-1").unwrap(), at("2026-01-01T00:00:00Z"));
    let backlog = InMemoryBacklog::new("all", [lead]);
    let mut now = at("2026-03-01T10:00:00Z");
    store.set_clock(Some(now));
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let mut broken = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        Ok(leads.iter().map(|_| Resolution::error("timeout")).collect())
    };
    for attempt in 1..=5 {
        store.set_clock(Some(now));
        let summary = store.recover(&mut broken, &RecoverOptions::default()).unwrap();
        if attempt < 5 {
            assert_eq!((summary.retried, summary.failed_total()), (1, 0), "{attempt}");
        } else {
            assert_eq!(summary.failed[&FailReason::Error], 1);
        }
        now += TimeDelta::hours(2);
    }
}
