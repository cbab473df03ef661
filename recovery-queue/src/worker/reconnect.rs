//! What is done while the database is away: wait, connect anew, try again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::model::error::StoreError;
use crate::model::options::Backoff;
use crate::store::QueueStore;
use crate::trace;

/// How long a worker waits for the database: 0.2 s at first, 10 s at most.
const PATIENCE: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10), 0x5eed);

/// Counts the attempts to come back from one outage.
pub(super) struct Outage<'a> {
    /// Whose waits these are; workers that lost one server do not come back all at once.
    who: &'a str,
    attempts: u32,
    max: u32,
    /// Counts the attempts of all outages.
    reconnects: &'a AtomicU64,
}

impl<'a> Outage<'a> {
    pub(super) fn new(who: &'a str, max: u32, reconnects: &'a AtomicU64) -> Self {
        Self { who, attempts: 0, max, reconnects }
    }

    /// Forgets the attempts: the database answers again.
    pub(super) fn is_over(&mut self) {
        self.attempts = 0;
    }

    /// Waits and connects anew until the database answers; gives the error back when patience ends, or when
    /// waiting does not help.
    pub(super) fn survive<S: QueueStore + ?Sized>(
        &mut self,
        store: &mut S,
        mut error: StoreError,
    ) -> Result<(), StoreError> {
        loop {
            if !matches!(error, StoreError::Unavailable { .. }) || self.attempts >= self.max {
                return Err(error);
            }
            self.attempts += 1;
            trace::reconnect(&error, self.attempts);
            self.reconnects.fetch_add(1, Relaxed);
            std::thread::sleep(PATIENCE.delay(self.who, self.attempts));
            match store.reconnect() {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
    }
}

/// Does `work`, again and again while the database is away, up to `max` attempts to come back.
///
/// The work must bear being done twice: the connection may go after the commit and before the answer.
pub(crate) fn retry_on_outage<S: QueueStore + ?Sized, T>(
    store: &mut S,
    who: &str,
    max: u32,
    reconnects: &AtomicU64,
    mut work: impl FnMut(&mut S) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut outage = Outage::new(who, max, reconnects);
    loop {
        match work(store) {
            Ok(done) => return Ok(done),
            Err(error) => outage.survive(store, error)?,
        }
    }
}
