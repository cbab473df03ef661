//! Sample data for the identity loop: synthetic, always the same, with every outcome in it.
//!
//! Persons and leads are drawn from a fixed seed, so two runs, on any machine, write the same bytes. No
//! number or address was taken from anywhere; that one of them is somebody's is chance. Each lead is drawn
//! from one [`Story`], which says what a matcher ought to find.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, Utc};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cli::Failure;
use crate::files;

/// How many persons the sample population holds.
pub const PERSONS: usize = 20_000;
/// How many leads the sample holds.
pub const LEADS: usize = 6_000;

const SEED: u64 = 14;
/// The sample's leads signed up in the 30 days before this instant.
const UNTIL: &str = "2026-01-31T12:00:00Z";

/// The files of one sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The leads.
    pub leads: PathBuf,
    /// The population.
    pub persons: PathBuf,
    /// The claims that take leads out of the backlog.
    pub claims: PathBuf,
    /// Who each lead really is, for `evaluate_matching`.
    pub truth: PathBuf,
}

/// What a lead of the sample is like, and so what a matcher should say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Story {
    /// A known person who gives the document, and perhaps more.
    Document,
    /// A known person who gives only the phone, in one of its written forms.
    Phone,
    /// A known person who gives only the e-mail.
    Email,
    /// The phone of one person with the e-mail of another.
    Conflict,
    /// A family's phone that too many persons share, and nothing else that is known.
    SharedPhone,
    /// A known phone with somebody else's document.
    Contradicted,
    /// Identifiers that no person has.
    Stranger,
    /// Nothing, or only placeholders.
    Nothing,
    /// A known person whose lead is claimed already.
    Claimed,
}

/// The stories in the order and share (per mille) in which they are drawn.
const STORIES: [(Story, u32); 9] = [
    (Story::Document, 320),
    (Story::Phone, 200),
    (Story::Email, 110),
    (Story::Conflict, 30),
    (Story::SharedPhone, 30),
    (Story::Contradicted, 20),
    (Story::Stranger, 210),
    (Story::Nothing, 50),
    (Story::Claimed, 30),
];

const FIRST: [&str; 24] = [
    "Ana", "Luis", "María", "José", "Rosa", "Carlos", "Lucía", "Jorge", "Elena", "Miguel",
    "Carmen", "Pedro", "Sofía", "Raúl", "Inés", "Andrés", "Julia", "Hugo", "Nuria", "Óscar",
    "Paula", "Iván", "Marta", "Tomás",
];
const LAST: [&str; 24] = [
    "Quispe", "Flores", "Huamán", "Rojas", "Mamani", "Sánchez", "García", "Vargas", "Díaz",
    "Torres", "Ramos", "Castillo", "Mendoza", "Chávez", "Vásquez", "Núñez", "Salazar", "Paredes",
    "Cáceres", "Ibáñez", "Lozano", "Peña", "Zúñiga", "Ayala",
];
const PROVIDERS: [&str; 4] = ["gmail.com", "hotmail.com", "icloud.com", "outlook.com"];
/// One phone in this many is a family's, held by [`FAMILY`] persons.
const FAMILIES: usize = 40;
const FAMILY: usize = 6;

struct Person {
    key: String,
    phone: Option<String>,
    document: Option<String>,
    email: Option<String>,
    first: &'static str,
    last: [&'static str; 2],
    born: NaiveDate,
    plate: Option<String>,
}

impl Person {
    fn full_name(&self) -> String {
        format!("{} {} {}", self.first, self.last[0], self.last[1])
    }
}

#[derive(Default)]
struct Lead {
    phone: String,
    document: String,
    document_type: &'static str,
    email: String,
    name: Option<(&'static str, String)>,
    born: Option<NaiveDate>,
    plate: String,
    truth: String,
}

/// Writes the sample into a folder as `leads.csv`, `persons.csv`, `claims.csv` and `truth.csv`.
///
/// # Errors
///
/// A folder that cannot be written.
pub fn write(folder: &Path) -> Result<Sample, Failure> {
    let mut draw = ChaCha8Rng::seed_from_u64(SEED);
    let persons = persons(&mut draw);
    let sample = Sample {
        leads: folder.join("leads.csv"),
        persons: folder.join("persons.csv"),
        claims: folder.join("claims.csv"),
        truth: folder.join("truth.csv"),
    };
    let leads = leads(&mut draw, &persons);
    files::write_with(&sample.persons, |out| write_persons(out, &persons))?;
    files::write_with(&sample.leads, |out| write_leads(out, &mut draw, &leads))?;
    files::write_with(&sample.claims, |out| write_claims(out, &leads))?;
    files::write_with(&sample.truth, |out| {
        writeln!(out, "source_pk,person_key")?;
        leads
            .iter()
            .enumerate()
            .try_for_each(|(at, (_, lead))| writeln!(out, "{},{}", source_pk(at), lead.truth))
    })?;
    Ok(sample)
}

/// Every third lead came from a form that gave it an id of its own.
fn external_id(at: usize) -> Option<String> {
    at.is_multiple_of(3).then(|| format!("web-{at:06}"))
}

fn id(at: usize) -> String {
    format!("L{at:06}")
}

fn source_pk(at: usize) -> String {
    external_id(at).unwrap_or_else(|| id(at))
}

fn persons(draw: &mut ChaCha8Rng) -> Vec<Person> {
    let mut taken = HashMap::new();
    let mut fresh = |number: String| *taken.entry(number).and_modify(|n| *n += 1).or_insert(1) == 1;
    let mut family_phone = String::new();
    (0..PERSONS)
        .map(|at| {
            let phone = if at < FAMILIES * FAMILY {
                if at.is_multiple_of(FAMILY) {
                    family_phone = mobile(draw);
                }
                Some(family_phone.clone())
            } else {
                Some(mobile(draw))
                    .filter(|phone| draw.random_ratio(93, 100) && fresh(phone.clone()))
            };
            let document =
                Some(dni(draw)).filter(|dni| draw.random_ratio(9, 10) && fresh(dni.clone()));
            let first = one(draw, &FIRST);
            let last = [one(draw, &LAST), one(draw, &LAST)];
            let email = draw.random_ratio(7, 10).then(|| {
                format!("{}.{}{at}@{}", plain(first), plain(last[0]), one(draw, &PROVIDERS))
            });
            let plate = draw.random_ratio(1, 5).then(|| plate(draw));
            let born = NaiveDate::from_ymd_opt(1950, 1, 1).expect("a date of the calendar")
                + Duration::days(draw.random_range(0..20_000));
            Person { key: format!("P{at:06}"), phone, document, email, first, last, born, plate }
        })
        .collect()
}

fn leads(draw: &mut ChaCha8Rng, persons: &[Person]) -> Vec<(Story, Lead)> {
    let total: u32 = STORIES.iter().map(|(_, share)| share).sum();
    (0..LEADS)
        .map(|_| {
            let mut ticket = draw.random_range(0..total);
            let (story, _) = STORIES
                .into_iter()
                .find(|(_, share)| {
                    let here = ticket < *share;
                    ticket = ticket.saturating_sub(*share);
                    here
                })
                .expect("a ticket is below the sum of all shares");
            (story, tell(draw, story, persons))
        })
        .collect()
}

fn tell(draw: &mut ChaCha8Rng, story: Story, persons: &[Person]) -> Lead {
    let with = |draw: &mut ChaCha8Rng, has: fn(&Person) -> bool| loop {
        let person = &persons[draw.random_range(FAMILIES * FAMILY..persons.len())];
        if has(person) {
            return person;
        }
    };
    let mut lead = Lead::default();
    match story {
        Story::Document | Story::Claimed => {
            let person = with(draw, |person| person.document.is_some());
            let dni = person.document.as_deref().expect("chosen for it");
            (lead.document, lead.document_type) = written_document(draw, dni);
            if draw.random_ratio(1, 2) {
                lead.phone =
                    person.phone.as_deref().map(|phone| written(draw, phone)).unwrap_or_default();
            }
            known(draw, &mut lead, person);
        }
        Story::Phone => {
            let person = with(draw, |person| person.phone.is_some());
            lead.phone = written(draw, person.phone.as_deref().expect("chosen for it"));
            known(draw, &mut lead, person);
        }
        Story::Email => {
            let person = with(draw, |person| person.email.is_some());
            lead.email = written_email(draw, person.email.as_deref().expect("chosen for it"));
            known(draw, &mut lead, person);
        }
        Story::Conflict => {
            let one = with(draw, |person| person.phone.is_some());
            let other = loop {
                let other = with(draw, |person| person.email.is_some());
                if other.key != one.key {
                    break other;
                }
            };
            lead.phone = written(draw, one.phone.as_deref().expect("chosen for it"));
            lead.email = other.email.clone().expect("chosen for it");
        }
        Story::SharedPhone => {
            let person = &persons[draw.random_range(0..FAMILIES * FAMILY)];
            lead.phone = written(draw, person.phone.as_deref().expect("a family has its phone"));
            known(draw, &mut lead, person);
        }
        Story::Contradicted => {
            let person = with(draw, |person| person.phone.is_some() && person.document.is_some());
            lead.phone = written(draw, person.phone.as_deref().expect("chosen for it"));
            lead.document = dni(draw);
            lead.document_type = "DNI";
        }
        Story::Stranger => {
            lead.phone = mobile(draw);
            if draw.random_ratio(1, 2) {
                lead.document = dni(draw);
                lead.document_type = "DNI";
            }
            lead.name = Some((one(draw, &FIRST), one(draw, &LAST).to_owned()));
        }
        Story::Nothing => {
            lead.phone = one(draw, &["", "-", "999999999", "no tiene"]).to_owned();
            lead.email = one(draw, &["", "test@test.com", "n/a"]).to_owned();
            lead.document = one(draw, &["", "00000000", "12345678"]).to_owned();
            lead.document_type = if lead.document.is_empty() { "" } else { "DNI" };
        }
    }
    lead
}

/// Adds what a known person gives besides: the name, perhaps the birth date and the plate.
fn known(draw: &mut ChaCha8Rng, lead: &mut Lead, person: &Person) {
    lead.truth.clone_from(&person.key);
    lead.name = Some((person.first, format!("{} {}", person.last[0], person.last[1])));
    lead.born = draw.random_ratio(1, 4).then_some(person.born);
    if draw.random_ratio(1, 6) {
        lead.plate = person.plate.clone().unwrap_or_default();
    }
}

fn one<T: Copy>(draw: &mut impl Rng, of: &[T]) -> T {
    of[draw.random_range(0..of.len())]
}

fn mobile(draw: &mut impl Rng) -> String {
    format!("9{:08}", draw.random_range(10_000_000..90_000_000))
}

fn dni(draw: &mut impl Rng) -> String {
    format!("{:08}", draw.random_range(1_000_000..80_000_000))
}

fn plate(draw: &mut impl Rng) -> String {
    let letters: String = (0..3).map(|_| char::from(draw.random_range(b'A'..=b'Z'))).collect();
    format!("{letters}-{:03}", draw.random_range(100..1_000))
}

/// A Peruvian mobile in one of the forms in which people write it.
fn written(draw: &mut impl Rng, phone: &str) -> String {
    let (a, rest) = phone.split_at(3);
    let (b, c) = rest.split_at(3);
    match draw.random_range(0..6) {
        0 => format!("+51 {a} {b} {c}"),
        1 => format!("0051{phone}"),
        2 => format!("51{phone}"),
        3 => format!("{a}-{b}-{c}"),
        4 => phone
            .chars()
            .map(|d| char::from_u32(d as u32 - '0' as u32 + '０' as u32).unwrap_or(d))
            .collect(),
        _ => phone.to_owned(),
    }
}

/// A DNI as people give it: plain, dotted, without its leading zero, or inside a taxpayer number.
fn written_document(draw: &mut impl Rng, dni: &str) -> (String, &'static str) {
    match draw.random_range(0..5) {
        0 => (format!("{}.{}.{}", &dni[..2], &dni[2..5], &dni[5..]), "DNI"),
        1 => (dni.trim_start_matches('0').to_owned(), "DNI"),
        2 => (ruc(dni), "RUC"),
        _ => (dni.to_owned(), "DNI"),
    }
}

/// The taxpayer number of a natural person: `10`, the DNI and the check digit (modulo 11, SUNAT).
fn ruc(dni: &str) -> String {
    let body = format!("10{dni}");
    let sum: u32 = body
        .bytes()
        .zip([5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{body}{}", (11 - sum % 11) % 10)
}

fn written_email(draw: &mut impl Rng, email: &str) -> String {
    match draw.random_range(0..3) {
        0 => email.to_uppercase(),
        1 => match email.split_once('@') {
            Some((local, "gmail.com")) => {
                format!("{}+promo@googlemail.com", local.replace('.', ""))
            }
            _ => email.to_owned(),
        },
        _ => email.to_owned(),
    }
}

/// A name's letters without accents, for the local part of an address.
fn plain(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|letter| match letter {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            'ó' => 'o',
            'ú' => 'u',
            'ñ' => 'n',
            other => other,
        })
        .collect()
}

fn write_persons(out: impl Write, persons: &[Person]) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record([
        "person_key",
        "phone",
        "document",
        "document_type",
        "document_country",
        "email",
        "full_name",
        "birth_date",
        "plate",
    ])?;
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

fn write_leads(out: impl Write, draw: &mut ChaCha8Rng, leads: &[(Story, Lead)]) -> io::Result<()> {
    let until: DateTime<Utc> = UNTIL.parse().expect("a fixed instant");
    let mut out = csv::Writer::from_writer(out);
    out.write_record([
        "id",
        "external_id",
        "lead_created_at",
        "phone",
        "document",
        "document_type",
        "document_country",
        "email",
        "first_name",
        "middle_name",
        "last_name",
        "birth_date",
        "plate",
    ])?;
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

fn write_claims(out: impl Write, leads: &[(Story, Lead)]) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(["claim_id", "person_key", "source_pk"])?;
    for (at, (story, lead)) in leads.iter().enumerate() {
        if *story == Story::Claimed {
            out.write_record([&format!("C{at:06}"), &lead.truth, &source_pk(at)])?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_samples_are_the_same_bytes_and_hold_every_story() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sample = write(one.path()).unwrap();
        write(two.path()).unwrap();
        for path in [&sample.leads, &sample.persons, &sample.claims, &sample.truth] {
            let again = two.path().join(path.file_name().unwrap());
            assert!(
                std::fs::read(path).unwrap() == std::fs::read(again).unwrap(),
                "{}",
                path.display()
            );
        }
        let mut draw = ChaCha8Rng::seed_from_u64(SEED);
        let persons = persons(&mut draw);
        let drawn: std::collections::HashSet<_> =
            leads(&mut draw, &persons).into_iter().map(|(story, _)| story).collect();
        assert_eq!(drawn.len(), STORIES.len());
    }

    #[test]
    fn the_taxpayer_number_ends_in_its_check_digit() {
        // 10 + 10000001: 1·5+0·4+1·3+0·2+0·7+0·6+0·5+0·4+0·3+1·2 = 10, and 11 − 10 = 1.
        assert_eq!(ruc("10000001"), "10100000011");
    }
}
