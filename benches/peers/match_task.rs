//! Our side of the matching comparison: generates the files, runs the task, prints its figures as JSON.
//!
//! `match_task generate FOLDER PERSONS LEADS [hubs]` writes `persons.csv`, `leads.csv` (canonical values) and
//! `leads_raw.csv` (the same as people write them); `match_task run FOLDER THREADS` reads them. `matching.py`
//! calls both and runs the peers on the same files.

#![allow(clippy::print_stdout, reason = "the figures are the output")]

use std::{
    error::Error,
    fs,
    io::Write,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use benchmarks::matching;
use identity_matching::{
    BlockingKind, DeterministicMatcher, DocumentParts, HeldKey, NormaliseOptions, Normalised,
    Normaliser, Policy, Region, SubjectView, UnmatchedReason, Verdict,
    index::{InMemoryIndex, InMemoryIndexBuilder},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

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
        ["run", folder, threads] => run(Path::new(folder), threads.parse()?),
        _ => {
            Err("usage: match_task generate FOLDER PERSONS LEADS [hubs] | run FOLDER THREADS"
                .into())
        }
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

/// Measures wall time, and the processor time of all threads, which a busy machine does not stretch as much.
#[derive(Clone, Copy)]
struct Timer(Instant, f64);

impl Timer {
    fn start() -> Self {
        Self(Instant::now(), processor_seconds())
    }

    fn elapsed(self) -> (f64, f64) {
        (self.0.elapsed().as_secs_f64(), processor_seconds() - self.1)
    }
}

/// Reads user and system time from the system's account of this process; it counts hundredths.
fn processor_seconds() -> f64 {
    let account = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields follow the program's name, which may hold blanks.
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Cuts a file's rows below the header into parts, each ending at a line break.
fn parts(content: &[u8], count: usize) -> Vec<&[u8]> {
    let start = content.iter().position(|&byte| byte == b'\n').map_or(content.len(), |at| at + 1);
    let mut rest = &content[start..];
    let share = rest.len() / count + 1;
    let mut parts = Vec::with_capacity(count);
    while !rest.is_empty() {
        let from = share.min(rest.len());
        let end = rest[from..].iter().position(|&byte| byte == b'\n');
        let (part, after) = rest.split_at(end.map_or(rest.len(), |at| from + at + 1));
        parts.push(part);
        rest = after;
    }
    parts
}

/// Reads the rows of a part: key, then a record normalised into the buffer.
fn each_row(
    part: &[u8],
    normaliser: &Normaliser,
    mut each: impl FnMut(&str, &Normalised) -> Outcome<()>,
) -> Outcome<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(part);
    let mut row = csv::ByteRecord::new();
    let mut buffer = Normalised::default();
    while reader.read_byte_record(&mut row)? {
        let text = |at: usize| std::str::from_utf8(row.get(at).unwrap_or_default());
        let mut record = normaliser.read_into(&mut buffer);
        if !text(1)?.is_empty() {
            record.phone(text(1)?);
        }
        if !text(2)?.is_empty() {
            record.document(DocumentParts { country: "PE", kind: "DNI", number: text(2)? });
        }
        if !text(3)?.is_empty() {
            record.email(text(3)?);
        }
        let record = record.finish();
        each(text(0)?, record)?;
    }
    Ok(())
}

fn in_parallel<T: Send, P: Copy + Send>(
    parts: &[P],
    work: impl Fn(P) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = parts.iter().map(|&part| scope.spawn(move || work(part))).collect();
        running.into_iter().map(|one| one.join().map_err(|_| "a thread panicked")?).collect()
    })
}

fn load(folder: &Path, threads: usize, normaliser: &Normaliser) -> Outcome<InMemoryIndex> {
    let content = fs::read(folder.join("persons.csv"))?;
    let builders = in_parallel(&parts(&content, threads), |part| {
        let mut builder = new_builder();
        each_row(part, normaliser, |key, record| Ok(builder.add(key, record)?))?;
        Ok(builder)
    })?;
    drop(content);
    let mut builders = builders.into_iter();
    let mut all = builders.next().unwrap_or_default();
    for builder in builders {
        all.absorb(builder)?;
    }
    Ok(all.with_threads(threads.try_into()?).build()?)
}

/// The task has no weak evidence, so none is kept.
fn new_builder() -> InMemoryIndexBuilder {
    InMemoryIndex::builder()
        .without_blocking(BlockingKind::PhoneTail)
        .without_blocking(BlockingKind::Plate)
        .without_blocking(BlockingKind::NameBirthDate)
}

/// Leads with their keys ready, as a caller that normalises on arrival keeps them.
#[derive(Default)]
struct Ready {
    keys: Vec<HeldKey>,
    ends: Vec<usize>,
}

/// What came out, and for every lead the verdict and the person's key.
#[derive(Default)]
struct Decided {
    verdicts: Vec<Verdict>,
    persons: String,
    counts: [u64; 5],
}

impl Decided {
    fn take(&mut self, considered: &identity_matching::Considered<'_>) {
        let verdict = considered.verdict();
        self.verdicts.push(verdict);
        self.persons.push_str(considered.person().unwrap_or_default());
        let at = match verdict {
            Verdict::Matched { .. } => 0,
            Verdict::Unmatched(UnmatchedReason::ConflictMultipleCandidates) => 1,
            Verdict::Unmatched(UnmatchedReason::WeakMatchOnly) => 2,
            Verdict::Unmatched(UnmatchedReason::NoCandidates) => 3,
            Verdict::Unmatched(_) => 4,
        };
        self.counts[at] += 1;
    }
}

fn run(folder: &Path, threads: usize) -> Outcome<()> {
    let normaliser = Normaliser::new(NormaliseOptions::for_region(Region::parse("PE")?));
    let timed = |label: &str, since: Timer| {
        let (seconds, cpu) = since.elapsed();
        println!("{{\"figure\":\"{label}\",\"seconds\":{seconds:.4},\"cpu\":{cpu:.2}}}");
    };
    // The metadata of numbering plans loads on first use; a service has that behind it.
    let _ = normaliser.normalise(&identity_matching::Record {
        phones: vec!["044 55 1234 5678".into()],
        ..identity_matching::Record::default()
    });

    let start = Timer::start();
    let index = load(folder, threads, &normaliser)?;
    timed("load_persons", start);
    let loaded = start.elapsed().0;
    println!(
        "{{\"figure\":\"index_bytes\",\"bytes\":{},\"persons\":{}}}",
        index.bytes(),
        index.len()
    );
    let matcher = DeterministicMatcher::new(index, normaliser.clone(), Policy::default());

    let content = fs::read(folder.join("leads.csv"))?;
    let start = Timer::start();
    let decided = in_parallel(&parts(&content, threads), |part| decide_raw(part, &matcher))?;
    timed("leads_csv_to_decisions", start);
    println!("{{\"figure\":\"csv_to_decisions\",\"seconds\":{:.4}}}", loaded + start.elapsed().0);
    report(&decided);

    let raw = fs::read(folder.join("leads_raw.csv"))?;
    let texts = in_parallel(&parts(&raw, threads), split)?;
    let slices: Vec<&[[&str; 3]]> = texts.iter().map(Vec::as_slice).collect();
    for _ in 0..3 {
        let start = Timer::start();
        in_parallel(&slices, |texts| decide_texts(texts, &matcher))?;
        timed("raw_text_to_decisions", start);
    }

    let ready = in_parallel(&parts(&content, threads), |part| {
        let mut ready = Ready::default();
        each_row(part, matcher.normaliser(), |_, record| {
            ready.keys.extend_from_slice(record.keys());
            ready.ends.push(ready.keys.len());
            Ok(())
        })?;
        Ok(ready)
    })?;
    let slices: Vec<&Ready> = ready.iter().collect();
    for _ in 0..5 {
        let start = Timer::start();
        in_parallel(&slices, |ready| decide_ready(ready, &matcher))?;
        timed("keys_ready", start);
    }
    let one: Vec<&Ready> = slices.clone();
    for _ in 0..3 {
        let start = Timer::start();
        for ready in &one {
            decide_ready(ready, &matcher)?;
        }
        timed("keys_ready_one_thread", start);
    }
    let status = fs::read_to_string(PathBuf::from("/proc/self/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{{\"figure\":\"peak_memory\",\"bytes\":{}}}", peak * 1024);
    Ok(())
}

const BATCH: usize = 4_096;

fn decide_raw(part: &[u8], matcher: &DeterministicMatcher<InMemoryIndex>) -> Outcome<Decided> {
    let mut decided = Decided::default();
    let mut ready = Ready::default();
    each_row(part, matcher.normaliser(), |_, record| {
        ready.keys.extend_from_slice(record.keys());
        ready.ends.push(ready.keys.len());
        if ready.ends.len() == BATCH {
            decide_batch(&ready, matcher, &mut decided)?;
            ready.keys.clear();
            ready.ends.clear();
        }
        Ok(())
    })?;
    decide_batch(&ready, matcher, &mut decided)?;
    Ok(decided)
}

fn split(part: &[u8]) -> Outcome<Vec<[&str; 3]>> {
    let rows = std::str::from_utf8(part)?.lines().map(|line| {
        let mut fields = line.split(',').skip(1);
        [(); 3].map(|()| fields.next().unwrap_or_default())
    });
    Ok(rows.collect())
}

fn decide_texts(
    texts: &[[&str; 3]],
    matcher: &DeterministicMatcher<InMemoryIndex>,
) -> Outcome<Decided> {
    let mut decided = Decided::default();
    let mut ready = Ready::default();
    let mut buffer = Normalised::default();
    for texts in texts.chunks(BATCH) {
        for [phone, document, email] in texts {
            let mut record = matcher.normaliser().read_into(&mut buffer);
            if !phone.is_empty() {
                record.phone(phone);
            }
            if !document.is_empty() {
                record.document(DocumentParts { country: "PE", kind: "DNI", number: document });
            }
            if !email.is_empty() {
                record.email(email);
            }
            ready.keys.extend_from_slice(record.finish().keys());
            ready.ends.push(ready.keys.len());
        }
        decide_batch(&ready, matcher, &mut decided)?;
        ready.keys.clear();
        ready.ends.clear();
    }
    Ok(decided)
}

fn decide_ready(ready: &Ready, matcher: &DeterministicMatcher<InMemoryIndex>) -> Outcome<Decided> {
    let mut decided = Decided {
        verdicts: Vec::with_capacity(ready.ends.len()),
        persons: String::with_capacity(ready.ends.len() * 8),
        ..Decided::default()
    };
    decide_batch(ready, matcher, &mut decided)?;
    Ok(decided)
}

fn decide_batch(
    ready: &Ready,
    matcher: &DeterministicMatcher<InMemoryIndex>,
    decided: &mut Decided,
) -> Outcome<()> {
    let mut views = Vec::with_capacity(BATCH);
    let mut start = 0;
    for ends in ready.ends.chunks(BATCH) {
        views.clear();
        for &end in ends {
            views.push(SubjectView::of_keys(&ready.keys[start..end]));
            start = end;
        }
        matcher.consider(&views, &mut |_, considered| decided.take(considered))?;
    }
    Ok(())
}

fn report(decided: &[Decided]) {
    let names = ["matched", "conflict", "weak", "no_candidates", "missing"];
    for (at, name) in names.iter().enumerate() {
        let total: u64 = decided.iter().map(|one| one.counts[at]).sum();
        println!("{{\"figure\":\"outcome_{name}\",\"leads\":{total}}}");
    }
    let verdicts: usize = decided.iter().map(|one| one.verdicts.len()).sum();
    let text: usize = decided.iter().map(|one| one.persons.len()).sum();
    println!("{{\"figure\":\"decided\",\"leads\":{verdicts},\"text\":{text}}}");
}
