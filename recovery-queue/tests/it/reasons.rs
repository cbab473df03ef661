//! Reasons of a service's own, codes that nobody knows, damaged figures: all are kept, shown by their text and counted.

use chrono_tz::Tz;
use recovery_queue::testing::{check_invariants, minute};
use recovery_queue::*;

use crate::support::backends::on_each;
#[cfg(feature = "guardrails")]
use crate::support::backends::{backlog_of, fill, resolve, script};

fn own() -> FailReason {
    FailReason::own("OUT_OF_REGION").unwrap()
}

fn pk(key: &str) -> SourcePk {
    SourcePk::new(key).unwrap()
}

#[test]
fn a_reason_of_the_services_own_is_kept_through_queue_shares_metrics_and_history() {
    fn check<S: QueueStore + LeadStore>(store: &mut S) {
        let leads = ["a", "b", "c", "d"].map(|key| BacklogLead::new(pk(key), minute(0)));
        store.seed(&InMemoryBacklog::new("all", leads), &SeedOptions::default()).unwrap();
        let mut resolver = |leads: &[ClaimedLead]| {
            let answer = |lead: &ClaimedLead| match lead.source_pk.as_str() {
                "d" => Resolution::unmatched(FailReason::NoCandidates),
                _ => Resolution::unmatched(own()),
            };
            Ok(leads.iter().map(answer).collect())
        };
        let run = store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
        assert_eq!(run.failed[&own()], 3);
        let told = serde_json::to_value(&run).unwrap();
        assert_eq!(told["failed"]["OUT_OF_REGION"], 3);
        {
            let mut snapshot = store.snapshot().unwrap();
            assert_eq!(snapshot.reason_counts().unwrap()[&own()], 3);
            let day = minute(0).date_naive();
            let today = snapshot.as_of().date_naive();
            let days = snapshot.daily_metrics(day.min(today), today, Tz::UTC).unwrap();
            let top = days.iter().filter_map(|day| day.top_fail_reason.clone()).next_back();
            assert_eq!(top, Some(own()));
            let record = snapshot.runs(1).unwrap().remove(0);
            assert_eq!((record.failed[&own()], record.other_out), (3, Some(0)));
            let shares = outlook(&mut *snapshot, 1).unwrap().reasons;
            assert_eq!((shares[0].reason.code(), shares[0].leads), ("OUT_OF_REGION", 3));
        }
        let failed = store.failed(Some(&own()), None, 10).unwrap();
        assert_eq!(
            failed.iter().map(|row| row.source_pk.as_str()).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        let decider = Decider { by: "ana", reason: "the region was added" };
        assert_eq!(store.reopen_leads(Reopen::Reason(own()), decider).unwrap(), 3);
        let lead = store.lead(&pk("a")).unwrap().unwrap();
        assert_eq!(lead.actions[0].fail_reason, Some(own()));
        check_invariants(store);
    }
    let mut store = InMemoryStore::new();
    store.set_clock(minute(0));
    check(&mut store);
    on_each(|mut store| check(&mut store));
}

#[cfg(feature = "guardrails")]
fn ledger_balance(store: &mut SqlStore) -> guardrails::CheckReport {
    let backlog = backlog_of(store);
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let suite = guardrails::Suite::recovery().only(["ledger_balance"]).unwrap();
    let report = suite.run(&facts, &guardrails::clock::StoppedClock);
    report.check("ledger_balance").unwrap().clone()
}

#[cfg(feature = "guardrails")]
#[test]
fn stored_codes_that_nobody_knows_are_shown_by_their_text_and_counted() {
    use guardrails::Verdict;
    use guardrails::recovery::RecoveryFacts as _;
    on_each(|mut store| {
        let backlog = fill(&mut store, 9);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let [settled, ledger, run, leads] =
            ["queue_settled", "queue_ledger", "queue_run", "queue_lead"]
                .map(|it| store.view_name(it));
        script(
            &mut store,
            &format!(
                "UPDATE {settled} SET reason = 'from elsewhere' WHERE status = 2 AND lead_id = \
                 (SELECT id FROM {leads} WHERE source_pk = 'L-0')"
            ),
        );
        let mut snapshot = store.snapshot().unwrap();
        let counts = snapshot.reason_counts().unwrap();
        let told: Vec<_> = counts.iter().map(|(reason, leads)| (reason.code(), *leads)).collect();
        assert_eq!(told, [("NO_CANDIDATES", 2), ("from elsewhere", 1)]);
        drop(snapshot);
        let lead = store.lead(&pk("L-0")).unwrap().unwrap();
        assert_eq!(lead.row.reason.unwrap().code(), "from elsewhere");
        let queue = StoreFacts::new(store.read().unwrap(), &backlog).queue().unwrap();
        assert_eq!(queue.reasons.iter().map(|part| part.leads).sum::<u64>(), 3);
        assert!(queue.reasons.iter().any(|part| part.reason == "from elsewhere"));
        assert_eq!(ledger_balance(&mut store).verdict, Verdict::Pass);

        // An event of a kind that only another version writes.
        script(
            &mut store,
            &format!(
                "INSERT INTO {ledger} (at, backlog_id, kind, leads) VALUES (1772359200000000, 1, 'merged', 4)"
            ),
        );
        let mut unknown = Vec::new();
        let take = &mut |slot: LedgerSlot| {
            if slot.kind == EventKind::Unknown {
                unknown.push((slot.reason.unwrap().to_string(), slot.leads));
            }
        };
        store.snapshot().unwrap().ledger(chrono::DateTime::<chrono::Utc>::MAX_UTC, take).unwrap();
        assert_eq!(unknown, [("merged".to_owned(), 4)]);
        let told = ledger_balance(&mut store);
        assert_eq!((told.verdict, told.numerator), (Verdict::Fail, 1), "{told:#?}");
        assert_eq!(told.samples[0].key, "event merged");
        assert!(told.samples[0].reason.starts_with("4 leads"), "{told:#?}");
        script(&mut store, &format!("DELETE FROM {ledger} WHERE kind = 'merged'"));

        // Figures of a run that are no JSON: the ledger's are told, and the text is shown.
        script(
            &mut store,
            &format!("UPDATE {run} SET fail_reasons = '{{\"NO_CANDI' WHERE kind = 'recover'"),
        );
        let record = store.snapshot().unwrap().runs(1).unwrap().remove(0);
        assert_eq!(record.damaged, ["{\"NO_CANDI"]);
        assert_eq!((record.events["matched"], record.failed[&FailReason::NoCandidates]), (6, 3));
    });
}

#[cfg(feature = "guardrails")]
#[test]
fn what_left_by_others_is_counted_from_events_and_a_remainder_fails_the_balance() {
    use guardrails::Verdict;
    use guardrails::recovery::RecoveryFacts as _;
    on_each(|mut store| {
        let backlog = fill(&mut store, 30);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let (mut other, leads) = (store.reopen().unwrap(), store.view_name("leads"));
        // While the run works, a lead leaves, two come, and one is linked by hand.
        let options = RecoverOptions::default()
            .with_batch_size(10)
            .with_claim(ClaimMode::Lease { ttl: std::time::Duration::from_mins(1) });
        let mut batches = 0;
        let mut busy = |found: &[ClaimedLead]| {
            batches += 1;
            if batches == 1 {
                let decider = Decider { by: "ana", reason: "called her" };
                let person = PersonKey::new("P-9").unwrap();
                let here = |key: &str| found.iter().any(|lead| lead.source_pk.as_str() == key);
                let linked = ["L-28", "L-27", "L-26"].into_iter().find(|key| !here(key)).unwrap();
                let gone = ["L-3", "L-6", "L-9"].into_iter().find(|key| !here(key)).unwrap();
                other.link(&pk(linked), &person, decider).unwrap();
                script(
                    &mut other,
                    &format!(
                        "DELETE FROM {leads} WHERE id = '{gone}'; \
                         INSERT INTO {leads} VALUES ('L-90', '2026-02-01'), ('L-91', '2026-02-01')"
                    ),
                );
                other.seed(&backlog, &SeedOptions::default()).unwrap();
            }
            resolve(found)
        };
        store.recover(&mut busy, &options).unwrap();
        let record = store
            .snapshot()
            .unwrap()
            .runs(10)
            .unwrap()
            .into_iter()
            .find(|run| run.kind == RunKind::Recover);
        let record = record.unwrap();
        assert_eq!((record.new_backlog_in, record.other_out), (2, Some(2)), "{record:?}");
        let matched = record.events["matched"];
        let left = record.backlog_before + record.new_backlog_in - matched - 2;
        assert_eq!(Some(left), record.backlog_after);
        let facts = StoreFacts::new(store.read().unwrap(), &backlog).runs(1).unwrap();
        assert_eq!((facts[0].other_out, facts[0].matched), (2, matched));
        let sound = ledger_balance(&mut store);
        assert_eq!(sound.verdict, Verdict::Pass, "{sound:#?}");

        let run = store.view_name("queue_run");
        script(&mut store, &format!("UPDATE {run} SET other_out = 1 WHERE kind = 'recover'"));
        let told = ledger_balance(&mut store);
        assert_eq!((told.verdict, told.numerator), (Verdict::Fail, 1), "{told:#?}");
        assert_eq!(told.samples[0].key, format!("run {}", record.run_id));
    });
}
