//! The candidate index that is kept beside the queue, so that a run over few leads does not read every person.
//!
//! While one is kept, triggers note the key of each person who changes, whoever changes it. An import brings the index up to
//! date in its own transaction; a run does so before it uses the index. Where that cannot be done (another reading, notes
//! that another program holds), the persons are read as if none were kept.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use identity_matching::index::InMemoryIndex;
use identity_matching::{HashKey, Normalised, Normaliser};
use recovery_queue::{DatabaseUrl, OpenOptions, SqlIndex, SqlStore, StoreError};
use sha2::{Digest as _, Sha256};

use super::database::Database;
use super::population::{PersonKeyRow, PersonRecord};
use crate::cli::{Console, Failure};
use crate::unusable::{UnusableValues, ValueReport};

/// The mark that says whether an index is kept; its being there turns the notes of changed persons on.
const MARK: &str = "person_index";
const KEPT: &str = "kept";

/// Counts the persons who are noted as changed.
const NOTED: &str = "SELECT count(*) AS n FROM persons_changed";

/// Fewer persons are read as fast as anything else is done.
const WORTH_KEEPING: u64 = 20_000;
/// A run over more leads than one for so many persons reads the persons: a look-up costs several times what a person does.
const PERSONS_PER_LEAD: u64 = 8;
/// Changed persons that are read at once.
const PAGE: usize = 1_000;

/// Where a run looks for candidates.
#[derive(Debug)]
pub enum Candidates {
    /// All persons, read into memory, and what of them gives no key.
    Read(Box<InMemoryIndex>, ValueReport),
    /// The tables beside the queue, which each worker opens by [`Database::kept_index`]; and what of the persons gives no
    /// key, where they were made just now.
    Kept(Option<ValueReport>),
}

impl Database {
    /// Chooses where a run over `leads` leads looks for candidates; keeps an index from now on where that pays.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn candidates(
        &mut self,
        store: &SqlStore,
        normaliser: &Normaliser,
        leads: u64,
        console: &Console,
    ) -> Result<Candidates, Failure> {
        let enough = leads.saturating_mul(PERSONS_PER_LEAD);
        if self.transaction(|database| database.refresh_index(normaliser))?
            && self.has_rows("persons", enough)?
        {
            console
                .note(format_args!("the persons are looked up in the index that is kept of them"));
            return Ok(Candidates::Kept(None));
        }
        let persons = self.count("persons")?;
        let few = enough <= persons;
        if few && persons >= WORTH_KEEPING && self.map.is_none() && !self.is_index_kept()? {
            match self.keep_index(store, normaliser, persons, console) {
                Ok(Some(values)) => return Ok(Candidates::Kept(Some(values))),
                Ok(None) => {}
                Err(failure) => console.warn(format_args!(
                    "no index of the persons can be kept, so all of them are read: {failure}"
                )),
            }
        }
        let reading = console.bars().counted(persons, "persons");
        let (index, values) = self.index(normaliser, &reading)?;
        reading.finish_and_clear();
        Ok(Candidates::Read(Box::new(index), values.report()))
    }

    /// Opens the index that is kept, on a connection of its own.
    ///
    /// # Errors
    ///
    /// The database's, and an index that was made by another reading.
    pub fn kept_index(
        &mut self,
        store: &SqlStore,
        normaliser: &Normaliser,
    ) -> Result<SqlIndex<'static>, Failure> {
        Ok(store.candidate_index(self.index_secret()?, normaliser)?)
    }

    /// Opens the index that is kept for somebody who only looks; none where none is kept, or it is not up to date.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn kept_index_to_read(
        &mut self,
        url: &DatabaseUrl,
        normaliser: &Normaliser,
    ) -> Result<Option<SqlIndex<'static>>, Failure> {
        if !self.has_table("persons_changed")? || !self.is_index_kept()? || self.number(NOTED)? > 0
        {
            return Ok(None);
        }
        let store = SqlStore::open(&url.clone().read_only(), OpenOptions::default())?;
        match store.candidate_index(self.index_secret()?, normaliser) {
            Ok(index) => Ok(Some(index)),
            Err(StoreError::Config(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings the index that is kept up to date, in the transaction that is open; says whether there is one and it is.
    pub(super) fn refresh_index(&mut self, normaliser: &Normaliser) -> Result<bool, Failure> {
        if !self.is_index_kept()? {
            return Ok(false);
        }
        let noted = self.number(NOTED)?;
        if noted == 0 {
            return Ok(true);
        }
        let secret = self.index_secret()?;
        let persons = match self.queue().candidate_index(secret, normaliser) {
            Ok(mut index) => index.persons_total()?,
            // Of another reading, or being made anew.
            Err(StoreError::Config(_)) => return self.give_index_up(),
            Err(error) => return Err(error.into()),
        };
        if noted.unsigned_abs().saturating_mul(PERSONS_PER_LEAD) > persons.max(WORTH_KEEPING) {
            return self.give_index_up();
        }
        // What another program changes at this moment it notes anew, and is not waited for.
        let skip = if self.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" };
        loop {
            let changed: Vec<PersonKeyRow> = self.load(&format!(
                "SELECT person_key FROM persons_changed ORDER BY person_key LIMIT {PAGE}{skip}"
            ))?;
            if changed.is_empty() {
                break;
            }
            let changed: Vec<&str> = changed.iter().map(|row| row.person_key.as_str()).collect();
            self.refresh_persons(&changed, secret, normaliser)?;
            let of_keys = self.json_texts();
            self.execute_json(
                &format!("DELETE FROM persons_changed WHERE person_key IN {of_keys}"),
                &changed,
            )?;
        }
        Ok(self.number(NOTED)? == 0)
    }

    /// Puts what is known of these persons now into the index.
    fn refresh_persons(
        &mut self,
        changed: &[&str],
        secret: HashKey,
        normaliser: &Normaliser,
    ) -> Result<(), Failure> {
        let records = self.records_in("persons", changed)?;
        let there = normalised(&records, normaliser, |_, _| ());
        let known: BTreeSet<&str> = there.iter().map(|(person, _)| person.as_str()).collect();
        let gone: Vec<&str> =
            changed.iter().copied().filter(|person| !known.contains(person)).collect();
        let mut index = self.queue().candidate_index(secret, normaliser)?;
        index.replace(&borrowed(&there))?;
        index.remove(&gone)?;
        Ok(())
    }

    /// Makes the index of all persons, and keeps it from now on; gives what of them gives no key, unless another program
    /// has begun to make it anew.
    fn keep_index(
        &mut self,
        store: &SqlStore,
        normaliser: &Normaliser,
        persons: u64,
        console: &Console,
    ) -> Result<Option<ValueReport>, Failure> {
        let building = format!("building {:016x}", rand::random::<u64>());
        self.transaction(|database| {
            // Who writes persons at this moment has noted nothing: he is waited for.
            if database.is_postgres() {
                database.execute("LOCK TABLE persons IN SHARE MODE")?;
            }
            database.keep(MARK, &building)?;
            database.execute("DELETE FROM persons_changed")
        })?;
        console.note(format_args!(
            "an index of the {persons} persons is made, once: from now on it is brought up to date by who changes"
        ));
        let reading = console.bars().counted(persons, "index");
        let secret = self.index_secret()?;
        let mut values = UnusableValues::of("persons");
        store.rebuild_candidate_index(secret, normaliser, |index| {
            self.persons(|page| {
                let there = normalised(&page, normaliser, |person, record| {
                    values.add(&person.person_key, &person.given(), record);
                });
                index.insert(&borrowed(&there))?;
                reading.inc(page.len() as u64);
                Ok(())
            })
        })?;
        reading.finish_and_clear();
        Ok(self.keep_after(MARK, &building, KEPT)?.then(|| values.report()))
    }

    /// Keeps no index any more: the next run over few leads makes it anew.
    fn give_index_up(&mut self) -> Result<bool, Failure> {
        diesel::sql_query("DELETE FROM runner_state WHERE name = $1 AND value = $2")
            .bind::<Text, _>(MARK)
            .bind::<Text, _>(KEPT)
            .execute(&mut self.connection)?;
        self.execute("DELETE FROM persons_changed")?;
        Ok(false)
    }

    /// Says whether an index is kept; of tables of the operator's none is.
    fn is_index_kept(&mut self) -> Result<bool, Failure> {
        Ok(self.map.is_none() && self.kept(MARK)?.as_deref() == Some(KEPT))
    }

    /// The secret of the index, made from that of the wake keys.
    fn index_secret(&mut self) -> Result<HashKey, Failure> {
        let hash = Sha256::new_with_prefix(b"candidate index").chain_update(self.wake_secret()?);
        let hash: [u8; 32] = hash.finalize().into();
        let (half, _) = hash.split_first_chunk().expect("a hash of 32 bytes has a first half");
        Ok(HashKey::new(*half))
    }
}

/// Reads records of persons, and has `each` look at them.
fn normalised(
    records: &[PersonRecord],
    normaliser: &Normaliser,
    mut each: impl FnMut(&PersonRecord, &Normalised),
) -> Vec<(String, Normalised)> {
    records
        .iter()
        .map(|person| {
            let mut record = Normalised::default();
            person.given().normalise(normaliser, &mut record);
            each(person, &record);
            (person.person_key.clone(), record)
        })
        .collect()
}

fn borrowed(records: &[(String, Normalised)]) -> Vec<(&str, &Normalised)> {
    records.iter().map(|(person, record)| (person.as_str(), record)).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use identity_matching::{DeterministicMatcher, Matcher, Policy, Record, Region, Rejections};
    use proptest::prelude::*;
    use recovery_queue::{LeadStore as _, QueueStore as _, SeedOptions, ViewBacklog};

    use super::*;
    use crate::admin::{Service, in_one};
    use crate::recovery::Recovery;
    use crate::service::BACKLOG_VIEW;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        recovery: Recovery,
    }

    fn reading(region: &str) -> Normaliser {
        Normaliser::for_region(Region::parse(region).unwrap())
    }

    /// A database with its index of persons kept, and what reads it.
    struct Place {
        url: DatabaseUrl,
        store: SqlStore,
        service: Database,
        normaliser: Normaliser,
    }

    impl Place {
        fn new(url: &DatabaseUrl) -> Self {
            let (store, service) = crate::service::open(url).unwrap();
            Self { url: url.clone(), store, service, normaliser: reading("PE") }
        }

        /// Writes a person as another program would: by plain SQL.
        fn write(&mut self, person: u8, phones: &[u8]) {
            self.service
                .execute(&format!("DELETE FROM persons WHERE person_key = 'P{person}'"))
                .unwrap();
            for (record, phone) in (1..).zip(phones) {
                self.service
                    .execute(&format!(
                        "INSERT INTO persons (person_key, record, phone) \
                         VALUES ('P{person}', {record}, '9876543{phone:02}')"
                    ))
                    .unwrap();
            }
        }

        fn keep(&mut self) -> bool {
            let Self { store, service, normaliser, .. } = self;
            service.keep_index(store, normaliser, 0, &Console::new(true)).unwrap().is_some()
        }

        fn refresh(&mut self) -> bool {
            let Self { service, normaliser, .. } = self;
            service.transaction(|service| service.refresh_index(normaliser)).unwrap()
        }

        fn noted(&mut self) -> i64 {
            self.service.number(NOTED).unwrap()
        }

        /// Gives what is decided of a lead with each phone: over the index that is kept, and over all persons.
        fn decided(&mut self) -> [Vec<String>; 2] {
            let leads: Vec<Record> = (0..8)
                .map(|phone: u8| Record {
                    phones: vec![format!("9876543{phone:02}")],
                    ..Record::default()
                })
                .collect();
            let Self { store, service, normaliser, .. } = self;
            let kept = service.kept_index(store, normaliser).unwrap();
            let bar = indicatif::ProgressBar::hidden();
            let read = service.index(normaliser, &bar).unwrap().0;
            let decide = |index: Box<dyn identity_matching::index::CandidateIndex>| {
                let matcher =
                    DeterministicMatcher::new(index, normaliser.clone(), Policy::default());
                let decided = matcher.unwrap().decide(&leads, &Rejections::default()).unwrap();
                decided.iter().map(|decision| format!("{:?}", decision.outcome)).collect()
            };
            [decide(Box::new(kept)), decide(Box::new(read))]
        }
    }

    fn on_each(test: fn(Place)) {
        crate::service::testing::on_each("the kept index", |url| test(Place::new(url)));
    }

    #[test]
    fn the_index_that_is_kept_decides_as_the_persons_do_whoever_changes_them() {
        on_each(|mut place| {
            place.write(1, &[1]);
            assert_eq!(place.noted(), 0, "no index is kept yet");
            assert!(place.keep());
            let place = std::cell::RefCell::new(place);
            let changes =
                prop::collection::vec((0_u8..6, prop::collection::vec(0_u8..8, 0..3)), 1..6);
            proptest!(ProptestConfig::with_cases(40), |(changes in changes)| {
                let mut place = place.borrow_mut();
                for (person, phones) in &changes {
                    place.write(*person, phones);
                }
                prop_assert!(place.refresh());
                prop_assert_eq!(place.noted(), 0);
                let [kept, read] = place.decided();
                prop_assert_eq!(kept, read);
            });
            let mut place = place.into_inner();
            // One record of a person takes another person's key.
            place.write(1, &[1, 2]);
            place
                .service
                .execute("UPDATE persons SET person_key = 'P7' WHERE phone LIKE '%02'")
                .unwrap();
            assert!(place.noted() >= 2 && place.refresh());
            let [kept, read] = place.decided();
            assert_eq!(kept, read);
        });
    }

    #[test]
    fn who_only_looks_is_given_the_index_only_while_it_is_up_to_date() {
        on_each(|mut place| {
            let looks = |place: &mut Place, region: &str| {
                let mut service = Database::open_to_read(&place.url).unwrap();
                service.kept_index_to_read(&place.url, &reading(region)).unwrap().is_some()
            };
            assert!(!looks(&mut place, "PE"), "none is kept");
            assert!(place.keep());
            assert!(looks(&mut place, "PE"));
            assert!(!looks(&mut place, "CL"), "it is of another reading");
            place.write(1, &[1]);
            assert!(!looks(&mut place, "PE"), "somebody has changed");
            assert!(place.refresh() && looks(&mut place, "PE"));
        });
    }

    #[test]
    fn an_index_that_does_not_fit_any_more_is_given_up_and_made_anew() {
        on_each(|mut place| {
            place.write(1, &[1]);
            assert!(place.keep());
            place.write(1, &[2]);
            place.normaliser = reading("CL");
            assert!(!place.refresh(), "another region reads otherwise");
            place.write(1, &[3]);
            assert_eq!((place.service.kept(MARK).unwrap(), place.noted()), (None, 0));
            assert!(place.keep());
            assert_eq!(place.decided().concat().len(), 16);
            // Killed while it was made: a further run does not take it for whole.
            place.service.keep(MARK, "building 0").unwrap();
            place.write(1, &[4]);
            assert!(!place.refresh());
            assert!(place.keep() && place.noted() == 0);
            let [kept, read] = place.decided();
            assert_eq!(kept, read);
            if place.service.is_postgres() {
                place.service.execute("TRUNCATE persons").unwrap();
                assert!(!place.refresh(), "who is gone is not told");
            }
        });
    }

    #[test]
    fn a_change_under_way_elsewhere_is_not_waited_for_and_not_missed() {
        on_each(|mut place| {
            if !place.service.is_postgres() {
                return; // One writer at a time.
            }
            place.write(1, &[1]);
            assert!(place.keep());
            place.write(1, &[2]);
            let mut other = crate::service::open(&place.url).unwrap().1;
            other.execute("BEGIN").unwrap();
            other.execute("UPDATE persons SET phone = '987654303'").unwrap();
            assert!(!place.refresh(), "the note is in another's hand");
            other.execute("COMMIT").unwrap();
            assert!(place.refresh());
            let [kept, read] = place.decided();
            assert_eq!(kept, read);
            assert!(kept[3].contains("P1"), "{kept:?}");
        });
    }

    #[test]
    fn a_person_who_is_forgotten_leaves_no_note_and_no_row_in_the_index() {
        on_each(|mut place| {
            place.write(1, &[1]);
            assert!(place.keep());
            let tables = Service::of(&place.url, &place.store, false).unwrap();
            let key = recovery_queue::PersonKey::new("P1").unwrap();
            in_one(&mut place.store, false, |store| {
                tables.forget_person(store, &key)?;
                let asked = recovery_queue::Decider { by: "ana", reason: "on request" };
                Ok(store.forget(recovery_queue::Forget::Person(&key), asked)?)
            })
            .unwrap();
            assert_eq!(place.noted(), 0);
            assert!(place.refresh());
            let [kept, read] = place.decided();
            assert_eq!(kept, read);
            let mut index = place.service.kept_index(&place.store, &place.normaliser).unwrap();
            assert_eq!(index.persons_total().unwrap(), 0);
        });
    }

    #[test]
    fn a_run_over_few_leads_keeps_an_index_and_the_next_ones_use_it() {
        on_each(|mut place| {
            let many = WORTH_KEEPING;
            let numbers = if place.service.is_postgres() {
                format!("SELECT n FROM generate_series(1, {many}) AS g (n)")
            } else {
                format!(
                    "WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {many}) SELECT n FROM g"
                )
            };
            place
                .service
                .execute(&format!(
                    "INSERT INTO persons (person_key, record, phone) \
                     SELECT 'N' || n, 1, CAST(910000000 + n AS TEXT) FROM ({numbers}) AS g"
                ))
                .unwrap();
            let night = |place: &mut Place, lead: &str, phone: &str| {
                place
                    .service
                    .execute(&format!(
                        "INSERT INTO leads (source_pk, phone, version) VALUES ('{lead}', '{phone}', '1')"
                    ))
                    .unwrap();
                let backlog = ViewBacklog::new(BACKLOG_VIEW).unwrap();
                place.store.seed(&backlog, &SeedOptions::default()).unwrap();
                let recovery = Flags::parse_from(["test"]).recovery;
                let Place { url, store, service, .. } = place;
                recovery.run("test", url, store, service, &Console::new(true)).unwrap().run.matched
            };
            assert_eq!(night(&mut place, "L1", "910000007"), 1);
            assert_eq!(place.service.kept(MARK).unwrap().as_deref(), Some(KEPT));
            place.write(1, &[1]);
            assert_eq!(place.noted(), 1);
            assert_eq!(night(&mut place, "L2", "987654301"), 1);
            assert_eq!(place.noted(), 0, "the index was brought up to date");
            let crowd = place.service.execute("UPDATE persons SET plate = 'ABC123'").unwrap();
            assert!(crowd > many);
            assert_eq!(night(&mut place, "L3", "910000008"), 1, "the index is made anew");
            assert_eq!(place.noted(), 0);
        });
    }
}
