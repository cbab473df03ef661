//! The leads decided over persons who are read once: an index of those persons who can matter.

use std::{fs::File, num::NonZeroUsize, path::Path};

use benchmarks::rows::{Blocks, Outcome, each_row, each_row_that_may_matter};
use identity_matching::{
    BlockingKind, DeterministicMatcher, Normaliser, Policy,
    index::{
        InMemoryIndexBuilder, Relevant, RelevantBuilder, Remainder, SubjectFilter, SubjectKeys,
    },
};

use crate::{
    decided::{Decided, Ready, report},
    figures::{self, Timer},
    in_parallel, normaliser,
};

pub(crate) fn run(folder: &Path, threads: NonZeroUsize) -> Outcome<()> {
    let normaliser = normaliser()?;
    let start = Timer::start();
    let leads = Blocks::new(File::open(folder.join("leads.csv"))?);
    let read = in_parallel(0..threads.get(), |_| {
        let (mut ready, mut keys) = (Ready::default(), SubjectKeys::default());
        each_row(&leads, &normaliser, |id, lead| {
            // Nothing weaker is decided by, so nothing weaker is looked for.
            keys.add_strong(lead);
            ready.push(id, lead)
        })?;
        Ok((ready, keys))
    })?;
    let (mut leads, mut keys) = (Vec::new(), SubjectKeys::default());
    for (ready, part) in read {
        leads.push(ready);
        keys.absorb(part);
    }
    let filter = keys.filter();
    drop(keys);
    start.print("once_read_leads");
    let persons = Timer::start();
    let builder = relevant(folder, threads, &normaliser, &filter)?;
    persons.print("once_read_persons");
    let built = Timer::start();
    let index = builder.build()?;
    built.print("once_build");
    let decide = Timer::start();
    let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())
        .expect("the policy's own options");
    let decided = in_parallel(&leads, |ready| {
        let mut decided = Decided::with_room(ready.len());
        decided.decide(ready, &matcher)?;
        Ok(decided)
    })?;
    decide.print("once_decide");
    start.print("once_csv_to_decisions");
    figures::count("once_persons_kept", "persons", matcher.index().len());
    report("once", &decided);
    figures::peak_memory("once_peak_memory");
    Ok(())
}

/// Reads the persons, and once more where a person's records call for it.
fn relevant(
    folder: &Path,
    threads: NonZeroUsize,
    normaliser: &Normaliser,
    filter: &SubjectFilter,
) -> Outcome<InMemoryIndexBuilder> {
    let file = || Ok::<_, std::io::Error>(Blocks::new(File::open(folder.join("persons.csv"))?));
    let persons = file()?;
    let mut parts = in_parallel(0..threads.get(), |_| {
        // The task has no weak evidence, so none is kept.
        let mut part = RelevantBuilder::new(filter.clone())
            .with_threads(threads)
            .without_blocking(BlockingKind::PhoneTail)
            .without_blocking(BlockingKind::Plate)
            .without_blocking(BlockingKind::NameBirthDate);
        each_row_that_may_matter(&persons, normaliser, filter, |key, record| {
            match record {
                Some(record) => part.add(key, record)?,
                None => part.pass_over(key)?,
            }
            Ok(())
        })?;
        Ok(part)
    })?;
    let mut all = parts.pop().ok_or("there is one thread at least")?;
    for part in parts {
        all.absorb(part)?;
    }
    match all.finish()? {
        Relevant::Complete(builder) => Ok(builder),
        Relevant::Incomplete(rest) => complete(rest, &file()?, normaliser),
    }
}

fn complete(
    mut rest: Remainder,
    persons: &Blocks<File>,
    normaliser: &Normaliser,
) -> Outcome<InMemoryIndexBuilder> {
    each_row(persons, normaliser, |key, record| {
        if rest.wants(key) {
            rest.add(key, record)?;
        }
        Ok(())
    })?;
    Ok(rest.into_builder())
}
