//! Reading leads and persons back, in batches.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use identity_matching::index::InMemoryIndex;
use identity_matching::{Normalised, Normaliser, Record};
use indicatif::ProgressBar;
use recovery_queue::{ClaimedLead, DatabaseUrl, LeadSource, ResolveError};

use super::database::{AnyConnection, Database};
use crate::cli::Failure;
use crate::own::KeptValues;
use crate::people::{Given, OwnGiven};
use crate::unusable::UnusableValues;

/// Rows that are read at once.
const PAGE: usize = 10_000;

/// What a lead gave of itself.
///
/// `Debug` shows the key alone: everything else identifies a person.
#[derive(Clone, Default, PartialEq, Eq, QueryableByName)]
pub struct LeadRecord {
    /// The lead's key.
    #[diesel(sql_type = Text)]
    pub source_pk: String,
    /// The phone as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// The document's number as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub document: Option<String>,
    /// The document's type, such as `DNI`.
    #[diesel(sql_type = Nullable<Text>)]
    pub document_type: Option<String>,
    /// The document's country, such as `PE`.
    #[diesel(sql_type = Nullable<Text>)]
    pub document_country: Option<String>,
    /// The e-mail address as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    /// The first name.
    #[diesel(sql_type = Nullable<Text>)]
    pub first_name: Option<String>,
    /// The middle name.
    #[diesel(sql_type = Nullable<Text>)]
    pub middle_name: Option<String>,
    /// The last name or names.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_name: Option<String>,
    /// The birth date as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub birth_date: Option<String>,
    /// The plate of a vehicle.
    #[diesel(sql_type = Nullable<Text>)]
    pub plate: Option<String>,
    /// Values of the policy's own kinds.
    #[diesel(sql_type = Nullable<Text>)]
    pub own_values: Option<KeptValues>,
}

impl std::fmt::Debug for LeadRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeadRecord").field("source_pk", &self.source_pk).finish_non_exhaustive()
    }
}

/// One record of a person; a person may have several.
///
/// `Debug` shows the key alone: everything else identifies a person.
#[derive(Clone, Default, PartialEq, Eq, QueryableByName)]
pub struct PersonRecord {
    /// The person's key.
    #[diesel(sql_type = Text)]
    pub person_key: String,
    /// Which of the person's records this is, from 1.
    #[diesel(sql_type = BigInt)]
    pub record: i64,
    /// The phone as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// The document's number as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub document: Option<String>,
    /// The document's type, such as `DNI`.
    #[diesel(sql_type = Nullable<Text>)]
    pub document_type: Option<String>,
    /// The document's country, such as `PE`.
    #[diesel(sql_type = Nullable<Text>)]
    pub document_country: Option<String>,
    /// The e-mail address as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    /// The whole name.
    #[diesel(sql_type = Nullable<Text>)]
    pub full_name: Option<String>,
    /// The birth date as it was written.
    #[diesel(sql_type = Nullable<Text>)]
    pub birth_date: Option<String>,
    /// The plate of a vehicle.
    #[diesel(sql_type = Nullable<Text>)]
    pub plate: Option<String>,
    /// Values of the policy's own kinds.
    #[diesel(sql_type = Nullable<Text>)]
    pub own_values: Option<KeptValues>,
}

/// A person's key alone.
#[derive(QueryableByName)]
pub(super) struct PersonKeyRow {
    #[diesel(sql_type = Text)]
    pub(super) person_key: String,
}

/// Lists the values of own kinds that a row has.
fn own(kept: Option<&KeptValues>) -> OwnGiven<'_> {
    OwnGiven::Listed(kept.map_or(&[], KeptValues::as_slice))
}

impl std::fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRecord")
            .field("person_key", &self.person_key)
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

impl LeadRecord {
    /// Returns what the lead gives of itself.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        Given {
            phone: self.phone.as_deref(),
            document: self.document.as_deref(),
            document_type: self.document_type.as_deref(),
            document_country: self.document_country.as_deref(),
            email: self.email.as_deref(),
            name: [&self.first_name, &self.middle_name, &self.last_name]
                .map(|part| part.as_deref()),
            birth_date: self.birth_date.as_deref(),
            plate: self.plate.as_deref(),
            own: own(self.own_values.as_ref()),
        }
    }
}

impl PersonRecord {
    /// The columns that a record is read from.
    pub(super) const COLUMNS: &str = "person_key, CAST(record AS BIGINT) AS record, phone, document, document_type, \
         document_country, email, full_name, birth_date, plate, own_values";

    /// Returns what the person gives of itself.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        Given {
            phone: self.phone.as_deref(),
            document: self.document.as_deref(),
            document_type: self.document_type.as_deref(),
            document_country: self.document_country.as_deref(),
            email: self.email.as_deref(),
            name: [self.full_name.as_deref(), None, None],
            birth_date: self.birth_date.as_deref(),
            plate: self.plate.as_deref(),
            own: own(self.own_values.as_ref()),
        }
    }
}

impl Database {
    /// Builds the candidate index of all persons, and counts what gives no key; memory grows with the population.
    ///
    /// The next page is read while the one before it is normalised on another thread.
    ///
    /// # Errors
    ///
    /// The database's, and a population too large for one index.
    pub fn index(
        &mut self,
        normaliser: &Normaliser,
        progress: &ProgressBar,
    ) -> Result<(InMemoryIndex, UnusableValues), Failure> {
        let index_of = |pages: Receiver<Vec<PersonRecord>>| {
            let mut builder = InMemoryIndex::builder();
            let mut keys = Normalised::default();
            let mut unusable = UnusableValues::of("persons");
            for person in pages.iter().flatten() {
                let given = person.given();
                let record = given.normalise(normaliser, &mut keys);
                unusable.add(&person.person_key, &given, record);
                builder.add(&person.person_key, record)?;
            }
            Ok::<_, Failure>((builder.build()?, unusable))
        };
        std::thread::scope(|threads| {
            let (hand_over, pages) = sync_channel(1);
            let building = threads.spawn(move || index_of(pages));
            let read = self.persons(|page| {
                progress.inc(page.len() as u64);
                // Nobody takes a page any more where the building has failed: its error is the one to tell.
                hand_over
                    .send(page)
                    .map_err(|_| Failure::new("the index of the persons is not built"))
            });
            drop(hand_over);
            let built = building.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            read.map(|()| built)
        })
    }

    /// Reads the leads with these keys, in no particular order; those that are not there are left out.
    ///
    /// A lead of tables of the operator's may have several records: [`Database::subjects`] joins them.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn leads(&mut self, source_pks: &[&str]) -> Result<Vec<LeadRecord>, Failure> {
        if let Some(mapped) = &self.map {
            let sql = mapped.leads.clone();
            return self.load_json(sql, &source_pks);
        }
        let wanted = self.connection.dialect().json_texts();
        Ok(diesel::sql_query(format!(
            "SELECT source_pk, phone, document, document_type, document_country, email, first_name, middle_name,
                    last_name, birth_date, plate, own_values
             FROM leads WHERE source_pk IN {wanted}"
        ))
        .bind::<Text, _>(serde_json::to_string(source_pks)?)
        .load(&mut self.connection)?)
    }

    /// Hands all persons to `each`, page by page, the records of one person one after the other.
    ///
    /// Memory holds the pages that `each` keeps, and one more.
    ///
    /// # Errors
    ///
    /// The database's, and what `each` returns.
    pub fn persons(
        &mut self,
        mut each: impl FnMut(Vec<PersonRecord>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(mapped) = self.map.take() {
            let read =
                mapped.persons.iter().try_for_each(|records| self.stream(records.all(), &mut each));
            self.map = Some(mapped);
            return read;
        }
        let mut last = (String::new(), 0_i64);
        loop {
            let page: Vec<PersonRecord> = diesel::sql_query(format!(
                "SELECT {} FROM persons WHERE (person_key, record) > ($1, $2)
                 ORDER BY person_key, record LIMIT {PAGE}",
                PersonRecord::COLUMNS
            ))
            .bind::<Text, _>(&last.0)
            .bind::<BigInt, _>(last.1)
            .load(&mut self.connection)?;
            let Some(end) = page.last() else { return Ok(()) };
            last = (end.person_key.clone(), end.record);
            each(page)?;
        }
    }
}

impl Database {
    /// Reads what these leads give of themselves, the records of each joined; those that are not there are left out.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn subjects(&mut self, source_pks: &[&str]) -> Result<HashMap<String, Record>, Failure> {
        let mut subjects: HashMap<String, Record> = HashMap::new();
        for mut lead in self.leads(source_pks)? {
            let key = std::mem::take(&mut lead.source_pk);
            let record = lead.given().record();
            match subjects.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(record);
                }
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    known.phones.extend(record.phones);
                    known.documents.extend(record.documents);
                    known.emails.extend(record.emails);
                    known.own.extend(record.own);
                    known.name = known.name.take().or(record.name);
                    known.plate = known.plate.take().or(record.plate);
                    known.birth_date = known.birth_date.take().or(record.birth_date);
                }
            }
        }
        Ok(subjects)
    }

    /// Reads the records of these persons; those that are not there are left out.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn person_records(
        &mut self,
        person_keys: &[&str],
    ) -> Result<HashMap<String, Vec<Record>>, Failure> {
        let mut found: HashMap<String, Vec<Record>> = HashMap::new();
        if let Some(mapped) = self.map.take() {
            let mut rows: Vec<PersonRecord> = Vec::new();
            let read = mapped.persons.iter().try_for_each(|records| {
                rows.extend(self.load_json::<PersonRecord>(records.of_listed(), &person_keys)?);
                Ok::<_, Failure>(())
            });
            self.map = Some(mapped);
            read?;
            // A condition on a column may let further rows through.
            let asked: HashSet<&str> = person_keys.iter().copied().collect();
            rows.retain(|person| asked.contains(person.person_key.as_str()));
            for person in rows {
                let record = person.given().record();
                found.entry(person.person_key).or_default().push(record);
            }
            return Ok(found);
        }
        for person in self.records_in("persons", person_keys)? {
            let record = person.given().record();
            found.entry(person.person_key).or_default().push(record);
        }
        Ok(found)
    }

    /// Reads the records of these persons from one of the runners' own tables, in the order of their keys.
    pub(super) fn records_in(
        &mut self,
        table: &str,
        person_keys: &[&str],
    ) -> Result<Vec<PersonRecord>, Failure> {
        let wanted = self.json_texts();
        let sql = format!(
            "SELECT {} FROM {table} WHERE person_key IN {wanted} ORDER BY person_key, record",
            PersonRecord::COLUMNS
        );
        self.load_json(sql, &person_keys)
    }

    /// Writes the query of the claims that name a lead and a person, as `id, source_pk, person_key`.
    ///
    /// # Errors
    ///
    /// A mapping that does not say whom a claim is for.
    pub(crate) fn claims_of_persons(&self) -> Result<String, Failure> {
        let Some(mapped) = &self.map else {
            return Ok("SELECT claim_id AS id, source_pk, person_key FROM claims \
                 WHERE source_pk IS NOT NULL AND person_key IS NOT NULL ORDER BY claim_id"
                .to_owned());
        };
        mapped.claims.clone().ok_or_else(|| {
            Failure::new("the mapping does not say whom a claim is for").remedy(
                "give person in [claims]: the column that holds the person's key; or link the leads with `queue_admin link add`",
            )
        })
    }

    /// Makes a person of what a lead gives of itself, under a key that nobody has.
    ///
    /// # Errors
    ///
    /// The database's, such as a key that somebody has.
    pub(crate) fn add_person_of_lead(&mut self, source_pk: &str, key: &str) -> Result<(), Failure> {
        let made = diesel::sql_query(
            "INSERT INTO persons (person_key, record, phone, document, document_type, document_country, email,
                    full_name, birth_date, plate)
             SELECT $1, 1, phone, document, document_type, document_country, email,
                    NULLIF(TRIM(COALESCE(first_name, '') || ' ' || COALESCE(middle_name, '') || ' '
                        || COALESCE(last_name, '')), ''), birth_date, plate
             FROM leads WHERE source_pk = $2",
        )
        .bind::<Text, _>(key)
        .bind::<Text, _>(source_pk)
        .execute(&mut self.connection)?;
        if made == 1 {
            return Ok(());
        }
        Err(Failure::new(format_args!("lead {source_pk} has no record to make a person of")))
    }

    /// Removes a person's records.
    ///
    /// # Errors
    ///
    /// The database's.
    pub(crate) fn remove_person(&mut self, key: &str) -> Result<(), Failure> {
        diesel::sql_query("DELETE FROM persons WHERE person_key = $1")
            .bind::<Text, _>(key)
            .execute(&mut self.connection)?;
        Ok(())
    }

    /// Hands all rows of a query without binds to `each`, page by page; memory holds one page.
    pub(super) fn stream<T>(
        &mut self,
        sql: &str,
        each: &mut impl FnMut(Vec<T>) -> Result<(), Failure>,
    ) -> Result<(), Failure>
    where
        T: QueryableByName<diesel::sqlite::Sqlite> + QueryableByName<diesel::pg::Pg> + 'static,
    {
        match &mut self.connection {
            AnyConnection::Sqlite(connection) => {
                let mut page = Vec::with_capacity(PAGE);
                for row in diesel::sql_query(sql).load_iter::<T, DefaultLoadingMode>(connection)? {
                    page.push(row?);
                    if page.len() == PAGE {
                        each(std::mem::replace(&mut page, Vec::with_capacity(PAGE)))?;
                    }
                }
                each(page)
            }
            AnyConnection::Postgres(connection) => connection.transaction(|connection| {
                diesel::sql_query(format!("DECLARE streamed NO SCROLL CURSOR FOR {sql}"))
                    .execute(connection)?;
                loop {
                    let page: Vec<T> =
                        diesel::sql_query(format!("FETCH FORWARD {PAGE} FROM streamed"))
                            .load(connection)?;
                    if page.is_empty() {
                        break;
                    }
                    each(page)?;
                }
                diesel::sql_query("CLOSE streamed").execute(connection)?;
                Ok(())
            }),
        }
    }
}

/// How long a source waits for a database that is away: the queue's own patience, of about two minutes.
const TRIES: u32 = 16;
/// How often a database may refuse a read although it lets itself be opened: it may have come back just then.
const REFUSALS: u32 = 5;

/// How the values of leads are read to be counted, and where; all workers of a run share the counts.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Reads the values.
    pub normaliser: Normaliser,
    /// Counts them; a batch that is tried again counts each time.
    pub values: Arc<Mutex<UnusableValues>>,
}

impl Database {
    /// Reads for a resolver: a connection that is gone is opened again, and an outage is waited out, as the queue does.
    pub(crate) fn patiently<T>(
        &mut self,
        url: &DatabaseUrl,
        what: &str,
        mut read: impl FnMut(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, ResolveError> {
        let (mut rest, mut away, mut refused) = (Duration::from_millis(50), 0, 0);
        loop {
            let failure = match read(self) {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            };
            match self.reopen(url) {
                Ok(opened) => {
                    *self = opened;
                    refused += 1;
                }
                Err(_) => away += 1,
            }
            if refused > REFUSALS || away > TRIES {
                let why = format!("{what} cannot be read: {failure}");
                return Err(ResolveError::Unavailable(why));
            }
            std::thread::sleep(rest);
            rest = (rest * 2).min(Duration::from_secs(10));
        }
    }
}

/// Makes a source of the subjects of claimed leads; where nothing else reads their values, it counts what of them gives no
/// key.
///
/// An outage of the database is waited out.
///
/// # Errors
///
/// A database that does not let a further connection in.
pub fn lead_source(
    url: &DatabaseUrl,
    service: &Database,
    counted: Option<Counted>,
) -> Result<impl LeadSource + use<>, Failure> {
    let url = url.clone();
    let mut buffer = Normalised::default();
    let mut database = service.reopen(&url)?;
    Ok(move |claimed: &[ClaimedLead]| {
        let keys: Vec<_> = claimed.iter().map(|lead| lead.source_pk.as_str()).collect();
        let mut found =
            database.patiently(&url, "the leads", |database| database.subjects(&keys))?;
        if let Some(counted) = &counted {
            let mut values = counted.values.lock().unwrap_or_else(PoisonError::into_inner);
            for key in &keys {
                let Some(record) = found.get(*key) else { continue };
                counted.normaliser.normalise_into(record, &mut buffer);
                values.add(key, &Given::of(record), &buffer);
            }
        }
        Ok(keys.iter().map(|key| found.remove(*key)).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Import;
    use crate::tables::Tables;
    use recovery_queue::DatabaseUrl;

    #[test]
    fn every_person_is_read_once_across_pages_and_leads_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("s.sqlite").into());
        let (_, mut database) = crate::service::open(&url).unwrap();
        let normaliser = Normaliser::new(identity_matching::NormaliseOptions::default()).unwrap();
        let keys = recovery_queue::WakeKeys::new(normaliser, database.wake_secret().unwrap());
        let sample = crate::sample::write(folder.path()).unwrap();
        let files = Import::open(
            &Tables::default(),
            crate::own::OwnColumns::default(),
            [Some(&sample.leads), Some(&sample.persons), None],
        )
        .unwrap();
        database.import(files, &keys).unwrap();
        let mut keys = Vec::new();
        database
            .persons(|page| {
                keys.extend(page.iter().map(|person| (person.person_key.clone(), person.record)));
                Ok(())
            })
            .unwrap();
        assert_eq!(keys.len() as u64, database.count("persons").unwrap());
        assert!(keys.is_sorted());
        let found = database.leads(&["web-000000", "L000001", "nobody"]).unwrap();
        assert_eq!(found.len(), 2);
        assert!(!format!("{found:?}").contains("phone"));
    }
}
