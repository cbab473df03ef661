//! A seed that leaves out what is unchanged finds what a seed that stages everything finds.
//!
//! Most leads stay as they are from night to night; a few come, go, change, stand twice, or cannot be taken. SQLite
//! reads them from a view, where what is unchanged is left out. Beside it the same rows are staged whole: on PostgreSQL,
//! or as rows from memory. And a seed that reads what a feed names is beside one that reads all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{number, script};

/// Leads that are always there, and do not change.
const STEADY: u64 = 80;

/// What one row of the backlog says.
#[derive(Clone, Debug)]
struct Row {
    key: u64,
    date: &'static str,
    version: Option<u8>,
    priority: &'static str,
}

impl Row {
    fn lead(&self) -> BacklogLead {
        let day: DateTime<Utc> = format!("{}T00:00:00Z", self.date).parse().unwrap();
        let mut lead = BacklogLead::new(SourcePk::new(format!("L-{}", self.key)).unwrap(), day);
        lead.lead_version = self.version.map(|version| version.to_string());
        lead.priority = self.priority.parse().unwrap();
        lead
    }

    fn sql(&self) -> String {
        let version = self.version.map_or("NULL".to_owned(), |version| format!("'{version}'"));
        let date =
            if self.date.is_empty() { "NULL".to_owned() } else { format!("'{}'", self.date) };
        format!("('L-{}', {date}, {version}, '{}')", self.key, self.priority)
    }
}

fn rows(
    dates: Vec<&'static str>,
    priorities: Vec<&'static str>,
) -> impl Strategy<Value = Vec<Row>> {
    let row = (
        STEADY..STEADY + 12,
        prop::sample::select(dates),
        prop::option::of(0_u8..3),
        prop::sample::select(priorities),
    );
    let row = row.prop_map(|(key, date, version, priority)| Row { key, date, version, priority });
    prop::collection::vec(row, 0..12)
}

/// A night: what changes of the backlog, whether another backlog is seeded before, and whether leads are recovered.
#[derive(Clone, Debug)]
struct Night {
    rows: Vec<Row>,
    elsewhere: bool,
    recovered: bool,
    /// What somebody does by hand after it, and with which lead.
    by_hand: (u8, u64),
    hours: i64,
}

fn nights(rows: impl Strategy<Value = Vec<Row>>) -> impl Strategy<Value = Vec<Night>> {
    let by_hand = (0_u8..6, STEADY..STEADY + 12);
    let night = (rows, prop::bool::weighted(0.2), any::<bool>(), by_hand, 1_i64..30);
    let night = night.prop_map(|(rows, elsewhere, recovered, by_hand, hours)| Night {
        rows,
        elsewhere,
        recovered,
        by_hand,
        hours,
    });
    prop::collection::vec(night, 1..7)
}

fn all(rows: &[Row]) -> Vec<Row> {
    let steady = |key| Row { key, date: "2026-01-02", version: Some(1), priority: "0" };
    (0..STEADY).map(steady).chain(rows.iter().cloned()).collect()
}

/// A backlog of rows as they are, the same key more than once too.
struct Rows(Vec<BacklogLead>);

impl Backlog for Rows {
    fn name(&self) -> &'static str {
        "all"
    }

    fn source(&self) -> BacklogSource<'_> {
        BacklogSource::Rows(Box::new(self.0.iter().cloned()))
    }
}

struct Place {
    store: SqlStore,
    view: bool,
    table: String,
    /// How the leads that changed are named, where they are.
    feed: Option<Named>,
    /// What the backlog said last, by lead.
    said: BTreeMap<u64, Vec<String>>,
    /// The leads that were settled since the last seed.
    settled: Vec<u64>,
    /// Seeds that read what was named alone.
    touched: u64,
}

#[derive(Clone, Copy, Debug)]
enum Named {
    ByKeys,
    InATable,
}

impl Place {
    fn new(mut store: SqlStore, view: bool) -> Self {
        let (table, name) = (store.view_name("their_leads"), store.view_name("backlog"));
        // As in a table whose numbers are numbers, and where now and then there is a text.
        let rank = match store.connection() {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(_) => {
                "CASE WHEN rank GLOB '[0-9]' THEN CAST(rank AS INTEGER) ELSE rank END"
            }
            _ => "rank",
        };
        script(
            &mut store,
            &format!(
                "CREATE TABLE {table} (id TEXT, born TEXT, version TEXT, rank TEXT); \
                 CREATE VIEW {name} AS SELECT id AS lead_source_pk, born AS lead_date, \
                     version AS lead_version, {rank} AS lead_priority FROM {table}"
            ),
        );
        let (said, settled) = (BTreeMap::new(), Vec::new());
        Self { store, view, table, feed: None, said, settled, touched: 0 }
    }

    fn told_by(mut self, feed: Named, indexed: bool) -> Self {
        let outbox = self.store.view_name("outbox");
        script(&mut self.store, &format!("CREATE TABLE {outbox} (lead_source_pk TEXT)"));
        if indexed {
            // A name without its schema, so that it is one on both backends.
            let sql = format!("CREATE INDEX their_id ON {} (id)", self.table);
            script(&mut self.store, &sql);
        }
        self.feed = Some(feed);
        self
    }

    /// Names the leads of which the rows say another thing than before, and those that were settled.
    fn feed(&mut self, rows: &[Row]) -> Option<Feed> {
        let feed = self.feed?;
        let mut said: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for row in rows {
            said.entry(row.key).or_default().push(row.sql());
        }
        let all: BTreeSet<u64> = self.said.keys().chain(said.keys()).copied().collect();
        let changed = all.into_iter().filter(|key| self.said.get(key) != said.get(key));
        let keys: Vec<u64> = changed.chain(self.settled.drain(..)).collect();
        self.said = said;
        let keys = keys.into_iter().map(|key| format!("L-{key}"));
        Some(match feed {
            Named::ByKeys => Feed::Keys(keys.map(|key| SourcePk::new(key).unwrap()).collect()),
            Named::InATable => {
                let outbox = self.store.view_name("outbox");
                for key in keys {
                    let sql = format!("INSERT INTO {outbox} VALUES ('{key}'), ('{key}'), (NULL)");
                    script(&mut self.store, &sql);
                }
                Feed::Outbox(ViewName::new(&outbox.replace('"', "")).unwrap())
            }
        })
    }

    /// Does by hand what the night says, where the lead is such that it can be done.
    fn by_hand(&mut self, (act, key): (u8, u64)) {
        let lead = SourcePk::new(format!("L-{key}")).unwrap();
        let decider = Decider { by: "ana", reason: "looked at it" };
        let _refused = match act {
            0 => self.store.unlink(&lead, decider).is_err(),
            1 => self.store.cancel(&[lead], decider).is_err(),
            2 => self.store.reopen_leads(Reopen::Keys(&[lead]), decider).is_err(),
            _ => false,
        };
    }

    fn seed(&mut self, rows: &[Row]) -> SeedSummary {
        let feed = self.feed(rows);
        let options = SeedOptions::default().with_fuse(None).with_feed(feed);
        if !self.view {
            let leads = rows.iter().map(Row::lead).collect();
            return self.store.seed(&Rows(leads), &options).unwrap();
        }
        let mut sql = format!("DELETE FROM {}", self.table);
        for chunk in rows.chunks(50) {
            let values: Vec<_> = chunk.iter().map(Row::sql).collect();
            write!(sql, "; INSERT INTO {} VALUES {}", self.table, values.join(", ")).unwrap();
        }
        script(&mut self.store, &sql);
        let view = ViewBacklog::new(&self.store.view_name("backlog").replace('"', "")).unwrap();
        self.store.seed(&view.named("all"), &options).unwrap()
    }

    fn told(&mut self) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        let mut snapshot = self.store.snapshot().unwrap();
        let leaks = snapshot.leaks().unwrap();
        let take = &mut |row: QueueRow| {
            let leaked = leaks.contains(&row.source_pk);
            let what = (row.status, row.reason, row.backlog, row.attempts, row.lead_at, leaked);
            told.insert(row.source_pk.to_string(), format!("{what:?}"));
        };
        snapshot.queue(take).unwrap();
        told
    }

    /// Lives through a night; gives what the seed told and what the queue holds after it.
    fn night(
        &mut self,
        at: DateTime<Utc>,
        night: &Night,
    ) -> (SeedSummary, BTreeMap<String, String>) {
        self.store.set_clock(Some(at));
        if night.elsewhere {
            let row = Row { key: STEADY + 3, date: "2026-01-01", version: None, priority: "0" };
            let other = InMemoryBacklog::new("other", [row.lead()]);
            self.store.seed(&other, &SeedOptions::default()).unwrap();
        }
        let mut seeded = self.seed(&all(&night.rows));
        if self.feed.is_some() {
            // What was read is not the same, and what it led to is.
            self.touched += u64::from(seeded.touched.is_some());
            (seeded.touched, seeded.duplicates, seeded.undated) = (None, 0, 0);
            seeded.backlog_size = 0;
        }
        if night.recovered {
            self.store.set_clock(Some(at + TimeDelta::minutes(1)));
            self.store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
            self.settled.extend(STEADY..STEADY + 12);
        }
        self.store.set_clock(Some(at + TimeDelta::minutes(2)));
        self.by_hand(night.by_hand);
        (seeded, self.told())
    }
}

fn resolve(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    let answer = |lead: &ClaimedLead| match number(lead) % 4 {
        0 => Resolution::matched(PersonKey::new("P").unwrap(), "PHONE_EXACT", "high"),
        1 => Resolution::error("down"),
        _ => Resolution::unmatched(FailReason::NoCandidates),
    };
    // The steady ones stay open.
    let steady = |lead: &ClaimedLead| Resolution::error(format!("busy {}", lead.source_pk));
    Ok(leads
        .iter()
        .map(|lead| if u64::from(number(lead)) < STEADY { steady(lead) } else { answer(lead) })
        .collect())
}

fn same(mut one: Place, mut other: Place, nights: &[Night]) {
    let mut at = minute(0);
    for night in nights {
        at += TimeDelta::hours(night.hours);
        assert_eq!(one.night(at, night), other.night(at, night), "{night:?}");
    }
}

#[test]
fn what_is_unchanged_in_a_view_is_what_is_unchanged_in_all_its_rows() {
    let rows = rows(vec!["2026-01-01", "2026-01-03"], vec!["0", "2"]);
    proptest!(ProptestConfig::with_cases(40), |(nights in nights(rows))| {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        same(
            Place::new(crate::loop_on_sqlite::open(&one), true),
            Place::new(crate::loop_on_sqlite::open(&other), false),
            &nights,
        );
    });
}

#[cfg(feature = "postgres")]
#[test]
fn leads_that_cannot_be_taken_are_found_among_unchanged_ones_as_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    let dates = vec!["2026-01-01", "2026-01-03", "", "2026-02-30", "2026-01-05T10:00:00"];
    let rows = rows(dates, vec!["0", "2", "high"]);
    proptest!(ProptestConfig::with_cases(24), |(nights in nights(rows))| {
        let dir = tempfile::tempdir().unwrap();
        same(
            Place::new(crate::loop_on_sqlite::open(&dir), true),
            Place::new(crate::support::server::store(server), true),
            &nights,
        );
    });
}

/// Lives through the same nights with a feed and without one.
fn same_by_feed(mut told: Place, mut whole: Place, nights: &[Night]) -> u64 {
    let mut at = minute(0);
    for night in nights {
        at += TimeDelta::hours(night.hours);
        let night = Night { elsewhere: false, ..night.clone() };
        let (mut seeded, queue) = whole.night(at, &night);
        (seeded.duplicates, seeded.undated, seeded.backlog_size) = (0, 0, 0);
        assert_eq!(told.night(at, &night), (seeded, queue), "{night:?}");
    }
    told.touched
}

fn feeds_on(new: &dyn Fn() -> Place, cases: u32) {
    // Leads that cannot be taken come now and then: the whole backlog is read then.
    let mut priorities = vec!["0"; 40];
    priorities.extend(["2", "3", "high"]);
    let rows = rows(vec!["2026-01-01", "2026-01-03", "2026-01-04", ""], priorities);
    let feed = prop::sample::select(vec![Named::ByKeys, Named::InATable]);
    let touched = std::cell::Cell::new(0);
    proptest!(ProptestConfig::with_cases(cases), |(nights in nights(rows), feed in feed, indexed: bool)| {
        let told = new().told_by(feed, indexed);
        touched.set(touched.get() + same_by_feed(told, new(), &nights));
    });
    assert!(touched.get() > u64::from(cases), "{touched:?} seeds read what was named alone");
}

#[test]
fn what_a_feed_names_is_what_has_changed_in_the_whole_backlog() {
    let dirs = std::cell::RefCell::new(Vec::new());
    let new = || {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(crate::loop_on_sqlite::open(&dir), true);
        dirs.borrow_mut().push(dir);
        place
    };
    feeds_on(&new, 40);
}

#[cfg(feature = "postgres")]
#[test]
fn what_a_feed_names_is_what_has_changed_in_the_whole_backlog_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    feeds_on(&|| Place::new(crate::support::server::store(server), true), 16);
}

#[test]
fn what_the_feed_says_of_a_backlog_that_is_summed_up_is_the_open_leads() {
    let dir = tempfile::tempdir().unwrap();
    let mut place =
        Place::new(crate::loop_on_sqlite::open(&dir), true).told_by(Named::ByKeys, true);
    let first = place.seed(&all(&[]));
    assert_eq!((first.touched, first.backlog_size), (None, STEADY), "it is the first one");
    let new = Row { key: STEADY, date: "2026-01-01", version: None, priority: "0" };
    let second = place.seed(&all(&[new]));
    assert_eq!((second.touched, second.backlog_size), (Some(1), STEADY + 1));
    assert_eq!((second.arrived, second.withdrawn), (1, 0));
    let third = place.seed(&all(&[]));
    assert_eq!((third.touched, third.backlog_size, third.withdrawn), (Some(1), STEADY, 1));
}

#[test]
fn a_feed_that_is_no_table_of_keys_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut place = Place::new(crate::loop_on_sqlite::open(&dir), true);
    place.seed(&all(&[]));
    let backlog = ViewBacklog::new("backlog").unwrap().named("all");
    for (table, words) in
        [("nowhere", "does not exist"), ("their_leads", "no column lead_source_pk")]
    {
        let feed = Feed::Outbox(ViewName::new(table).unwrap());
        let options = SeedOptions::default().with_feed(Some(feed));
        let said = place.store.seed(&backlog, &options).unwrap_err().to_string();
        assert!(said.contains(words) && said.contains(table), "{said}");
    }
    assert_eq!(place.told().len() as u64, STEADY);
    // In memory there is no table, and keys are taken.
    let mut memory = InMemoryStore::new();
    let lead = BacklogLead::new(SourcePk::new("a").unwrap(), minute(0));
    let backlog = InMemoryBacklog::new("all", [lead]);
    let options = SeedOptions::default().with_feed(Some(Feed::Outbox(ViewName::new("t").unwrap())));
    assert!(memory.seed(&backlog, &options).unwrap_err().to_string().contains("no database"));
    let options = SeedOptions::default().with_feed(Some(Feed::Keys(Vec::new())));
    assert_eq!(memory.seed(&backlog, &options).unwrap().arrived, 1);
}

#[test]
fn a_seed_that_is_rolled_back_leaves_the_feed_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut place =
        Place::new(crate::loop_on_sqlite::open(&dir), true).told_by(Named::InATable, true);
    place.seed(&all(&[]));
    script(&mut place.store, "DELETE FROM their_leads");
    script(&mut place.store, "INSERT INTO outbox SELECT DISTINCT source_pk FROM recovery_queue");
    let backlog = ViewBacklog::new("backlog").unwrap().named("all");
    let feed = Feed::Outbox(ViewName::new("outbox").unwrap());
    let fuse = Fuse { percent: 50, at_least: 10 };
    let options = SeedOptions::default().with_feed(Some(feed)).with_fuse(Some(fuse));
    let said = place.store.seed(&backlog, &options).unwrap_err().to_string();
    assert!(said.contains("would withdraw"), "{said}");
    let options = options.with_fuse(None);
    let seeded = place.store.seed(&backlog, &options).unwrap();
    assert_eq!((seeded.touched, seeded.withdrawn), (Some(STEADY), STEADY), "all were still named");
    let seeded = place.store.seed(&backlog, &options).unwrap();
    assert_eq!((seeded.touched, seeded.withdrawn), (Some(0), 0));
}
