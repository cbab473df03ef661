//! The sample as CSV files.

use std::io::{self, Write};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::model::{Lead, Person, Story, external_id, id, source_pk};
use raw_packets::table::TableSchema;

/// The sample's leads signed up in the 30 days before this instant.
const UNTIL: &str = "2026-01-31T12:00:00Z";

pub(super) fn write_persons(out: impl Write, persons: &[Person]) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(TableSchema::persons().columns())?;
    for (at, person) in persons.iter().enumerate() {
        let name = person.full_name();
        let born = person.born.to_string();
        let document = person.document.as_deref().unwrap_or_default();
        let (kind, country) = if document.is_empty() { ("", "") } else { ("DNI", "PE") };
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        // One person in fifty stands there twice: the document in one record, the rest in another.
        if at.is_multiple_of(50) {
            out.write_record([&person.key, "", document, kind, country, "", &name, "", ""])?;
            out.write_record([
                &person.key,
                &text(&person.phone),
                "",
                "",
                "",
                &text(&person.email),
                &name,
                &born,
                &text(&person.plate),
            ])?;
        } else {
            out.write_record([
                &person.key,
                &text(&person.phone),
                document,
                kind,
                country,
                &text(&person.email),
                &name,
                &born,
                &text(&person.plate),
            ])?;
        }
    }
    out.flush()
}

pub(super) fn write_leads(
    out: impl Write,
    draw: &mut ChaCha8Rng,
    leads: &[(Story, Lead)],
) -> io::Result<()> {
    let until: DateTime<Utc> = UNTIL.parse().expect("a fixed instant");
    let mut out = csv::Writer::from_writer(out);
    out.write_record(TableSchema::leads().columns())?;
    for (at, (_, lead)) in leads.iter().enumerate() {
        let created = until - Duration::seconds(draw.random_range(0..30 * 86_400));
        let (first, last) =
            lead.name.as_ref().map_or(("", ""), |(first, last)| (*first, last.as_str()));
        out.write_record([
            id(at).as_str(),
            external_id(at).as_deref().unwrap_or_default(),
            &created.to_rfc3339_opts(SecondsFormat::Secs, true),
            &lead.phone,
            &lead.document,
            lead.document_type,
            if lead.document_type.is_empty() { "" } else { "PE" },
            &lead.email,
            first,
            "",
            last,
            &lead.born.map(|day| day.to_string()).unwrap_or_default(),
            &lead.plate,
        ])?;
    }
    out.flush()
}

pub(super) fn write_claims(out: impl Write, leads: &[(Story, Lead)]) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(["claim_id", "person_key", "source_pk"])?;
    for (at, (story, lead)) in leads.iter().enumerate() {
        if *story == Story::Claimed {
            out.write_record([&format!("C{at:06}"), &lead.truth, &source_pk(at)])?;
        }
    }
    out.flush()
}
