//! Leads, persons and truth: one reading of their columns, whether a file or the database holds them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use identity_matching::index::InMemoryIndex;
use identity_matching::{
    KeyKind, Normalised, Normaliser, OwnValue, Policy, RawDocument, RawValue, Record, Region,
};
use raw_packets::table::{RefusedRow, Row, TableReport, TableSchema};
use raw_packets::value::unguard;

use crate::cli::Failure;
use crate::files;
use crate::own::OwnColumns;
use crate::tables::{Tables, failed};
use crate::unusable::UnusableValues;

/// What a lead or a person gives of itself, as it was written.
///
/// `Debug` shows nothing of it: everything here identifies a person.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// The phone.
    pub phone: Option<&'a str>,
    /// The document's number.
    pub document: Option<&'a str>,
    /// The document's type, such as `DNI`.
    pub document_type: Option<&'a str>,
    /// The document's country, such as `PE`.
    pub document_country: Option<&'a str>,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// The name, whole or in parts.
    pub name: [Option<&'a str>; 3],
    /// The birth date.
    pub birth_date: Option<&'a str>,
    /// The plate of a vehicle.
    pub plate: Option<&'a str>,
    /// Where values of the policy's own kinds stand.
    pub own: OwnGiven<'a>,
}

/// Where the values of the policy's own kinds stand.
#[derive(Clone, Copy)]
pub enum OwnGiven<'a> {
    /// They are listed.
    Listed(&'a [OwnValue]),
    /// In columns of a row.
    Row(&'a OwnColumns, Row<'a>),
}

impl std::fmt::Debug for OwnGiven<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnGiven(…)")
    }
}

impl Default for OwnGiven<'_> {
    fn default() -> Self {
        Self::Listed(&[])
    }
}

impl<'a> OwnGiven<'a> {
    /// Lists the values.
    pub fn values(self) -> impl Iterator<Item = (KeyKind, &'a str)> + 'a {
        let (listed, row) = match self {
            Self::Listed(values) => (values, None),
            Self::Row(columns, row) => (&[][..], Some(columns.values(row))),
        };
        listed.iter().map(|own| (own.kind, own.value.as_str())).chain(row.into_iter().flatten())
    }
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl<'a> Given<'a> {
    /// Takes the first value of each kind of a record.
    #[must_use]
    pub fn of(record: &'a Record) -> Self {
        let document = record.documents.first();
        Self {
            phone: record.phones.first().map(String::as_str),
            document: document.map(|document| document.number.as_str()),
            document_type: document.and_then(|document| document.kind.as_deref()),
            document_country: document.and_then(|document| document.country.as_deref()),
            email: record.emails.first().map(String::as_str),
            name: [record.name.as_deref(), None, None],
            birth_date: record.birth_date.as_deref(),
            plate: record.plate.as_deref(),
            own: OwnGiven::Listed(&record.own),
        }
    }

    /// Takes the columns of a row of leads.
    #[must_use]
    pub fn by_lead(row: Row<'a>) -> Self {
        Self::of_lead(|column| row.optional(column))
    }

    /// Takes the columns of a row of persons.
    #[must_use]
    pub fn by_person(row: Row<'a>) -> Self {
        Self::of_person(|column| row.optional(column))
    }

    /// Adds the values of a policy's own kinds.
    #[must_use]
    pub fn with_own(self, columns: &'a OwnColumns, row: Row<'a>) -> Self {
        Self { own: OwnGiven::Row(columns, row), ..self }
    }

    /// Takes the columns of a lead, by the names that leads.csv gives them.
    #[must_use]
    pub fn of_lead(get: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        let name = ["first_name", "middle_name", "last_name"].map(&get);
        Self { name, ..Self::of_both(get) }
    }

    /// Takes the columns of a person, by the names that persons.csv gives them.
    #[must_use]
    pub fn of_person(get: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        Self { name: [get("full_name"), None, None], ..Self::of_both(get) }
    }

    fn of_both(get: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        Self {
            phone: get("phone"),
            document: get("document"),
            document_type: get("document_type"),
            document_country: get("document_country"),
            email: get("email"),
            name: [None; 3],
            birth_date: get("birth_date"),
            plate: get("plate"),
            own: OwnGiven::default(),
        }
    }

    /// Normalises it into a buffer; of a whole name no value is copied.
    pub fn normalise<'b>(
        &self,
        normaliser: &'b Normaliser,
        into: &'b mut Normalised,
    ) -> &'b Normalised {
        let mut reader = normaliser.read_into(into);
        if let Some(number) = self.document {
            reader.document(RawValue {
                country: self.document_country.unwrap_or_default(),
                kind: self.document_type.unwrap_or_default(),
                value: number,
            });
        }
        self.phone.into_iter().for_each(|phone| reader.phone(phone));
        self.email.into_iter().for_each(|email| reader.email(email));
        match self.name {
            [Some(whole), None, None] => reader.name(whole),
            _ => self.joined_name().iter().for_each(|name| reader.name(name)),
        }
        self.own.values().for_each(|(kind, value)| reader.value(kind, value.into()));
        self.plate.into_iter().for_each(|plate| reader.plate(plate));
        self.birth_date.into_iter().for_each(|date| reader.birth_date(date));
        reader.finish()
    }

    /// Returns the parts of a name as one, `surnames, given names` where both are there.
    fn joined_name(&self) -> Option<String> {
        let [first, middle, last] = self.name;
        let joined = |parts: [Option<&str>; 2]| {
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        match (joined([first, middle]), last) {
            // A comma within a part parts nothing.
            (Some(given), Some(last)) => {
                Some(format!("{}, {}", last.replace(',', " "), given.replace(',', " ")))
            }
            (given, last) => given.or_else(|| last.map(str::to_owned)),
        }
    }

    /// Copies it into a record.
    #[must_use]
    pub fn record(&self) -> Record {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let document = self.document.map(|number| RawDocument {
            country: text(self.document_country),
            kind: text(self.document_type),
            number: number.to_owned(),
        });
        let own = self.own.values().map(|(kind, value)| OwnValue { kind, value: value.to_owned() });
        Record {
            own: own.collect(),
            phones: text(self.phone).into_iter().collect(),
            documents: document.into_iter().collect(),
            emails: text(self.email).into_iter().collect(),
            name: self.joined_name(),
            plate: text(self.plate),
            birth_date: text(self.birth_date),
            ..Record::default()
        }
    }
}

/// Returns the key of a lead: its `external_id`, or its `id` where that is blank; byte for byte.
#[must_use]
pub fn lead_key(row: Row<'_>) -> Option<&str> {
    row.optional("external_id").or_else(|| row.optional("id"))
}

/// Reads a file of persons into a candidate index, and counts what gives no key; memory grows with the population.
///
/// # Errors
///
/// A file that cannot be read or names no `person_key`, and a population too large for one index.
pub fn read_persons(
    tables: &Tables,
    path: &Path,
    normaliser: &Normaliser,
) -> Result<(InMemoryIndex, TableReport, UnusableValues), Failure> {
    let own = OwnColumns::of(normaliser.options());
    let mut table = tables.read(path, &own.of_table(TableSchema::persons(), &["person_key"]))?;
    let mut builder = InMemoryIndex::builder();
    let mut buffer = Normalised::default();
    let mut unusable = UnusableValues::of("persons");
    while let Some(row) = table.next_row().map_err(failed)? {
        let added = match row.optional("person_key") {
            None => Err("the person has no key; give every person one".to_owned()),
            Some(person) => {
                let given = Given::by_person(row).with_own(&own, row);
                let record = given.normalise(normaliser, &mut buffer);
                unusable.add(person, &given, record);
                builder.add(person, record).map_err(|error| error.to_string())
            }
        };
        if let Err(reason) = added {
            let line = row.line();
            table.refuse(RefusedRow::new(line, "person_key", reason));
        }
    }
    Ok((builder.build()?, table.finish(), unusable))
}

/// Reads a file of leads, batch by batch, hands each batch of keys and records to `each`, and
/// counts what gives no key where a reading is given.
///
/// Memory holds one batch.
///
/// # Errors
///
/// A file that cannot be read or names neither `id` nor `external_id`, and what `each` returns.
pub fn read_leads(
    tables: &Tables,
    path: &Path,
    own: &OwnColumns,
    mut counted: Option<(&Normaliser, &mut UnusableValues)>,
    mut each: impl FnMut(&[String], &[Record]) -> Result<(), Failure>,
) -> Result<TableReport, Failure> {
    const BATCH: usize = 8_192;
    let mut table =
        tables.read(path, &own.of_table(TableSchema::leads(), &["id", "external_id"]))?;
    let mut keys = Vec::with_capacity(BATCH);
    let mut records = Vec::with_capacity(BATCH);
    let mut buffer = Normalised::default();
    while let Some(row) = table.next_row().map_err(failed)? {
        let Some(key) = lead_key(row) else {
            let line = row.line();
            let why = "neither `id` nor `external_id` is given; give one of them";
            table.refuse(RefusedRow::new(line, "id", why));
            continue;
        };
        let given = Given::by_lead(row).with_own(own, row);
        if let Some((normaliser, values)) = &mut counted {
            values.add(key, &given, given.normalise(normaliser, &mut buffer));
        }
        keys.push(key.to_owned());
        records.push(given.record());
        if keys.len() == BATCH {
            each(&keys, &records)?;
            keys.clear();
            records.clear();
        }
    }
    each(&keys, &records)?;
    Ok(table.finish())
}

/// Who each lead really is; nothing means nobody of the population.
pub type Truth = HashMap<String, Option<String>>;

/// Reads a file of labelled truth.
///
/// A lead that stands there twice with two answers is refused both times after the first.
///
/// # Errors
///
/// A file that cannot be read or names no `source_pk`.
pub fn read_truth(tables: &Tables, path: &Path) -> Result<(Truth, TableReport), Failure> {
    let mut table = tables.read(path, &TableSchema::truth())?;
    let mut truth = Truth::new();
    while let Some(row) = table.next_row().map_err(failed)? {
        let line = row.line();
        // `review_report --truth` writes such a file for people to open.
        let text = |column| row.optional(column).map(|text| unguard(text).into_owned());
        let person = text("person_key");
        let Some(lead) = text("source_pk") else {
            let why = "the row names no lead; give its source_pk";
            table.refuse(RefusedRow::new(line, "source_pk", why));
            continue;
        };
        match truth.get(&lead) {
            Some(known) if *known != person => {
                let why = "the lead stands there already with another person; keep one of the rows";
                table.refuse(RefusedRow::new(line, "source_pk", why));
            }
            Some(_) => {}
            None => {
                truth.insert(lead, person);
            }
        }
    }
    Ok((truth, table.finish()))
}

/// Makes the normaliser that reads values by a region as a policy says.
///
/// # Errors
///
/// Placeholders of the policy that cannot be read, and kinds that nobody reads.
pub fn read_by(policy: &Policy, region: Region) -> Result<Normaliser, Failure> {
    let options = policy.normalise_options(region);
    policy.check_reading(&options)?;
    Ok(Normaliser::new(options)?)
}

/// Reads a policy from a file: TOML where its name ends so, else JSON; no file means the default.
///
/// # Errors
///
/// A file that cannot be read, is no policy or contradicts itself.
pub fn read_policy(path: Option<&PathBuf>) -> Result<Policy, Failure> {
    let Some(path) = path else { return Ok(Policy::default()) };
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {why}", path.display()))
            .remedy("correct the policy; what is left out takes its default")
    };
    let text = files::text(path)?;
    let toml = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("toml"));
    let policy = if toml { Policy::from_toml(&text) } else { Policy::from_json(&text) };
    policy.map_err(|error| wrong(&error))
}
