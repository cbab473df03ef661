//! The record of runs: how each ended, and figures that to prune the ledger does not change.

use std::ops::ControlFlow;

use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{counts, fill, on_each, prove, resolve, script};

const ANA: Decider<'static> = Decider { by: "ana", reason: "a test" };

fn latest(store: &mut SqlStore) -> RunRecord {
    store.snapshot().unwrap().runs(1).unwrap().remove(0)
}

#[test]
fn a_run_records_how_it_ended() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 90);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!(latest(&mut store).outcome, Some(RunOutcome::Done));

        let mut down = |_: &[ClaimedLead]| Err(ResolveError::Unavailable("down".into()));
        assert!(store.recover(&mut down, &RecoverOptions::default()).is_err());
        let failed = latest(&mut store);
        assert_eq!(failed.outcome, Some(RunOutcome::Failed));
        assert!(failed.finished_at.is_some() && failed.events.is_empty());

        let mut options = RecoverOptions::default();
        options.batch_size = 10;
        let mut stop = |_: &Progress| ControlFlow::Break(());
        let asked = store.recover_with_progress(&mut resolve, &options, &mut stop).unwrap();
        assert_eq!((asked.claimed, asked.stopped), (10, Stopped::Asked), "the batch was finished");
        assert_eq!(latest(&mut store).outcome, Some(RunOutcome::Asked));

        options.limit = Some(20);
        store.recover(&mut resolve, &options).unwrap();
        assert_eq!(latest(&mut store).outcome, Some(RunOutcome::Limit));

        let run = NewRun::new(RunKind::Recover, "dies", None);
        let open = store.open_run(&run).unwrap();
        assert_eq!((latest(&mut store).run_id, latest(&mut store).outcome), (open, None));
        let drained = store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let runs = store.snapshot().unwrap().runs(2).unwrap();
        assert_eq!((runs[0].run_id, runs[0].outcome), (drained.run_id, Some(RunOutcome::Done)));
        assert_eq!((runs[1].run_id, runs[1].outcome), (open, Some(RunOutcome::Killed)));
        assert!(runs[1].finished_at.is_some());
        prove(&mut store, 90);
    });
}

#[test]
fn a_paused_backlog_gives_no_leads_until_it_is_resumed() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 4);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let one = BacklogLead::new(SourcePk::new("M-3").unwrap(), chrono::DateTime::UNIX_EPOCH);
        store.seed(&InMemoryBacklog::new("other", [one]), &SeedOptions::default()).unwrap();
        let recover = |store: &mut SqlStore| {
            store.recover(&mut resolve, &RecoverOptions::default()).unwrap().claimed
        };
        store.set_paused(backlog.name(), true, ANA).unwrap();
        assert_eq!(recover(&mut store), 1, "the other backlog goes on");
        assert_eq!(recover(&mut store), 0);
        store.set_paused(backlog.name(), false, ANA).unwrap();
        assert_eq!(recover(&mut store), 4);
        assert!(matches!(store.set_paused("none", true, ANA), Err(StoreError::NotFound { .. })));
        assert_eq!(counts(&mut store)[&Status::Pending], 0);
        // A backlog that is as it was asked to be is no change.
        store.set_paused(backlog.name(), false, ANA).unwrap();
        let mut kept = store.actions().unwrap();
        kept.retain(|action| action.kind != StoreActionKind::Migrated);
        let told: Vec<_> = kept.iter().map(|it| (it.kind, it.subject.as_str())).collect();
        let name = backlog.name();
        assert_eq!(told, [(StoreActionKind::Paused, name), (StoreActionKind::Resumed, name)]);
    });
}

#[test]
fn to_prune_the_ledger_changes_no_figure_of_a_run_or_a_day() {
    on_each(|mut store| {
        store.set_clock(Some(minute(0)));
        let backlog = fill(&mut store, 60);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.set_clock(Some(minute(1)));
        let mut options = RecoverOptions::default();
        options.limit = Some(30);
        store.recover(&mut resolve, &options).unwrap();
        store.set_clock(Some(minute(60)));
        let dead = store.open_run(&NewRun::new(RunKind::Recover, "dies", None)).unwrap();
        let mut cursor = Cursor::new();
        let batch = BatchRequest::new(dead, 15, &options);
        store.recover_batch(&batch, &mut cursor, &mut resolve).unwrap();
        store.set_clock(Some(minute(3000)));

        let figures = |store: &mut SqlStore| {
            let day = minute(0).date_naive();
            let mut snapshot = store.snapshot().unwrap();
            let days = snapshot
                .daily_metrics(day, day + chrono::TimeDelta::days(3), chrono_tz::Asia::Kathmandu)
                .unwrap();
            let last = days.last().unwrap();
            let alone = snapshot.daily_metrics(last.date, last.date, chrono_tz::Asia::Kathmandu);
            assert_eq!(alone.unwrap(), std::slice::from_ref(last), "however much lies before it");
            let runs = snapshot.runs(9).unwrap();
            drop(snapshot);
            (runs, days, facts(store))
        };
        let before = figures(&mut store);
        assert_eq!(before.0[1].failed[&FailReason::NoCandidates], 10);
        assert_eq!(before.0[0].events["matched"], 10);
        let pruned = store.roll_up(minute(2000), Some(minute(2000))).unwrap();
        assert_eq!(pruned.pruned, 3, "the opening and the first run's two; the open run's stay");
        assert_eq!(figures(&mut store), before);

        // The next run finds the dead one and closes it, with its figures.
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let killed = store.snapshot().unwrap().runs(2).unwrap().remove(1);
        assert_eq!((killed.run_id, killed.outcome), (dead, Some(RunOutcome::Killed)));
        assert_eq!((&killed.events, &killed.failed), (&before.0[0].events, &before.0[0].failed));
        let told = facts(&mut store);
        assert_eq!(store.roll_up(minute(2000), Some(minute(2000))).unwrap().pruned, 2);
        assert_eq!(facts(&mut store), told);
        assert_eq!(store.snapshot().unwrap().runs(2).unwrap().remove(1), killed);
        assert_eq!(counts(&mut store)[&Status::Pending], 0);
        prove(&mut store, 60);
    });
}

#[cfg(feature = "guardrails")]
fn facts(store: &mut SqlStore) -> String {
    use guardrails::recovery::RecoveryFacts;
    let backlog = crate::support::backends::backlog_of(store);
    format!("{:?}", StoreFacts::new(store.read().unwrap(), &backlog).runs(9).unwrap())
}

#[cfg(not(feature = "guardrails"))]
fn facts(_: &mut SqlStore) -> String {
    String::new()
}

#[cfg(feature = "postgres")]
#[test]
fn a_mark_of_a_live_worker_is_left_alone_and_that_of_a_dead_one_is_taken() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    let run = store.open_run(&NewRun::new(RunKind::Recover, "lives", None)).unwrap();
    store.mark(&format!("{run}/1"), Some(64)).unwrap();
    store.mark(&format!("{run}/1"), Some(128)).unwrap();
    let mut other = store.reopen().unwrap();
    let next = other.open_run(&NewRun::new(RunKind::Recover, "next", None)).unwrap();
    assert_eq!(other.take_marks(next).unwrap(), None, "its session holds the worker's lock");
    assert_eq!(other.snapshot().unwrap().runs(2).unwrap()[1].outcome, None);
    drop(store);
    // The server needs a moment to see that a client is gone.
    let taken =
        std::iter::repeat_with(|| other.take_marks(next).unwrap()).take(100_000).flatten().next();
    assert_eq!(taken, Some(128));
    assert_eq!(other.snapshot().unwrap().runs(2).unwrap()[1].outcome, Some(RunOutcome::Killed));
}

#[test]
fn what_made_the_tables_and_fills_the_services_own_is_history() {
    on_each(|mut store| {
        let head = store.migration_status().unwrap().heads[0].clone();
        let table = store.view_name("queue_migration");
        script(&mut store, &format!("DELETE FROM {table} WHERE version = '{head}'"));
        store.stamp_version(&head, ANA).unwrap();
        let namespace = match table.rsplit_once('.') {
            Some((schema, _)) => Namespace::new(schema.trim_matches('"')).unwrap(),
            None => Namespace::default(),
        };
        let mut borrowed = BorrowedStore::within(store.connection(), &namespace).unwrap();
        borrowed.record_import("leads", 7, ANA).unwrap();
        let kept = store.actions().unwrap();
        let told: Vec<_> =
            kept.iter().map(|it| (it.kind, it.rows, it.reason == ANA.reason)).collect();
        let made = store.migration_status().unwrap().embedded.len() as u64;
        assert_eq!(
            told,
            [
                (StoreActionKind::Migrated, made, false),
                (StoreActionKind::Stamped, 1, true),
                (StoreActionKind::Imported, 7, true),
            ]
        );
        assert!(kept[0].subject.ends_with(&head) && !kept[0].by.is_empty(), "{kept:?}");
        assert_eq!((kept[1].subject.as_str(), kept[2].subject.as_str()), (&*head, "leads"));
        assert!(store.migrate().unwrap().is_empty());
        assert_eq!(store.actions().unwrap(), kept, "what applied nothing is no history");
    });
}
