//! What the server shows, read from the database at intervals and kept in memory.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use guardrails::clock::Monotonic;
use guardrails::facts::{Facts, FactsError, Query, Tables};
use guardrails::format::Exposition;
use guardrails::page::{Body, LeadFigures, Page, Section};
use guardrails::recovery::{RecoveryFacts as _, RunFacts};
use guardrails::{Suite, SuiteReport, escape_json};
use recovery_queue::{
    BookFacts, DailyMetrics, DatabaseUrl, FailReason, LeadRecord, OpenOptions, ReviewStore,
    Snapshot, SourcePk, SqlStore, StoreFacts, ViewBacklog,
};
use serde::Serialize;

use super::review::Reviewed;
use super::values::OddValues;
use super::{Problem, leads};
use crate::guards::{Launcher, PacketFacts, books_of, facts_of, is_usable, recovery_suite};
use crate::lead;
use crate::service::MapArgs;

/// The contract's answer: the daily rows and the backlog now.
#[derive(Debug, Serialize)]
struct Metrics {
    today: DailyMetrics,
    yesterday: DailyMetrics,
    last_7_days: Vec<DailyMetrics>,
    current_backlog: u64,
}

/// Everything that is answered from memory, from one consistent read.
#[derive(Debug)]
pub struct View {
    /// The moment that the read shows.
    pub as_of: DateTime<Utc>,
    /// The contract's JSON; answers share these bytes.
    pub metrics: Bytes,
    /// The OpenMetrics exposition.
    pub openmetrics: Bytes,
    /// How the review stands, as JSON.
    pub review: Bytes,
    /// The operator's page.
    pub page: Bytes,
    /// The same, which a browser asks for again by itself.
    pub live_page: Bytes,
}

/// Where the figures come from and how they are counted.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database.
    pub url: DatabaseUrl,
    /// The view that holds the backlog.
    pub backlog: ViewBacklog,
    /// Where the leads are kept.
    pub map: MapArgs,
    /// The zone in which days are counted.
    pub zone: Tz,
    /// How long to wait between two reads.
    pub refresh: Duration,
    /// How the commands of remedies are written.
    pub launcher: Launcher,
    /// Whether browsers have sessions that can be ended.
    pub sessions: bool,
}

/// Reads the database; requests see the last read and never wait for one.
#[derive(Debug)]
pub struct Source {
    place: Place,
    view: RwLock<Result<Arc<View>, Problem>>,
    /// For the leads behind a reason, which are read when they are asked for.
    leads: Mutex<Option<SqlStore>>,
}

/// What the figures of values depend on: the last run, and how many leads have failed.
type Counted = (Vec<RunFacts>, u64);

/// After how many refreshes without a good read the last one is no longer shown.
const STALE_READS: u32 = 6;
/// Seconds after which a browser asks for the live page again.
const RENEWED: u32 = 30;
/// Leads per page of a reason.
const PAGE: usize = 50;

impl Source {
    /// Makes a source that has read nothing yet.
    #[must_use]
    pub fn new(place: Place) -> Self {
        let first = Problem::unavailable("the first read is under way; try again in a moment");
        Self { place, view: RwLock::new(Err(first)), leads: Mutex::new(None) }
    }

    /// Names the database.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.place.url
    }

    /// Returns the last read, or why there is none.
    pub fn view(&self) -> Result<Arc<View>, Problem> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads for ever, on the thread that calls it; at most half of the time is spent reading.
    pub fn keep_reading(&self) {
        let mut store = None;
        let mut values = None;
        let mut shown_at = None;
        loop {
            let began = Instant::now();
            let read = self.read(&mut store, &mut values);
            if let Err(problem) = &read {
                // The connection may be broken; the next read opens its own.
                store = None;
                tracing::warn!(name: "ops.read_failed", detail = problem.detail());
            } else {
                tracing::debug!(name: "ops.read", seconds = began.elapsed().as_secs_f64());
            }
            self.show(read.map(Arc::new), &mut shown_at);
            std::thread::sleep(self.place.refresh.max(began.elapsed()));
        }
    }

    /// Shows a read; one that failed leaves the last good one standing for a while, with its own time.
    ///
    /// A database that restarts, or is busy once, must not take an operator's page away.
    fn show(&self, read: Result<Arc<View>, Problem>, shown_at: &mut Option<Instant>) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if read.is_ok() {
            *shown_at = Some(Instant::now());
        } else if view.is_ok()
            && shown_at.is_some_and(|at| at.elapsed() < self.place.refresh * STALE_READS)
        {
            return;
        }
        *view = read;
    }

    fn opened<'a>(&self, store: &'a mut Option<SqlStore>) -> Result<&'a mut SqlStore, Problem> {
        if let DatabaseUrl::Sqlite(path) = &self.place.url
            && !path.is_file()
        {
            return Err(Problem::unavailable("the database file is not there"));
        }
        match store {
            Some(store) => Ok(store),
            none => {
                let opened = SqlStore::open(&self.place.url, OpenOptions::default());
                Ok(none.insert(opened.map_err(|error| unreadable(&error))?))
            }
        }
    }

    /// Reads everything anew, but for what only a run changes.
    fn read(
        &self,
        store: &mut Option<SqlStore>,
        values: &mut Option<(Counted, OddValues)>,
    ) -> Result<View, Problem> {
        let backlog = self.place.backlog.clone();
        let store = self.opened(store)?;
        let (queue, namespace) = (store.view_name("recovery_queue"), store.view_name(""));
        if !is_usable(&store.migration_status().map_err(|error| unreadable(&error))?) {
            let books = books_of(&backlog, &self.place.url)
                .and_then(|services| Ok(BookFacts::read(store, &services)?));
            let books = books.map_err(|failure| Problem::unavailable(failure.to_string()))?;
            return Err(not_migrated(&Suite::recovery().run(&books, &Monotonic::start())));
        }
        let snapshot = store.read().map_err(|error| unreadable(&error))?;
        let facts = facts_of(snapshot, &backlog, &self.place.url)
            .map_err(|failure| Problem::unavailable(failure.to_string()))?
            .with_days(self.place.zone, 30);
        let suite = recovery_suite()
            .map_err(|failure| Problem::unavailable(failure.to_string()))?
            .run(&facts, &Monotonic::start());
        if suite.check(HEADS).is_some_and(|check| !check.success) {
            return Err(not_migrated(&suite));
        }
        let figures = LeadFigures::read(&facts)
            .map_err(|error| unreadable(&error))?
            .time_zone(self.place.zone.name())
            .reason_link("/leads?reason={reason}");
        let openmetrics = exposition(&suite, &figures);
        let last_run = facts.runs(1).map_err(|error| unreadable(&error))?;
        // A lead that is forgotten fails no more.
        let counted = (last_run, figures.queue.as_ref().map_or(0, |queue| queue.failed));
        if values.as_ref().is_none_or(|(known, _)| *known != counted) {
            let mut read = OddValues::read(&facts, &queue).map_err(|error| unreadable(&error))?;
            self.look_up(&mut read, &namespace);
            *values = Some((counted, read));
        }
        let odd = values.as_ref().map(|(_, read)| read.clone()).unwrap_or_default();
        let mut snapshot = facts.into_snapshot();
        let as_of = snapshot.as_of();
        let today = as_of.with_timezone(&self.place.zone).date_naive();
        let days = snapshot
            .daily_metrics(today - Days::new(6), today, self.place.zone)
            .map_err(|error| unreadable(&error))?;
        let [.., yesterday, now] = days.as_slice() else {
            return Err(Problem::unavailable("the ledger gave no day"));
        };
        let metrics = Metrics {
            today: now.clone(),
            yesterday: yesterday.clone(),
            current_backlog: figures.queue.as_ref().map_or(0, |queue| queue.backlog),
            last_7_days: days,
        };
        drop(snapshot);
        let reviewed = store.review_figures(as_of).map_err(|error| unreadable(&error))?;
        let review = json(&reviewed)?;
        let suite = self.place.launcher.launched(suite, &PacketFacts::default());
        let page = Page::new("Lead recovery", suite)
            .leads(figures)
            .section(Reviewed(reviewed))
            .section(odd)
            .section(Lookup { sessions: self.place.sessions });
        Ok(View {
            as_of,
            metrics: json(&metrics)?,
            openmetrics: openmetrics.into(),
            review,
            page: page.clone().refresh_link("/?live").html().into(),
            live_page: page.refresh_link("/").refresh_seconds(RENEWED).html().into(),
        })
    }

    /// Adds what stands in the tables of leads, which are not the queue's: where they cannot be read, the page is without.
    fn look_up(&self, values: &mut OddValues, namespace: &str) {
        let place = &self.place;
        let read = place.map.open_to_read(&place.url).and_then(|service| {
            let mut service = service.within(namespace);
            if service.keeps_marks()? { values.look_up(&mut service) } else { Ok(()) }
        });
        if let Err(failure) = read {
            tracing::warn!(name: "ops.values_unreadable", detail = %failure);
        }
    }

    /// Reads a page of the leads that failed for a reason, behind a key.
    ///
    /// The database ends a read that takes longer than `time`.
    pub fn leads(
        &self,
        reason: &FailReason,
        after: &str,
        time: Duration,
    ) -> Result<leads::Page, Problem> {
        let mut store = self.leads.lock().unwrap_or_else(PoisonError::into_inner);
        let backlog = self.place.backlog.clone();
        let opened = self.opened(&mut store)?;
        let queue = opened.view_name("recovery_queue");
        let snapshot = opened.read().map_err(|error| unreadable(&error))?;
        let facts = StoreFacts::new(snapshot, &backlog);
        facts.limit_time(Some(time));
        let query = format!(
            "SELECT source_pk, since || '\t' || attempts || '\t' || COALESCE(evidence, '') \
             FROM {queue} WHERE reason = $1 AND source_pk > $2"
        );
        let query = Query::new(query).bind(reason.code()).bind(after);
        let found = facts.query(&query, PAGE).map_err(|error| match error {
            FactsError::Refused { reason } => {
                Problem::new(axum::http::StatusCode::BAD_REQUEST, reason)
            }
            FactsError::TimedOut { .. } => Problem::too_slow(),
            other => unreadable(&other),
        })?;
        let leads = found.listed.into_iter().map(|row| {
            let mut parts = row.reason.splitn(3, '\t');
            let mut part = || parts.next().unwrap_or_default().to_owned();
            let (since, attempts) = (part(), part());
            leads::Listed { key: row.key, since, attempts, evidence: lead::evidence(&part()) }
        });
        Ok(leads::Page { leads: leads.collect(), total: found.total })
    }

    /// Reads one lead with its history; `None` where the queue does not know it.
    pub fn lead(&self, key: &SourcePk) -> Result<Option<LeadRecord>, Problem> {
        let mut store = self.leads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = self.opened(&mut store)?.read().map_err(|error| unreadable(&error))?;
        read.lead(key).map_err(|error| unreadable(&error))
    }

    /// Returns how the commands of remedies are written.
    pub(super) fn launcher(&self) -> &Launcher {
        &self.place.launcher
    }
}

/// The way to a single lead, and out of the session.
struct Lookup {
    sessions: bool,
}

impl Section for Lookup {
    fn heading(&self) -> &'static str {
        "Look up a lead"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let body = leads::search(Body::default(), "");
        if self.sessions { body.button("/logout", "Log out") } else { body }
    }
}

/// The check of the heads of the migrations.
const HEADS: &str = "single_migration_head";

/// Says in what way the tables are not those of this program; versions and tables are no secret.
fn not_migrated(suite: &SuiteReport) -> Problem {
    let check = suite.check(HEADS);
    let mut words = check.map_or_else(String::new, |check| check.actual.clone());
    if let Some(first) = check.and_then(|check| check.samples.first()) {
        words = format!("{words}, such as {}: {}", first.key, first.reason);
    }
    Problem::unavailable(format!(
        "the database is not migrated to this version: {words}; verify_guardrails says what to do"
    ))
}

fn json(value: &impl Serialize) -> Result<Bytes, Problem> {
    let json = serde_json::to_string(value).map_err(|error| unreadable(&error))?;
    Ok(escape_json(&json).into_owned().into())
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Problem {
    // What lies below may name hosts and files: it goes to the log, not to the caller.
    tracing::warn!(name: "ops.unreadable", error);
    Problem::unavailable("the database cannot be read; the log of the server says why")
}

fn exposition(suite: &SuiteReport, figures: &LeadFigures) -> String {
    let mut metrics = Exposition::default();
    metrics
        .info("recovery_build", "The program that answers.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    if let Some(queue) = &figures.queue {
        metrics
            .gauge("recovery_backlog_leads", "Leads in the backlog.")
            .sample(&[], queue.backlog as f64);
        metrics
            .gauge("recovery_queue_leads", "Leads of the queue by status.")
            .sample(&[("status", "pending")], queue.pending as f64)
            .sample(&[("status", "matched")], queue.matched as f64)
            .sample(&[("status", "failed")], queue.failed as f64)
            .sample(&[("status", "withdrawn")], queue.withdrawn as f64);
        let mut reasons = metrics.gauge("recovery_failed_leads", "Failed leads by reason.");
        for part in &queue.reasons {
            reasons.sample(&[("reason", &part.reason)], part.leads as f64);
        }
    }
    let mut ages = metrics.gauge("recovery_open_leads", "Open leads by their least age in days.");
    for bucket in &figures.ageing {
        let days = bucket.from_days.to_string();
        ages.sample(&[("from_days", &days)], bucket.leads as f64);
    }
    metrics.suite(suite);
    metrics.finish()
}
