//! A batch looks again as it settles: leads that have left the backlog since they were seeded, and persons who are gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recovery_queue::testing::{check_invariants, minute};
use recovery_queue::*;

use crate::support::backends::{events, is_sqlite, on_each, prove, script};

const TTL: Duration = Duration::from_mins(1);

fn ways() -> [RecoverOptions; 2] {
    let one = RecoverOptions::default();
    [one.clone(), one.with_claim(ClaimMode::Lease { ttl: TTL })]
}

/// Matches every lead to its own person but those that fail, as their keys say.
fn answer(lead: &ClaimedLead) -> Resolution {
    match lead.source_pk.as_str() {
        key if key.starts_with("down") => Resolution::error("down"),
        key if key.starts_with("nobody") => Resolution::unmatched(FailReason::NoCandidates),
        key => {
            Resolution::matched(PersonKey::new(format!("P-{key}")).unwrap(), "PHONE_EXACT", "high")
        }
    }
}

fn statuses(store: &mut dyn QueueStore) -> BTreeMap<String, (Status, Option<FailReason>)> {
    let mut rows = BTreeMap::new();
    let take = &mut |row: QueueRow| {
        rows.insert(row.source_pk.to_string(), (row.status, row.reason));
    };
    store.snapshot().unwrap().queue(take).unwrap();
    rows
}

fn linked(store: &mut dyn QueueStore) -> Vec<String> {
    let mut keys = Vec::new();
    store.snapshot().unwrap().links(&mut |row| keys.push(row.source_pk.to_string())).unwrap();
    keys
}

const KEYS: [&str; 7] = ["a", "b", "c", "down", "down-left", "nobody", "nobody-left"];
const LEFT: [&str; 3] = ["b", "down-left", "nobody-left"];

/// Makes leads, claims, and the view of the leads that are neither linked nor claimed.
fn make(store: &mut SqlStore) -> ViewBacklog {
    let [leads, claims, view, links] =
        ["leads", "claims", "lead_backlog", "identity_links"].map(|name| store.view_name(name));
    let rows: Vec<String> = KEYS.iter().map(|key| format!("('{key}', '2026-01-05')")).collect();
    script(
        store,
        &format!(
            "CREATE TABLE {leads} (id TEXT PRIMARY KEY, born TEXT); CREATE TABLE {claims} (lead TEXT PRIMARY KEY); \
             INSERT INTO {leads} VALUES {}; \
             CREATE VIEW {view} AS SELECT id AS lead_source_pk, born AS lead_date FROM {leads} l \
                 WHERE NOT EXISTS (SELECT 1 FROM {links} k WHERE k.source_pk = l.id) \
                   AND NOT EXISTS (SELECT 1 FROM {claims} c WHERE c.lead = l.id)",
            rows.join(", ")
        ),
    );
    ViewBacklog::new(&view.replace('"', "")).unwrap()
}

/// Says what must have become of the leads.
fn check(store: &mut dyn QueueStore, run: &RunSummary) {
    assert_eq!((run.claimed, run.matched, run.withdrawn, run.retried), (7, 2, 3, 1));
    assert_eq!(run.failed, BTreeMap::from([(FailReason::NoCandidates, 1)]));
    let expected = [
        ("a", (Status::Matched, None)),
        ("b", (Status::Withdrawn, None)),
        ("c", (Status::Matched, None)),
        ("down", (Status::Pending, None)),
        ("down-left", (Status::Withdrawn, None)),
        ("nobody", (Status::Failed, Some(FailReason::NoCandidates))),
        ("nobody-left", (Status::Withdrawn, None)),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(key, stands)| (key.to_owned(), stands)).collect();
    assert_eq!(statuses(store), expected);
    assert_eq!(linked(store), ["a", "c"]);
    check_invariants(store);
}

#[test]
fn a_lead_that_leaves_the_backlog_after_the_seed_is_withdrawn_and_not_linked() {
    for options in ways() {
        on_each(|mut store| {
            let backlog = make(&mut store);
            store.seed(&backlog, &SeedOptions::default()).unwrap();
            let claims = store.view_name("claims");
            for key in LEFT {
                script(&mut store, &format!("INSERT INTO {claims} VALUES ('{key}')"));
            }
            let heard = Arc::new(Mutex::new(BTreeMap::new()));
            let listener = Arc::clone(&heard);
            store.after_settle(move |_, leads| {
                let mut heard = listener.lock().unwrap();
                heard.extend(leads.iter().map(|lead| (lead.source_pk.to_string(), lead.status)));
                Ok(())
            });
            let mut resolver = |leads: &[ClaimedLead]| Ok(leads.iter().map(answer).collect());
            let run = store.recover(&mut resolver, &options).unwrap();
            check(&mut store, &run);
            assert_eq!(heard.lock().unwrap()["b"], Status::Withdrawn);
            assert_eq!(events(&mut store)[&EventKind::Withdrawn], 3);
            let record = store.snapshot().unwrap().runs(1).unwrap().remove(0);
            assert_eq!((record.events["withdrawn"], record.backlog_after), (3, Some(2)));
            prove(&mut store, 7);

            // The next seed has nothing to put right, and brings back a lead whose claim is gone.
            let seed = store.seed(&backlog, &SeedOptions::default()).unwrap();
            assert_eq!((seed.withdrawn, seed.arrived, seed.leaks), (0, 0, 0));
            script(&mut store, &format!("DELETE FROM {claims} WHERE lead = 'b'"));
            assert_eq!(store.seed(&backlog, &SeedOptions::default()).unwrap().arrived, 1);
            assert_eq!(store.recover(&mut resolver, &options).unwrap().matched, 1);
            prove(&mut store, 7);
        });
        let mut store = InMemoryStore::new();
        store.set_clock(minute(0));
        let leads = KEYS.map(|key| BacklogLead::new(SourcePk::new(key).unwrap(), minute(0)));
        let backlog = InMemoryBacklog::new("all", leads);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        for key in LEFT {
            store.leave_backlog(&SourcePk::new(key).unwrap());
        }
        let mut resolver = |leads: &[ClaimedLead]| Ok(leads.iter().map(answer).collect());
        let run = store.recover(&mut resolver, &options).unwrap();
        check(&mut store, &run);
        assert_eq!(
            store.seed(&backlog, &SeedOptions::default()).unwrap().arrived,
            3,
            "they came back"
        );
        assert_eq!(store.recover(&mut resolver, &options).unwrap().withdrawn, 0);
    }
}

#[test]
fn a_lead_that_leaves_while_the_resolver_thinks_is_not_linked() {
    on_each(|mut store| {
        let backlog = make(&mut store);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let (mut other, claims) = (store.reopen().unwrap(), store.view_name("claims"));
        let mut once = false;
        let mut resolver = |leads: &[ClaimedLead]| {
            if !std::mem::replace(&mut once, true) {
                script(&mut other, &format!("INSERT INTO {claims} VALUES ('a'), ('c')"));
            }
            Ok(leads.iter().map(answer).collect())
        };
        let [_, lease] = ways();
        let run = store.recover(&mut resolver, &lease).unwrap();
        assert_eq!((run.matched, run.withdrawn), (1, 2));
        assert_eq!(linked(&mut store), ["b"]);
    });
}

/// Views whose keys the database holds in ways of its own: a lead that has left is told from all others.
#[test]
fn keys_are_looked_for_byte_for_byte_whatever_the_column_is() {
    on_each(|mut store| {
        let sqlite = is_sqlite(&store.connection());
        let mut tables = vec![
            (
                "text, no index",
                "CREATE TABLE {t} (id TEXT, born TEXT)",
                "id",
                "'a', 'A', ' a', 'b'",
            ),
            (
                "an expression",
                "CREATE TABLE {t} (id TEXT, born TEXT)",
                "COALESCE(id, 'none')",
                "'a', 'A', ' a', 'b'",
            ),
        ];
        if sqlite {
            tables.extend([
                ("no case", "CREATE TABLE {t} (id TEXT COLLATE NOCASE, born TEXT); CREATE INDEX {i} ON {t} (id)", "id", "'a', 'A', ' a', 'b'"),
                ("blanks", "CREATE TABLE {t} (id TEXT COLLATE RTRIM, born TEXT); CREATE INDEX {i} ON {t} (id)", "id", "'a', 'a ', 'A', 'b'"),
                ("numbers", "CREATE TABLE {t} (id INTEGER PRIMARY KEY, born TEXT)", "id", "1, 2, 10, 20"),
                ("no type", "CREATE TABLE {t} (id, born TEXT); CREATE INDEX {i} ON {t} (id)", "id", "1, '01', 'b', '1.0'"),
                ("numbers in an expression", "CREATE TABLE {t} (id INTEGER, born TEXT); CREATE INDEX {i} ON {t} (COALESCE(id, 0))", "COALESCE(id, 0)", "1, 2, 10, 20"),
            ]);
        } else {
            tables.extend([
                ("numbers", "CREATE TABLE {t} (id INT PRIMARY KEY, born TEXT)", "id", "1, 2, 10, 20"),
                ("another collation", "CREATE TABLE {t} (id TEXT COLLATE \"C\" PRIMARY KEY, born TEXT)", "id", "'a', 'A', ' a', 'b'"),
                ("letters", "CREATE TABLE {t} (id VARCHAR(40) PRIMARY KEY, born TEXT)", "id", "'a', 'A', ' a', 'b'"),
                ("uuids", "CREATE TABLE {t} (id UUID PRIMARY KEY, born TEXT)", "id",
                 "'00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', \
                  '00000000-0000-0000-0000-00000000000c', '00000000-0000-0000-0000-00000000000d'"),
                ("fractions", "CREATE TABLE {t} (id NUMERIC PRIMARY KEY, born TEXT)", "id", "1.0, 1.5, 2, 3"),
            ]);
        }
        for (number, (what, create, key, keys)) in tables.into_iter().enumerate() {
            let [table, view] = ["t", "v"].map(|name| store.view_name(&format!("{name}_{number}")));
            let index = format!("i_{number}");
            let rows: Vec<String> =
                keys.split(", ").map(|key| format!("({}, '2026-01-05')", key.trim())).collect();
            let create = create.replace("{t}", &table).replace("{i}", &index);
            script(
                &mut store,
                &format!(
                    "{create}; INSERT INTO {table} VALUES {}; CREATE VIEW {view} AS \
                     SELECT {key} AS lead_source_pk, born AS lead_date FROM {table}",
                    rows.join(", ")
                ),
            );
            let backlog = ViewBacklog::new(&view.replace('"', "")).unwrap();
            let seed = store.seed(&backlog, &SeedOptions::default()).unwrap();
            let held = seed.held_elsewhere + seed.leaks;
            let last = keys.rsplit(", ").next().unwrap();
            script(&mut store, &format!("DELETE FROM {table} WHERE id = {last}"));
            let mut nobody = |leads: &[ClaimedLead]| {
                Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
            };
            let run = store.recover(&mut nobody, &RecoverOptions::default()).unwrap();
            assert_eq!((run.withdrawn, run.claimed + held), (1, 4), "{what}: {run:?}");
            script(&mut store, &format!("DELETE FROM {table}"));
            store.seed(&backlog, &SeedOptions::default()).unwrap();
        }
    });
}

#[test]
fn a_lead_is_not_linked_to_a_person_who_is_gone() {
    for options in ways() {
        on_each(|mut store| {
            let backlog = make(&mut store);
            let persons = store.view_name("persons");
            script(
                &mut store,
                &format!(
                    "CREATE TABLE {persons} (key TEXT PRIMARY KEY); INSERT INTO {persons} VALUES ('P-a'), ('P-c')"
                ),
            );
            let persons = persons.replace('"', "");
            for (view, column) in [("nowhere", "key"), (persons.as_str(), "name")] {
                let told = store.set_person_view(Some(&PersonView::new(view, column).unwrap()));
                assert!(matches!(told, Err(StoreError::Config(_))), "{told:?}");
            }
            let view = PersonView::new(&persons, "key").unwrap();
            store.set_person_view(Some(&view)).unwrap();
            store.seed(&backlog, &SeedOptions::default()).unwrap();
            let mut resolver = |leads: &[ClaimedLead]| Ok(leads.iter().map(answer).collect());
            let run = store.recover(&mut resolver, &options).unwrap();
            assert_eq!((run.matched, run.failed[&FailReason::PersonGone]), (2, 1), "{run:?}");
            assert_eq!(linked(&mut store), ["a", "c"]);
            assert_eq!(statuses(&mut store)["b"], (Status::Failed, Some(FailReason::PersonGone)));
            prove(&mut store, 7);

            // Where nobody serves the fact, nothing is refused by it.
            store.set_person_view(None).unwrap();
            let decider = Decider { by: "ana", reason: "no view" };
            store.reopen_leads(Reopen::Reason(FailReason::PersonGone), decider).unwrap();
            assert_eq!(store.recover(&mut resolver, &options).unwrap().matched, 1);
            prove(&mut store, 7);
        });
        let mut store = InMemoryStore::new();
        let leads = KEYS.map(|key| BacklogLead::new(SourcePk::new(key).unwrap(), minute(0)));
        store.seed(&InMemoryBacklog::new("all", leads), &SeedOptions::default()).unwrap();
        store.remove_person(&PersonKey::new("P-b").unwrap());
        let mut resolver = |leads: &[ClaimedLead]| Ok(leads.iter().map(answer).collect());
        let run = store.recover(&mut resolver, &options).unwrap();
        assert_eq!((run.matched, run.failed[&FailReason::PersonGone]), (2, 1), "{run:?}");
        assert_eq!(linked(&mut store), ["a", "c"]);
        check_invariants(&mut store);
    }
}

#[test]
fn a_view_that_is_gone_ends_the_run_and_settles_nothing() {
    on_each(|mut store| {
        let backlog = make(&mut store);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let view = store.view_name("lead_backlog");
        script(&mut store, &format!("DROP VIEW {view}"));
        let mut resolver = |leads: &[ClaimedLead]| Ok(leads.iter().map(answer).collect());
        let told = store.recover(&mut resolver, &RecoverOptions::default()).unwrap_err();
        let source = std::error::Error::source(&told).map(ToString::to_string);
        assert!(source.is_some_and(|source| source.contains("lead_backlog")), "{told:?}");
        assert!(statuses(&mut store).values().all(|(status, _)| *status == Status::Pending));
    });
}
