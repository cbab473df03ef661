//! A seed that leaves out what is unchanged finds what a seed that stages everything finds.
//!
//! Most leads stay as they are from night to night; a few come, go, change, stand twice, or cannot be taken. SQLite
//! reads them from a view, where what is unchanged is left out. Beside it the same rows are staged whole: on PostgreSQL,
//! or as rows from memory.

use std::collections::BTreeMap;
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
    hours: i64,
}

fn nights(rows: impl Strategy<Value = Vec<Row>>) -> impl Strategy<Value = Vec<Night>> {
    let night = (rows, prop::bool::weighted(0.2), any::<bool>(), 1_i64..30);
    let night = night.prop_map(|(rows, elsewhere, recovered, hours)| Night {
        rows,
        elsewhere,
        recovered,
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
}

impl Place {
    fn new(mut store: SqlStore, view: bool) -> Self {
        let (table, name) = (store.view_name("their_leads"), store.view_name("backlog"));
        // As in a table whose numbers are numbers, and where now and then there is a text.
        let rank = match store.connection() {
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
        Self { store, view, table }
    }

    fn seed(&mut self, rows: &[Row]) -> SeedSummary {
        let options = SeedOptions::default().with_fuse(None);
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
            let other = MemoryBacklog::new("other", [row.lead()]);
            self.store.seed(&other, &SeedOptions::default()).unwrap();
        }
        let seeded = self.seed(&all(&night.rows));
        if night.recovered {
            self.store.set_clock(Some(at + TimeDelta::minutes(1)));
            self.store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        }
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
