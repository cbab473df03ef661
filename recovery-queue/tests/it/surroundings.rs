//! The guardrails of what surrounds the queue: persons who are gone, rows that cannot be taken, a clock that went back.

use chrono::TimeDelta;
use guardrails::clock::StoppedClock;
use guardrails::recovery::{Explained, RecoveryFacts as _};
use guardrails::{CheckReport, Suite, Verdict};
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{fill, on_each, resolve, script};

fn check(store: &mut SqlStore, backlog: &ViewBacklog, name: &str) -> CheckReport {
    let facts = StoreFacts::new(store.read().unwrap(), backlog);
    let report = Suite::surroundings().only([name]).unwrap().run(&facts, &StoppedClock);
    report.check(name).unwrap().clone()
}

#[test]
fn links_to_persons_who_are_gone_are_found_once_the_service_says_who_is_there() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 60);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let unserved = check(&mut store, &backlog, "link_target_exists");
        assert_eq!(unserved.verdict, Verdict::Inconclusive, "{unserved:#?}");

        let (persons, links) = (store.view_name("persons"), store.view_name("identity_links"));
        script(
            &mut store,
            &format!("CREATE TABLE {persons} AS SELECT DISTINCT person_key AS id FROM {links}"),
        );
        let view = PersonView::new(&persons.replace('"', ""), "id").unwrap();
        store.set_person_view(Some(&view)).unwrap();
        let served = check(&mut store, &backlog, "link_target_exists");
        assert_eq!((served.verdict, served.denominator), (Verdict::Pass, Some(40)), "{served:#?}");

        script(&mut store, &format!("DELETE FROM {persons} WHERE id IN ('P-1', 'P-2')"));
        let gone = check(&mut store, &backlog, "link_target_exists");
        assert_eq!((gone.verdict, gone.numerator), (Verdict::Fail, 2), "{gone:#?}");
        assert_eq!((gone.samples[0].key.as_str(), gone.samples[1].key.as_str()), ("L-1", "L-2"));
    });
}

#[test]
fn a_link_to_a_person_who_was_rejected_is_found() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 60);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let name = "review_consistency";
        assert_eq!(check(&mut store, &backlog, name).verdict, Verdict::Inconclusive);
        let lead = SourcePk::new("L-0").unwrap();
        let [one, other] = ["P-1", "P-2"].map(|key| PersonKey::new(key).unwrap());
        let who = Decider { by: "ana", reason: "seen" };
        store.reject_pair(&lead, &one, who).unwrap();
        store.link(&lead, &other, who).unwrap();
        let sound = check(&mut store, &backlog, name);
        assert_eq!((sound.verdict, sound.denominator), (Verdict::Pass, Some(1)), "{sound:#?}");
        store.move_link(&lead, &one, who).unwrap();
        let broken = check(&mut store, &backlog, name);
        assert_eq!((broken.verdict, broken.samples[0].key.as_str()), (Verdict::Fail, "L-0"));
    });
}

#[test]
fn leads_that_were_left_out_are_told_and_are_not_waiting_for_a_seed() {
    on_each(|mut store| {
        let view = store.view_name("lead_backlog");
        let long = "x".repeat(600);
        let row = |key: &str, date: &str| {
            format!(
                "SELECT CAST('{key}' AS TEXT) AS lead_source_pk, CAST('{date}' AS TEXT) AS lead_date"
            )
        };
        let rows = [row("a", "2026-01-05"), row("b", "soon"), row(&long, "2026-01-05")]
            .join(" UNION ALL ");
        script(&mut store, &format!("CREATE VIEW {view} AS {rows}"));
        let backlog = ViewBacklog::new(&view.replace('"', "")).unwrap();
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let told = check(&mut store, &backlog, "rejected");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        assert_eq!((told.numerator, told.denominator), (2, Some(3)));
        assert_eq!(told.samples[0].key, "b");
        let hash = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";
        let reason = format!("date_unreadable, a key of 1 bytes, SHA-256 {hash}");
        assert_eq!(told.samples[0].reason, reason);
        assert!(told.samples[1].key.starts_with("sha256:"), "{told:#?}");
        assert!(told.samples[1].reason.starts_with("key_too_long, a key of 600 bytes"));

        let queue = StoreFacts::new(store.read().unwrap(), &backlog).queue().unwrap();
        assert_eq!((queue.backlog, queue.backlog_not_in_queue, queue.rejected), (3, 0, 2));
        assert_eq!(Explained::of(&queue).unexplained, 0);
        script(
            &mut store,
            &format!(
                "DROP VIEW {view}; CREATE VIEW {view} AS {rows} UNION ALL {}",
                row("c", "2026-01-05")
            ),
        );
        let queue = StoreFacts::new(store.read().unwrap(), &backlog).queue().unwrap();
        assert_eq!((queue.backlog, queue.backlog_not_in_queue, queue.rejected), (4, 1, 2));
    });
}

#[test]
fn rows_from_memory_that_were_left_out_are_not_waiting_for_a_seed_either() {
    on_each(|mut store| {
        let lead = |key: &str| BacklogLead::new(SourcePk::new(key).unwrap(), minute(0));
        let backlog =
            InMemoryBacklog::new("all", [lead("a"), lead("b").with_version("x\0y"), lead("c")]);
        let seeded = InMemoryBacklog::new("all", backlog.leads[..2].to_vec());
        store.seed(&seeded, &SeedOptions::default()).unwrap();
        let queue = StoreFacts::new(store.read().unwrap(), &backlog).queue().unwrap();
        assert_eq!((queue.backlog, queue.backlog_not_in_queue, queue.rejected), (3, 1, 1));
    });
}

#[test]
fn a_clock_that_went_back_is_told_until_it_has_passed_what_it_said() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 10);
        store.set_clock(Some(minute(600)));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!(check(&mut store, &backlog, "clock").verdict, Verdict::Pass);
        store.set_clock(Some(minute(600) - TimeDelta::seconds(30)));
        assert_eq!(
            check(&mut store, &backlog, "clock").verdict,
            Verdict::Pass,
            "clocks differ a little"
        );
        store.set_clock(Some(minute(0)));
        let told = check(&mut store, &backlog, "clock");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        let reason = "it says 2026-03-01T10:00:00Z, and something happened at 2026-03-01T20:00:00Z";
        assert_eq!(told.samples[0].reason, reason);
        store.set_clock(Some(minute(601)));
        assert_eq!(check(&mut store, &backlog, "clock").verdict, Verdict::Pass);
    });
}
