//! Reading leads and persons back, in batches.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use identity_matching::index::InMemoryIndex;
use identity_matching::{Normalised, Normaliser, RawDocument, RawValue, Record};
use indicatif::ProgressBar;
use recovery_queue::{ClaimedLead, LeadSource, ResolveError};

use super::database::Database;
use crate::cli::Failure;
use crate::unusable::UnusableValues;

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
}

impl std::fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRecord")
            .field("person_key", &self.person_key)
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

fn document(
    number: Option<String>,
    kind: Option<String>,
    country: Option<String>,
) -> Vec<RawDocument> {
    number.map(|number| RawDocument { country, kind, number }).into_iter().collect()
}

impl From<LeadRecord> for Record {
    fn from(lead: LeadRecord) -> Self {
        let names = [lead.first_name, lead.middle_name, lead.last_name];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Self {
            phones: lead.phone.into_iter().collect(),
            documents: document(lead.document, lead.document_type, lead.document_country),
            emails: lead.email.into_iter().collect(),
            name: Some(name).filter(|name| !name.is_empty()),
            plate: lead.plate,
            birth_date: lead.birth_date,
            ..Self::default()
        }
    }
}

impl From<PersonRecord> for Record {
    fn from(person: PersonRecord) -> Self {
        Self {
            phones: person.phone.into_iter().collect(),
            documents: document(person.document, person.document_type, person.document_country),
            emails: person.email.into_iter().collect(),
            name: person.full_name,
            plate: person.plate,
            birth_date: person.birth_date,
            ..Self::default()
        }
    }
}

impl PersonRecord {
    /// Normalises the record into a buffer, without copying a value.
    fn normalise<'a>(
        &self,
        normaliser: &'a Normaliser,
        into: &'a mut Normalised,
    ) -> &'a Normalised {
        let mut reader = normaliser.read_into(into);
        if let Some(number) = &self.document {
            reader.document(RawValue {
                country: self.document_country.as_deref().unwrap_or_default(),
                kind: self.document_type.as_deref().unwrap_or_default(),
                value: number,
            });
        }
        self.phone.iter().for_each(|phone| reader.phone(phone));
        self.email.iter().for_each(|email| reader.email(email));
        self.full_name.iter().for_each(|name| reader.name(name));
        self.plate.iter().for_each(|plate| reader.plate(plate));
        self.birth_date.iter().for_each(|date| reader.birth_date(date));
        reader.finish()
    }
}

impl Database {
    /// Builds the candidate index of all persons, and counts what gives no key; memory grows with the population.
    ///
    /// # Errors
    ///
    /// The database's, and a population too large for one index.
    pub fn index(
        &mut self,
        normaliser: &Normaliser,
        progress: &ProgressBar,
    ) -> Result<(InMemoryIndex, UnusableValues), Failure> {
        let mut builder = InMemoryIndex::builder();
        let mut keys = Normalised::default();
        let mut unusable = UnusableValues::default();
        self.persons(|page| {
            progress.inc(page.len() as u64);
            for person in page {
                let record = person.normalise(normaliser, &mut keys);
                unusable.add(&person.person_key, record);
                builder.add(&person.person_key, record)?;
            }
            Ok(())
        })?;
        Ok((builder.build()?, unusable))
    }

    /// Reads the leads with these keys, in no particular order; those that are not there are left out.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn leads(&mut self, source_pks: &[&str]) -> Result<Vec<LeadRecord>, Failure> {
        let wanted = self.connection.dialect().json_texts();
        Ok(diesel::sql_query(format!(
            "SELECT source_pk, phone, document, document_type, document_country, email, first_name, middle_name,
                    last_name, birth_date, plate
             FROM leads WHERE source_pk IN {wanted}"
        ))
        .bind::<Text, _>(serde_json::to_string(source_pks)?)
        .load(&mut self.connection)?)
    }

    /// Hands all persons to `each`, page by page, the records of one person one after the other.
    ///
    /// Memory holds one page.
    ///
    /// # Errors
    ///
    /// The database's, and what `each` returns.
    pub fn persons(
        &mut self,
        mut each: impl FnMut(&[PersonRecord]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        const PAGE: usize = 10_000;
        let mut last = (String::new(), 0_i64);
        loop {
            let page: Vec<PersonRecord> = diesel::sql_query(format!(
                "SELECT person_key, CAST(record AS BIGINT) AS record, phone, document, document_type,
                        document_country, email, full_name, birth_date, plate
                 FROM persons WHERE (person_key, record) > ($1, $2)
                 ORDER BY person_key, record LIMIT {PAGE}"
            ))
            .bind::<Text, _>(&last.0)
            .bind::<BigInt, _>(last.1)
            .load(&mut self.connection)?;
            let Some(end) = page.last() else { return Ok(()) };
            last = (end.person_key.clone(), end.record);
            each(&page)?;
        }
    }
}

/// How many persons are handed out at once to wake leads up.
const WAKE_PAGE: usize = 1_000;

#[derive(QueryableByName)]
struct PersonKey {
    #[diesel(sql_type = Text)]
    person_key: String,
}

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
        let row: Secret =
            diesel::sql_query("SELECT secret FROM wake_secret").get_result(&mut self.connection)?;
        let digits = row.secret.as_bytes();
        let mut secret = [0; 32];
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        for (at, place) in secret.iter_mut().enumerate() {
            *place = digits.get(2 * at..2 * at + 2).and_then(byte).ok_or_else(|| {
                Failure::new("table wake_secret: the secret is not 64 hexadecimal digits")
            })?;
        }
        Ok(secret)
    }

    /// Hands the records of every person who is new or has changed to `each`, and forgets them after it.
    ///
    /// A run that is cut off hands them out again: waking a lead twice is waking it once.
    ///
    /// # Errors
    ///
    /// The database's, and what `each` returns.
    pub fn persons_to_wake(
        &mut self,
        mut each: impl FnMut(Vec<PersonRecord>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let of_keys = self.connection.dialect().json_texts();
        loop {
            let page: Vec<PersonKey> = diesel::sql_query(format!(
                "SELECT person_key FROM persons_to_wake ORDER BY person_key LIMIT {WAKE_PAGE}"
            ))
            .load(&mut self.connection)?;
            if page.is_empty() {
                return Ok(());
            }
            let keys: Vec<_> = page.iter().map(|row| row.person_key.as_str()).collect();
            each(self.load_json(
                format!(
                    "SELECT person_key, CAST(record AS BIGINT) AS record, phone, document, document_type,
                            document_country, email, full_name, birth_date, plate
                     FROM persons WHERE person_key IN {of_keys}"
                ),
                &keys,
            )?)?;
            self.execute_json(
                &format!("DELETE FROM persons_to_wake WHERE person_key IN {of_keys}"),
                &keys,
            )?;
        }
    }

    /// Forgets who is new or has changed: with no failed lead there is nobody to wake.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn forget_persons_to_wake(&mut self) -> Result<(), Failure> {
        self.execute("DELETE FROM persons_to_wake").map(|_| ())
    }
}

/// Makes a source of the subjects of claimed leads, for a resolver that works with a matcher.
#[must_use]
pub fn lead_source(mut database: Database) -> impl LeadSource {
    move |claimed: &[ClaimedLead]| {
        let keys: Vec<_> = claimed.iter().map(|lead| lead.source_pk.as_str()).collect();
        let found = database.leads(&keys).map_err(|failure| {
            ResolveError::Unavailable(format!("the leads cannot be read: {failure}"))
        })?;
        let mut by_key: HashMap<_, _> =
            found.into_iter().map(|mut lead| (std::mem::take(&mut lead.source_pk), lead)).collect();
        Ok(keys.iter().map(|key| by_key.remove(*key).map(Record::from)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Import;
    use recovery_queue::DatabaseUrl;

    #[test]
    fn every_person_is_read_once_across_pages_and_leads_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let mut database =
            Database::open(&DatabaseUrl::Sqlite(folder.path().join("s.sqlite"))).unwrap();
        let sample = crate::sample::write(folder.path()).unwrap();
        let files = Import::open(Some(&sample.leads), Some(&sample.persons), None).unwrap();
        database.import(files).unwrap();
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
