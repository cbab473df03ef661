//! Deciding the next batch while the one before it is written.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tracing::Span;

use crate::model::resolver::{Ahead, ClaimedLead, Resolution, ResolveError, Resolver};

/// A resolver that decides the next batch on a thread of its own while the batch before it is written.
///
/// On SQLite, where one writer works at a time, a second core then decides while the first one writes. The answers are
/// those of the resolver inside: what was begun is used for the same leads alone (key, version, attempts and rejected
/// persons), and only where no other connection has written to the database since it was begun; otherwise the leads are
/// decided anew, inside the transaction of their batch. So the leads' data and whatever else decides must lie in the
/// database of the store; of a source elsewhere, one more batch may be decided by what it said a moment before.
///
/// Nothing is begun under leases, with a hook ([`SqlStore::after_settle`](crate::SqlStore::after_settle)), beyond the limit
/// of a run, on PostgreSQL, where further workers use further cores, or in a [`InMemoryStore`](crate::InMemoryStore). Dropping
/// it waits for what it has begun.
///
/// ```
/// use recovery_queue::testing::ScriptedResolver;
/// use recovery_queue::{Ahead, ClaimedLead, ReadAhead, Resolver, SourcePk};
///
/// let leads = vec![ClaimedLead::new(SourcePk::new("L-1")?, Default::default())];
/// let mut resolver = ReadAhead::new(ScriptedResolver::new());
/// resolver.begin(leads.clone());
/// assert_eq!(resolver.resolve(&leads).map(|answers| answers.len()), Ok(1));
/// # Ok::<(), recovery_queue::KeyError>(())
/// ```
#[derive(Debug)]
pub struct ReadAhead<R> {
    resolver: Arc<Mutex<R>>,
    needs_lease: bool,
    begun: Option<Begun>,
}

/// Leads that a thread decides.
#[derive(Debug)]
struct Begun {
    leads: Vec<ClaimedLead>,
    answers: JoinHandle<Result<Vec<Resolution>, ResolveError>>,
}

impl Begun {
    /// Waits for the answers; gives those of `leads` where these are the first of the leads that were begun.
    ///
    /// None after an error or a panic: the batch then meets it by itself, and isolates the lead at fault.
    fn answer(self, leads: &[ClaimedLead]) -> Option<Vec<Resolution>> {
        let begun = self.leads.len();
        let mut answers = self.answers.join().ok()?.ok()?;
        if answers.len() != begun || !self.leads.starts_with(leads) {
            return None;
        }
        answers.truncate(leads.len());
        Some(answers)
    }
}

impl<R: Resolver + Send + 'static> ReadAhead<R> {
    /// Makes a resolver that reads ahead of one.
    pub fn new(resolver: R) -> Self {
        let needs_lease = resolver.needs_lease();
        Self { resolver: Arc::new(Mutex::new(resolver)), needs_lease, begun: None }
    }
}

impl<R> ReadAhead<R> {
    fn wait(&mut self) {
        if let Some(begun) = self.begun.take() {
            let _ = begun.answers.join();
        }
    }
}

fn resolve<R: Resolver>(
    resolver: &Mutex<R>,
    leads: &[ClaimedLead],
) -> Result<Vec<Resolution>, ResolveError> {
    // A resolver that panicked is asked again with a part of the batch, as without a thread.
    resolver.lock().unwrap_or_else(PoisonError::into_inner).resolve(leads)
}

impl<R: Resolver + Send + 'static> Resolver for ReadAhead<R> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let begun = self.begun.take();
        begun
            .and_then(|begun| begun.answer(leads))
            .map_or_else(|| resolve(&self.resolver, leads), Ok)
    }

    fn needs_lease(&self) -> bool {
        self.needs_lease
    }

    fn ahead(&mut self) -> Option<&mut dyn Ahead> {
        Some(self)
    }
}

impl<R: Resolver + Send + 'static> Ahead for ReadAhead<R> {
    fn begin(&mut self, leads: Vec<ClaimedLead>) {
        self.wait();
        let (resolver, asked, span) = (Arc::clone(&self.resolver), leads.clone(), Span::current());
        let answers = std::thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn(move || span.in_scope(|| resolve(&resolver, &asked)));
        // Where no thread can be had, the leads are decided when they are asked.
        self.begun = answers.ok().map(|answers| Begun { leads, answers });
    }

    fn forget(&mut self) {
        self.wait();
    }
}

impl<R> Drop for ReadAhead<R> {
    fn drop(&mut self) {
        self.wait();
    }
}
