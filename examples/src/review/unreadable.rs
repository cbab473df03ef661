//! Leads with identifiers that could not be read: the values, what is wrong with each, and what corrects them.

use std::collections::{BTreeMap, BTreeSet};

use identity_matching::{Field, IdentifierKind, KeyKind, Normaliser, Record, UnusableReason};
use raw_packets::{CellType, Column, Role, RowAnswer, RowRule, Template, TemplateBuilder, Text};
use recovery_queue::{Correction, QueueRow};

use super::Reading;
use super::digest::digest;
use super::issued::Issued;
use super::shown::Shown;
use crate::cli::Failure;
use crate::service::Database;

/// The fields that are corrected under every policy, and their columns.
const FIELDS: [(Field, &str); 3] =
    [(Field::PHONE, "phone"), (Field::DOCUMENT, "document"), (Field::EMAIL, "email")];

/// Returns what a packet of corrections asks for: phone, document and address, and a value of each of the policy's own
/// kinds.
///
/// # Panics
///
/// Never: the shipped template is valid, and codes of kinds are names of columns, as a test proves.
#[must_use]
pub fn correction_template(normaliser: &Normaliser) -> Template {
    let shipped: Template = include_str!("corrections.json")
        .parse()
        .expect("the shipped template is valid, as a test proves");
    let titled = |column: &str, en: String, es: String| {
        Column::capture(column, CellType::Text).titled(Text { en, es })
    };
    let mut template = TemplateBuilder::of_rows(shipped.name(), shipped.title().clone())
        .version(shipped.version())
        .instructions(shipped.instructions().clone());
    for column in shipped.columns() {
        if column.name == "comment" {
            for kind in normaliser.options().own_kinds().map(IdentifierKind::code) {
                let name = own_column(kind);
                for (part, en, es) in [
                    (GIVEN, " as it is", " tal como está"),
                    (PROBLEM, ": what is wrong with it", ": qué tiene mal"),
                ] {
                    let (en, es) = (format!("{kind}{en}"), format!("{kind}{es}"));
                    let mut shown = titled(&format!("{part}{name}"), en, es);
                    shown.role = Role::Context;
                    template = template.column(shown);
                }
                let (en, es) =
                    (format!("The right {kind}"), format!("El valor correcto de {kind}"));
                template =
                    template.column(titled(&name, en, es)).rule(RowRule::RequiredWhenFilled {
                        when: name,
                        then: vec!["decided_by".to_owned()],
                    });
            }
        }
        template = template.column(column.clone());
    }
    let template = shipped.rules().iter().cloned().fold(template, TemplateBuilder::rule);
    template.build().expect("codes of kinds are names of columns")
}

/// What the columns begin with that show the value of an own kind, and what is wrong with it: no code can make one of them
/// the name of another column.
const GIVEN: &str = "given_";
const PROBLEM: &str = "problem_";

/// Names the column of an own kind, which is the field of its corrections, too.
fn own_column(kind: KeyKind) -> String {
    format!("{}{kind}", crate::service::OWN_FIELD)
}

/// A lead with values that could not be read.
#[derive(Clone)]
pub struct Unreadable {
    /// The lead's row of the queue.
    pub row: QueueRow,
    /// A digest of all that the lead gives.
    pub fingerprint: String,
    /// The lead's record.
    pub record: Record,
    /// By field the place of the first such value and what is wrong with it.
    pub(super) values: BTreeMap<String, (usize, UnusableReason)>,
}

impl std::fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unreadable").field("lead", &self.row.source_pk).finish_non_exhaustive()
    }
}

/// Reads leads for values that could not be read.
#[derive(Debug)]
pub struct UnreadableReader {
    normaliser: Normaliser,
    secret: [u8; 32],
    /// The fields that have a place to be written to; none where all have.
    writable: Option<BTreeSet<String>>,
}

impl UnreadableReader {
    /// Makes a reader.
    ///
    /// # Errors
    ///
    /// The database's, and a policy that cannot be read.
    pub fn new(reading: &Reading, service: &mut Database) -> Result<Self, Failure> {
        let (_, normaliser) = reading.policy()?;
        let writable = service.correctable();
        Ok(Self { normaliser, secret: service.wake_secret()?, writable })
    }

    /// Returns what its packets ask for.
    #[must_use]
    pub fn template(&self) -> Template {
        correction_template(&self.normaliser)
    }

    /// Lists the columns that are corrected.
    fn columns(&self) -> Vec<String> {
        let own = self.normaliser.options().own_kinds().map(|kind| own_column(kind.code()));
        crate::service::CORRECTED_FIELDS.into_iter().map(str::to_owned).chain(own).collect()
    }

    /// Names the column of a field that is corrected.
    fn column_of(&self, field: Field) -> Option<String> {
        if let Some((_, name)) = FIELDS.into_iter().find(|(known, _)| *known == field) {
            return Some(name.to_owned());
        }
        let mut own = self.normaliser.options().own_kinds().map(IdentifierKind::code);
        own.find(|kind| Field::Identifier(*kind) == field).map(own_column)
    }

    /// Names how values are read, as it is recorded with a packet.
    #[must_use]
    pub fn policy(&self) -> String {
        self.normaliser.fingerprint().to_owned()
    }

    /// Reads leads, in their order; those without a record, and those in which all is readable, are left out unless `all`.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn read(
        &self,
        rows: &[QueueRow],
        all: bool,
        service: &mut Database,
    ) -> Result<Vec<Unreadable>, Failure> {
        let mut found = Vec::new();
        for part in rows.chunks(1_000) {
            let keys: Vec<&str> = part.iter().map(|row| row.source_pk.as_str()).collect();
            let mut records = service.subjects(&keys)?;
            for row in part {
                let Some(record) = records.remove(row.source_pk.as_str()) else { continue };
                let values = self.values(&record);
                if all || !values.is_empty() {
                    let fingerprint =
                        digest(&self.secret, ["record", row.source_pk.as_str(), &json(&record)]);
                    found.push(Unreadable { row: row.clone(), fingerprint, record, values });
                }
            }
        }
        Ok(found)
    }

    /// Finds the first value of each field that gives no key.
    fn values(&self, record: &Record) -> BTreeMap<String, (usize, UnusableReason)> {
        let mut values = BTreeMap::new();
        let normalised = self.normaliser.normalise(record);
        for unusable in normalised.unusable().iter().filter(|value| !value.reason.gives_key()) {
            if let Some(name) = self.column_of(unusable.source.field) {
                let place = usize::from(unusable.source.position);
                values.entry(name).or_insert((place, unusable.reason));
            }
        }
        values
    }

    /// Says why a record cannot be read where a correction put a value.
    fn problem(&self, record: &Record, field: &str, place: usize) -> Option<UnusableReason> {
        let normalised = self.normaliser.normalise(record);
        let of = |found: Field| self.column_of(found).is_some_and(|name| name == field);
        let at = normalised.unusable().iter().find(|unusable| {
            of(unusable.source.field) && usize::from(unusable.source.position) == place
        });
        // A person who writes an odd address means it.
        at.map(|unusable| unusable.reason).filter(|why| !why.gives_key())
    }

    /// Digests what a row corrects, so that the same row again is known.
    pub(super) fn digest_of(&self, answer: &RowAnswer) -> Option<String> {
        let columns = self.columns();
        let given: Vec<&str> = columns
            .iter()
            .map(String::as_str)
            .flat_map(|field| answer.text(field).into_iter().flat_map(move |value| [field, value]))
            .collect();
        let given = (!given.is_empty()).then_some(given)?;
        Some(digest(&self.secret, ["corrected"].into_iter().chain(given)))
    }

    /// Makes the corrections of a row, or says which column is wrong, why, and what to do.
    pub(super) fn corrections(
        &self,
        lead: &Unreadable,
        answer: &RowAnswer,
        by: &str,
    ) -> Result<Vec<Correction>, (String, String, String)> {
        let mut made = Vec::new();
        let mut record = lead.record.clone();
        let mut touched = BTreeMap::new();
        for field in self.columns() {
            let Some(value) = answer.text(&field) else { continue };
            let of = if field.starts_with("document") { "document" } else { &field };
            let Some((place, _)) = lead.values.get(of) else {
                let what = format!("the {of} of the lead was read; there is nothing to correct");
                return Err((field, what, "clear the cell".to_owned()));
            };
            if self.writable.as_ref().is_some_and(|fields| !fields.contains(&field)) {
                let what = "the mapping has no place for it: it names no column of text for it, or documents of a lead lie \
                     in a table with several rows";
                let remedy = "correct it where the lead comes from, and clear the cell";
                return Err((field, what.to_owned(), remedy.to_owned()));
            }
            let Some(was) = slot(&mut record, &field, *place) else { continue };
            let before = was.replace(value.to_owned());
            if before.as_deref() != Some(value) {
                let pk = lead.row.source_pk.clone();
                made.push(Correction::new(pk, &field, before, value, by));
            }
            touched.insert(of.to_owned(), (*place, field));
        }
        for (of, (place, field)) in touched {
            if let Some(document) = record.documents.get_mut(place).filter(|_| of == "document") {
                // A blank type or country is none.
                document.kind = document.kind.take().filter(|kind| !kind.trim().is_empty());
            }
            if let Some(why) = self.problem(&record, &of, place) {
                let what = format!("this cannot be read either ({})", why.code());
                return Err((field, what, why.remedy().to_owned()));
            }
        }
        Ok(made)
    }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).expect("a record is plain data")
}

/// A value of a record, by the name of its column and its place.
fn slot<'r>(record: &'r mut Record, field: &str, place: usize) -> Option<Slot<'r>> {
    Some(match field {
        "phone" => Slot::Given(record.phones.get_mut(place)?),
        "email" => Slot::Given(record.emails.get_mut(place)?),
        "document" => Slot::Given(&mut record.documents.get_mut(place)?.number),
        "document_type" => Slot::Optional(&mut record.documents.get_mut(place)?.kind),
        "document_country" => Slot::Optional(&mut record.documents.get_mut(place)?.country),
        _ => {
            let kind = field.strip_prefix(crate::service::OWN_FIELD)?;
            let mut own = record.own.iter_mut().filter(|own| own.kind.as_str() == kind);
            Slot::Given(&mut own.nth(place)?.value)
        }
    })
}

enum Slot<'r> {
    Given(&'r mut String),
    Optional(&'r mut Option<String>),
}

impl Slot<'_> {
    fn replace(self, value: String) -> Option<String> {
        match self {
            Self::Given(text) => Some(std::mem::replace(text, value)),
            Self::Optional(text) => text.replace(value),
        }
    }
}

impl Issued for Unreadable {
    fn row(&self) -> &QueueRow {
        &self.row
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn cell(&self, column: &str, shown: Shown) -> String {
        let given = column.strip_suffix("_as_it_is").or_else(|| column.strip_prefix(GIVEN));
        let problem = column.strip_suffix("_problem").or_else(|| column.strip_prefix(PROBLEM));
        let (field, part) = match (column.starts_with(crate::service::OWN_FIELD), given, problem) {
            (false, Some(field), _) => (field, true),
            (false, None, Some(field)) => (field, false),
            _ => return String::new(),
        };
        let Some((place, reason)) = self.values.get(field) else { return String::new() };
        if !part {
            return format!("{}: {}", reason.code(), reason.remedy());
        }
        let value = match field {
            "phone" => self.record.phones.get(*place).map(|text| shown.form(text)),
            "email" => self.record.emails.get(*place).map(|text| shown.form(text)),
            own if own.starts_with(crate::service::OWN_FIELD) => {
                let kind = &own[crate::service::OWN_FIELD.len()..];
                let mut own = self.record.own.iter().filter(|own| own.kind.as_str() == kind);
                own.nth(*place).map(|own| shown.form(&own.value))
            }
            _ => self.record.documents.get(*place).map(|document| {
                let of = [&document.country, &document.kind].map(|part| part.as_deref());
                let of = of.into_iter().flatten().map(str::to_owned);
                of.chain([shown.form(&document.number)]).collect::<Vec<_>>().join(" ")
            }),
        };
        value.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_of_corrections_is_one_of_rows_whatever_kinds_a_policy_has() {
        let kind = |code: &str| format!("[[own_kinds]]\ncode = '{code}'\nlengths = [8, 8]\n");
        let codes = ["x", "x_problem", "problem_x", "given_x", "own_x", "comment"];
        let rules: String = codes.map(kind).concat();
        let policy = identity_matching::Policy::from_toml(&rules).unwrap();
        let normaliser = crate::people::read_by(&policy, "PE".parse().unwrap()).unwrap();
        let template = super::correction_template(&normaliser);
        assert!(template.is_of_rows());
        for code in codes {
            for column in ["own_", "given_own_", "problem_own_"] {
                assert!(template.position(&format!("{column}{code}")).is_some(), "{column}{code}");
            }
        }
    }
}
