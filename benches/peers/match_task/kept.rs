//! An index of the whole population, kept: what a service does.

use std::{fs::File, num::NonZeroUsize, path::Path};

use benchmarks::rows::{self, Blocks, Outcome, each_row};
use identity_matching::{
    BlockingKind, DeterministicMatcher, Normalised, Normaliser, Policy,
    index::{InMemoryIndex, InMemoryIndexBuilder},
};

use crate::{
    decided::{BATCH, Decided, Ready, report},
    figures::{self, Timer},
    in_parallel, normaliser,
};

pub(crate) fn run(folder: &Path, threads: NonZeroUsize) -> Outcome<()> {
    let normaliser = normaliser()?;
    let start = Timer::start();
    let index = load(folder, threads, &normaliser)?;
    start.print("load_persons");
    figures::count("index_bytes", "bytes", index.bytes());
    figures::count("index_persons", "persons", index.len());
    let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())
        .expect("the policy's own options");

    let start = Timer::start();
    let leads = Blocks::new(File::open(folder.join("leads.csv"))?);
    let decided = in_parallel(0..threads.get(), |_| decide_file(&leads, &matcher))?;
    start.print("leads_csv_to_decisions");
    report("kept", &decided);
    drop(decided);
    figures::peak_memory("kept_peak_memory");

    let raw = std::fs::read(folder.join("leads_raw.csv"))?;
    let texts = texts(&raw)?;
    let parts = texts.chunks(texts.len().div_ceil(threads.get()));
    for _ in 0..3 {
        let start = Timer::start();
        in_parallel(parts.clone(), |texts| decide_texts(texts, &matcher))?;
        start.print("raw_text_to_decisions");
    }

    let leads = Blocks::new(File::open(folder.join("leads.csv"))?);
    let ready = in_parallel(0..threads.get(), |_| {
        let mut ready = Ready::default();
        each_row(&leads, matcher.normaliser(), |id, lead| ready.push(id, lead))?;
        Ok(ready)
    })?;
    let decide = |ready: &Ready| {
        let mut decided = Decided::with_room(ready.len());
        decided.decide(ready, &matcher)
    };
    for _ in 0..5 {
        let start = Timer::start();
        in_parallel(&ready, decide)?;
        start.print("keys_ready");
    }
    for _ in 0..3 {
        let start = Timer::start();
        ready.iter().try_for_each(decide)?;
        start.print("keys_ready_one_thread");
    }
    Ok(())
}

fn load(folder: &Path, threads: NonZeroUsize, normaliser: &Normaliser) -> Outcome<InMemoryIndex> {
    let persons = Blocks::new(File::open(folder.join("persons.csv"))?);
    let builders = in_parallel(0..threads.get(), |_| {
        let mut builder = new_builder();
        each_row(&persons, normaliser, |key, record| {
            builder.add(key, record)?;
            Ok(())
        })?;
        Ok(builder)
    })?;
    let mut all = new_builder().with_threads(threads);
    for builder in builders {
        all.absorb(builder)?;
    }
    Ok(all.build()?)
}

/// The task has no weak evidence, so none is kept.
fn new_builder() -> InMemoryIndexBuilder {
    InMemoryIndex::builder()
        .without_blocking(BlockingKind::PhoneTail)
        .without_blocking(BlockingKind::Plate)
        .without_blocking(BlockingKind::NameBirthDate)
}

fn decide_file(
    leads: &Blocks<File>,
    matcher: &DeterministicMatcher<InMemoryIndex>,
) -> Outcome<Decided> {
    let (mut decided, mut ready) = (Decided::default(), Ready::default());
    each_row(leads, matcher.normaliser(), |id, lead| {
        ready.push(id, lead)?;
        if ready.len() == BATCH {
            decided.decide(&ready, matcher)?;
            ready.clear();
        }
        Ok(())
    })?;
    decided.decide(&ready, matcher)?;
    Ok(decided)
}

/// Phone, document and e-mail of each lead, as a caller has them in memory.
fn texts(content: &[u8]) -> Outcome<Vec<[&str; 3]>> {
    let rows = std::str::from_utf8(content)?.lines().skip(1).map(|line| {
        let mut fields = line.split(',').skip(1);
        [(); 3].map(|()| fields.next().unwrap_or_default())
    });
    Ok(rows.collect())
}

fn decide_texts(
    texts: &[[&str; 3]],
    matcher: &DeterministicMatcher<InMemoryIndex>,
) -> Outcome<Decided> {
    let (mut decided, mut ready) = (Decided::default(), Ready::default());
    let mut buffer = Normalised::default();
    for texts in texts.chunks(BATCH) {
        for &fields in texts {
            ready.push("", rows::normalise(matcher.normaliser(), fields, &mut buffer))?;
        }
        decided.decide(&ready, matcher)?;
        ready.clear();
    }
    Ok(decided)
}
