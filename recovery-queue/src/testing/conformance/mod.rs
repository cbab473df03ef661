//! The conformance suite: what every store must do, told through its public traits.
//!
//! It is split as the traits are: whoever implements [`QueueStore`] alone passes [`check_core`].

mod all;
mod core;
mod failures;
mod leads;
mod leases;
mod links;
mod reviews;
mod runs;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use self::all::check_all;
pub use self::core::check_core;
pub use self::leads::check_leads;
pub use self::leases::check_leases;
pub use self::links::check_links;
pub use self::reviews::check_reviews;
pub use self::runs::check_runs;
use crate::{
    BacklogLead, ClaimedLead, FailReason, InMemoryBacklog, PersonKey, QueueStore, Recover,
    RecoverOptions, Resolution, ResolveError, RunSummary, SeedOptions, SeedSummary, SourcePk,
    Status,
};

/// A store that the suite can set the clock of.
pub trait TestStore: QueueStore {
    /// Sets the time that stands for the store's clock.
    fn set_clock(&mut self, now: DateTime<Utc>);

    /// Opens a second store on the same data, which writes while this one reads; `None` where nobody can.
    fn beside(&mut self) -> Option<Box<dyn TestStore>> {
        None
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl TestStore for crate::SqlStore {
    fn set_clock(&mut self, now: DateTime<Utc>) {
        crate::SqlStore::set_clock(self, Some(now));
    }

    fn beside(&mut self) -> Option<Box<dyn TestStore>> {
        Some(Box::new(self.reopen().expect("a second store opens")))
    }
}

impl TestStore for crate::InMemoryStore {
    fn set_clock(&mut self, now: DateTime<Utc>) {
        crate::InMemoryStore::set_clock(self, now);
    }
}

/// Gives ten in the morning of the first of March 2026, and so many minutes more.
#[must_use]
pub fn minute(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_359_200 + minutes * 60, 0).unwrap_or_default()
}

pub(super) fn pk(text: &str) -> SourcePk {
    SourcePk::new(text).expect("the suite's keys are sound")
}

pub(super) fn person(text: &str) -> PersonKey {
    PersonKey::new(text).expect("the suite's keys are sound")
}

pub(super) fn lead(key: &str, day: i64) -> BacklogLead {
    BacklogLead::new(
        pk(key),
        DateTime::from_timestamp(1_767_225_600 + day * 86_400, 0).unwrap_or_default(),
    )
}

pub(super) fn seed(store: &mut dyn TestStore, leads: &[BacklogLead]) -> SeedSummary {
    store
        .seed(&InMemoryBacklog::new("all", leads.iter().cloned()), &SeedOptions::default())
        .expect("the seed is sound")
}

pub(super) type Answer<'a> = &'a mut dyn FnMut(&str) -> Resolution;

pub(super) fn recover_with(
    store: &mut dyn TestStore,
    options: &RecoverOptions,
    answer: Answer<'_>,
) -> RunSummary {
    let mut resolver = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        Ok(leads.iter().map(|lead| answer(lead.source_pk.as_str())).collect())
    };
    store.recover(&mut resolver, options).expect("the run is sound")
}

pub(super) fn recover(store: &mut dyn TestStore, answer: Answer<'_>) -> RunSummary {
    recover_with(store, &RecoverOptions::default(), answer)
}

pub(super) fn matched(key: &str) -> Resolution {
    Resolution::matched(person(key), "PHONE_EXACT", "high")
}

pub(super) fn nobody() -> Resolution {
    Resolution::unmatched(FailReason::NoCandidates)
}

pub(super) fn statuses(store: &mut dyn TestStore) -> BTreeMap<String, Status> {
    let mut rows = BTreeMap::new();
    store
        .snapshot()
        .expect("a snapshot opens")
        .queue(&mut |row| {
            rows.insert(row.source_pk.to_string(), row.status);
        })
        .expect("the queue is read");
    rows
}

pub(super) fn origins(store: &mut dyn TestStore) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    store
        .snapshot()
        .expect("a snapshot opens")
        .origins(&mut |row| {
            rows.insert(row.person_key.to_string(), row.source_pk.to_string());
        })
        .expect("the origins are read");
    rows
}
