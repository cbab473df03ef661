//! The candidate index as tables: the same answers as in memory, on SQLite and on PostgreSQL.

use identity_matching::conformance::{self, IndexChange, Population};
use identity_matching::index::{
    CandidateIndex, CandidateRead, Holders, InRead, IndexError, IndexKey, IndexedPerson, PersonId,
};
use identity_matching::{
    DeterministicMatcher, HashKey, Matcher, Normalised, Normaliser, Policy, Record, Region, Rule,
};
use proptest::prelude::*;
use recovery_queue::*;

use crate::loop_on_sqlite::open;
#[cfg(feature = "postgres")]
use crate::support::server;

const SECRET: HashKey = HashKey::new(*b"a secret of 16 B");

/// Gives empty indexes on SQLite, each under a prefix of its own.
struct Sqlite {
    dir: tempfile::TempDir,
    stores: u32,
}

impl Sqlite {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), stores: 0 }
    }

    fn index(&mut self) -> SqlIndex<'static> {
        self.stores += 1;
        let path = self.dir.path().join(format!("index_{}.sqlite", self.stores));
        let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
        let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
        store.migrate().unwrap();
        store.candidate_index(SECRET, &normaliser()).unwrap()
    }
}

fn filled(mut index: SqlIndex<'static>, population: &Population) -> SqlIndex<'static> {
    for part in population.chunks(64) {
        let records: Vec<(&str, &Normalised)> =
            part.iter().map(|(person, record)| (person.as_str(), record)).collect();
        index.insert(&records).unwrap();
    }
    index
}

fn changed(mut index: SqlIndex<'static>, batches: &[Vec<IndexChange>]) -> SqlIndex<'static> {
    for change in batches.iter().flatten() {
        match change {
            IndexChange::Insert(person, record) => index.insert(&[(person, record)]).unwrap(),
            IndexChange::Replace(person, record) => index.replace(&[(person, record)]).unwrap(),
            IndexChange::Remove(person) => drop(index.remove(&[person]).unwrap()),
            _ => unreachable!("no other change"),
        }
    }
    index
}

#[test]
fn the_index_in_sqlite_conforms() {
    let mut sqlite = Sqlite::new();
    conformance::run(|population| filled(sqlite.index(), population));
}

#[cfg(feature = "postgres")]
#[test]
fn the_index_in_postgres_conforms() {
    if let Some(server) = server::shared() {
        conformance::run(|population| {
            filled(
                server::store(server).candidate_index(SECRET, &normaliser()).unwrap(),
                population,
            )
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_in_sqlite_decides_as_the_one_in_memory(seed: u64, size in 0_u64..80, values in 1_u64..40) {
        let mut sqlite = Sqlite::new();
        conformance::run_drawn(seed, size, values, |population| filled(sqlite.index(), population));
        conformance::run_changed(seed, |population, batches| {
            changed(filled(sqlite.index(), population), batches)
        });
    }
}

#[cfg(feature = "postgres")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 5, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_in_postgres_decides_as_the_one_in_memory(seed: u64, size in 0_u64..80, values in 1_u64..40) {
        let Some(server) = server::shared() else { return Ok(()) };
        let index = || server::store(server).candidate_index(SECRET, &normaliser()).unwrap();
        conformance::run_drawn(seed, size, values, |population| filled(index(), population));
        conformance::run_changed(seed, |population, batches| {
            changed(filled(index(), population), batches)
        });
    }
}

fn normaliser() -> Normaliser {
    Normaliser::for_region(Region::parse("PE").unwrap())
}

fn ana() -> Record {
    Record {
        phones: vec!["987654312".into()],
        emails: vec!["ana.rojas@correo.pe".into()],
        name: Some("Ana Rojas".into()),
        plate: Some("ABC-123".into()),
        ..Record::default()
    }
}

#[test]
fn the_tables_hold_no_identifier_in_plain_and_are_read_with_their_secret_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut index = store.candidate_index(SECRET, &normaliser()).unwrap();
    index.insert(&[("P-1", &normaliser().normalise(&ana()))]).unwrap();
    let lead = Record { phones: Vec::new(), emails: Vec::new(), ..ana() };
    let matcher = DeterministicMatcher::new(index, normaliser(), Policy::default()).unwrap();
    let decision = matcher.decide_one(&lead).unwrap();
    assert_eq!(decision.evidence.candidates[0].rule, Some(Rule::PLATE_NAME));
    drop((matcher, store.reopen().unwrap()));
    let refused = store.candidate_index(HashKey::default(), &normaliser()).unwrap_err();
    assert!(refused.to_string().contains("another one"), "{refused}");
    let number = 51_987_654_312_u64.to_be_bytes();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for plain in [&b"987654312"[..], &number[3..], b"rojas", b"correo.pe", b"ABC"] {
            let found = bytes.windows(plain.len()).any(|window| window == plain);
            assert!(!found, "{}", String::from_utf8_lossy(plain));
        }
    }
}

/// Changes the index in a transaction of the caller's, which is rolled back and then committed.
fn joins_the_callers_transaction<C: diesel::Connection>(connection: &mut C, store: &SqlStore)
where
    for<'c> Conn<'c>: From<&'c mut C>,
{
    let insert = |connection: &mut C, then: Result<(), StoreError>| {
        connection.transaction(|connection| {
            let mut index =
                BorrowedStore::on(Conn::from(connection)).candidate_index(SECRET, &normaliser())?;
            index.insert(&[("P-1", &normaliser().normalise(&ana()))])?;
            assert_eq!(index.persons_total()?, 1, "the transaction itself sees it");
            then
        })
    };
    let opened = || store.candidate_index(SECRET, &normaliser()).unwrap();
    drop(opened());
    let rolled_back = ConfigError::new("the caller", "…", "thinks better of it", "nothing");
    insert(connection, Err(rolled_back.into())).unwrap_err();
    assert_eq!(opened().persons_total().unwrap(), 0);
    insert(connection, Ok(())).unwrap();
    let matcher = DeterministicMatcher::new(opened(), normaliser(), Policy::default()).unwrap();
    assert_eq!(matcher.decide_one(&ana()).unwrap().outcome.person(), Some("P-1"));
}

#[test]
fn a_change_of_the_index_joins_the_callers_transaction() {
    use diesel::Connection as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    let mut sqlite = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    joins_the_callers_transaction(&mut sqlite, &store);
    #[cfg(feature = "postgres")]
    if let Some(server) = server::with(&[]) {
        let url = DatabaseUrl::parse(server.url()).unwrap();
        let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
        store.migrate().unwrap();
        let mut postgres = diesel::PgConnection::establish(server.url()).unwrap();
        joins_the_callers_transaction(&mut postgres, &store);
    }
}

#[test]
fn keys_of_another_reading_are_refused_and_never_missed_in_silence() {
    use diesel::connection::SimpleConnection as _;
    use diesel::prelude::*;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index.sqlite");
    let path = path.to_str().unwrap();
    let url = DatabaseUrl::parse(path).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    drop(store.candidate_index(SECRET, &normaliser()).unwrap());
    drop(store.candidate_index(SECRET, &normaliser()).unwrap());
    // As a version before the readings were numbered left it.
    SqliteConnection::establish(path)
        .unwrap()
        .batch_execute("UPDATE queue_index SET secret_mark = substr(secret_mark, 1, 24)")
        .unwrap();
    let refused = store.candidate_index(SECRET, &normaliser()).err().unwrap().to_string();
    assert!(refused.contains("reading of the candidate index"), "{refused}");
    // As the version before fingerprints left it: with the number of its reading.
    SqliteConnection::establish(path)
        .unwrap()
        .batch_execute("UPDATE queue_index SET secret_mark = secret_mark || '.3'")
        .unwrap();
    let refused = store.candidate_index(SECRET, &normaliser()).err().unwrap().to_string();
    assert!(refused.contains("reading of the candidate index"), "{refused}");
    let refused =
        store.candidate_index(HashKey::new([7; 16]), &normaliser()).err().unwrap().to_string();
    assert!(refused.contains("secret of the candidate index"), "{refused}");
}

/// An index of another region is refused until it is made anew, and so is whoever has the former one open.
fn is_rebuilt(store: &SqlStore) {
    let chile = Normaliser::for_region(Region::parse("CL").unwrap());
    let fill =
        |index: &mut SqlIndex<'static>| index.insert(&[("P-1", &normaliser().normalise(&ana()))]);
    let mut former = store.candidate_index(SECRET, &chile).unwrap();
    former.insert(&[("P-9", &chile.normalise(&ana()))]).unwrap();
    let refused = store.candidate_index(SECRET, &normaliser()).unwrap_err();
    assert!(refused.to_string().contains("rebuild_candidate_index"), "{refused}");

    let broken_off = store.rebuild_candidate_index(SECRET, &normaliser(), |index| {
        fill(index)?;
        let early = store.candidate_index(SECRET, &normaliser()).unwrap_err();
        assert!(early.to_string().contains("is being rebuilt"), "{early}");
        Err::<(), _>(StoreError::NotFound { what: "population", key: "file".into() })
    });
    assert!(matches!(broken_off, Err(StoreError::NotFound { .. })));
    let refused = store.candidate_index(SECRET, &normaliser()).unwrap_err();
    assert!(refused.to_string().contains("broken off"), "{refused}");

    let mut overtaken = None;
    let slow = store.rebuild_candidate_index(SECRET, &normaliser(), |index| {
        fill(index)?;
        overtaken = Some(store.rebuild_candidate_index(SECRET, &normaliser(), fill)?);
        Ok::<_, StoreError>(())
    });
    assert!(slow.unwrap_err().to_string().contains("open it again"));
    let rebuilt = overtaken.unwrap();
    let decide = |index| {
        let matcher = DeterministicMatcher::new(index, normaliser(), Policy::default()).unwrap();
        matcher.decide_one(&ana())
    };
    assert_eq!(decide(rebuilt).unwrap().outcome.person(), Some("P-1"));
    let opened = store.candidate_index(SECRET, &normaliser()).unwrap();
    assert_eq!(decide(opened).unwrap().outcome.person(), Some("P-1"));
    let refused = former.insert(&[("P-8", &chile.normalise(&ana()))]).unwrap_err();
    assert!(refused.to_string().contains("open it again"), "{refused}");
    let refused = decide(former).unwrap_err();
    assert!(refused.to_string().contains("open it again"), "{refused}");
}

#[test]
fn an_index_of_another_reading_is_made_anew_in_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    is_rebuilt(&open(&dir));
}

#[cfg(feature = "postgres")]
#[test]
fn an_index_of_another_reading_is_made_anew_in_postgres() {
    if let Some(server) = server::shared() {
        is_rebuilt(&server::store(server));
    }
}

#[test]
fn a_value_that_many_hold_is_counted_exactly_as_they_come_and_go() {
    let mut index = Sqlite::new().index();
    let record = normaliser().normalise(&Record { phones: ana().phones, ..Record::default() });
    let names: Vec<String> = (0..250).map(|n| format!("P-{n}")).collect();
    let total = |index: &SqlIndex<'static>, limit| {
        let key = index.as_held(IndexKey::from(record.keys()[0].key));
        let mut found = (0, 0);
        let report = &mut |_, held: Holders<'_>| found = (held.total, held.persons.len());
        index.read(&mut |read| read.holders(&[key], limit, report)).unwrap();
        found
    };
    for (step, held) in [(0..60, 60), (60..101, 101), (101..250, 250)] {
        let batch: Vec<(&str, &Normalised)> =
            names[step].iter().map(|name| (name.as_str(), &record)).collect();
        index.insert(&batch).unwrap();
        assert_eq!((total(&index, 50), total(&index, 1000)), ((held, 0), (held, held as usize)));
    }
    for (step, held) in [(0..100, 150), (100..151, 99), (151..250, 0)] {
        let batch: Vec<&str> = names[step].iter().map(String::as_str).collect();
        assert_eq!(index.remove(&batch).unwrap(), batch.len() as u64);
        assert_eq!(total(&index, 1000), (held, held as usize));
    }
    assert_eq!(index.persons_total().unwrap(), 0);

    // Filled anew, in parts, and changed after it.
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(&dir)
        .rebuild_candidate_index(SECRET, &normaliser(), |index| {
            names[..150].chunks(40).try_for_each(|part| {
                let batch: Vec<_> = part.iter().map(|name| (name.as_str(), &record)).collect();
                index.insert(&batch)
            })
        })
        .unwrap();
    assert_eq!((total(&index, 50), total(&index, 1000)), ((150, 0), (150, 150)));
    index.insert(&[("P-150", &record)]).unwrap();
    assert_eq!(total(&index, 50), (151, 0));
    index.remove(&names[..60].iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    assert_eq!(total(&index, 1000), (91, 91));
}

/// An index whose persons another connection removes as soon as their keys were looked up.
struct Meddled {
    index: SqlIndex<'static>,
    other: std::sync::Mutex<SqlIndex<'static>>,
}

impl CandidateIndex for Meddled {
    fn as_held(&self, key: IndexKey) -> IndexKey {
        self.index.as_held(key)
    }

    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        self.index.read(&mut |read| look_up(&mut MeddledRead { read, other: &self.other }))
    }
}

struct MeddledRead<'a> {
    read: &'a mut dyn CandidateRead,
    other: &'a std::sync::Mutex<SqlIndex<'static>>,
}

impl CandidateRead for MeddledRead<'_> {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        self.read.holders(keys, limit, report)?;
        self.other.lock().unwrap().remove(&["P-1"]).unwrap();
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        self.read.persons(ids, report)
    }
}

fn a_batch_sees_one_state(store: &SqlStore) {
    let mut index = store.candidate_index(SECRET, &normaliser()).unwrap();
    index.insert(&[("P-1", &normaliser().normalise(&ana()))]).unwrap();
    let other = std::sync::Mutex::new(store.candidate_index(SECRET, &normaliser()).unwrap());
    let matcher =
        DeterministicMatcher::new(Meddled { index, other }, normaliser(), Policy::default())
            .unwrap();
    let found = matcher.decide_one(&ana()).unwrap();
    assert_eq!(found.outcome.person(), Some("P-1"), "the population as the batch found it");
    let gone = matcher.decide_one(&ana()).unwrap();
    assert_eq!(gone.outcome.code(), "NO_CANDIDATES");
}

#[test]
fn a_person_who_is_removed_while_a_batch_is_decided_in_sqlite_is_there_until_its_end() {
    let dir = tempfile::tempdir().unwrap();
    a_batch_sees_one_state(&open(&dir));
}

#[cfg(feature = "postgres")]
#[test]
fn a_person_who_is_removed_while_a_batch_is_decided_in_postgres_is_there_until_its_end() {
    if let Some(server) = server::shared() {
        a_batch_sees_one_state(&server::store(server));
    }
}

#[test]
fn a_refused_key_changes_nothing_and_a_person_that_is_gone_is_an_error_to_try_again() {
    let mut index = Sqlite::new().index();
    let record = normaliser().normalise(&ana());
    assert!(index.insert(&[("P-1", &record), ("", &record)]).is_err());
    assert!(index.replace(&[("P\0", &record)]).is_err());
    assert_eq!(index.persons_total().unwrap(), 0);
    assert_eq!(index.remove(&["", "nobody", "P\0"]).unwrap(), 0);
    index.insert(&[("P-1", &record)]).unwrap();
    let ids = [PersonId::new(1), PersonId::new(7)];
    let gone = index.read(&mut |read| read.persons(&ids, &mut |_, _| {}));
    assert!(matches!(gone, Err(IndexError::Unavailable { .. })), "{gone:?}");
}
