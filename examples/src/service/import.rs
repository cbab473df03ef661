//! CSV files into the service's tables: all of a file or nothing of it, and nothing where nothing changed.
//!
//! Each file goes into a temporary table in batches and from there, set by set, into its own table, in one
//! transaction for all files. Memory holds one batch. A row that stands there already as it is stays
//! untouched, so a second import of the same file changes nothing.

mod bulk;
mod claims;
mod instant;
mod leads;
mod persons;
mod shrink;
mod staging;
mod summary;

use std::path::Path;

use raw_packets::table::{TableReader, TableSchema};
use recovery_queue::{Decider, WakeKeys};

use self::shrink::mind_the_fuse;
pub use self::summary::ImportSummary;
use super::database::Database;
use crate::cli::Failure;
use crate::own::OwnColumns;
use crate::tables::Tables;

/// The files of an import, opened and with their headers read; nothing is written yet.
#[derive(Debug)]
pub struct Import {
    leads: Option<TableReader>,
    persons: Option<TableReader>,
    claims: Option<TableReader>,
    own: OwnColumns,
    allow_shrink: bool,
    full: bool,
    dry_run: bool,
    by: String,
}

impl Import {
    /// Opens the files of leads, persons and claims; one that is left out leaves its table as it is. Values of a policy's
    /// own kinds are taken from the columns of `own`.
    ///
    /// # Errors
    ///
    /// A file that is missing, unreadable or lacks the columns that its table needs.
    pub fn open(
        tables: &Tables,
        own: OwnColumns,
        files: [Option<&Path>; 3],
    ) -> Result<Self, Failure> {
        let open = |path: Option<&Path>, schema: &TableSchema| {
            path.map(|path| tables.read(path, schema)).transpose()
        };
        Ok(Self {
            leads: open(files[0], &own.of_table(TableSchema::leads(), &["id", "external_id"]))?,
            persons: open(files[1], &own.of_table(TableSchema::persons(), &["person_key"]))?,
            claims: open(files[2], &TableSchema::claims())?,
            own,
            allow_shrink: false,
            full: false,
            dry_run: false,
            by: "import".to_owned(),
        })
    }

    /// Lets files pass that have fewer than half the rows of the last import, at least 100 fewer.
    #[must_use]
    pub fn allowing_shrink(mut self, allowed: bool) -> Self {
        self.allow_shrink = allowed;
        self
    }

    /// Takes each file for all that there is: what is not in it is gone at the source, and is removed.
    ///
    /// A file of which a row was refused removes nothing, for the row may be of any lead, person or claim.
    #[must_use]
    pub fn as_full(mut self, full: bool) -> Self {
        self.full = full;
        self
    }

    /// Names who imports; kept in the queue's history.
    #[must_use]
    pub fn imported_by(mut self, who: &str) -> Self {
        who.clone_into(&mut self.by);
        self
    }

    /// Says whether everything is to be done, counted and taken back.
    #[must_use]
    pub fn as_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

impl Database {
    /// Imports the files in one transaction: all of them or, on an error, none.
    ///
    /// Failed leads that share a key with a person who is new or has changed become pending again in that
    /// transaction: by the keys that the person had and by those that it has.
    ///
    /// Leads are written by `source_pk`, which is `external_id`, or `id` where that is blank, byte for byte;
    /// persons are replaced as a whole, record by record; claims by `claim_id`. A broken row is no error: it
    /// is refused and told in the summary.
    ///
    /// # Errors
    ///
    /// The disk's and the database's, and a file that has shrunk too much since the last import.
    pub fn import(
        &mut self,
        files: Import,
        keys: &WakeKeys,
    ) -> Result<Vec<ImportSummary>, Failure> {
        let Import { leads, persons, claims, own, allow_shrink, full, dry_run, by } = files;
        self.attempt(dry_run, |database| {
            if database.is_postgres() {
                // One import at a time: two that write the same rows in another order would wait for each other.
                database.execute("SELECT pg_advisory_xact_lock(7249016542)")?;
            }
            let mut summaries = Vec::new();
            let mut done = |database: &mut Self, input, summary: ImportSummary| {
                mind_the_fuse(database, input, &summary.table, allow_shrink)?;
                let rows = summary.written_total + summary.removed_total;
                let reason = if full { "a full file" } else { "a file" };
                database.queue().record_import(input, rows, Decider { by: &by, reason })?;
                summaries.push(summary);
                Ok::<_, Failure>(())
            };
            if let Some(table) = leads {
                let summary = leads::import(database, table, &own, full)?;
                done(database, "leads", summary)?;
            }
            if let Some(table) = persons {
                let summary = persons::import(database, table, &own, keys, full)?;
                database.refresh_index(keys.normaliser())?;
                done(database, "persons", summary)?;
            }
            if let Some(table) = claims {
                let summary = claims::import(database, table, full)?;
                done(database, "claims", summary)?;
            }
            Ok(summaries)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;
    use identity_matching::Normaliser;
    use recovery_queue::DatabaseUrl;

    struct Place {
        folder: tempfile::TempDir,
        database: Database,
        allow_shrink: bool,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = DatabaseUrl::Sqlite(folder.path().join("s.sqlite").into());
            let (_, database) = crate::service::open(&url).unwrap();
            Self { folder, database, allow_shrink: false }
        }

        fn import(&mut self, leads: &str, persons: &str) -> Result<Vec<ImportSummary>, Failure> {
            let (leads_csv, persons_csv) =
                (self.folder.path().join("leads.csv"), self.folder.path().join("persons.csv"));
            std::fs::write(&leads_csv, leads).unwrap();
            std::fs::write(&persons_csv, persons).unwrap();
            let files = [Some(leads_csv.as_path()), Some(&persons_csv), None];
            let normaliser = Normaliser::default();
            let keys = WakeKeys::new(normaliser, self.database.wake_secret()?);
            let files = Import::open(&Tables::default(), OwnColumns::default(), files)?
                .allowing_shrink(self.allow_shrink);
            self.database.import(files, &keys)
        }
    }

    #[test]
    fn a_second_import_of_the_same_files_writes_nothing() {
        let mut place = Place::new();
        let leads = "id,external_id,phone\nA,,1\nB,web B,2\n";
        let persons = "person_key,phone,email\nP,1,\nP,,x@y.z\nQ,2,\n";
        let first = place.import(leads, persons).unwrap();
        assert_eq!((first[0].written_total, first[1].written_total), (2, 2));
        // The records of a person may stand in another order.
        let persons = "person_key,phone,email\nQ,2,\nP,,x@y.z\nP,1,\n";
        let second = place.import(leads, persons).unwrap();
        assert_eq!((second[0].written_total, second[1].written_total), (0, 0));
        let changed = place.import("id,phone\nA,9\n", "person_key,phone\nP,1\n").unwrap();
        assert_eq!((changed[0].written_total, changed[1].written_total), (1, 1));
        assert_eq!(place.database.count("leads").unwrap(), 2);
        assert_eq!(place.database.count("persons").unwrap(), 2);
    }

    #[test]
    fn the_same_lead_twice_is_counted_and_the_same_key_with_other_content_refused() {
        let mut place = Place::new();
        let leads = "id,phone\nA,1\nA,1\nA,2\nB,3\n,4\n";
        let summary = &place.import(leads, "person_key,phone\nP,1\n").unwrap()[0];
        assert_eq!((summary.written_total, summary.repeated_total), (2, 1));
        let lines: Vec<_> = summary.table.rows_refused_listed.iter().map(|row| row.line).collect();
        assert_eq!(lines, [6, 4]);
        assert_eq!(summary.exit(), Exit::RowsRefused);
    }

    #[test]
    fn a_file_that_has_shrunk_too_much_is_stopped_until_that_is_allowed() {
        let mut place = Place::new();
        let leads = |count: usize| {
            (0..count).fold("id,phone\n".to_owned(), |rows, lead| format!("{rows}L{lead},1\n"))
        };
        let person = "person_key,phone\nP,1\n";
        place.import(&leads(300), person).unwrap();
        let said = place.import(&leads(149), person).unwrap_err().to_string();
        assert!(said.contains("leads.csv: 149 leads"), "{said}");
        assert!(said.contains("took 300") && said.contains("--allow-shrink"), "{said}");
        // What was stopped is not what the next one is compared with.
        place.import(&leads(149), person).unwrap_err();
        place.import(&leads(150), person).unwrap();
        place.allow_shrink = true;
        place.import(&leads(1), person).unwrap();
        place.allow_shrink = false;
        place.import(&leads(1), person).unwrap();
        assert_eq!(place.database.count("leads").unwrap(), 300);
    }

    fn full(place: &mut Place, leads: &str, persons: &str) -> Vec<ImportSummary> {
        let (leads_csv, persons_csv) =
            (place.folder.path().join("leads.csv"), place.folder.path().join("persons.csv"));
        std::fs::write(&leads_csv, leads).unwrap();
        std::fs::write(&persons_csv, persons).unwrap();
        let normaliser = Normaliser::default();
        let keys = WakeKeys::new(normaliser, place.database.wake_secret().unwrap());
        let files = [Some(leads_csv.as_path()), Some(&persons_csv), None];
        let files =
            Import::open(&Tables::default(), OwnColumns::default(), files).unwrap().as_full(true);
        place.database.import(files, &keys).unwrap()
    }

    #[test]
    fn what_is_not_in_a_full_file_is_removed_unless_a_row_of_it_was_refused() {
        let mut place = Place::new();
        let persons = "person_key,phone\nP,1\nQ,2\n";
        place.import("id,phone\nA,1\nB,2\nC,3\n", persons).unwrap();
        let part = place.import("id,phone\nA,1\n", "person_key,phone\nP,1\n").unwrap();
        assert_eq!((part[0].removed_total, part[1].removed_total), (0, 0));
        let broken = full(&mut place, "id,phone\nA,1\n,9\n", persons);
        assert_eq!((broken[0].removed_total, broken[0].exit()), (0, Exit::RowsRefused));
        assert_eq!(place.database.count("leads").unwrap(), 3);
        let whole = full(&mut place, "id,phone\nA,1\nC,4\n", "person_key,phone\nQ,2\n");
        assert_eq!((whole[0].removed_total, whole[0].written_total), (1, 1));
        assert_eq!((whole[1].removed_total, whole[1].written_total), (1, 0));
        assert_eq!(place.database.count("leads").unwrap(), 2);
        assert_eq!(place.database.count("persons").unwrap(), 1);
    }

    #[test]
    fn a_lead_whose_external_id_appears_is_one_lead_under_its_new_key() {
        let mut place = Place::new();
        let persons = "person_key,phone\nP,1\n";
        place.import("id,external_id,phone\n3,1,9\n2,,8\n", persons).unwrap();
        let next = &place.import("id,external_id,phone\n1,X-1,7\n", persons).unwrap()[0];
        // The lead 3 has the external id 1: it stands under that key and is another lead.
        assert_eq!((next.rekeyed_total, place.database.count("leads").unwrap()), (0, 3));
        let next = &place.import("id,external_id,phone\n2,X-2,8\n", persons).unwrap()[0];
        assert_eq!((next.rekeyed_total, place.database.count("leads").unwrap()), (1, 3));
        let old = "SELECT count(*) AS n FROM leads WHERE source_pk = '2'";
        assert_eq!(place.database.number(old).unwrap(), 0);
    }

    #[test]
    fn two_leads_with_one_key_in_two_imports_are_told() {
        let mut place = Place::new();
        let persons = "person_key,phone\nP,1\n";
        place.import("id,external_id,phone\n1,K,7\n", persons).unwrap();
        let next = &place.import("id,external_id,phone\n2,K,8\n", persons).unwrap()[0];
        assert_eq!((next.replaced_total, next.written_total), (1, 1));
        let again = &place.import("id,external_id,phone\n2,K,8\n", persons).unwrap()[0];
        assert_eq!((again.replaced_total, again.written_total), (0, 0));
    }

    #[test]
    fn a_wrong_file_leaves_every_table_as_it_was() {
        let mut place = Place::new();
        place.import("id,phone\nA,1\n", "person_key,phone\nP,1\n").unwrap();
        assert!(place.import("id,phone\nB,1\n", "name,phone\nP,1\n").is_err());
        assert_eq!(place.database.count("leads").unwrap(), 1);
    }
}
