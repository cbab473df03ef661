//! What is done while the database is away: wait, connect anew, try again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::model::error::StoreError;
use crate::model::options::Backoff;
use crate::model::stop::Stop;
use crate::store::QueueStore;
use crate::trace;

/// How long a worker waits for the database: 0.2 s at first, 10 s at most.
const PATIENCE: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10), 0x5eed);

/// How long somebody waits for a database that is away.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    /// Whose waits these are; workers that lost one server do not come back all at once.
    who: &'a str,
    /// Attempts to come back from one outage.
    max: u32,
    /// Ends a wait.
    stop: &'a Stop,
    /// Counts the attempts of all outages.
    reconnects: &'a AtomicU64,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(who: &'a str, max: u32, stop: &'a Stop, reconnects: &'a AtomicU64) -> Self {
        Self { who, max, stop, reconnects }
    }
}

/// Counts the attempts to come back from one outage.
pub(super) struct Outage<'a> {
    patience: Patience<'a>,
    attempts: u32,
    /// Whether an error without a code was met since the last success: it is worth one more try.
    unclear: bool,
}

impl<'a> Outage<'a> {
    pub(super) fn new(patience: Patience<'a>) -> Self {
        Self { patience, attempts: 0, unclear: false }
    }

    /// Forgets the attempts: the database answers again.
    pub(super) fn is_over(&mut self) {
        self.attempts = 0;
        self.unclear = false;
    }

    /// Waits and connects anew until the database answers; gives the error back when patience ends, when somebody asks
    /// to stop, or when waiting does not help.
    pub(super) fn survive<S: QueueStore + ?Sized>(
        &mut self,
        store: &mut S,
        mut error: StoreError,
    ) -> Result<(), StoreError> {
        let Patience { who, max, stop, reconnects } = self.patience;
        loop {
            let may_pass = match error {
                StoreError::Unavailable { .. } => true,
                StoreError::Unclear { .. } => !std::mem::replace(&mut self.unclear, true),
                _ => false,
            };
            if !may_pass || self.attempts >= max {
                return Err(error);
            }
            self.attempts += 1;
            trace::reconnect(&error, self.attempts);
            reconnects.fetch_add(1, Relaxed);
            if stop.sleep(PATIENCE.delay(who, self.attempts)) {
                return Err(error);
            }
            match store.reconnect() {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
    }
}

/// Does `work`, again and again while the database is away, until patience ends or somebody asks to stop.
///
/// The work must bear being done twice: the connection may go after the commit and before the answer. Where somebody
/// asked to stop, it is tried once.
pub(crate) fn retry_on_outage<S: QueueStore + ?Sized, T>(
    store: &mut S,
    patience: Patience<'_>,
    mut work: impl FnMut(&mut S) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut outage = Outage::new(patience);
    loop {
        match work(store) {
            Ok(done) => return Ok(done),
            Err(error) if patience.stop.is_asked() => return Err(error),
            Err(error) => outage.survive(store, error)?,
        }
    }
}
