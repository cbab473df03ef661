//! Unresolved leads go out as packets, the most valuable first.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use raw_packets::{Language, PacketForm, RowPacket, RowPlan};
use recovery_queue::{
    Decider, FailReason, LeadStore, NewReviewPacket, QueueRow, ReviewEffect, ReviewStore, SourcePk,
    SqlStore,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::issued::Issued;
use super::shown::Shown;
use super::{Case, Reading, UnreadableReader, template};
use crate::cli::{Console, Failure};
use crate::files;
use crate::service::Database;

/// Which leads are asked about, of whom, and how.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct ExportArgs {
    /// Asks about leads that failed for these reasons (left out: CONFLICT_MULTIPLE_CANDIDATES,WEAK_MATCH_ONLY; with
    /// --correct every reason).
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub reasons: Vec<FailReason>,
    /// Asks for the right values of identifiers that could not be read, instead of who a lead is. Without --full a value
    /// shows its form alone, and whoever corrects it looks the lead up by its key; load with load_review --correct.
    #[arg(long, conflicts_with = "disagreements")]
    pub correct: bool,
    /// Deals the cases out to these reviewers, a packet each; left out, there is a packet for each reason. The names
    /// are put on the list of who may decide.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub reviewers: Vec<String>,
    /// Asks two reviewers about each case, who must agree; neither sees what the other says.
    #[arg(long)]
    pub second: bool,
    /// Asks once more about the cases on which two reviewers disagree, and about no others.
    #[arg(long, conflicts_with = "second")]
    pub disagreements: bool,
    /// Asks again about cases that are with a reviewer already.
    #[arg(long)]
    pub again: bool,
    /// At most so many cases in all, the oldest leads first, of one day the surest.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Cases per packet; a packet of one is shown upright, too.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub rows: u16,
    /// Shows identifiers as they are; the files then are personal data, and say so.
    #[arg(long)]
    pub full: bool,
    /// Writes packets in this form: plain, excel-us, excel-eu, xlsx-en or xlsx-es.
    #[arg(long, value_name = "FORM", default_value = "xlsx-en")]
    pub form: PacketForm,
    /// Writes the packets to this folder.
    #[arg(long, value_name = "DIR", default_value = "out/review")]
    pub out_dir: PathBuf,
    /// Who gives the packets out.
    #[arg(long, env = "USER", default_value = "export_review", value_name = "NAME")]
    pub by: String,
}

/// What was given out.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// Cases in all.
    pub cases_total: u64,
    /// Cases by the reason of the failure.
    pub cases: BTreeMap<String, u64>,
    /// Leads that were not asked about, for they are with a reviewer already.
    pub out_already_total: u64,
    /// Leads that were put off and come back later.
    pub put_off_total: u64,
    /// The packets.
    pub packets: Vec<ExportedPacket>,
}

/// One packet that was given out.
#[derive(Debug, Serialize)]
pub struct ExportedPacket {
    /// Its key.
    pub packet: String,
    /// Its file.
    pub file: PathBuf,
    /// Whom it is for.
    pub reviewer: Option<String>,
    /// How many cases it holds.
    pub cases_total: usize,
}

/// Chooses cases, writes their packets and records them as given out.
///
/// # Errors
///
/// Fewer than two reviewers where two are to decide, a folder that cannot be written, and the database's.
pub fn export(
    args: &ExportArgs,
    reading: &Reading,
    store: &mut SqlStore,
    service: &mut Database,
    console: &Console,
) -> Result<Exported, Failure> {
    if args.second && args.reviewers.iter().collect::<BTreeSet<_>>().len() < 2 {
        return Err(Failure::new("two reviewers are to decide each case, and fewer are named")
            .remedy("name two or more: --reviewers ana,luis"));
    }
    if args.correct {
        service.check_corrections()?;
        let reader = UnreadableReader::new(reading, service)?;
        let (rows, now, put_off_total) = waiting(args, store)?;
        let found = reader.read(&rows, false, service)?;
        let out = Out { template: reader.template(), policy: reader.policy(), now, put_off_total };
        return give_out(args, &out, found, store, service, console);
    }
    let reader = reading.cases(service)?;
    let (rows, now, put_off_total) = waiting(args, store)?;
    let cases = reader.read(&rows, args.full, store, service)?;
    let out = Out { template: template(), policy: reader.policy(), now, put_off_total };
    give_out(args, &out, cases, store, service, console)
}

/// Lists the leads that are asked about, but for those that were put off; gives when that is so, and how many were.
fn waiting(
    args: &ExportArgs,
    store: &mut SqlStore,
) -> Result<(Vec<QueueRow>, DateTime<Utc>, u64), Failure> {
    let mut rows = chosen(args, store)?;
    let now = recovery_queue::Snapshot::as_of(&store.read()?);
    let put_off = store.put_off(now)?;
    let before = rows.len();
    rows.retain(|row| !put_off.contains_key(&row.source_pk));
    let put_off_total = (before - rows.len()) as u64;
    Ok((rows, now, put_off_total))
}

impl Issued for Case {
    fn row(&self) -> &QueueRow {
        &self.row
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn sure(&self) -> f64 {
        Self::sure(self)
    }

    fn cell(&self, column: &str, _: Shown) -> String {
        match column {
            "stopped_by" => self.stopped_by.clone(),
            "lead_shows" => self.shows.clone(),
            "candidates" => self.candidates.len().to_string(),
            _ => candidate(self, column).unwrap_or_default(),
        }
    }
}

/// What is the same for all packets of an export.
struct Out {
    template: raw_packets::Template,
    policy: String,
    now: DateTime<Utc>,
    put_off_total: u64,
}

fn give_out<T: Issued>(
    args: &ExportArgs,
    all: &Out,
    read: Vec<T>,
    store: &mut SqlStore,
    service: &mut Database,
    console: &Console,
) -> Result<Exported, Failure> {
    let out = store.review_cases()?;
    let out: BTreeSet<(&SourcePk, &str)> = out
        .iter()
        .filter(|case| !case.decided && !args.again && !args.disagreements)
        .map(|case| (&case.source_pk, case.fingerprint.as_str()))
        .collect();
    let before = read.len();
    let mut read: Vec<T> = read
        .into_iter()
        .filter(|case| !out.contains(&(&case.row().source_pk, case.fingerprint())))
        .collect();
    let out_already_total = (before - read.len()) as u64;
    read.sort_by(|a, b| {
        let day = |case: &T| case.row().lead_at.date_naive();
        day(a)
            .cmp(&day(b))
            .then_with(|| b.sure().total_cmp(&a.sure()))
            .then_with(|| a.row().source_pk.cmp(&b.row().source_pk))
    });
    read.truncate(args.limit);
    let reason = |case: &T| case.row().reason.as_ref().map_or("", FailReason::code).to_owned();
    let mut done = Exported {
        cases_total: read.len() as u64,
        cases: super::count_by(read.iter().map(reason)),
        out_already_total,
        put_off_total: all.put_off_total,
        packets: Vec::new(),
    };
    let mut written = Vec::new();
    for (of, reviewer, cases) in dealt(args, &read, reason) {
        for part in cases.chunks(usize::from(args.rows)) {
            let packet = packet_key(part, reviewer.as_deref(), all.now.timestamp_micros());
            let path = write(args, &all.template, &of, &packet, reviewer.as_deref(), part)?;
            done.packets.push(ExportedPacket {
                packet: packet.clone(),
                file: path,
                reviewer: reviewer.clone(),
                cases_total: part.len(),
            });
            let cases_of = part
                .iter()
                .map(|case| (case.row().source_pk.clone(), case.fingerprint().to_owned()))
                .collect();
            let mut record = NewReviewPacket::new(&packet, &args.by, &all.policy, cases_of);
            record.reviewer.clone_from(&reviewer);
            record.full = args.full;
            record.reviews_needed = if args.second { 2 } else { 1 };
            written.push(record);
        }
    }
    let recorded = service.transaction(|service| {
        let decider = Decider { by: &args.by, reason: "named by export_review" };
        for name in &args.reviewers {
            service.queue().set_reviewer(name, true, decider)?;
        }
        written.iter().try_for_each(|packet| Ok(service.queue().issue_review(packet)?))
    });
    if let Err(failure) = recorded {
        // What is not recorded could never be loaded.
        for packet in &done.packets {
            let _ = std::fs::remove_file(&packet.file);
        }
        return Err(failure);
    }
    if args.full && !done.packets.is_empty() {
        console.warn("the packets show identifiers in full: they are personal data");
    }
    Ok(done)
}

/// Chooses the failed leads of the reasons, or those on which two reviewers disagree.
fn chosen(args: &ExportArgs, store: &mut SqlStore) -> Result<Vec<QueueRow>, Failure> {
    let mut rows = Vec::new();
    if args.disagreements {
        let reviews = store.reviews()?;
        let leads: BTreeSet<&SourcePk> = reviews
            .iter()
            .filter(|review| review.effect == ReviewEffect::Disagreeing)
            .map(|review| &review.source_pk)
            .collect();
        for lead in leads {
            let found = store.lead(lead)?.map(|record| record.row);
            rows.extend(found.filter(|row| row.reason.is_some()));
        }
        return Ok(rows);
    }
    let usual = [FailReason::ConflictMultipleCandidates, FailReason::WeakMatchOnly];
    let reasons: Vec<Option<&FailReason>> = match (args.reasons.as_slice(), args.correct) {
        ([], true) => vec![None],
        ([], false) => usual.iter().map(Some).collect(),
        (named, _) => named.iter().map(Some).collect(),
    };
    for reason in reasons {
        let mut after = None;
        loop {
            let page = store.failed(reason, after.as_ref(), 10_000)?;
            let Some(last) = page.last() else { break };
            after = Some(last.source_pk.clone());
            rows.extend(page);
        }
    }
    Ok(rows)
}

/// A group of cases: what it is called, who decides them, and the cases.
type Group<T> = (String, Option<String>, Vec<T>);

/// Deals cases out: to reviewers in turn, two for each case where two are to decide; else by reason.
fn dealt<T: Issued>(
    args: &ExportArgs,
    cases: &[T],
    reason: impl Fn(&T) -> String,
) -> Vec<Group<T>> {
    let mut groups: Vec<Group<T>> = Vec::new();
    if args.reviewers.is_empty() {
        let mut by_reason: BTreeMap<String, Vec<T>> = BTreeMap::new();
        for case in cases {
            by_reason.entry(reason(case)).or_default().push(case.clone());
        }
        groups.extend(by_reason.into_iter().map(|(of, cases)| (of, None, cases)));
        return groups;
    }
    let mut names: Vec<&String> = args.reviewers.iter().collect();
    names.sort_unstable();
    names.dedup();
    groups.extend(names.iter().map(|name| ((*name).clone(), Some((*name).clone()), Vec::new())));
    for (at, case) in cases.iter().enumerate() {
        for second in 0..=usize::from(args.second) {
            groups[(at + second) % names.len()].2.push(case.clone());
        }
    }
    groups.retain(|(_, _, cases)| !cases.is_empty());
    groups
}

/// Makes a packet's key of what it holds and when it is given out.
fn packet_key<T: Issued>(cases: &[T], reviewer: Option<&str>, micros: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(micros.to_be_bytes());
    hash.update(reviewer.unwrap_or_default());
    for case in cases {
        hash.update(case.fingerprint());
    }
    format!("rv-{}", data_encoding::HEXLOWER.encode(&hash.finalize()[..6]))
}

fn write<T: Issued>(
    args: &ExportArgs,
    template: &raw_packets::Template,
    of: &str,
    packet: &str,
    reviewer: Option<&str>,
    cases: &[T],
) -> Result<PathBuf, Failure> {
    let shown = if args.full { Shown::Full } else { Shown::Masked };
    let rows = cases
        .iter()
        .map(|case| cells(template, (shown, args.form.language()), packet, reviewer, case));
    let kind = if args.correct { " correct" } else { "" };
    let full = if args.full { " full" } else { "" };
    let name = format!("{packet} {of}{kind}{full}");
    let plan = RowPlan::new(template, args.form, vec![RowPacket::new(name, rows.collect())])?;
    let file = plan.file(&plan.packets()[0]);
    let path: PathBuf = Path::new(&args.out_dir).join(&file.path);
    files::write_atomic(&path, &file.bytes)?;
    for page in plan.guides() {
        files::write_atomic(&Path::new(&args.out_dir).join(page.path), &page.bytes)?;
    }
    Ok(path)
}

/// Fills a row of the template.
fn cells<T: Issued>(
    template: &raw_packets::Template,
    (shown, language): (Shown, Language),
    packet: &str,
    reviewer: Option<&str>,
    case: &T,
) -> Vec<String> {
    let of = |name: &str| -> String {
        match name {
            "packet" => packet.to_owned(),
            "lead" => case.row().source_pk.to_string(),
            "identifiers" => shown.word(language).to_owned(),
            "created_on" => case.row().lead_at.date_naive().to_string(),
            "decided_by" => reviewer.unwrap_or_default().to_owned(),
            _ => case.cell(name, shown),
        }
    };
    // A cell of a spreadsheet ends there.
    let cut = |text: String| text.chars().take(8_000).collect::<String>();
    template.columns().iter().map(|column| cut(of(&column.name))).collect()
}

fn candidate(case: &Case, column: &str) -> Option<String> {
    let rest = column.strip_prefix("candidate_")?;
    let (number, part) = rest.split_once('_').unwrap_or((rest, ""));
    let candidate = case.candidates.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(match part {
        "" => candidate.person.to_string(),
        "shows" => candidate.shows.clone(),
        "agrees" => candidate.agrees.clone(),
        _ => candidate.differs.clone(),
    })
}
