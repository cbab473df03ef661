//! No statement depends on statistics: each one of a night is met with a database that was never analysed, with one
//! that was analysed while it was empty, with one that has changed much since, and with one that was analysed when full.
//!
//! The backlog is a view of four tables, with an `EXISTS` and two `NOT EXISTS`. On SQLite the plan of every statement
//! is read: it is the same one each time, each table after the first of a join is found by an index, and no
//! sub-query that runs for each row scans anything. On PostgreSQL the server itself tells what its plans did: no step
//! of any plan touches more than a few times the rows that there are.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Once;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::{
    Instrumentation, InstrumentationEvent, SimpleConnection as _, set_default_instrumentation,
};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{number, script};

/// Leads of the backlog.
const LEADS: i64 = 2000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Statistics {
    Never,
    OfEmptyTables,
    /// Taken when every lead was pending, and true no longer.
    OfTheFirstSeed,
    OfFullTables,
}

impl Statistics {
    const ALL: [Self; 4] =
        [Self::Never, Self::OfEmptyTables, Self::OfTheFirstSeed, Self::OfFullTables];
}

thread_local! {
    /// What this thread's connections are asked while somebody listens.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Hears every statement of the connections that are made after it.
struct Listener;

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            HEARD.with_borrow_mut(|heard| {
                if let Some(heard) = heard {
                    heard.push(query.to_string());
                }
            });
        }
    }
}

fn listener() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(Listener))
}

/// Runs `body` and gives every statement that it ran, without its binds.
fn heard(body: impl FnOnce()) -> BTreeSet<String> {
    HEARD.set(Some(Vec::new()));
    body();
    let all = HEARD.take().unwrap_or_default();
    all.iter().map(|text| text.split(" -- binds:").next().unwrap_or(text).to_owned()).collect()
}

/// The names of a service's tables and of its view.
struct Service {
    leads: String,
    claims: String,
    accounts: String,
    persons: String,
    /// The leads that changed.
    changed: String,
    view: String,
    /// The same leads under keys that no index finds.
    unindexed: String,
    links: String,
}

impl Service {
    fn of(store: &SqlStore) -> Self {
        let name = |what: &str| store.view_name(what);
        Self {
            leads: name("their_leads"),
            claims: name("their_claims"),
            accounts: name("their_accounts"),
            persons: name("their_persons"),
            changed: name("their_changed"),
            unindexed: name("plan_unindexed"),
            view: name("plan_backlog"),
            links: name("identity_links"),
        }
    }

    fn create(&self, store: &mut SqlStore) {
        let Self { leads, claims, accounts, persons, changed, view, unindexed, links } = self;
        script(
            store,
            &format!(
                "CREATE TABLE {accounts} (id BIGINT PRIMARY KEY, closed BIGINT NOT NULL); \
                 CREATE TABLE {leads} (id TEXT PRIMARY KEY, account BIGINT, born TEXT, version TEXT); \
                 CREATE TABLE {claims} (source_pk TEXT PRIMARY KEY); \
                 CREATE TABLE {persons} (key TEXT PRIMARY KEY); \
                 CREATE TABLE {changed} (lead_source_pk TEXT); \
                 CREATE VIEW {view} AS SELECT their_l.id AS lead_source_pk, their_l.born AS lead_date, \
                     their_l.version AS lead_version FROM {leads} their_l \
                 WHERE EXISTS (SELECT 1 FROM {accounts} their_a \
                         WHERE their_a.id = their_l.account AND their_a.closed = 0) \
                   AND NOT EXISTS (SELECT 1 FROM {claims} their_c WHERE their_c.source_pk = their_l.id) \
                   AND NOT EXISTS (SELECT 1 FROM {links} their_k WHERE their_k.source_pk = their_l.id); \
                 CREATE VIEW {unindexed} AS SELECT 'x-' || their_l.id AS lead_source_pk, their_l.born AS lead_date \
                 FROM {leads} their_l;"
            ),
        );
    }

    fn fill(&self, store: &mut SqlStore, size: i64) {
        let Self { leads, accounts, persons, .. } = self;
        script(
            store,
            &format!(
                "INSERT INTO {accounts} WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n \
                     WHERE i < 99) SELECT i, 0 FROM n; \
                 INSERT INTO {leads} WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n \
                     WHERE i < {size} - 1) SELECT 'L-' || CAST(i AS TEXT), i % 100, \
                     '2026-01-' || CAST(10 + i % 20 AS TEXT), '1' FROM n; \
                 INSERT INTO {persons} WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n \
                     WHERE i < 498) SELECT 'P-' || CAST(i AS TEXT) FROM n;"
            ),
        );
    }

    /// A day's changes: claims, changed leads, new leads, and links that somebody removed by hand.
    fn change(&self, store: &mut SqlStore) {
        let Self { leads, claims, .. } = self;
        let (link, person) = (store.view_name("queue_link"), store.view_name("queue_person"));
        script(
            store,
            &format!(
                "INSERT INTO {claims} SELECT id FROM {leads} WHERE id LIKE '%7'; \
                 UPDATE {leads} SET version = '2' WHERE id LIKE '%3'; \
                 INSERT INTO {leads} SELECT 'M-' || substr(id, 3), account, born, '1' FROM {leads} \
                     WHERE id LIKE '%5'; \
                 DELETE FROM {link} WHERE lead_id % 20 = 1; \
                 UPDATE {person} SET origin_lead_id = NULL WHERE id % 50 = 1;"
            ),
        );
    }
}

/// Matches half of the leads, has some fail for technical reasons, and leaves wake keys with the others.
fn resolve(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    Ok(leads
        .iter()
        .map(|lead| match number(lead) % 8 {
            0..=3 => {
                let person = PersonKey::new(format!("P-{}", number(lead) % 500)).unwrap();
                Resolution::matched(person, "PHONE_EXACT", "high")
            }
            4 => Resolution::error("down"),
            _ => Resolution::unmatched(FailReason::NoCandidates)
                .with_wake_keys(vec![format!("k{}", number(lead) % 40)]),
        })
        .collect())
}

fn recover(store: &mut SqlStore, claim: ClaimMode) {
    let mut options = RecoverOptions::default();
    options.batch_size = 400;
    options.claim = claim;
    store.recover(&mut resolve, &options).unwrap();
}

/// Brings a store to the evening before: seeded, recovered, and changed by the day.
fn prepare(store: &mut SqlStore, statistics: Statistics, size: i64) -> (Service, ViewBacklog) {
    let service = Service::of(store);
    service.create(store);
    store.set_clock(Some(minute(0)));
    if statistics == Statistics::OfEmptyTables {
        script(store, "ANALYZE");
        *store = store.reopen().unwrap();
    }
    service.fill(store, size);
    let persons = PersonView::new(&service.persons.replace('"', ""), "key").unwrap();
    store.set_person_view(Some(&persons)).unwrap();
    let backlog = ViewBacklog::new(&service.view.replace('"', "")).unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    if statistics == Statistics::OfTheFirstSeed {
        script(store, "ANALYZE");
    }
    recover(store, ClaimMode::Transaction);
    service.change(store);
    if statistics == Statistics::OfFullTables {
        script(store, "ANALYZE");
    }
    // A session of its own, so that what it knows of the tables is what the database keeps of them.
    *store = store.reopen().unwrap();
    (service, backlog)
}

/// Everything that a night asks of the store.
fn night(store: &mut SqlStore, service: &Service, backlog: &ViewBacklog) {
    let at = |minutes: i64| minute(24 * 60 + minutes);
    let lease = ClaimMode::Lease { ttl: Duration::from_mins(10) };
    store.set_clock(Some(at(0)));
    let seed = store.seed(backlog, &SeedOptions::default()).unwrap();
    assert!(seed.arrived > 0 && seed.withdrawn > 0 && seed.reopened > 0 && seed.leaks > 0);
    store.set_clock(Some(at(1)));
    recover(store, ClaimMode::Transaction);
    assert!(store.wake(&["k5".into(), "k6".into(), "k7".into()]).unwrap() > 0);
    assert_eq!(store.wake_outdated("k", 1_000).unwrap(), 0);
    assert!(store.wake_outdated("k1", 100).unwrap() > 0);
    recover(store, lease);
    let again = store.seed(backlog, &SeedOptions::default()).unwrap();
    assert!(!again.changed() && again.leaks > 0, "{again:?}");
    seed_by_feed(store, service, backlog);
    look_again(store, service);
    read(store, backlog);
    facts(store, service, backlog);
}

/// Some leads change, some go and some come, and a table says which.
fn seed_by_feed(store: &mut SqlStore, service: &Service, backlog: &ViewBacklog) {
    let Service { leads, claims, changed, .. } = service;
    script(
        store,
        &format!(
            "INSERT INTO {changed} SELECT id FROM {leads} WHERE id LIKE '%02' OR id LIKE '%46'; \
             UPDATE {leads} SET version = '3' WHERE id LIKE '%02'; \
             INSERT INTO {claims} SELECT id FROM {leads} WHERE id LIKE '%46' \
                 AND NOT EXISTS (SELECT 1 FROM {claims} their_c WHERE their_c.source_pk = {leads}.id); \
             INSERT INTO {leads} VALUES ('N-1', 1, '2026-01-11', '1'); \
             INSERT INTO {changed} VALUES ('N-1'), ('N-1'), ('nobody')"
        ),
    );
    let outbox = ViewName::new(&changed.replace('"', "")).unwrap();
    let options = SeedOptions::default().with_feed(Some(Feed::Outbox(outbox)));
    let seed = store.seed(backlog, &options).unwrap();
    assert!(seed.arrived == 1 && seed.withdrawn > 0 && seed.touched > Some(40), "{seed:?}");
}

/// Leads leave a view after it was seeded, one whose keys an index finds and one whose keys none finds.
fn look_again(store: &mut SqlStore, service: &Service) {
    let Service { leads, claims, unindexed, .. } = service;
    let claim = format!(
        "INSERT INTO {claims} SELECT id FROM {leads} WHERE id LIKE '%1' \
         AND NOT EXISTS (SELECT 1 FROM {claims} their_c WHERE their_c.source_pk = {leads}.id)"
    );
    script(store, &claim);
    let decider = Decider { by: "ana", reason: "try again" };
    let again = Reopen::Reason(FailReason::NoCandidates);
    assert!(store.reopen_leads(again, decider).unwrap() > 0);
    let mut options = RecoverOptions::default();
    options.batch_size = 400;
    let run = store.recover(&mut resolve, &options).unwrap();
    assert!(run.withdrawn > 0, "{run:?}");
    let whole = ViewBacklog::new(&unindexed.replace('"', "")).unwrap();
    store.seed(&whole, &SeedOptions::default()).unwrap();
    let mut nobody = |leads: &[ClaimedLead]| {
        Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
    };
    assert_eq!(store.recover(&mut nobody, &options).unwrap().withdrawn, 0);
}

fn read(store: &mut SqlStore, backlog: &ViewBacklog) {
    let mut rows = 0;
    let day = minute(0).date_naive();
    let mut snapshot = store.snapshot().unwrap();
    snapshot.queue(&mut |_| rows += 1).unwrap();
    snapshot.links(&mut |_| rows += 1).unwrap();
    snapshot.origins(&mut |_| rows += 1).unwrap();
    snapshot.ledger(DateTime::<Utc>::MAX_UTC, &mut |_| rows += 1).unwrap();
    snapshot.runs(10).unwrap();
    assert!(!snapshot.leaks().unwrap().is_empty());
    assert!(!snapshot.matched_in(backlog).unwrap().is_empty());
    snapshot.status_counts().unwrap();
    snapshot.reason_counts().unwrap();
    snapshot.ageing().unwrap();
    snapshot.overdue().unwrap();
    snapshot.daily_metrics(day, day + TimeDelta::days(2), chrono_tz::America::Lima).unwrap();
    assert!(rows > LEADS);
}

#[cfg(feature = "guardrails")]
fn facts(store: &mut SqlStore, service: &Service, backlog: &ViewBacklog) {
    use guardrails::recovery::{Invariant, RecoveryFacts as _};
    let claims = KeyColumn::referring(&service.claims.replace('"', ""), "source_pk").unwrap();
    store.set_key_columns(&[claims]).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), backlog);
    for invariant in [
        Invariant::MATCHED_NOT_IN_BACKLOG,
        Invariant::MATCHED_HAS_ORIGIN,
        Invariant::ORIGIN_HAS_LINK,
        Invariant::MATCHED_HAS_LINK,
        Invariant::LINK_TO_SAME_PERSON,
        Invariant::SOURCE_PK_IN_ONE_FORMAT,
        Invariant::LEDGER_AGREES_WITH_QUEUE,
        Invariant::LINK_TARGET_EXISTS,
        Invariant::BACKLOG_LEAD_TAKEN,
        Invariant::REJECTED_NOT_LINKED,
        Invariant::CLOCK_GOES_FORWARD,
    ] {
        facts.offenders(invariant, 10).unwrap();
    }
    facts.queue().unwrap();
    facts.ledger().unwrap();
    facts.runs(10).unwrap();
    facts.ageing().unwrap();
    facts.lacking().unwrap();
    facts.migrations().unwrap();
    let some: Vec<SourcePk> =
        (0..200).map(|lead| SourcePk::new(format!("L-{lead}")).unwrap()).collect();
    let touched = facts.of_touched(&some).unwrap();
    guardrails::Suite::touched().run(&touched, &guardrails::clock::StoppedClock);
}

#[cfg(not(feature = "guardrails"))]
fn facts(_: &mut SqlStore, _: &Service, _: &ViewBacklog) {}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_default_instrumentation(listener).unwrap());
}

#[derive(QueryableByName, Clone, Debug, PartialEq, Eq)]
struct Step {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    parent: i64,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Tables of one row or of a few, however long the queue is.
const SMALL: [&str; 6] = ["b", "m", "persons", "queue_backlog", "t", "CONSTANT"];

fn is_small(detail: &str) -> bool {
    SMALL.iter().any(|name| detail.split(' ').nth(1) == Some(name))
}

/// Says what of a plan takes more time than the rows that it reads.
fn faults(plan: &[Step]) -> Vec<String> {
    let mut faults = Vec::new();
    let children = |id: i64| plan.iter().filter(move |step| step.parent == id);
    for level in std::iter::once(0).chain(plan.iter().map(|step| step.id)) {
        let per_row =
            plan.iter().any(|step| step.id == level && step.detail.contains("CORRELATED"));
        let mut outer = per_row;
        for step in children(level) {
            let detail = &step.detail;
            if detail.starts_with("SCAN ") && !is_small(detail) && !detail.contains("VIRTUAL TABLE")
            {
                if outer {
                    faults.push(format!("{detail}: once for each row"));
                }
                outer = true;
            }
            if detail.starts_with("SEARCH ") {
                if detail.contains("AUTOMATIC") {
                    faults.push(format!("{detail}: made anew each time"));
                }
                outer = true;
            }
        }
    }
    faults
}

/// Reads the plans of statements; the temporary tables that they name are made as they were.
fn sqlite_plans(
    store: &mut SqlStore,
    statements: &BTreeSet<String>,
) -> BTreeMap<String, Vec<Step>> {
    let recovery_queue::Conn::Sqlite(connection) = store.connection() else {
        unreachable!("a file")
    };
    for sql in statements.iter().filter(|sql| sql.starts_with("CREATE TEMP TABLE")) {
        connection.batch_execute(sql).ok();
    }
    let planned = |sql: &&String| {
        ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb))
    };
    statements
        .iter()
        .filter(planned)
        .map(|sql| {
            let steps = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(connection);
            (sql.clone(), steps.unwrap_or_else(|error| panic!("{error}: {sql}")))
        })
        .collect()
}

#[test]
fn on_sqlite_every_plan_is_the_same_with_any_statistics_and_none_is_quadratic() {
    listen();
    let mut before: Option<BTreeMap<String, Vec<Step>>> = None;
    let mut faulty = Vec::new();
    for statistics in Statistics::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut store = crate::loop_on_sqlite::open(&dir);
        let (service, backlog) = prepare(&mut store, statistics, LEADS);
        let statements = heard(|| night(&mut store, &service, &backlog));
        let plans = sqlite_plans(&mut store, &statements);
        assert!(plans.len() > 60, "too few statements were heard: {}", plans.len());
        for (sql, plan) in &plans {
            for fault in faults(plan) {
                faulty.push(format!("{statistics:?}: {fault}\n  {sql}"));
            }
        }
        if let Some(before) = &before {
            for (sql, plan) in &plans {
                if let Some(other) = before.get(sql)
                    && detail(other) != detail(plan)
                {
                    faulty.push(format!(
                        "{statistics:?}: another plan\n  {sql}\n  {:#?}\n  {:#?}",
                        detail(other),
                        detail(plan)
                    ));
                }
            }
            let new: Vec<_> = plans.keys().filter(|sql| !before.contains_key(*sql)).collect();
            assert!(new.is_empty(), "statements that only {statistics:?} has: {new:#?}");
        }
        before = Some(plans);
    }
    assert!(faulty.is_empty(), "{}", faulty.join("\n"));
}

#[test]
fn a_seed_that_finds_nothing_new_stages_nothing_on_sqlite() {
    listen();
    let dir = tempfile::tempdir().unwrap();
    let mut store = crate::loop_on_sqlite::open(&dir);
    let service = Service::of(&store);
    service.create(&mut store);
    service.fill(&mut store, LEADS);
    let backlog = ViewBacklog::new(&service.view).unwrap();
    let staged = |store: &mut SqlStore| {
        let statements = heard(|| {
            store.seed(&backlog, &SeedOptions::default()).unwrap();
        });
        statements.iter().filter(|sql| sql.starts_with("INSERT INTO temp.rq_stage")).count()
    };
    assert_eq!([staged(&mut store), staged(&mut store)], [1, 0]);
    let new = "'N-1', 1, '2026-01-30T10:00:00Z', '1'";
    script(&mut store, &format!("INSERT INTO {} VALUES ({new})", service.leads));
    assert_eq!([staged(&mut store), staged(&mut store)], [1, 0]);
    script(&mut store, &format!("DELETE FROM {} WHERE id = 'L-7'", service.leads));
    assert_eq!(staged(&mut store), 0);
    assert_eq!(store.snapshot().unwrap().status_counts().unwrap()[&Status::Withdrawn], 1);
}

/// What counts of a plan: how the user's tables are met is the user's affair, a Bloom filter is a shortcut within the
/// same plan, and a table of a few rows may be met in any way.
fn detail(plan: &[Step]) -> Vec<&str> {
    let ours = |detail: &&str| {
        let theirs = detail.contains("their_") || detail.contains(" there ");
        !theirs && !detail.contains("BLOOM FILTER") && !is_small(detail)
    };
    plan.iter().map(|step| step.detail.as_str()).filter(ours).collect()
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use serde_json::Value;

    use super::*;

    /// Plans as the server logs them, each with its statement.
    fn logged(log: &str) -> Vec<(String, Value)> {
        let mut plans = Vec::new();
        for part in log.split(" plan:\n").skip(1) {
            let json: String = part
                .lines()
                .take_while(|line| line.starts_with('\t'))
                .flat_map(|line| [&line[1..], "\n"])
                .collect();
            let plan: Value = serde_json::from_str(&json).expect("the server logs JSON");
            let sql = plan["Query Text"].as_str().unwrap_or_default().to_owned();
            plans.push((sql, plan["Plan"].clone()));
        }
        plans
    }

    /// Gives the most rows that a step of a plan and those below it have touched, with the step's name.
    fn touched(plan: &Value) -> (i64, String) {
        let name = format!("{} {}", plan["Node Type"], plan["Relation Name"]);
        let below = plan["Plans"].as_array().into_iter().flatten().map(touched);
        below.chain([(rows_of(plan), name)]).max().unwrap_or_default()
    }

    /// Gives the rows that a step has touched itself.
    fn rows_of(plan: &Value) -> i64 {
        let number = |key: &str| plan[key].as_f64().unwrap_or_default();
        let rows = number("Actual Rows")
            + number("Rows Removed by Filter")
            + number("Rows Removed by Join Filter")
            + number("Rows Removed by Index Recheck");
        #[allow(clippy::cast_possible_truncation)] // far below
        let rows = (rows * number("Actual Loops")) as i64;
        rows
    }

    /// Each plan is logged with what it did. Little memory, so that what holds for two thousand leads holds for two million.
    const SETTINGS: [(&str, &str); 8] = [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_timing", "off"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_nested_statements", "on"),
        ("autovacuum", "off"),
        ("work_mem", "64kB"),
    ];

    /// Gives the rows that all steps of a plan have touched.
    fn touched_in_all(plan: &Value) -> i64 {
        let below = plan["Plans"].as_array().into_iter().flatten().map(touched_in_all);
        rows_of(plan) + below.sum::<i64>()
    }

    #[test]
    fn a_night_over_four_times_the_leads_asks_as_often_and_touches_about_four_times_the_rows() {
        let Some(server) = crate::support::server::with(&SETTINGS) else { return };
        let costs = [LEADS / 2, LEADS * 2].map(|size| {
            let mut store = crate::support::server::store(&server);
            let (service, backlog) = prepare(&mut store, Statistics::Never, size);
            let before = server.log().unwrap().len();
            night(&mut store, &service, &backlog);
            let plans = logged(&server.log().unwrap().split_off(before));
            // Batches hold so many leads each: their number grows, and nothing else's.
            let statements = i64::try_from(plans.len()).unwrap();
            (statements, plans.iter().map(|(_, plan)| touched_in_all(plan)).sum::<i64>())
        });
        let [(few, small), (many, large)] = costs;
        assert!(few > 100 && many <= 4 * few, "{costs:?}: more statements for each lead");
        // A sort of n rows takes n log n steps: 4 * log(4,000) / log(1,000) = 4.8.
        assert!(large <= small * 48 / 10, "{costs:?}: rows grow faster than n log n");
    }

    #[cfg(feature = "identity-matching")]
    #[test]
    fn a_look_up_of_candidates_touches_what_it_finds_and_not_the_population() {
        use identity_matching::{
            DeterministicMatcher, HashKey, Matcher as _, Normaliser, Policy, Record, Rejections,
        };
        const PERSONS: usize = 3_000;
        let Some(server) = crate::support::server::with(&SETTINGS) else { return };
        let normaliser = Normaliser::default();
        let with_phone = |number: usize| Record {
            phones: vec![format!("+51 9{number:08}")],
            emails: vec![format!("ana{number}@correo.pe")],
            ..Record::default()
        };
        let keys: Vec<String> = (0..PERSONS).map(|person| format!("P-{person}")).collect();
        let persons: Vec<_> =
            (0..PERSONS).map(|person| normaliser.normalise(&with_phone(person))).collect();
        let persons: Vec<_> = keys.iter().map(String::as_str).zip(&persons).collect();
        for analysed in [false, true] {
            let mut store = crate::support::server::store(&server);
            let index = |store: &SqlStore| {
                store.candidate_index(HashKey::new([7; 16]), &normaliser).unwrap()
            };
            index(&store).insert(&persons).unwrap();
            if analysed {
                script(&mut store, "ANALYZE");
            }
            let store = store.reopen().unwrap();
            let matcher =
                DeterministicMatcher::new(index(&store), normaliser.clone(), Policy::default())
                    .unwrap();
            let leads: Vec<Record> = (0..40).map(|lead| with_phone(lead * 70)).collect();
            let before = server.log().unwrap().len();
            let decided = matcher.decide(&leads, &Rejections::default()).unwrap();
            assert!(decided.iter().all(|decision| decision.outcome.person().is_some()));
            let plans = logged(&server.log().unwrap().split_off(before));
            let of_index = plans.iter().filter(|(sql, _)| sql.contains("queue_index_"));
            assert!(of_index.clone().count() >= 2, "too few plans were logged");
            for (sql, plan) in of_index {
                let (rows, step) = touched(plan);
                assert!(rows < 1_000, "analysed {analysed}: {step} touches {rows} rows\n  {sql}");
            }
        }
    }

    #[test]
    fn no_step_of_any_plan_touches_more_than_a_few_times_the_rows() {
        let Some(server) = crate::support::server::with(&SETTINGS) else { return };
        let mut faulty = Vec::new();
        for statistics in Statistics::ALL {
            let mut store = crate::support::server::store(&server);
            let (service, backlog) = prepare(&mut store, statistics, LEADS);
            let before = server.log().unwrap().len();
            night(&mut store, &service, &backlog);
            let log = server.log().unwrap().split_off(before);
            let mut statements: BTreeMap<String, (i64, String)> = BTreeMap::new();
            for (sql, plan) in logged(&log) {
                let (rows, step) = touched(&plan);
                let seen = statements.entry(sql).or_default();
                seen.0 += rows;
                seen.1 = step;
            }
            assert!(statements.len() > 60, "too few plans were logged: {}", statements.len());
            for (sql, (rows, step)) in statements {
                // What the catalogue holds has nothing to do with leads.
                let of_leads = !sql.contains("information_schema") && !sql.contains("pg_attribute");
                if of_leads && rows > 8 * LEADS {
                    faulty.push(format!("{statistics:?}: {step} touches {rows} rows\n  {sql}"));
                }
            }
        }
        assert!(faulty.is_empty(), "{}", faulty.join("\n"));
    }
}
