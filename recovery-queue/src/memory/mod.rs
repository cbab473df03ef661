//! The store in memory: the plainest implementation, always built, and the model of the others.

mod kept;
mod leads;
mod leases;
mod links;
mod reviews;
mod runs;
mod seed;
mod snapshot;

use crate::model::backlog::Backlog;
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::options::SeedOptions;
use crate::model::resolver::{ClaimedLead, Resolver};
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::leases::LeaseStore;
use crate::store::runs::RunStore;
use crate::store::{QueueStore, Snapshot};
use crate::worker::resolve_isolated;

pub use self::kept::InMemoryStore;

impl QueueStore for InMemoryStore {
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        seed::seed(self, backlog, options)
    }

    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError> {
        self.promote();
        let mut ahead = cursor.clone();
        let (_, claimed) = self.claim(batch, &mut ahead);
        let mut summary = BatchSummary { claimed: claimed.len() as u64, ..BatchSummary::default() };
        let open: Vec<ClaimedLead> =
            claimed.iter().filter_map(|(_, pk)| self.claimed(pk)).collect();
        let answers = resolve_isolated(resolver, &open)?;
        for (lead, answer) in open.iter().zip(answers) {
            self.settle(lead, answer, batch, &mut summary);
        }
        self.tell(batch.run, &summary);
        *cursor = ahead;
        Ok(summary)
    }

    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        Ok(self.wake_where(u64::MAX, |held| held.iter().any(|key| keys.contains(key))))
    }

    fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError> {
        let outdated = |held: &[String]| held.iter().any(|key| !key.starts_with(reading));
        Ok(self.wake_where(u64::from(limit), outdated))
    }

    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(snapshot::InMemorySnapshot::new(self)))
    }

    fn lease_store(&mut self) -> Option<&mut dyn LeaseStore> {
        Some(self)
    }

    fn run_store(&mut self) -> Option<&mut dyn RunStore> {
        Some(self)
    }
}
