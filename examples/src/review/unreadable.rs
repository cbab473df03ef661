//! Leads with identifiers that could not be read: the values, what is wrong with each, and what corrects them.

use std::collections::BTreeMap;

use identity_matching::{Field, Normaliser, Record, UnusableReason};
use raw_packets::{RowAnswer, Template};
use recovery_queue::{Correction, QueueRow};

use super::Reading;
use super::export::Issued;
use super::shown::Shown;
use crate::cli::Failure;
use crate::service::Database;

/// The fields that are corrected, and their columns.
const FIELDS: [(Field, &str); 3] =
    [(Field::PHONE, "phone"), (Field::DOCUMENT, "document"), (Field::EMAIL, "email")];

/// Returns what a packet of corrections asks for.
///
/// # Panics
///
/// Never: the shipped template is valid, as a test proves.
#[must_use]
pub fn correction_template() -> Template {
    include_str!("corrections.json")
        .parse()
        .expect("the shipped template is valid, as a test proves")
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
    pub(super) values: BTreeMap<&'static str, (usize, UnusableReason)>,
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
}

impl UnreadableReader {
    /// Makes a reader.
    ///
    /// # Errors
    ///
    /// The database's, and a policy that cannot be read.
    pub fn new(reading: &Reading, service: &mut Database) -> Result<Self, Failure> {
        let (_, normaliser) = reading.policy()?;
        Ok(Self { normaliser, secret: service.wake_secret()? })
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
                    let fingerprint = super::digest(
                        &self.secret,
                        ["record", row.source_pk.as_str(), &json(&record)],
                    );
                    found.push(Unreadable { row: row.clone(), fingerprint, record, values });
                }
            }
        }
        Ok(found)
    }

    fn values(&self, record: &Record) -> BTreeMap<&'static str, (usize, UnusableReason)> {
        let mut values = BTreeMap::new();
        for unusable in self.normaliser.normalise(record).unusable() {
            let known = FIELDS.into_iter().find(|(field, _)| *field == unusable.source.field);
            if let Some((_, name)) = known {
                let place = usize::from(unusable.source.position);
                values.entry(name).or_insert((place, unusable.reason));
            }
        }
        values
    }

    /// Says why a record cannot be read where a correction put a value.
    fn problem(&self, record: &Record, field: &str, place: usize) -> Option<UnusableReason> {
        let normalised = self.normaliser.normalise(record);
        let of =
            |found: Field| FIELDS.into_iter().any(|(known, name)| known == found && name == field);
        let at = normalised.unusable().iter().find(|unusable| {
            of(unusable.source.field) && usize::from(unusable.source.position) == place
        });
        // A person who writes an odd address means it.
        at.map(|unusable| unusable.reason)
            .filter(|why| !matches!(why, UnusableReason::LikelyTypo | UnusableReason::MixedScripts))
    }

    /// Digests what a row corrects, so that the same row again is known.
    pub(super) fn digest_of(&self, answer: &RowAnswer) -> Option<String> {
        let given: Vec<&str> = crate::service::CORRECTED_FIELDS
            .into_iter()
            .flat_map(|field| answer.text(field).into_iter().flat_map(move |value| [field, value]))
            .collect();
        let given = (!given.is_empty()).then_some(given)?;
        Some(super::digest(&self.secret, ["corrected"].into_iter().chain(given)))
    }

    /// Makes the corrections of a row, or says which column is wrong, why, and what to do.
    pub(super) fn corrections(
        &self,
        lead: &Unreadable,
        answer: &RowAnswer,
        by: &str,
    ) -> Result<Vec<Correction>, (&'static str, String, String)> {
        let mut made = Vec::new();
        let mut record = lead.record.clone();
        let mut touched = BTreeMap::new();
        for field in crate::service::CORRECTED_FIELDS {
            let Some(value) = answer.text(field) else { continue };
            let of = if field.starts_with("document") { "document" } else { field };
            let Some((place, _)) = lead.values.get(of) else {
                let what = format!("the {of} of the lead was read; there is nothing to correct");
                return Err((field, what, "clear the cell".to_owned()));
            };
            let Some(was) = slot(&mut record, field, *place) else { continue };
            let before = was.replace(value.to_owned());
            if before.as_deref() != Some(value) {
                let pk = lead.row.source_pk.clone();
                made.push(Correction::new(pk, field, before, value, by));
            }
            touched.insert(of, (*place, field));
        }
        for (of, (place, field)) in touched {
            if let Some(document) = record.documents.get_mut(place).filter(|_| of == "document") {
                // A blank type or country is none.
                document.kind = document.kind.take().filter(|kind| !kind.trim().is_empty());
            }
            if let Some(why) = self.problem(&record, of, place) {
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
        _ => return None,
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
        let (field, part) = match column.split_once("_as_it_is") {
            Some((field, _)) => (field, true),
            None => match column.split_once("_problem") {
                Some((field, _)) => (field, false),
                None => return String::new(),
            },
        };
        let Some((place, reason)) = self.values.get(field) else { return String::new() };
        if !part {
            return format!("{}: {}", reason.code(), reason.remedy());
        }
        let value = match field {
            "phone" => self.record.phones.get(*place).map(|text| shown.form(text)),
            "email" => self.record.emails.get(*place).map(|text| shown.form(text)),
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
    fn the_template_of_corrections_is_one_of_rows() {
        assert!(super::correction_template().is_of_rows());
    }
}
