//! Leads, persons and truth straight from their CSV files, for runners that decide without a database.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use identity_matching::index::InMemoryIndex;
use identity_matching::{Normalised, Normaliser, Policy, RawDocument, RawValue, Record};

use crate::cli::Failure;
use crate::files;
use crate::input::{Row, Table, TableSummary};
use crate::service::{LEAD_COLUMNS, PERSON_COLUMNS};
use crate::unusable::UnusableValues;

/// Reads a file of persons into a candidate index, and counts what gives no key; memory grows with the population.
///
/// # Errors
///
/// A file that cannot be read or names no `person_key`, and a population too large for one index.
pub fn read_persons(
    path: &Path,
    normaliser: &Normaliser,
) -> Result<(InMemoryIndex, TableSummary, UnusableValues), Failure> {
    let mut table = Table::open(path, &["person_key"], &PERSON_COLUMNS)?;
    let mut builder = InMemoryIndex::builder();
    let mut buffer = Normalised::default();
    let mut unusable = UnusableValues::default();
    while let Some(row) = table.next_row()? {
        let person = row.text("person_key");
        let added = if person.is_empty() {
            Err("the person has no key; give every person one".to_owned())
        } else {
            let record = normalise(&row, normaliser, &mut buffer);
            unusable.add(person, record);
            builder.add(person, record).map_err(|error| error.to_string())
        };
        if let Err(reason) = added {
            let line = row.line();
            table.refuse(line, Some("person_key"), reason);
        }
    }
    Ok((builder.build()?, table.close(), unusable))
}

fn normalise<'a>(
    row: &Row<'_>,
    normaliser: &'a Normaliser,
    buffer: &'a mut Normalised,
) -> &'a Normalised {
    let mut reader = normaliser.read_into(buffer);
    if let Some(number) = row.optional("document") {
        let (country, kind) = (row.text("document_country"), row.text("document_type"));
        reader.document(RawValue { country, kind, value: number });
    }
    if let Some(phone) = row.optional("phone") {
        reader.phone(phone);
    }
    if let Some(email) = row.optional("email") {
        reader.email(email);
    }
    if let Some(name) = row.optional("full_name") {
        reader.name(name);
    }
    if let Some(plate) = row.optional("plate") {
        reader.plate(plate);
    }
    if let Some(date) = row.optional("birth_date") {
        reader.birth_date(date);
    }
    reader.finish()
}

/// Reads a file of leads, batch by batch, and hands each batch of keys and records to `each`.
///
/// Memory holds one batch.
///
/// # Errors
///
/// A file that cannot be read or names neither `id` nor `external_id`, and what `each` returns.
pub fn read_leads(
    path: &Path,
    mut each: impl FnMut(&[String], &[Record]) -> Result<(), Failure>,
) -> Result<TableSummary, Failure> {
    const BATCH: usize = 8_192;
    let mut table = Table::open(path, &["id", "external_id"], &LEAD_COLUMNS)?;
    let mut keys = Vec::with_capacity(BATCH);
    let mut records = Vec::with_capacity(BATCH);
    while let Some(row) = table.next_row()? {
        let Some(key) = row.optional("external_id").or_else(|| row.optional("id")) else {
            let line = row.line();
            let why = "neither `id` nor `external_id` is given; give one of them";
            table.refuse(line, Some("id"), why);
            continue;
        };
        keys.push(key.to_owned());
        records.push(lead(&row));
        if keys.len() == BATCH {
            each(&keys, &records)?;
            keys.clear();
            records.clear();
        }
    }
    each(&keys, &records)?;
    Ok(table.close())
}

fn lead(row: &Row<'_>) -> Record {
    let text = |column| row.optional(column).map(str::to_owned);
    let names = ["first_name", "middle_name", "last_name"];
    let name = names.iter().filter_map(|column| row.optional(column)).collect::<Vec<_>>().join(" ");
    let document = row.optional("document").map(|number| RawDocument {
        country: text("document_country"),
        kind: text("document_type"),
        number: number.to_owned(),
    });
    Record {
        phones: text("phone").into_iter().collect(),
        documents: document.into_iter().collect(),
        emails: text("email").into_iter().collect(),
        name: Some(name).filter(|name| !name.is_empty()),
        plate: text("plate"),
        birth_date: text("birth_date"),
        ..Record::default()
    }
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
pub fn read_truth(path: &Path) -> Result<(Truth, TableSummary), Failure> {
    let mut table = Table::open(path, &["source_pk"], &["source_pk", "person_key"])?;
    let mut truth = Truth::new();
    while let Some(row) = table.next_row()? {
        let line = row.line();
        let person = row.optional("person_key").map(str::to_owned);
        let Some(lead) = row.optional("source_pk").map(str::to_owned) else {
            table.refuse(line, Some("source_pk"), "the row names no lead; give its source_pk");
            continue;
        };
        match truth.get(&lead) {
            Some(known) if *known != person => {
                let why = "the lead stands there already with another person; keep one of the rows";
                table.refuse(line, Some("source_pk"), why);
            }
            Some(_) => {}
            None => {
                truth.insert(lead, person);
            }
        }
    }
    Ok((truth, table.close()))
}

/// Reads a policy from a file: TOML where its name ends so, else JSON; no file means the default.
///
/// # Errors
///
/// A file that cannot be read, is no policy or contradicts itself.
pub fn read_policy(path: Option<&PathBuf>) -> Result<Policy, Failure> {
    use std::io::Read;
    let Some(path) = path else { return Ok(Policy::default()) };
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {why}", path.display()))
            .remedy("correct the policy; what is left out takes its default")
    };
    let mut text = String::new();
    files::open(path)?.read_to_string(&mut text).map_err(|error| wrong(&error))?;
    let toml = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("toml"));
    let policy = if toml { Policy::from_toml(&text) } else { Policy::from_json(&text) };
    policy.map_err(|error| wrong(&error))
}
