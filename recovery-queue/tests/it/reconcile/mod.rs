//! What disagrees is told by kind and put right.

use std::collections::BTreeMap;

use recovery_queue::testing::{check_invariants, minute};
use recovery_queue::*;

use crate::support::backends::{counts, events, fill, on_each, resolve, script};

#[cfg(feature = "guardrails")]
mod remedies;

const LEADS: u32 = 60;

const ANA: Decider<'static> = Decider { by: "ana", reason: "the night's guardrails" };

fn pk(key: &str) -> SourcePk {
    SourcePk::new(key).unwrap()
}

/// Makes a store whose leads are seeded and recovered: 40 are matched to 40 persons, 20 have failed.
fn drained(store: &mut SqlStore) -> ViewBacklog {
    let backlog = fill(store, LEADS);
    store.set_clock(Some(minute(0)));
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    backlog
}

/// Runs a statement that breaks the store, in which `{table}` stands for a table of it.
fn break_it(store: &mut SqlStore, sql: &str) {
    let mut sql = sql.to_owned();
    for table in [
        "queue_link_history",
        "queue_link",
        "queue_settled",
        "queue_pending",
        "queue_lead",
        "queue_person",
        "queue_ledger",
        "queue_run",
        "queue_migration",
        "queue_missing_origin",
        "queue_person_without_origin",
        "queue_review",
        "queue_rejected_pair",
        "lead_backlog",
        "persons",
        "claims",
        "leads",
        "identity_links",
    ] {
        sql = sql.replace(&format!("{{{table}}}"), &store.view_name(table));
    }
    script(store, &sql);
}

fn kinds(found: &[Inconsistency]) -> BTreeMap<InconsistencyKind, u64> {
    found.iter().map(|told| (told.kind, told.count)).collect()
}

/// The number of the lead with a key.
fn id(key: &str) -> String {
    format!("(SELECT id FROM {{queue_lead}} WHERE source_pk = '{key}')")
}

#[test]
fn each_kind_is_told_and_put_right_with_ledger_and_history() {
    use InconsistencyKind as Kind;
    let gone = format!("DELETE FROM {{queue_link}} WHERE lead_id = {}", id("L-1"));
    let moved = format!(
        "UPDATE {{queue_link}} SET person_id = (SELECT id FROM {{queue_person}} WHERE person_key = 'P-2') \
         WHERE lead_id = {}",
        id("L-1")
    );
    let unsettled = format!("DELETE FROM {{queue_settled}} WHERE lead_id = {}", id("L-1"));
    let unsettled_failed = format!("DELETE FROM {{queue_settled}} WHERE lead_id = {}", id("L-0"));
    let twice = "INSERT INTO {queue_pending} (backlog_id, priority, lead_at, lead_id, attempts, since) \
         SELECT backlog_id, priority, lead_at, id, 0, 0 FROM {queue_lead} WHERE source_pk = 'L-0'";
    let reopened = format!("{unsettled}; {}", twice.replace("L-0", "L-1"));
    let stray = "INSERT INTO {queue_settled} (lead_id, backlog_id, status, attempts, settled_at) \
         VALUES (987654, 1, 3, 0, 0)";
    let cases: [(&str, &str, Kind, Status); 7] = [
        ("L-1", &gone, Kind::MatchedWithoutLink, Status::Pending),
        ("L-1", &moved, Kind::MatchedToAnother, Status::Matched),
        ("L-1", &unsettled, Kind::InNoState, Status::Matched),
        ("L-0", &unsettled_failed, Kind::InNoState, Status::Pending),
        ("L-0", twice, Kind::InSeveralStates, Status::Pending),
        ("L-1", &reopened, Kind::LinkedNotMatched, Status::Matched),
        ("L-1", stray, Kind::RowWithoutLead, Status::Matched),
    ];
    for (key, sql, kind, status) in cases {
        on_each(|mut store| {
            drained(&mut store);
            assert!(store.inconsistencies().unwrap().is_empty());
            break_it(&mut store, sql);
            let before = events(&mut store);
            let found = store.inconsistencies().unwrap();
            assert_eq!(kinds(&found).get(&kind), Some(&1), "{kind}: {found:?}");
            assert_eq!(events(&mut store), before, "to look writes nothing");

            let mended = store.reconcile(ANA).unwrap();
            assert_eq!(mended, found, "{kind}");
            let left = store.inconsistencies().unwrap();
            assert!(left.is_empty(), "{kind}: {left:?}");
            check_invariants(&mut store);
            let lead = store.lead(&pk(key)).unwrap().unwrap();
            assert_eq!(lead.row.status, status, "{kind}");
            if kind != Kind::RowWithoutLead {
                let action = lead.actions.last().expect("it is in the history");
                assert_eq!((action.kind, action.by.as_str()), (LeadActionKind::Reconciled, "ana"));
                assert_eq!(action.reason, format!("{kind}: the night's guardrails"));
            }
            assert!(
                store.reconcile(ANA).unwrap().is_empty(),
                "a second time there is nothing to do"
            );
            assert_eq!(counts(&mut store).values().sum::<u64>(), u64::from(LEADS));
        });
    }
}

#[test]
fn a_ledger_that_lost_events_is_made_up_by_one_and_never_edited() {
    on_each(|mut store| {
        drained(&mut store);
        break_it(&mut store, "DELETE FROM {queue_ledger} WHERE kind = 'matched'");
        let found = store.inconsistencies().unwrap();
        assert_eq!(kinds(&found), BTreeMap::from([(InconsistencyKind::LedgerDiffers, 40)]));
        store.reconcile(ANA).unwrap();
        assert!(store.inconsistencies().unwrap().is_empty());
        assert_eq!(events(&mut store)[&EventKind::Withdrawn], 40);
        check_invariants(&mut store);
    });
}

#[test]
fn whoever_reconciles_says_who_and_why_and_a_callers_rollback_takes_it_back() {
    on_each(|mut store| {
        drained(&mut store);
        break_it(&mut store, &format!("DELETE FROM {{queue_link}} WHERE lead_id = {}", id("L-1")));
        let nobody = Decider { by: " ", reason: "why" };
        assert!(matches!(store.reconcile(nobody), Err(StoreError::Config(_))));
        let found = store.inconsistencies().unwrap();
        assert!(!found.is_empty(), "nothing was written");
        if let Conn::Sqlite(connection) = store.connection() {
            let rolled_back = connection.immediate_transaction(|connection| {
                let mended = BorrowedStore::on(Conn::from(connection)).reconcile(ANA).unwrap();
                assert_eq!(mended, found);
                Err::<(), _>(diesel::result::Error::RollbackTransaction)
            });
            rolled_back.unwrap_err();
        }
        assert_eq!(store.inconsistencies().unwrap(), found);
    });
}

#[test]
fn persons_who_are_gone_lose_their_links_on_every_store() {
    on_each(|mut store| {
        drained(&mut store);
        break_it(
            &mut store,
            "CREATE TABLE {persons} AS SELECT person_key AS id FROM {queue_person}",
        );
        let view = PersonView::new(&store.view_name("persons").replace('"', ""), "id").unwrap();
        store.set_person_view(Some(&view)).unwrap();
        assert!(store.inconsistencies().unwrap().is_empty());
        break_it(&mut store, "DELETE FROM {persons} WHERE id IN ('P-1', 'P-2')");
        let found = store.inconsistencies().unwrap();
        assert_eq!(kinds(&found), BTreeMap::from([(InconsistencyKind::PersonGone, 2)]));
        assert_eq!(found[0].keys, ["L-1", "L-2"]);
        store.reconcile(ANA).unwrap();
        check_invariants(&mut store);
        let lead = store.lead(&pk("L-1")).unwrap().unwrap();
        assert_eq!((lead.row.status, lead.link), (Status::Pending, None));
        assert_eq!(lead.former_links[0].ended_by, "ana");
        assert!(store.inconsistencies().unwrap().is_empty());
    });
    let mut store = InMemoryStore::new();
    let leads = ["L-1", "L-2"].map(|key| BacklogLead::new(pk(key), minute(0)));
    store.seed(&InMemoryBacklog::new("all", leads), &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    assert!(store.inconsistencies().unwrap().is_empty());
    store.remove_person(&PersonKey::new("P-1").unwrap());
    assert_eq!(store.inconsistencies().unwrap()[0].keys, ["L-1"]);
    assert_eq!(store.reconcile(ANA).unwrap().len(), 1);
    let lead = store.lead(&pk("L-1")).unwrap().unwrap();
    assert_eq!((lead.row.status, lead.former_links.len()), (Status::Pending, 1));
    assert!(store.inconsistencies().unwrap().is_empty());
    check_invariants(&mut store);
}

#[test]
fn a_leak_whose_link_stands_is_told_and_left_to_the_owner_of_the_view() {
    on_each(|mut store| {
        drained(&mut store);
        break_it(
            &mut store,
            "DROP VIEW {lead_backlog}; CREATE VIEW {lead_backlog} AS SELECT id AS lead_source_pk, born AS lead_date \
             FROM {leads}",
        );
        let found = store.reconcile(ANA).unwrap();
        assert_eq!(kinds(&found), BTreeMap::from([(InconsistencyKind::LeakedThoughLinked, 40)]));
        assert_eq!((found[0].keys.len(), found[0].kind.can_be_mended()), (20, false));
        assert_eq!(counts(&mut store)[&Status::Matched], 40, "it is left as it is");
    });
}
