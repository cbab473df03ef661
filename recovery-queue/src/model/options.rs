//! Options of seeding and recovering; every default is a working one.

use std::time::Duration;

use crate::model::backlog::ViewName;
use crate::model::error::ConfigError;
use crate::model::key::SourcePk;
use crate::model::stop::Stop;

/// How often an outage of the database is waited out by default.
const MAX_RECONNECTS: u32 = 16;

/// Writes the setters of options: each takes a value and gives the options back.
macro_rules! setters {
    ($($(#[$doc:meta])+ $name:ident($value:ident: $type:ty) sets $field:ident = $set:expr;)+) => {
        $(
            $(#[$doc])+
            #[must_use]
            pub fn $name(mut self, $value: $type) -> Self {
                self.$field = $set;
                self
            }
        )+
    };
}

/// Sets how a seed treats what it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeedOptions {
    /// How long a failed lead rests before it is tried again though nothing changed; `None` = for ever.
    /// Default: 24 hours.
    pub cool_down: Option<Duration>,
    /// Who seeds; recorded with the run. Default: `seed`.
    pub actor: String,
    /// How often the seed is tried again when the database is away. Default: 16, about two minutes.
    pub max_reconnects: u32,
    /// Ends the wait for a database that is away.
    pub stop: Stop,
    /// Stops a seed that would withdraw too much of the backlog at once, before it writes anything; `None` lets
    /// every seed pass. Default: [`Fuse::default`].
    pub fuse: Option<Fuse>,
    /// Names what may have changed, so that the seed reads that alone; `None` = it reads the whole backlog.
    pub feed: Option<Feed>,
}

/// The leads that may have come, changed or gone since the backlog was seeded last.
///
/// A seed with a feed reads the leads that it names and those that the queue itself must look at again: failed ones whose
/// rest is over, known leaks, and leads that were changed by hand since. It does what a seed of the whole backlog would
/// do, as long as the feed is complete: it names each lead that entered the backlog, left it, or says something else than
/// before, whatever made it so (a new row, a claim, a corrected date, a view with another definition). A matched lead
/// that stays in the backlog is found as a leak where the feed names it; a seed of the whole backlog finds all of them.
///
/// The whole backlog is read all the same where the queue cannot rely on the feed alone or would gain nothing by it: in
/// the first seed of a backlog or of another view, where leads of it were left out, where the store has several
/// backlogs (a lead may pass from one to another), and where the feed names more than 1,000 leads and an eighth of all.
/// [`SeedSummary::touched`](crate::SeedSummary::touched) says which of the two it was.
///
/// ```
/// use recovery_queue::{Feed, SeedOptions, SourcePk, ViewName};
///
/// // The service knows which leads changed:
/// let named = SeedOptions::default().with_feed(Some(Feed::Keys(vec![SourcePk::new("web B-1")?])));
/// // or a table of its own notes them, by a trigger or in the transactions that change leads:
/// let noted = SeedOptions::default().with_feed(Some(Feed::Outbox(ViewName::new("leads_changed")?)));
/// assert_ne!(named, noted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feed {
    /// These leads; a key may stand twice.
    Keys(Vec<SourcePk>),
    /// A table of the service's in the store's own database, with a column `lead_source_pk`; a key may stand twice.
    ///
    /// The seed takes the rows out in its own transaction, also where it reads the whole backlog. On PostgreSQL rows that
    /// another transaction holds are left for the next seed; taking them out needs the rights to select, update and
    /// delete.
    Outbox(ViewName),
}

/// How much of a backlog one seed may withdraw.
///
/// A view that is empty for a moment, or of another schema, would withdraw every lead. A seed is stopped where it would
/// withdraw more than `percent` of the leads that were open before, and `at_least` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuse {
    /// The greatest share, in percent. Default: 50.
    pub percent: u8,
    /// Fewer leads than this always pass. Default: 100.
    pub at_least: u64,
}

impl Default for Fuse {
    fn default() -> Self {
        Self { percent: 50, at_least: 100 }
    }
}

impl Fuse {
    /// Says what is wrong with a seed that would withdraw so many of the leads that were open before.
    pub(crate) fn blows(self, withdrawn: u64, open: u64) -> Option<String> {
        let too_many = u128::from(withdrawn) * 100 > u128::from(open) * u128::from(self.percent);
        (withdrawn >= self.at_least && too_many)
            .then(|| format!("this seed would withdraw {withdrawn} of its {open} leads"))
    }

    /// What to do where a seed was stopped.
    pub(crate) const REMEDY: &'static str = "look whether the view is complete; where the leads are truly gone, \
        seed once without the fuse (SeedOptions::fuse; the runners' --allow-shrink)";
}

impl SeedOptions {
    setters! {
        /// Sets how much of the backlog the seed may withdraw; `None` = any part of it.
        with_fuse(fuse: Option<Fuse>) sets fuse = fuse;

        /// Sets what names the leads that may have changed; `None` = nothing does, so the whole backlog is read.
        with_feed(feed: Option<Feed>) sets feed = feed;

        /// Sets how long a failed lead rests before it is tried again though nothing changed; `None` = for ever.
        with_cool_down(rest: Option<Duration>) sets cool_down = rest;

        /// Sets who seeds.
        with_actor(actor: impl Into<String>) sets actor = actor.into();

        /// Sets how often the seed is tried again when the database is away.
        with_max_reconnects(times: u32) sets max_reconnects = times;

        /// Sets the flag that ends the wait for a database that is away.
        with_stop(stop: Stop) sets stop = stop;
    }
}

impl Default for SeedOptions {
    fn default() -> Self {
        Self {
            cool_down: Some(Duration::from_hours(24)),
            actor: "seed".to_owned(),
            max_reconnects: MAX_RECONNECTS,
            stop: Stop::new(),
            fuse: Some(Fuse::default()),
            feed: None,
        }
    }
}

/// Sets how long a lead rests after a technical error.
///
/// The rest doubles with each attempt, up to a cap, and is spread by jitter between half and the whole of it.
/// The jitter comes from `seed`, the lead and the attempt, so the same run with the same seed is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// The rest after the first error. Default: 30 s.
    pub base: Duration,
    /// The longest rest. Default: 1 hour.
    pub cap: Duration,
    /// Where the jitter comes from. Default: 0.
    pub seed: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(30), cap: Duration::from_hours(1), seed: 0 }
    }
}

impl Backoff {
    /// Makes a back-off.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, seed }
    }

    /// Gives the rest after a number of failed attempts (1 = the first error) of the thing named by `key`.
    #[must_use]
    pub fn delay(&self, key: &str, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(40);
        let base = u64::try_from(self.base.as_micros()).unwrap_or(u64::MAX);
        let cap = u64::try_from(self.cap.as_micros()).unwrap_or(u64::MAX);
        let whole = base.saturating_mul(1 << doublings).min(cap);
        let mut hash = self.seed ^ 0xcbf2_9ce4_8422_2325 ^ (u64::from(attempts) << 32);
        for byte in key.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // The last step of splitmix64 spreads the hash over all bits.
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
        let half = whole / 2;
        Duration::from_micros(half + if half == 0 { 0 } else { hash % (whole - half + 1) })
    }
}

/// How leads are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClaimMode {
    /// Row locks are the claim and one transaction is the batch: a crash gives the batch back by itself.
    #[default]
    Transaction,
    /// For resolvers that are slow or remote: the claim is committed with a lease, the resolver works
    /// outside any transaction, and only a worker that still holds its lease writes.
    Lease {
        /// How long the lease lasts; afterwards others may claim the leads.
        ttl: Duration,
    },
}

/// Sets how a run recovers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoverOptions {
    /// Leads per batch, 1 to 10,000. Default: 1,000.
    pub batch_size: u32,
    /// Leads in all; `None` = until the queue is empty. One batch more may be settled where the answer to a
    /// commit was lost on its way.
    pub limit: Option<u64>,
    /// The backlog to work on; `None` = all, in turn, batch by batch.
    pub backlog: Option<String>,
    /// Technical errors after which a lead is settled as `ERROR`. Default: 5.
    pub max_attempts: u32,
    /// The rest after a technical error.
    pub backoff: Backoff,
    /// How leads are claimed.
    pub claim: ClaimMode,
    /// Who recovers; recorded with the run. Default: `recover`.
    pub actor: String,
    /// The policy's version; recorded with the run.
    pub policy: Option<String>,
    /// How often one outage of the database is waited out before the run gives up; the waits grow from 0.2 s
    /// to 10 s. Default: 16, about two minutes.
    pub max_reconnects: u32,
    /// Asks the run to stop: seen between two batches, and within a second while the database is away.
    pub stop: Stop,
}

impl Default for RecoverOptions {
    fn default() -> Self {
        Self {
            batch_size: 1000,
            limit: None,
            backlog: None,
            max_attempts: 5,
            backoff: Backoff::default(),
            claim: ClaimMode::default(),
            actor: "recover".to_owned(),
            policy: None,
            max_reconnects: MAX_RECONNECTS,
            stop: Stop::new(),
        }
    }
}

impl RecoverOptions {
    setters! {
        /// Sets the leads per batch, 1 to 10,000.
        with_batch_size(size: u32) sets batch_size = size;

        /// Sets how many leads to claim in all; `None` = until the queue is empty.
        with_limit(leads: Option<u64>) sets limit = leads;

        /// Works on one backlog alone.
        with_backlog(name: impl Into<String>) sets backlog = Some(name.into());

        /// Sets after how many technical errors a lead is settled as `ERROR`.
        with_max_attempts(attempts: u32) sets max_attempts = attempts;

        /// Sets the rest after a technical error.
        with_backoff(backoff: Backoff) sets backoff = backoff;

        /// Sets how leads are claimed.
        with_claim(claim: ClaimMode) sets claim = claim;

        /// Sets who recovers.
        with_actor(actor: impl Into<String>) sets actor = actor.into();

        /// Names the policy's version.
        with_policy(version: impl Into<String>) sets policy = Some(version.into());

        /// Sets how often one outage of the database is waited out.
        with_max_reconnects(times: u32) sets max_reconnects = times;

        /// Sets the flag that asks the run to stop.
        with_stop(stop: Stop) sets stop = stop;
    }

    /// Checks the options.
    ///
    /// # Errors
    /// A batch size outside 1 to 10,000 and a `max_attempts` of 0 are refused.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(1..=10_000).contains(&self.batch_size) {
            return Err(ConfigError::new(
                "batch size",
                self.batch_size.to_string(),
                "it is outside 1 to 10000",
                "use 500 to 1000",
            ));
        }
        if self.max_attempts == 0 {
            return Err(ConfigError::new(
                "max_attempts",
                "0",
                "no lead would be tried",
                "use 1 or more",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_lies_between_half_and_the_whole_and_never_above_the_cap() {
        let backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(1), 7);
        for attempt in 1..=50 {
            let whole = Duration::from_secs(10 * (1 << (attempt - 1).min(3))).min(backoff.cap);
            let delay = backoff.delay("L-1", attempt);
            assert!(delay >= whole / 2 && delay <= whole, "{attempt}: {delay:?}");
        }
    }

    #[test]
    fn leads_that_fail_together_do_not_come_back_together() {
        let backoff = Backoff::default();
        assert_ne!(backoff.delay("L-1", 1), backoff.delay("L-2", 1));
        assert_eq!(backoff.delay("L-1", 1), backoff.delay("L-1", 1));
    }
}
