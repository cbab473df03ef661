//! The queue store: what a backend must do.

pub(crate) mod corrections;
pub(crate) mod leads;
pub(crate) mod leases;
pub(crate) mod links;
pub(crate) mod outlook;
pub(crate) mod reviews;
pub(crate) mod runs;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::model::age::{AGE_BOUNDS, AgeBucket};
use crate::model::backlog::{Backlog, BacklogRows};
use crate::model::cursor::Cursor;
use crate::model::error::{ConfigError, StoreError};
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::{DailyMetrics, LedgerSlot, daily_metrics};
use crate::model::options::SeedOptions;
use crate::model::resolver::{FailReason, Resolver};
use crate::model::rows::{LinkRow, OriginRow, QueueRow, Status};
use crate::model::run::RunRecord;
use crate::model::stop::Stop;
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::leases::LeaseStore;
use crate::store::runs::RunStore;

/// Keeps the recovery queue, durably.
///
/// Three commands write, each all or nothing; [`snapshot`](QueueStore::snapshot) reads. The loop over the batches
/// ([`Recover`](crate::Recover)) every store has. What a store can do beyond that it says by giving itself: leases ([`LeaseStore`]) and the record of
/// runs ([`RunStore`]). The trait is object-safe; [`InMemoryStore`](crate::InMemoryStore) is its plainest implementation, and the
/// feature `testing` has a conformance suite for others.
pub trait QueueStore {
    /// Brings the queue in line with a backlog, in one transaction.
    ///
    /// A seed with unchanged data changes nothing.
    ///
    /// # Errors
    /// A backlog that cannot be read as one is refused before anything is written.
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError>;

    /// Claims a batch, has it resolved, and writes link, origin, settled row and ledger events, in one transaction.
    ///
    /// The cursor moves past the leads claimed, so that a run looks at none of them twice in a pass. The resolver is asked
    /// by [`resolve_isolated`](crate::resolve_isolated), which finds the lead that it fails on.
    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError>;

    /// Makes the failed leads that hold one of these wake keys pending again, and only those; gives how many.
    ///
    /// Call it with the keys of a person who is new or has changed.
    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError>;

    /// Makes failed leads pending again, `limit` at most, of whose wake keys one does not begin with `reading`; gives how
    /// many.
    ///
    /// Wake keys begin with what their values were read by (`WakeKeys::reading`, feature `identity-matching`): by those
    /// of another reading a person would wake nobody. Call it until it gives 0, before [`wake`](Self::wake); the leads
    /// are decided anew and get keys of the present reading. Leads without wake keys stay as they are.
    fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError>;

    /// Opens a consistent read of the whole store.
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError>;

    /// Gives the store's leases, where it has them.
    fn lease_store(&mut self) -> Option<&mut dyn LeaseStore> {
        None
    }

    /// Gives the store's record of runs, where it keeps one.
    fn run_store(&mut self) -> Option<&mut dyn RunStore> {
        None
    }

    /// Connects anew after the database was away; stores without a connection do nothing.
    fn reconnect(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Takes note of the flag that asks to stop, so that a store that waits for others can end its wait; stores that
    /// wait for nobody do nothing.
    fn heed(&mut self, stop: &Stop) {
        let _ = stop;
    }
}

/// Reads the store as it was at one instant.
///
/// Rows are pushed, so that ten million of them need no memory. A row's order is by key within its kind.
pub trait Snapshot {
    /// Gives the instant, by the clock of the store.
    fn as_of(&self) -> DateTime<Utc>;

    /// Pushes every row of the recovery queue, in the order of the lead keys.
    fn queue(&mut self, each: &mut dyn FnMut(QueueRow)) -> Result<(), StoreError>;

    /// Pushes every identity link, in the order of the lead keys.
    fn links(&mut self, each: &mut dyn FnMut(LinkRow)) -> Result<(), StoreError>;

    /// Pushes every identity origin, in the order of the person keys.
    ///
    /// A store that keeps none gives each person's first linked lead by creation, of those created together the first by
    /// key, known since it was linked.
    fn origins(&mut self, each: &mut dyn FnMut(OriginRow)) -> Result<(), StoreError> {
        let mut created = BTreeMap::new();
        self.queue(&mut |row| {
            if row.person_key.is_some() {
                created.insert(row.source_pk, row.lead_at);
            }
        })?;
        let mut first: BTreeMap<PersonKey, OriginRow> = BTreeMap::new();
        self.links(&mut |link| {
            let Some(&lead_at) = created.get(&link.source_pk) else { return };
            let (person, lead, since) = (link.person_key, link.source_pk, link.linked_at);
            let origin = OriginRow::new(person.clone(), lead, lead_at, since);
            let known = first.entry(person).or_insert_with(|| origin.clone());
            if (origin.lead_at, &origin.source_pk) < (known.lead_at, &known.source_pk) {
                *known = origin;
            }
        })?;
        first.into_values().for_each(each);
        Ok(())
    }

    /// Pushes the ledger's slots that begin before `until`, in the order of time.
    fn ledger(
        &mut self,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError>;

    /// Pushes what [`ledger`](Self::ledger) does, in which all slots before `from` may be summed up by kind into
    /// slots that begin before it: what a look at the latest days of many years needs.
    fn ledger_since(
        &mut self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError> {
        let _ = from;
        self.ledger(until, each)
    }

    /// Gives the latest runs, newest first; none where the store records none.
    fn runs(&mut self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// Gives the keys of leads that were matched and seen in their backlog by a later seed, in order.
    fn leaks(&mut self) -> Result<Vec<SourcePk>, StoreError>;

    /// Gives the keys of leads that are matched and are in this backlog now, in order.
    fn matched_in(&mut self, backlog: &dyn Backlog) -> Result<Vec<SourcePk>, StoreError> {
        let (here, mut found) = (BacklogRows::read(backlog)?, Vec::new());
        self.queue(&mut |row| {
            if row.status == Status::Matched && here.contains(&row.source_pk) {
                found.push(row.source_pk);
            }
        })?;
        Ok(found)
    }

    /// Counts the leads of each status; a status without leads is counted as 0.
    fn status_counts(&mut self) -> Result<BTreeMap<Status, u64>, StoreError> {
        let mut counts: BTreeMap<Status, u64> = Status::ALL.map(|status| (status, 0)).into();
        self.queue(&mut |row| *counts.entry(row.status).or_default() += 1)?;
        Ok(counts)
    }

    /// Counts the failed leads of each reason.
    fn reason_counts(&mut self) -> Result<BTreeMap<FailReason, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        self.queue(&mut |row| {
            if let Some(reason) = row.reason {
                *counts.entry(reason).or_default() += 1;
            }
        })?;
        Ok(counts)
    }

    /// Counts the leads of the backlog by age, youngest first.
    fn ageing(&mut self) -> Result<Vec<AgeBucket>, StoreError> {
        let now = self.as_of();
        let mut counts = [0; AGE_BOUNDS.len()];
        self.queue(&mut |row| {
            if matches!(row.status, Status::Pending | Status::Failed) {
                counts[AgeBucket::of(now - row.lead_at)] += 1;
            }
        })?;
        Ok(AgeBucket::all(|bucket| counts[bucket]))
    }

    /// Counts the pending leads whose back-off or lease is over and that nobody has claimed again.
    fn overdue(&mut self) -> Result<u64, StoreError> {
        let now = self.as_of();
        let mut overdue = 0;
        self.queue(&mut |row| overdue += u64::from(row.not_before.is_some_and(|at| at <= now)))?;
        Ok(overdue)
    }

    /// Computes the daily metrics of `from..=to` in a zone; see [`daily_metrics`].
    ///
    /// # Errors
    /// A span of more than 100 years or with its ends swapped is refused.
    fn daily_metrics(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
        zone: Tz,
    ) -> Result<Vec<DailyMetrics>, StoreError> {
        if to < from || (to - from).num_days() > 36_600 {
            return Err(ConfigError::new(
                "span of days",
                format!("{from}..{to}"),
                "it ends before it begins, or is longer than 100 years",
                "give two dates in order",
            )
            .into());
        }
        let mut slots = Vec::new();
        let (start, end) =
            (crate::model::ledger::utc_start_of(from), crate::model::ledger::utc_end_of(to));
        self.ledger_since(start, end, &mut |slot| slots.push(slot))?;
        Ok(daily_metrics(slots, from, to, zone))
    }
}
