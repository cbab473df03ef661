//! The drain: one thread that brings the queue in line with the backlog, and works it off, until it is told to stop.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta, Utc};
use identity_matching::{DeterministicMatcher, Policy, Record};
use recovery_queue::{
    ClaimedLead, Decider, LeadStore as _, MatcherResolver, OpenOptions, QueueStore as _,
    Recover as _, RecoverOptions, ResolveError, Retention, SeedOptions, SqlStore,
};

use crate::{Error, Service, tables, tables::Contact};

pub fn drain(service: &Service, work: &Receiver<()>) {
    let mut tidied = None;
    while !service.stop.is_asked() {
        // What a round could not do, the next one does.
        if let Err(error) = round(service, &mut tidied) {
            tracing::warn!("a round of the drain failed: {error}");
        }
        let _ = work.recv_timeout(Duration::from_secs(1));
    }
}

fn round(service: &Service, tidied: &mut Option<NaiveDate>) -> Result<(), Error> {
    let mut store = SqlStore::from_pool(service.pool.clone(), OpenOptions::default())?;
    store.seed(&service.backlog, &SeedOptions::default().with_stop(service.stop.clone()))?;

    let normaliser = service.wake.normaliser().clone();
    let index = store.candidate_index(service.secret, &normaliser)?;
    let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())?;
    let source = |leads: &[ClaimedLead]| {
        records(service, leads).map_err(|error| ResolveError::Unavailable(error.to_string()))
    };
    let mut resolver = MatcherResolver::new(matcher, source).with_wake_keys(service.wake.clone());
    store.recover(&mut resolver, &RecoverOptions::default().with_stop(service.stop.clone()))?;

    let (now, month) = (Utc::now(), Duration::from_hours(30 * 24));
    if *tidied != Some(now.date_naive()) {
        // Once a day: sum the ledger up, and remove what is old.
        store.roll_up(now - TimeDelta::hours(1), Some(now - TimeDelta::days(7)))?;
        let kept = Retention::new().with_runs(month).with_withdrawn(month);
        store.prune(kept, Decider { by: "service", reason: "a month is kept" })?;
        *tidied = Some(now.date_naive());
    }
    Ok(())
}

/// Reads what identifies the sign-ups of a batch, in the order of the batch.
fn records(service: &Service, leads: &[ClaimedLead]) -> Result<Vec<Option<Record>>, Error> {
    let ids: Vec<&str> = leads.iter().map(|lead| lead.source_pk.as_str()).collect();
    let rows = tables::sign_ups(&mut *service.pool.get()?, &ids)?;
    Ok(ids.iter().map(|id| rows.get(*id).map(Contact::record)).collect())
}
