//! The public conformance suite on every store that this crate has.

use proptest::prelude::*;
use recovery_queue::testing::{TestStore, check_all, check_invariants, minute};
use recovery_queue::*;

#[cfg(feature = "postgres")]
use crate::support::server;

#[test]
fn the_store_in_memory_conforms() {
    check_all(&mut InMemoryStore::new);
}

#[cfg(feature = "sqlite")]
#[test]
fn the_store_in_sqlite_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let mut stores = 0;
    check_all(&mut || {
        stores += 1;
        sqlite(&dir, stores)
    });
}

#[cfg(feature = "postgres")]
#[test]
fn the_store_in_postgres_conforms() {
    if let Some(server) = server::shared() {
        check_all(&mut || server::store(server));
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(dir: &tempfile::TempDir, number: u32) -> SqlStore {
    let path = dir.path().join(format!("conformance_{number}.sqlite"));
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    store
}

/// A store with links and leads by hand.
trait Full: TestStore + LinkStore + LeadStore {}
impl<S: TestStore + LinkStore + LeadStore> Full for S {}

/// A command that the model and a real store take alike.
#[derive(Clone, Debug)]
enum Command {
    Seed { keys: Vec<(u8, u8)> },
    Recover { limit: u8, size: u8, answers: u64 },
    Wake { key: u8 },
    Link { key: u8, person: u8 },
    Unlink { key: u8 },
    Move { key: u8, person: u8 },
    Reopen { key: u8 },
    ReopenAll,
    Cancel { key: u8 },
    Forget { key: u8 },
    ForgetPerson { person: u8 },
    Wait { minutes: u16 },
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => prop::collection::vec((0_u8..24, 0_u8..3), 0..30).prop_map(|keys| Command::Seed { keys }),
        4 => (1_u8..30, 1_u8..9, any::<u64>())
            .prop_map(|(limit, size, answers)| Command::Recover { limit, size, answers }),
        1 => (0_u8..6).prop_map(|key| Command::Wake { key }),
        1 => (0_u8..24, 0_u8..4).prop_map(|(key, person)| Command::Link { key, person }),
        1 => (0_u8..24).prop_map(|key| Command::Unlink { key }),
        1 => (0_u8..24, 0_u8..4).prop_map(|(key, person)| Command::Move { key, person }),
        1 => (0_u8..24).prop_map(|key| Command::Reopen { key }),
        1 => Just(Command::ReopenAll),
        1 => (0_u8..24).prop_map(|key| Command::Cancel { key }),
        1 => (0_u8..24).prop_map(|key| Command::Forget { key }),
        1 => (0_u8..4).prop_map(|person| Command::ForgetPerson { person }),
        2 => (1_u16..2000).prop_map(|minutes| Command::Wait { minutes }),
    ]
}

fn pk(key: u8) -> SourcePk {
    SourcePk::new(format!("L{key:02}")).unwrap()
}

fn person(key: u8) -> PersonKey {
    PersonKey::new(format!("P{key}")).unwrap()
}

/// Runs one command and tells what came of it, as text.
fn run(store: &mut dyn Full, now: &mut i64, command: &Command) -> String {
    let decider = Decider { by: "tester", reason: "on request" };
    match command {
        Command::Seed { keys } => {
            let leads = keys.iter().map(|&(key, version)| {
                BacklogLead::new(pk(key), minute(-10_000 + i64::from(key % 5) * 60))
                    .with_version(version.to_string())
                    .with_priority(i32::from(key % 2))
            });
            let summary = store.seed(&InMemoryBacklog::new("all", leads), &SeedOptions::default());
            format!("{:?}", summary.unwrap())
        }
        Command::Recover { limit, size, answers } => {
            let mut resolver = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
                Ok(leads
                    .iter()
                    .map(|lead| {
                        let key: u8 = lead.source_pk.as_str()[1..].parse().unwrap();
                        match (answers >> (key % 20 * 3)) & 7 {
                            0..=2 => Resolution::matched(person(key % 4), "PHONE_EXACT", "high"),
                            3 => Resolution::error("down"),
                            4 => Resolution::unmatched(FailReason::MissingIdentifiers),
                            _ => Resolution::unmatched(FailReason::NoCandidates)
                                .with_wake_keys(vec![format!("k{}", key % 6)]),
                        }
                    })
                    .collect())
            };
            let mut options = RecoverOptions::default();
            options.limit = Some(u64::from(*limit));
            options.batch_size = u32::from(*size);
            options.max_attempts = 2;
            format!("{:?}", store.recover(&mut resolver, &options).unwrap())
        }
        Command::Wake { key } => format!("{:?}", store.wake(&[format!("k{key}")])),
        Command::Link { key, person: to } => {
            format!("{:?}", store.link(&pk(*key), &person(*to), decider))
        }
        Command::Unlink { key } => format!("{:?}", store.unlink(&pk(*key), decider)),
        Command::Move { key, person: to } => {
            format!("{:?}", store.move_link(&pk(*key), &person(*to), decider))
        }
        Command::Reopen { key } => {
            format!("{:?}", store.reopen_leads(Reopen::Keys(&[pk(*key)]), decider))
        }
        Command::ReopenAll => {
            let all = Reopen::Reason(FailReason::NoCandidates);
            format!("{:?}", store.reopen_leads(all, decider))
        }
        Command::Cancel { key } => format!("{:?}", store.cancel(&[pk(*key)], decider)),
        Command::Forget { key } => {
            // How many rows a lead has is the store's affair.
            format!(
                "{:?}",
                store.forget(Forget::Lead(&pk(*key)), decider).map(|done| done.evidence)
            )
        }
        Command::ForgetPerson { person: key } => {
            let done = store.forget(Forget::Person(&person(*key)), decider);
            format!("{:?}", done.map(|done| (done.evidence, done.reopened)))
        }
        Command::Wait { minutes } => {
            *now += i64::from(*minutes);
            store.set_clock(minute(*now));
            String::new()
        }
    }
}

/// Gives everything that a store shows, as text.
fn contents(store: &mut dyn Full) -> Vec<String> {
    let mut rows = Vec::new();
    let mut snapshot = store.snapshot().unwrap();
    snapshot.queue(&mut |row| rows.push(format!("{row:?}"))).unwrap();
    snapshot.links(&mut |row| rows.push(format!("{row:?}"))).unwrap();
    snapshot
        .origins(&mut |row| rows.push(format!("{:?} {:?}", row.person_key, row.source_pk)))
        .unwrap();
    rows.push(format!("{:?}", snapshot.status_counts().unwrap()));
    rows.push(format!("{:?}", snapshot.reason_counts().unwrap()));
    rows.push(format!("{:?}", snapshot.leaks().unwrap()));
    drop(snapshot);
    for key in (0..24).step_by(5) {
        rows.push(format!("{:?}", store.lead(&pk(key)).unwrap()));
    }
    for key in 0..2 {
        let known = store.person(&person(key)).unwrap();
        let links = known.map(|known| (known.links, known.former_links));
        rows.push(format!("{:?}", links.filter(|it| !it.0.is_empty() || !it.1.is_empty())));
    }
    rows.push(format!("{:?}", store.failed(None, None, 5).unwrap()));
    let mut snapshot = store.snapshot().unwrap();
    let from = minute(0).date_naive();
    let zone = chrono_tz::Asia::Kathmandu;
    let to = from + chrono::TimeDelta::days(20);
    for day in snapshot.daily_metrics(from, to, zone).unwrap() {
        let after = day.backlog_start + day.new_backlog_in - day.matched_out - day.other_out;
        assert_eq!(day.backlog_end, after);
        rows.push(format!("{day:?}"));
    }
    rows
}

fn same_as_the_model(real: &mut dyn Full, commands: &[Command]) {
    let mut model = InMemoryStore::new();
    let (mut now, mut model_now) = (0, 0);
    real.set_clock(minute(0));
    model.set_clock(minute(0));
    for command in commands {
        let told = run(real, &mut now, command);
        assert_eq!(told, run(&mut model, &mut model_now, command), "{command:?}");
        check_invariants(real);
        let (left, right) = (contents(real), contents(&mut model));
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(left, right, "{command:?}");
        }
        assert_eq!(left.len(), right.len(), "{command:?}");
    }
}

/// Of two leads created together the first by key is the origin, whatever their priority.
#[cfg(feature = "sqlite")]
#[test]
fn priority_decides_no_origin() {
    let dir = tempfile::tempdir().unwrap();
    let commands = [
        Command::Seed { keys: vec![(20, 0), (5, 0)] },
        Command::Link { key: 20, person: 1 },
        Command::Link { key: 5, person: 1 },
    ];
    let mut store = sqlite(&dir, 1);
    same_as_the_model(&mut store, &commands);
    let mut origins = Vec::new();
    store.snapshot().unwrap().origins(&mut |row| origins.push(row.source_pk)).unwrap();
    assert_eq!(origins, [pk(5)]);
}

#[cfg(feature = "sqlite")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_does_what_the_model_does(commands in prop::collection::vec(command(), 1..14)) {
        let dir = tempfile::tempdir().unwrap();
        same_as_the_model(&mut sqlite(&dir, 1), &commands);
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn postgres_does_what_the_model_does(commands in prop::collection::vec(command(), 1..14)) {
        if let Some(server) = server::shared() {
            same_as_the_model(&mut server::store(server), &commands);
        }
    }
}
