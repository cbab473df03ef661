//! Sample data for the identity loop: synthetic, always the same, with every outcome in it.
//!
//! Persons and leads are drawn from a fixed seed, so two runs, on any machine, write the same bytes. No
//! number or address was taken from anywhere; that one of them is somebody's is chance. Each lead is drawn
//! from one [`Story`], which says what a matcher ought to find.

mod model;
mod tables;
mod written;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{Duration, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use self::model::Story;
use self::model::{Lead, Person, source_pk};
use self::tables::{write_claims, write_leads, write_persons};
use self::written::{dni, mobile, one, plain, plate, written, written_document, written_email};
use crate::cli::Failure;
use crate::files;

/// How many persons the sample population holds.
pub const PERSONS: usize = 20_000;
/// How many leads the sample holds.
pub const LEADS: usize = 6_000;

const SEED: u64 = 14;

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
}
