//! Several workers on one queue in random interleavings: what a batch does is cut in two by what others do
//! while it is resolved.
//!
//! There is no model that would know who wins each race. What must hold in any order is checked after each step:
//! no lead is lost, every lead is in one state, links, origins and queue agree, the ledger is the sum of what the
//! commands said that they did, and a day that is rolled up never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use recovery_queue::testing::{check_invariants, minute};
use recovery_queue::*;

use crate::support::backends::{events, is_sqlite};

#[derive(Clone, Debug)]
enum Step {
    Seed {
        keys: BTreeSet<u8>,
        version: u8,
    },
    Recover {
        worker: usize,
        limit: u8,
        size: u8,
        leased: bool,
        answers: u64,
        during: Vec<Step>,
    },
    Wake {
        key: u8,
    },
    Link {
        key: u8,
        person: u8,
    },
    Unlink {
        key: u8,
    },
    Move {
        key: u8,
        person: u8,
    },
    /// The clock jumps, back too.
    Clock {
        minutes: i16,
    },
    RollUp {
        prune: bool,
    },
}

const KEYS: u8 = 16;

fn simple() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (prop::collection::btree_set(0..KEYS, 4..16), 0_u8..3)
            .prop_map(|(keys, version)| Step::Seed { keys, version }),
        1 => (0_u8..4).prop_map(|key| Step::Wake { key }),
        1 => (0..KEYS, 0_u8..4).prop_map(|(key, person)| Step::Link { key, person }),
        1 => (0..KEYS).prop_map(|key| Step::Unlink { key }),
        1 => (0..KEYS, 0_u8..4).prop_map(|(key, person)| Step::Move { key, person }),
        2 => (-400_i16..2000).prop_map(|minutes| Step::Clock { minutes }),
        1 => any::<bool>().prop_map(|prune| Step::RollUp { prune }),
    ]
}

fn recover(during: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Step> {
    (0_usize..3, 1_u8..16, 1_u8..8, any::<bool>(), any::<u64>(), during).prop_map(
        |(worker, limit, size, leased, answers, during)| Step::Recover {
            worker,
            limit,
            size,
            leased,
            answers,
            during,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let inner = prop_oneof![1 => simple(), 1 => recover(Just(Vec::new()))];
    let outer = prop_oneof![
        1 => simple(),
        2 => recover(prop::collection::vec(inner, 0..4)),
    ];
    prop::collection::vec(outer, 1..10)
}

fn pk(key: u8) -> SourcePk {
    SourcePk::new(format!("L{key:02}")).unwrap()
}

fn person(key: u8) -> PersonKey {
    PersonKey::new(format!("P{key}")).unwrap()
}

/// The queue, its workers, and what they said that they did.
struct World {
    workers: Vec<SqlStore>,
    /// Reads only.
    witness: SqlStore,
    now: i64,
    seeded: BTreeSet<u8>,
    said: BTreeMap<EventKind, u64>,
    /// Days that are rolled up, as they were told.
    told: BTreeMap<NaiveDate, DailyMetrics>,
    /// Runs that an error ended, once their figures are in `said`.
    failed: BTreeSet<RunId>,
    /// Whether a batch's transaction is open: others must not wait for it, for it waits for them.
    open: bool,
}

impl World {
    fn new(mut store: SqlStore) -> Self {
        let postgres = !is_sqlite(&store.connection());
        let mut workers: Vec<SqlStore> = (0..3).map(|_| store.reopen().unwrap()).collect();
        if postgres {
            for worker in &mut workers {
                crate::support::backends::script(worker, "SET lock_timeout = '30ms'");
            }
        }
        let said = EventKind::ALL.map(|kind| (kind, 0)).into();
        let (seeded, told) = (BTreeSet::new(), BTreeMap::new());
        let failed = BTreeSet::new();
        Self { workers, witness: store, now: 0, seeded, said, told, failed, open: false }
    }

    fn say(&mut self, kind: EventKind, leads: u64) {
        *self.said.entry(kind).or_default() += leads;
    }

    fn status(&mut self, key: u8) -> Option<Status> {
        let (lead, mut status) = (pk(key), None);
        let find = &mut |row: QueueRow| {
            if row.source_pk == lead {
                status = Some(row.status);
            }
        };
        self.witness.snapshot().unwrap().queue(find).unwrap();
        status
    }

    fn step(&mut self, step: &Step, at: usize) {
        for store in self.workers.iter_mut().chain([&mut self.witness]) {
            store.set_clock(Some(minute(self.now)));
        }
        let decider = Decider { by: "tester", reason: "a test" };
        match step {
            Step::Seed { keys, version } => {
                let leads = keys.iter().map(|&key| {
                    BacklogLead::new(pk(key), minute(-10_000 + i64::from(key % 5) * 60))
                        .with_version(version.to_string())
                        .with_priority(i32::from(key % 2))
                });
                let backlog = InMemoryBacklog::new("all", leads);
                if let Ok(seed) = self.workers[at].seed(&backlog, &SeedOptions::default()) {
                    self.seeded.extend(keys);
                    let arrival =
                        if seed.opening { EventKind::Opening } else { EventKind::Arrived };
                    self.say(arrival, seed.arrived);
                    self.say(EventKind::Reopened, seed.reopened);
                    self.say(EventKind::Withdrawn, seed.withdrawn);
                    self.say(EventKind::Leaked, seed.new_leaks);
                }
            }
            Step::Recover { worker, limit, size, leased, answers, during } => {
                let mut options = RecoverOptions::default();
                options.limit = Some(u64::from(*limit));
                options.batch_size = u32::from(*size);
                options.max_attempts = 2;
                options.max_reconnects = 0;
                if *leased {
                    options.claim = ClaimMode::Lease { ttl: Duration::from_mins(5) };
                }
                self.recover((at + worker) % 3, &options, *answers, during);
            }
            Step::Wake { key } => {
                let woken = self.workers[at].wake(&[format!("k{key}")]).unwrap_or(0);
                self.say(EventKind::Reopened, woken);
            }
            Step::Link { key, person: to } => {
                let before = self.status(*key);
                if self.workers[at].link(&pk(*key), &person(*to), decider).is_ok()
                    && matches!(before, Some(Status::Pending | Status::Failed))
                {
                    self.say(EventKind::Matched, 1);
                }
            }
            Step::Unlink { key } => {
                if self.workers[at].unlink(&pk(*key), decider).is_ok() {
                    self.say(EventKind::Arrived, 1);
                }
            }
            Step::Move { key, person: to } => {
                let _ = self.workers[at].move_link(&pk(*key), &person(*to), decider);
            }
            Step::Clock { minutes } => self.now += i64::from(*minutes),
            Step::RollUp { prune } => {
                let until = minute(self.now);
                if self.workers[at].roll_up(until, prune.then_some(until)).is_ok() {
                    let today = until.date_naive();
                    let from = today - TimeDelta::days(3);
                    let days = self.days(from, today - TimeDelta::days(1));
                    for day in days {
                        self.told.entry(day.date).or_insert(day);
                    }
                }
            }
        }
    }

    fn recover(&mut self, at: usize, options: &RecoverOptions, answers: u64, during: &[Step]) {
        let sqlite = is_sqlite(&self.witness.connection());
        let in_transaction = options.claim == ClaimMode::Transaction;
        // SQLite has one writer: while a batch's transaction is open nobody else writes.
        let nested = !(self.open || sqlite && in_transaction);
        let mut store = self.workers[at].reopen().unwrap();
        if !sqlite {
            crate::support::backends::script(&mut store, "SET lock_timeout = '30ms'");
        }
        let was_open = std::mem::replace(&mut self.open, true);
        let mut steps = during.iter();
        let mut resolver = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
            if nested && let Some(step) = steps.next() {
                self.step(step, (at + 1) % 3);
            }
            Ok(leads
                .iter()
                .map(|lead| {
                    let key: u8 = lead.source_pk.as_str()[1..].parse().unwrap();
                    match (answers >> (key % 16 * 3)) & 7 {
                        0..=2 => Resolution::matched(person(key % 4), "PHONE_EXACT", "high"),
                        3 => Resolution::error("down"),
                        _ => Resolution::unmatched(FailReason::NoCandidates)
                            .with_wake_keys(vec![format!("k{}", key % 4)]),
                    }
                })
                .collect())
        };
        let run = store.recover(&mut resolver, options);
        self.open = was_open;
        // An error (a row that somebody else holds) may come after some batches; the ledger knows of them.
        if let Ok(run) = run {
            self.say(EventKind::Matched, run.matched);
            self.say(EventKind::Failed, run.failed_total());
            self.say(EventKind::Retried, run.retried);
        } else {
            assert!(!sqlite, "{run:?}");
            let runs = self.witness.snapshot().unwrap().runs(1000).unwrap();
            let new = |run: &&RunRecord| {
                run.outcome == Some(RunOutcome::Failed) && !self.failed.contains(&run.run_id)
            };
            let failed = runs.iter().find(new).unwrap();
            self.failed.insert(failed.run_id);
            for kind in [EventKind::Matched, EventKind::Failed, EventKind::Retried] {
                self.say(kind, failed.events.get(kind.code()).copied().unwrap_or_default());
            }
        }
    }

    fn days(&mut self, from: NaiveDate, to: NaiveDate) -> Vec<DailyMetrics> {
        self.witness.snapshot().unwrap().daily_metrics(from, to, chrono_tz::UTC).unwrap()
    }

    fn check(&mut self, step: &Step) {
        check_invariants(&mut self.witness);
        let mut keys = Vec::new();
        let take = &mut |row: QueueRow| keys.push(row.source_pk);
        self.witness.snapshot().unwrap().queue(take).unwrap();
        let seeded: Vec<SourcePk> = self.seeded.iter().map(|&key| pk(key)).collect();
        assert_eq!(keys, seeded, "each lead is there once: {step:?}");
        assert_eq!(events(&mut self.witness), self.said, "{step:?}");
        if let (Some(first), Some(last)) = (self.told.keys().next(), self.told.keys().last()) {
            let now = self.days(*first, *last);
            for day in self.told.values() {
                assert!(now.contains(day), "a day that was told has changed: {day:?} {step:?}");
            }
        }
        guarded(&mut self.witness);
    }
}

#[cfg(feature = "guardrails")]
fn guarded(store: &mut SqlStore) {
    use guardrails::recovery::{Invariant, RecoveryFacts};
    let backlog = InMemoryBacklog::new("all", []);
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    for invariant in [
        Invariant::MATCHED_HAS_ORIGIN,
        Invariant::ORIGIN_HAS_LINK,
        Invariant::MATCHED_HAS_LINK,
        Invariant::LINK_TO_SAME_PERSON,
        Invariant::LEDGER_AGREES_WITH_QUEUE,
    ] {
        let found = facts.offenders(invariant, 3).unwrap();
        assert_eq!(found.total, 0, "{invariant:?}: {found:?}");
    }
    let ledger = facts.ledger().unwrap();
    assert_eq!(ledger.open_by_ledger, ledger.open_by_queue);
}

#[cfg(not(feature = "guardrails"))]
fn guarded(_: &mut SqlStore) {}

fn interleave(store: SqlStore, steps: &[Step]) {
    let mut world = World::new(store);
    for step in steps {
        world.step(step, 0);
        world.check(step);
    }
}

/// More cases for a long run: `RECOVERY_QUEUE_INTERLEAVINGS`.
fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("RECOVERY_QUEUE_INTERLEAVINGS")
        .map_or(cases, |text| text.parse().expect("a number of cases"));
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn workers_in_any_interleaving_lose_and_double_nothing_on_sqlite(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        interleave(crate::loop_on_sqlite::open(&dir), &steps);
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn workers_in_any_interleaving_lose_and_double_nothing_on_postgres(steps in steps()) {
        if let Some(server) = crate::support::server::shared() {
            interleave(crate::support::server::store(server), &steps);
        }
    }
}
