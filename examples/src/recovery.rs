//! A run of recovery over the service's tables, as `recover_leads` and `validate_impact` do it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use identity_matching::index::{Seal, joined::Stamp};
use identity_matching::{DeterministicMatcher, Matcher, Normaliser, Policy, Region};
use recovery_queue::{
    DatabaseUrl, MatcherResolver, QueueStore as _, ReadAhead, RecoverOptions, Rejection, Resolver,
    RunSummary, SqlStore, WakeKeys, recover_with_workers,
};
use serde::Serialize;

use crate::at_scale::Decided;
use crate::cli::{Console, Exit, Failure};
use crate::decisions::DecisionFile;
use crate::files::AtomicFile;
use crate::judging::{Judged, Touched};
use crate::own::OwnColumns;
use crate::people;
use crate::service::{Candidates, Counted, Database, MapArgs, lead_source};
use crate::stages::{Stage, Stages};
use crate::unusable::{KeptReport, UnusableValues, ValueReport};

/// How a run recovers.
#[derive(Clone, Debug, Args)]
pub struct Recovery {
    /// Tables of the operator's.
    #[command(flatten)]
    pub map: MapArgs,
    /// Recovers at most this many leads; the rest stay pending.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Leads per transaction.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub batch_size: u32,
    /// Workers, each with a connection of its own; `SQLite` has one writer and gains nothing by more.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: u8,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    pub region: Region,
    /// The matching policy, as TOML or JSON (left out: the default); files are read for the columns of its own kinds, too.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Writes what this run decides, lead by lead.
    #[arg(long, value_name = "CSV")]
    pub decisions: Option<PathBuf>,
}

/// What a recovery did.
#[derive(Debug, Serialize)]
pub struct Recovered {
    /// The run.
    #[serde(flatten)]
    pub run: RunSummary,
    /// How long reading the persons and draining the queue took.
    pub stages: Vec<Stage>,
    /// What is odd about the values of the leads that were tried and of all persons.
    pub values: Vec<ValueReport>,
}

impl Recovery {
    /// Refuses what can be refused before anything is written: the policy, the place of the decisions.
    ///
    /// # Errors
    ///
    /// A policy that cannot be read or contradicts itself, a folder that cannot be written.
    pub fn check(&self) -> Result<(), Failure> {
        self.reading()?;
        self.decisions.as_deref().map_or(Ok(()), AtomicFile::check)
    }

    /// Makes the wake keys of leads and persons, as the policy and the region read them.
    ///
    /// # Errors
    ///
    /// A policy that cannot be read, and the database's.
    pub fn wake_keys(&self, service: &mut Database) -> Result<WakeKeys, Failure> {
        let (_, normaliser) = self.reading()?;
        Ok(WakeKeys::new(normaliser, service.wake_secret()?))
    }

    /// Lists the columns of files that hold values of the policy's own kinds.
    ///
    /// # Errors
    ///
    /// A policy that cannot be read.
    pub fn own_columns(&self) -> Result<OwnColumns, Failure> {
        let (_, normaliser) = self.reading()?;
        Ok(OwnColumns::of(normaliser.options()))
    }

    fn reading(&self) -> Result<(Policy, Normaliser), Failure> {
        let policy = people::read_policy(self.policy.as_ref())?;
        let normaliser = people::read_by(&policy, self.region)?;
        if let Some(map) = self.map.read()? {
            map.check_kinds(&normaliser)?;
        }
        Ok((policy, normaliser))
    }

    /// Recovers leads with a matcher over the service's persons.
    ///
    /// # Errors
    ///
    /// The database's, and a decisions file that cannot be written.
    pub fn run(
        &self,
        actor: &str,
        url: &DatabaseUrl,
        store: &mut SqlStore,
        service: &mut Database,
        console: &Console,
    ) -> Result<Recovered, Failure> {
        let mut none = Judged::Full.begin(service, true)?;
        self.run_touching(actor, url, (store, service), console, &mut none)
    }

    /// Recovers leads, and adds those that it tries to what was touched.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_touching(
        &self,
        actor: &str,
        url: &DatabaseUrl,
        (store, service): (&mut SqlStore, &mut Database),
        console: &Console,
        touched: &mut Touched,
    ) -> Result<Recovered, Failure> {
        let mut stages = Stages::start(console);
        let (policy, normaliser) = self.reading()?;
        let keys = WakeKeys::new(normaliser.clone(), service.wake_secret()?);
        wake(service, &keys, console)?;
        touched.add_pending(store)?;
        let pending = pending(store)?;
        let leads = self.limit.map_or(pending, |limit| limit.min(pending));
        let candidates = service.candidates(store, &normaliser, leads, console)?;
        stages.end("index");
        let options = self.options(actor, &policy);
        // One writer at a time leaves a core to decide what comes next.
        let ahead = matches!(url, DatabaseUrl::Sqlite(_)) && self.workers == 1;
        let (mut values, mut matchers): (_, Vec<AnyMatcher>) = (Vec::new(), Vec::new());
        match candidates {
            // One index for all workers.
            Candidates::Read(index, of_persons) => {
                values.push(of_persons);
                let matcher = DeterministicMatcher::new(index, normaliser.clone(), policy)?;
                matchers.resize(self.workers.into(), Arc::new(matcher));
            }
            Candidates::Kept(of_persons) => {
                values.extend(of_persons);
                for _ in 0..self.workers {
                    let index = service.kept_index(store, &normaliser)?;
                    let matcher =
                        DeterministicMatcher::new(index, normaliser.clone(), policy.clone())?;
                    matchers.push(Arc::new(matcher));
                }
            }
        }
        for values in &values {
            values.tell(console);
        }
        let mut resolver = |service: &Database, values: &SharedValues| -> AnyResolver {
            let matcher = matchers.pop().expect("there is one for each worker");
            let values = Arc::clone(values);
            let resolver = MatcherResolver::new(matcher, lead_source(url, service, None)?)
                .with_wake_keys(keys.clone())
                .observing(move |lead, record, decision| {
                    let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                    values.add_decided(lead.source_pk.as_str(), record, &decision.evidence);
                });
            Ok(if ahead { Box::new(ReadAhead::new(resolver)) } else { Box::new(resolver) })
        };
        let queue = (url, &mut *store, &mut *service);
        let (run, of_leads) = self.drain(queue, console, &options, &mut resolver)?;
        stages.end("drain");
        values.insert(0, of_leads);
        KeptReport::keep(service, run.run_id.get(), &values)?;
        Ok(Recovered { run, stages: stages.into_stages(), values })
    }

    /// Settles leads by decisions that were made elsewhere; those that changed since stay pending.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and decisions that were made by another policy, region, secret or version.
    pub fn run_decided(
        &self,
        actor: &str,
        url: &DatabaseUrl,
        store: &mut SqlStore,
        service: &mut Database,
        decided: (&Path, Seal),
        console: &Console,
    ) -> Result<(Recovered, Exit), Failure> {
        let mut stages = Stages::start(console);
        let (policy, normaliser) = self.reading()?;
        let (path, seal) = decided;
        let stamp = Stamp::new(normaliser.options(), &policy, &seal);
        let decided = Decided::open(path, &stamp, seal, service, console)?;
        console.note(format_args!("{} leads are decided in {}", decided.len(), path.display()));
        stages.end("decisions");
        let keys = WakeKeys::new(normaliser.clone(), service.wake_secret()?);
        wake(service, &keys, console)?;
        let options = self.options(actor, &policy);
        // The decisions were made elsewhere, so nothing else reads the values here.
        let mut resolver = |service: &Database, values: &SharedValues| -> AnyResolver {
            let values = Arc::clone(values);
            let counted = Counted { normaliser: normaliser.clone(), values };
            let source = lead_source(url, service, Some(counted))?;
            Ok(Box::new(decided.resolver((url, service), source, keys.clone())?))
        };
        let queue = (url, store, &mut *service);
        let (run, of_leads) = self.drain(queue, console, &options, &mut resolver)?;
        stages.end("drain");
        let values = vec![of_leads];
        KeptReport::keep(service, run.run_id.get(), &values)?;
        let exit = if decided.tell(console) { Exit::RowsRefused } else { Exit::Done };
        Ok((Recovered { run, stages: stages.into_stages(), values }, exit))
    }

    fn options(&self, actor: &str, policy: &Policy) -> RecoverOptions {
        let mut options = RecoverOptions::default();
        options.batch_size = self.batch_size;
        options.limit = self.limit;
        actor.clone_into(&mut options.actor);
        options.policy = Some(format!("{} {}", policy.version(), policy.hash()));
        options
    }

    /// Drains the queue by workers, each with a resolver of its own; counts what of the leads gives no key.
    fn drain(
        &self,
        (url, store, service): (&DatabaseUrl, &mut SqlStore, &mut Database),
        console: &Console,
        options: &RecoverOptions,
        resolver: &mut MakeResolver<'_>,
    ) -> Result<(RunSummary, ValueReport), Failure> {
        let file = self.decisions.as_deref();
        let file = file.map(|path| DecisionFile::begin(path, store, service)).transpose()?;
        let values = Arc::new(Mutex::new(UnusableValues::of("leads")));
        let mut workers = Vec::new();
        for _ in 0..self.workers {
            workers.push((store.reopen()?, resolver(service, &values)?));
        }
        let working = console.bars().counted(pending(store)?, "leads");
        let run = recover_with_workers(&mut workers, options, &mut |progress| {
            working.set_position(progress.total.claimed);
            ControlFlow::Continue(())
        })?;
        working.finish_and_clear();
        let values = values.lock().unwrap_or_else(PoisonError::into_inner).report();
        values.tell(console);
        drop(workers);
        // An outage that the workers have outlived has cut these connections, too.
        if !service.is_alive() || run.reconnects > 0 {
            store.reconnect()?;
            service.revive(url)?;
        }
        if let Some(file) = file {
            file.write(run.run_id, store, service)?;
        }
        Ok((run, values))
    }
}

/// Counts the leads that wait to be decided.
fn pending(store: &mut SqlStore) -> Result<u64, Failure> {
    Ok(store.read()?.pending_total()?)
}

/// What decides one worker's leads.
type AnyMatcher = Arc<dyn Matcher + Send + Sync>;

/// What all workers of a run count of the leads' values.
type SharedValues = Arc<Mutex<UnusableValues>>;

/// The resolver of one worker.
type AnyResolver = Result<Box<dyn Resolver + Send>, Failure>;

/// What makes the resolver of one worker, which reads the service's database over a connection of its own.
type MakeResolver<'a> = dyn FnMut(&Database, &SharedValues) -> AnyResolver + 'a;

/// Makes the failed leads pending again that were read otherwise than now, or share a key with a person who is new or has
/// changed.
fn wake(service: &mut Database, keys: &WakeKeys, console: &Console) -> Result<(), Failure> {
    /// Leads of one transaction.
    const PART: u32 = 1_000;
    let mut outdated = 0;
    loop {
        match service.queue().wake_outdated(keys.reading(), PART)? {
            0 => break,
            woken => outdated += woken,
        }
    }
    if outdated > 0 {
        console.note(format_args!(
            "{outdated} failed leads are tried again, since values are read otherwise than when they failed (another \
             version, region, or policy)"
        ));
    }
    let woken = service.wake_by_former_outbox(keys)? + service.wake_by_changed_persons(keys)?;
    if woken > 0 {
        console.note(format_args!("{woken} leads are tried again, by new and changed persons"));
    }
    Ok(())
}

/// Says which lead a seed left out, why, and what to do.
#[must_use]
pub fn left_out(lead: &Rejection) -> String {
    let key = match &lead.source_pk {
        Some(key) => key.to_string(),
        None => format!("with the key of SHA-256 {} ({} bytes)", lead.key_hash, lead.key_bytes),
    };
    format!("lead {key} was left out: {}; {}", lead.reason, lead.reason.remedy())
}
