//! Waking failed leads up: in the transaction that changes the persons, by the keys that they had and have.

use data_encoding::HEXLOWER_PERMISSIVE;
use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::{Snapshot, WakeKeys};

use super::database::Database;
use super::population::PersonKeyRow;
use crate::cli::Failure;

/// How many persons wake leads up at once.
const PAGE: usize = 1_000;

/// The table that former releases kept the persons in until the next run woke their leads up.
const FORMER_OUTBOX: &str = "persons_to_wake";

#[derive(QueryableByName)]
struct Secret {
    #[diesel(sql_type = Text)]
    secret: String,
}

impl Database {
    /// Returns the secret under which the keys of leads and persons are digested to be compared.
    ///
    /// # Errors
    ///
    /// The database's, and a secret that is not the one the migration made.
    pub fn wake_secret(&mut self) -> Result<[u8; 32], Failure> {
        let secret = if self.map.is_some() {
            self.kept("wake_secret")?.unwrap_or_default()
        } else {
            let row: Secret = diesel::sql_query("SELECT secret FROM wake_secret")
                .get_result(&mut self.connection)?;
            row.secret
        };
        let secret = HEXLOWER_PERMISSIVE.decode(secret.as_bytes()).ok();
        secret
            .and_then(|secret| secret.try_into().ok())
            .ok_or_else(|| Failure::new("the secret of wake keys is not 64 hexadecimal digits"))
    }

    /// Makes the failed leads pending again that share a key with a person of `changed`, in the transaction that is
    /// open; gives how many.
    ///
    /// `changed` is a table with a key `person_key`; the persons' records are looked up in each of `records`.
    pub(super) fn wake_by(
        &mut self,
        keys: &WakeKeys,
        changed: &str,
        records: &[&str],
    ) -> Result<u64, Failure> {
        // On a first import nobody has failed yet, and no key is made for nothing.
        if self.queue().read()?.reason_counts()?.is_empty() {
            return Ok(0);
        }
        let (mut woken, mut last) = (0, String::new());
        loop {
            let page: Vec<PersonKeyRow> = diesel::sql_query(format!(
                "SELECT person_key FROM {changed} WHERE person_key > $1 ORDER BY person_key LIMIT {PAGE}"
            ))
            .bind::<Text, _>(&last)
            .load(&mut self.connection)?;
            let persons: Vec<_> = page.iter().map(|row| row.person_key.as_str()).collect();
            let Some(end) = persons.last() else { return Ok(woken) };
            let mut held = Vec::new();
            for table in records {
                let rows = self.records_in(table, &persons)?;
                held.extend(rows.iter().flat_map(|person| keys.of(&person.given().record())));
            }
            held.sort_unstable();
            held.dedup();
            woken += self.queue().wake(&held)?;
            (*end).clone_into(&mut last);
        }
    }

    /// Wakes the leads of the persons that a former release had still to wake them by, and drops its table of them.
    pub(crate) fn wake_by_former_outbox(&mut self, keys: &WakeKeys) -> Result<u64, Failure> {
        if self.map.is_some() || !self.has_table(FORMER_OUTBOX)? {
            return Ok(0);
        }
        self.transaction(|database| {
            let woken = database.wake_by(keys, FORMER_OUTBOX, &["persons"])?;
            database.execute(&format!("DROP TABLE {FORMER_OUTBOX}"))?;
            Ok(woken)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use recovery_queue::{DatabaseUrl, QueueStore as _, SqlStore, Status};

    use super::*;
    use crate::cli::Console;
    use crate::own::OwnColumns;
    use crate::recovery::Recovery;
    use crate::service::population::PersonRecord;
    use crate::service::{Import, ImportSummary};
    use crate::tables::Tables;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        recovery: Recovery,
    }

    /// A database with three failed leads: two persons share the phone of the first, nobody holds the others.
    struct Place {
        folder: tempfile::TempDir,
        store: SqlStore,
        service: Database,
        keys: WakeKeys,
        url: DatabaseUrl,
    }

    impl Place {
        fn new(url: &DatabaseUrl) -> Self {
            let (store, mut service) = crate::service::open(url).unwrap();
            let recovery = Flags::parse_from(["test"]).recovery;
            let keys = recovery.wake_keys(&mut service).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let mut place = Self { folder, store, service, keys, url: url.clone() };
            place.write("leads", "id,phone\nL1,987111222\nL2,987333444\nL3,987555666\n");
            place.write("persons", "person_key,phone\nP,987111222\nQ,987111222\n");
            place.import(&["leads", "persons"]).unwrap();
            let backlog = recovery_queue::ViewBacklog::new(crate::service::BACKLOG_VIEW).unwrap();
            place.store.seed(&backlog, &recovery_queue::SeedOptions::default()).unwrap();
            let Place { store, service, .. } = &mut place;
            recovery.run("test", url, store, service, &Console::new(true)).unwrap();
            assert_eq!(place.failed(), ["L1", "L2", "L3"]);
            place
        }

        fn write(&self, name: &str, rows: &str) {
            std::fs::write(self.folder.path().join(name), rows).unwrap();
        }

        fn import(&mut self, names: &[&str]) -> Result<Vec<ImportSummary>, Failure> {
            let paths = ["leads", "persons", "claims"].map(|name| self.folder.path().join(name));
            let mut files = [None; 3];
            for (file, path) in files.iter_mut().zip(&paths) {
                *file = names.iter().any(|name| path.ends_with(name)).then_some(path.as_path());
            }
            self.service
                .import(Import::open(&Tables::default(), OwnColumns::default(), files)?, &self.keys)
        }

        fn failed(&mut self) -> Vec<String> {
            let mut failed = Vec::new();
            let mut take = |row: recovery_queue::QueueRow| {
                if row.status == Status::Failed {
                    failed.push(row.source_pk.to_string());
                }
            };
            self.store.snapshot().unwrap().queue(&mut take).unwrap();
            failed.sort();
            failed
        }
    }

    fn on_each(test: fn(Place)) {
        crate::service::testing::on_each("waking", |url| test(Place::new(url)));
    }

    #[test]
    fn a_changed_person_wakes_by_the_keys_that_it_had_and_by_those_that_it_has() {
        on_each(|mut place| {
            // Without the old phone, the first lead has one candidate where it had two.
            place.write("persons", "person_key,phone\nP,987111222\nQ,+51 987 333 444\n");
            assert_eq!(place.import(&["persons"]).unwrap()[0].woken_total, 2);
            assert_eq!(place.failed(), ["L3"]);
            assert_eq!(place.import(&["persons"]).unwrap()[0].woken_total, 0);
        });
    }

    #[test]
    fn a_file_is_taken_cell_by_cell_and_a_second_time_changes_nothing() {
        on_each(|mut place| {
            let odd = "person_key,phone,email,full_name\n\
                 A,,,\"tab\tback\\slash \\N\"\nA,,a@b.pe,\"two\nlines\"\nB,'1',,\n\
                 A,,,\"tab\tback\\slash \\N\"\n";
            place.write("persons", odd);
            let first = &place.import(&["persons"]).unwrap()[0];
            assert_eq!((first.written_total, first.repeated_total), (2, 1));
            let mut kept = Vec::new();
            let mut take = |page: Vec<PersonRecord>| {
                kept.extend(page.iter().map(|person| {
                    let texts = [&person.phone, &person.email, &person.full_name, &person.plate];
                    (person.person_key.clone(), texts.map(|text| text.clone().unwrap_or_default()))
                }));
                Ok(())
            };
            place.service.persons(&mut take).unwrap();
            let text = |text: &str| text.to_owned();
            for expected in [
                ("A", ["", "", "tab\tback\\slash \\N", ""]),
                ("A", ["", "a@b.pe", "two\nlines", ""]),
                ("B", ["'1'", "", "", ""]),
            ] {
                let expected = (text(expected.0), expected.1.map(text));
                assert!(kept.contains(&expected), "{expected:?} in {kept:?}");
            }
            assert_eq!(place.import(&["persons"]).unwrap()[0].written_total, 0);
            // One record fewer, and one that differs.
            place.write("persons", "person_key,email\nA,a@b.pe\nB,b@b.pe\n");
            assert_eq!(place.import(&["persons"]).unwrap()[0].written_total, 2);
            let left = "SELECT count(*) AS n FROM persons WHERE person_key IN ('A', 'B')";
            assert_eq!(place.service.number(left).unwrap(), 2);
        });
    }

    #[test]
    fn an_import_that_fails_wakes_nobody() {
        on_each(|mut place| {
            place.service.execute("ALTER TABLE claims RENAME TO others").unwrap();
            place.write("persons", "person_key,phone\nQ,987333444\nR,987555666\n");
            place.write("claims", "claim_id,source_pk\nC1,L9\n");
            place.import(&["persons", "claims"]).unwrap_err();
            assert_eq!(place.failed(), ["L1", "L2", "L3"]);
            assert_eq!(place.service.count("persons").unwrap(), 2);
            let old = "SELECT count(*) AS n FROM persons WHERE phone = '987111222'";
            assert_eq!(place.service.number(old).unwrap(), 2);
            place.service.execute("ALTER TABLE others RENAME TO claims").unwrap();
            assert_eq!(place.import(&["persons", "claims"]).unwrap()[0].woken_total, 3);
        });
    }

    #[test]
    fn failed_leads_that_were_read_otherwise_are_tried_again_in_parts_and_once() {
        on_each(|mut place| {
            let url = place.url.clone();
            let table = place.store.view_name("queue_wake_key");
            // As the release before wrote them: without what their values were read by.
            let former = format!("UPDATE {table} SET wake_key = substr(wake_key, 17)");
            assert!(place.service.execute(&former).unwrap() >= 3);
            place.write("persons", "person_key,phone\nQ,987333444\n");
            assert_eq!(place.import(&["persons"]).unwrap()[0].woken_total, 0, "they are missed");
            let recovery = Flags::parse_from(["test"]).recovery;
            let run = |place: &mut Place| {
                let Place { store, service, .. } = place;
                recovery.run("test", &url, store, service, &Console::new(true)).unwrap().run
            };
            let again = run(&mut place);
            assert_eq!((again.claimed, again.matched), (3, 2));
            assert_eq!(place.failed(), ["L3"]);
            assert_eq!(run(&mut place).claimed, 0, "they are of the present reading now");
            // Other options of reading are another reading.
            let chile = Flags::parse_from(["test", "--region", "CL"]).recovery;
            let Place { store, service, .. } = &mut place;
            let other = chile.run("test", &url, store, service, &Console::new(true)).unwrap();
            assert_eq!(other.run.claimed, 1);
        });
    }

    #[test]
    fn what_a_former_release_had_still_to_wake_is_woken_once() {
        on_each(|mut place| {
            place.service.execute("CREATE TABLE persons_to_wake (person_key TEXT)").unwrap();
            place.service.execute("INSERT INTO persons_to_wake VALUES ('P')").unwrap();
            let Place { service, keys, .. } = &mut place;
            assert_eq!(service.wake_by_former_outbox(keys).unwrap(), 1);
            assert_eq!(service.wake_by_former_outbox(keys).unwrap(), 0);
            assert!(!service.has_table("persons_to_wake").unwrap());
            assert_eq!(place.failed(), ["L2", "L3"]);
        });
    }
}
