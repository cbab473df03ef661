//! Leads, persons and truth: one reading of their columns, whether a file or the database holds them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use identity_matching::index::InMemoryIndex;
use identity_matching::{Normalised, Normaliser, Policy, Record, Region};
use raw_packets::table::{RefusedRow, Row, TableReport, TableSchema};
use raw_packets::value::unguard;

use crate::cli::Failure;
use crate::files;
pub use crate::given::{Given, OwnGiven};
use crate::own::OwnColumns;
use crate::tables::{Tables, failed};
use crate::unusable::UnusableValues;

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
