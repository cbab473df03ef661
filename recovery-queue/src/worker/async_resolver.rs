//! Asynchronous resolvers, driven from the thread of a worker.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::model::resolver::{ClaimedLead, Resolution, ResolveError, Resolver};
use crate::model::stop::Stop;

/// How often a wait for an answer looks at the flag that asks to stop.
const LOOK: Duration = Duration::from_millis(100);

/// A resolver that awaits its answers, for matchers behind a network.
///
/// It works under leases alone ([`ClaimMode::Lease`](crate::ClaimMode::Lease)): no transaction is open while it waits. The worker's
/// thread waits, so a run belongs where blocking is allowed, such as `tokio::task::spawn_blocking`; there timers and
/// sockets of that runtime work inside the future. No runtime is needed by this type itself.
///
/// The wait ends early, and the batch is given back, when [`with_stop`](Self::with_stop)'s flag is asked or
/// [`with_time_limit`](Self::with_time_limit) is over; make the limit shorter than the lease.
///
/// ```
/// use std::time::Duration;
/// use chrono::DateTime;
/// use recovery_queue::{
///     AsyncResolver, BacklogLead, ClaimMode, ClaimedLead, FailReason, InMemoryBacklog, InMemoryStore, QueueStore, Recover,
///     RecoverOptions, Resolution, SeedOptions, SourcePk,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut resolver = AsyncResolver::new(|leads: Vec<ClaimedLead>| async move {
///     // Here a service awaits its matcher.
///     Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
/// })
/// .with_time_limit(Duration::from_secs(30));
///
/// let mut store = InMemoryStore::new();
/// let lead = BacklogLead::new(SourcePk::new("L-1")?, DateTime::UNIX_EPOCH);
/// store.seed(&InMemoryBacklog::new("leads", [lead]), &SeedOptions::default())?;
/// assert!(store.recover(&mut resolver, &RecoverOptions::default()).is_err(), "not inside a transaction");
/// let options = RecoverOptions::default().with_claim(ClaimMode::Lease { ttl: Duration::from_mins(1) });
/// assert_eq!(store.recover(&mut resolver, &options)?.failed_total(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AsyncResolver<F> {
    resolve: F,
    stop: Stop,
    limit: Option<Duration>,
}

impl<F, A> AsyncResolver<F>
where
    F: FnMut(Vec<ClaimedLead>) -> A,
    A: Future<Output = Result<Vec<Resolution>, ResolveError>>,
{
    /// Makes a resolver of an asynchronous closure, which answers as [`Resolver::resolve`] does.
    pub fn new(resolve: F) -> Self {
        Self { resolve, stop: Stop::new(), limit: None }
    }

    /// Gives a wait up when somebody asks to stop; give it the flag of the run's options.
    #[must_use]
    pub fn with_stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Gives a wait up after a time.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl<F, A> Resolver for AsyncResolver<F>
where
    F: FnMut(Vec<ClaimedLead>) -> A,
    A: Future<Output = Result<Vec<Resolution>, ResolveError>>,
{
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let begun = Instant::now();
        let mut answer = pin!((self.resolve)(leads.to_vec()));
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
                return answer;
            }
            if self.stop.is_asked() {
                return Err(ResolveError::Unavailable("it was asked to stop".to_owned()));
            }
            if self.limit.is_some_and(|limit| begun.elapsed() >= limit) {
                return Err(ResolveError::Unavailable("it did not answer in time".to_owned()));
            }
            thread::park_timeout(LOOK);
        }
    }

    fn needs_lease(&self) -> bool {
        true
    }
}
