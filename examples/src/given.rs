//! What a lead or a person gives, whether a row of a file or of the database holds it.

use identity_matching::{KeyKind, Normalised, Normaliser, OwnValue, RawDocument, RawValue, Record};
use raw_packets::table::Row;

use crate::own::OwnColumns;

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
