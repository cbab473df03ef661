//! A batch under a lease: claim and commit, resolve outside any transaction, write what is still held.

use std::time::Duration;

use super::isolate::resolve_isolated;
use super::reconnect::{Patience, retry_on_outage};
use crate::model::cursor::Cursor;
use crate::model::error::{ConfigError, StoreError};
use crate::model::resolver::Resolver;
use crate::model::work::{BatchRequest, BatchSummary};
use crate::store::QueueStore;
use crate::store::leases::LeaseStore;

fn leases<S: QueueStore + ?Sized>(store: &mut S) -> Result<&mut dyn LeaseStore, StoreError> {
    let none = || {
        ConfigError::new(
            "claim",
            "lease",
            "this store lends no leads",
            "use ClaimMode::Transaction",
        )
    };
    Ok(store.lease_store().ok_or_else(none)?)
}

pub(super) fn recover<S: QueueStore + ?Sized>(
    store: &mut S,
    request: &BatchRequest<'_>,
    ttl: Duration,
    cursor: &mut Cursor,
    resolver: &mut dyn Resolver,
    patience: Patience<'_>,
) -> Result<BatchSummary, StoreError> {
    let Some(lease) = leases(store)?.lease(request, ttl, cursor)? else {
        return Ok(BatchSummary::default());
    };
    let answers = match resolve_isolated(resolver, lease.leads()) {
        Ok(answers) => answers,
        Err(error) => {
            leases(store)?.give_back(&lease)?;
            return Err(error);
        }
    };
    // The answers were dear: an outage now does not throw them away.
    let settled =
        retry_on_outage(store, patience, |store| leases(store)?.settle(request, &lease, &answers));
    if let Err(StoreError::Cut { .. }) = settled {
        // Fewer leads fit into what the server allows: they are claimed again, at once and uncounted.
        leases(store)?.give_back(&lease)?;
    }
    settled
}
