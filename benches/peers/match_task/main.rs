//! Our side of the matching comparison: generates the files, runs the task, prints its figures as JSON.
//!
//! `match_task generate FOLDER PERSONS LEADS [hubs]` writes `persons.csv`, `leads.csv` (canonical values) and
//! `leads_raw.csv` (the same as people write them). `match_task kept FOLDER THREADS` builds an index of all persons
//! and keeps it; `match_task once FOLDER THREADS` decides the leads over persons who are read once. `matching.py`
//! calls all three and runs the peers on the same files.

#![allow(clippy::print_stdout, reason = "the figures are the output")]

mod decided;
mod figures;
mod kept;
mod once;

use std::{fs, io::Write, path::Path, thread};

use benchmarks::{matching, rows::Outcome};
use identity_matching::{Normaliser, Record, Region};

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", folder, persons, leads] => {
            generate(Path::new(folder), persons.parse()?, leads.parse()?, false)
        }
        ["generate", folder, persons, leads, "hubs"] => {
            generate(Path::new(folder), persons.parse()?, leads.parse()?, true)
        }
        ["kept", folder, threads] => kept::run(Path::new(folder), threads.parse()?),
        ["once", folder, threads] => once::run(Path::new(folder), threads.parse()?),
        _ => Err("usage: match_task generate FOLDER PERSONS LEADS [hubs] | kept FOLDER THREADS \
                  | once FOLDER THREADS"
            .into()),
    }
}

fn generate(folder: &Path, persons: u32, leads: u32, hubs: bool) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    let create = |name: &str| fs::File::create(folder.join(name)).map(std::io::BufWriter::new);
    let mut row = String::new();
    let mut file = create("persons.csv")?;
    file.write_all(b"person_key,phone,document,email\n")?;
    for (at, person) in (0..).zip(matching::persons(persons, hubs)) {
        row.clear();
        matching::write_row(&mut row, at, &person, false);
        file.write_all(row.as_bytes())?;
    }
    file.flush()?;
    let (mut canonical, mut raw) = (create("leads.csv")?, create("leads_raw.csv")?);
    for file in [&mut canonical, &mut raw] {
        file.write_all(b"lead_id,phone,document,email\n")?;
    }
    for (at, (_, lead)) in (0..).zip(matching::leads(leads, persons, hubs)) {
        for (file, written) in [(&mut canonical, false), (&mut raw, true)] {
            row.clear();
            matching::write_row(&mut row, at, &lead, written);
            file.write_all(row.as_bytes())?;
        }
    }
    canonical.flush()?;
    Ok(raw.flush()?)
}

/// Makes the normaliser of the task, its numbering plans loaded: a service has that behind it.
fn normaliser() -> Outcome<Normaliser> {
    let normaliser = Normaliser::for_region(Region::parse("PE")?);
    let judged = Record { phones: vec!["044 55 1234 5678".into()], ..Record::default() };
    let _ = normaliser.normalise(&judged);
    Ok(normaliser)
}

/// Does one piece of work on each thread.
fn in_parallel<T: Send, P: Send>(
    parts: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        running.into_iter().map(|one| one.join().map_err(|_| "a thread panicked")?).collect()
    })
}
