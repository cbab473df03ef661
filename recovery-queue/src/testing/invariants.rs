//! What must hold of any store at any time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{QueueStore, Status};

/// Checks what must hold of any store at any time: queue, links, origins and ledger agree.
///
/// # Panics
/// Where they do not.
pub fn check_invariants(store: &mut dyn QueueStore) {
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    let (mut matched, mut open) = (BTreeMap::new(), 0_i64);
    snapshot
        .queue(&mut |row| match row.status {
            Status::Matched => {
                matched.insert(row.source_pk, row.person_key);
            }
            Status::Pending | Status::Failed => open += 1,
            Status::Withdrawn => {}
        })
        .expect("the queue is read");
    let mut links = BTreeMap::new();
    snapshot
        .links(&mut |row| {
            links.insert(row.source_pk, row.person_key);
        })
        .expect("the links are read");
    for (lead, person) in &matched {
        assert_eq!(links.get(lead), person.as_ref(), "the link of {lead} is its person's");
    }
    assert_eq!(links.len(), matched.len(), "no link without a matched lead");
    let mut origins = BTreeMap::new();
    snapshot
        .origins(&mut |row| {
            origins.insert(row.person_key, row.source_pk);
        })
        .expect("the origins are read");
    for person in links.values() {
        assert!(origins.contains_key(person), "{person} has links and no origin");
    }
    for (person, lead) in &origins {
        assert_eq!(links.get(lead), Some(person), "the origin of {person} is linked to it");
    }
    let mut balance = 0_i64;
    snapshot
        .ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
            balance += slot.kind.effect() * i64::try_from(slot.leads).unwrap_or(i64::MAX);
        })
        .expect("the ledger is read");
    assert_eq!(balance, open, "ledger and queue agree on the backlog");
}
