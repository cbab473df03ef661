//! Packets come back as decisions: checked to the cell, applied in one transaction, undone by the load's id.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use chrono::{DateTime, Days, NaiveTime, Utc};
use clap::Args;
use identity_matching::Record;
use raw_packets::edge::{ReadLimits, read_packets};
use raw_packets::{
    CheckOptions, CheckedRowFile, CheckedRows, CsvProfile, Finding, Language, PacketForm,
    PacketStatus, ReturnedFile, RowAnswer, RowPacket, RowPlan, Severity, Template,
};
use recovery_queue::{
    Correction, CorrectionSink, PersonKey, QueueRow, Review, ReviewCase, ReviewDecision,
    ReviewLoad, ReviewReceipt, ReviewRefusal, ReviewRow, ReviewStore, SourcePk, SqlStore,
};
use serde::Serialize;

use super::{Case, Reading, Unreadable, UnreadableReader, correction_template, template};
use crate::cli::Failure;
use crate::service::Database;

/// How many candidates a case shows, and so how many are rejected by `none of these`.
const SHOWN: usize = 3;

/// What is taken back, and how.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// The folder with the returned packets.
    #[arg(value_name = "DIR", default_value = "out/review")]
    pub folder: PathBuf,
    /// Loads corrected values of identifiers, of packets that export_review --correct wrote.
    #[arg(long)]
    pub correct: bool,
    /// Loads the rows that are well, and lists the others; else one bad row keeps everything out.
    #[arg(long)]
    pub accept_valid: bool,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The days after which a case decided `later` comes back, where the row names no day.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub later_days: u32,
    /// Says what is wrong in this language: en or es.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    pub language: Language,
    /// Who loads.
    #[arg(long, env = "USER", default_value = "load_review", value_name = "NAME")]
    pub by: String,
}

/// What a load found and did.
#[derive(Debug, Serialize)]
pub struct Loaded {
    /// Rows that were filled in.
    pub answered_total: u64,
    /// Rows that came back blank.
    pub unanswered_total: u64,
    /// What is wrong or odd, to the cell.
    pub findings: Vec<Finding>,
    /// How many of them keep something out.
    pub errors_total: u64,
    /// Decisions that were made on what is no longer so.
    pub stale_total: u64,
    /// Whether something was loaded, or would have been in a dry run.
    pub loaded: bool,
    /// What was done.
    pub receipt: ReviewReceipt,
}

/// Checks the returned packets and applies their decisions.
///
/// # Errors
///
/// A folder that cannot be read, and the database's.
pub fn load(
    args: &LoadArgs,
    reading: &Reading,
    store: &mut SqlStore,
    service: &mut Database,
    now: DateTime<Utc>,
) -> Result<Loaded, Failure> {
    let issued = store.review_cases()?;
    if args.correct {
        return load_corrections(args, reading, &issued, store, service);
    }
    let other = correction_template(&reading.policy()?.1);
    let (checked, mut found) = check(args, &template(), &other, &issued)?;
    let cases = reading.cases(service)?;
    let mut check = Check {
        mapped: service.table_map().is_some(),
        seen: seen(&checked, &cases, store, service)?,
        persons: BTreeSet::new(),
        held: held(store)?,
        now,
        later: Days::new(u64::from(args.later_days)),
        findings: Vec::new(),
    };
    check.persons = known_persons(&checked, service)?;
    let mut reviews = Vec::new();
    for answer in checked.answers() {
        if let Some(review) = check.review(answer)? {
            reviews.push((answer, review));
        }
    }
    let Check { findings, seen, .. } = check;
    let records: HashMap<String, Record> =
        seen.into_iter().map(|(lead, case)| (lead, case.record)).collect();
    found.extend(findings);
    finish(args, &checked, found, &reviews, store, |load| apply(load, &records, service))
}

/// Judges the decisions, says what is wrong, and applies them where they are taken.
fn finish(
    args: &LoadArgs,
    checked: &CheckedRows,
    mut all: Vec<Finding>,
    reviews: &[(&RowAnswer, Review)],
    store: &mut SqlStore,
    apply: impl FnOnce(&ReviewLoad) -> Result<ReviewReceipt, Failure>,
) -> Result<Loaded, Failure> {
    let mut load = ReviewLoad::new(&args.by, reviews.iter().map(|(_, r)| r.clone()).collect());
    if args.accept_valid {
        load = load.partial();
    }
    let mut receipt = store.check_reviews(&load)?;
    for (at, refusal) in &receipt.refused {
        let (answer, review) = &reviews[*at];
        let others = reviews.iter().enumerate().filter(|(other, _)| other != at);
        let twin = others.map(|(_, other)| other).find(|(_, r)| r.source_pk == review.source_pk);
        all.push(refused(answer, refusal, twin.map(|(answer, _)| *answer)));
    }
    let stale = receipt.refused.iter().filter(|(_, refusal)| refusal.is_stale()).count();
    all.sort_by(|a, b| (&a.file, a.row, &a.cell).cmp(&(&b.file, b.row, &b.cell)));
    let errors = all.iter().filter(|finding| finding.is_error()).count();
    let accepted = errors == 0 || args.accept_valid;
    if accepted && !args.dry_run {
        receipt = apply(&load)?;
    }
    Ok(Loaded {
        answered_total: checked.answers().count() as u64,
        unanswered_total: checked.files().iter().map(CheckedRowFile::unanswered).sum(),
        findings: all,
        errors_total: errors as u64,
        stale_total: stale as u64,
        loaded: accepted,
        receipt,
    })
}

/// Reads the folder and checks it against what was given out: by keys alone, for what a case showed is in its fingerprint.
/// Gives what is wrong or odd beside it.
fn check(
    args: &LoadArgs,
    own: &Template,
    other: &Template,
    issued: &[ReviewCase],
) -> Result<(CheckedRows, Vec<Finding>), Failure> {
    let files = read_packets(&args.folder, ReadLimits::default())?;
    let options = CheckOptions::default().with_language(args.language);
    let checked = plan(own, issued)?.check(&files, options);
    let unknown: BTreeSet<&str> = checked.ignored().iter().map(|of| of.file.as_str()).collect();
    let unknown: Vec<ReturnedFile> =
        files.iter().filter(|file| unknown.contains(file.name.as_str())).cloned().collect();
    // Both kinds may lie in one folder; a load for which nothing of its own kind was filled in is the wrong one.
    let is_wrong = checked.answers().next().is_none() && !checked.findings().any(Finding::is_error);
    let (what, remedy) = if args.correct {
        (
            "this packet asks who leads are, and this load takes corrections",
            "load it without --correct",
        )
    } else {
        (
            "this packet asks for corrections, and this load takes decisions",
            "load it with --correct",
        )
    };
    let others = plan(other, issued)?.check(&unknown, options);
    let others = others.files().iter().filter(|of| of.status() != PacketStatus::EmptyPacket);
    let others: BTreeMap<&str, Finding> = others
        .map(|file| {
            let mut finding = file.refused(what, remedy);
            if !is_wrong {
                finding.severity = Severity::Note;
            }
            (file.name(), finding)
        })
        .collect();
    let told = checked.findings().filter(|of| !others.contains_key(of.file.as_str())).cloned();
    let found = told.chain(others.values().cloned()).collect();
    Ok((checked, found))
}

/// Plans what was given out, as packets of a template.
fn plan(template: &Template, issued: &[ReviewCase]) -> Result<RowPlan, Failure> {
    let mut packets: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for case in issued {
        let cell = |name: &str| match name {
            "packet" => case.packet.clone(),
            "lead" => case.source_pk.to_string(),
            // As it was issued, so that a name that stands there alone fills nothing in.
            "decided_by" => case.reviewer.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let row = template.columns().iter().map(|column| cell(&column.name)).collect();
        packets.entry(&case.packet).or_default().push(row);
    }
    let packets = packets.into_iter().map(|(name, rows)| RowPacket::new(name, rows)).collect();
    Ok(RowPlan::new(template, PacketForm::Csv(CsvProfile::Plain), packets)?)
}

/// Reads the cases of the answered leads as they are now.
fn seen(
    checked: &CheckedRows,
    cases: &super::CaseReader,
    store: &mut SqlStore,
    service: &mut Database,
) -> Result<HashMap<String, Case>, Failure> {
    let rows = answered_rows(checked, store)?;
    let cases = cases.read(&rows, false, store, service)?;
    Ok(cases.into_iter().map(|case| (case.row.source_pk.to_string(), case)).collect())
}

/// Reads the rows of the queue of the answered leads.
fn answered_rows(checked: &CheckedRows, store: &mut SqlStore) -> Result<Vec<QueueRow>, Failure> {
    let leads: BTreeSet<&str> = checked.answers().map(|answer| answer.key()[1].as_str()).collect();
    let mut rows: Vec<QueueRow> = Vec::with_capacity(leads.len());
    let mut snapshot = store.read()?;
    for lead in leads {
        rows.extend(snapshot.lead(&SourcePk::new(lead)?)?.map(|record| record.row));
    }
    Ok(rows)
}

/// Finds which of the persons that the answers name are there.
fn known_persons(
    checked: &CheckedRows,
    service: &mut Database,
) -> Result<BTreeSet<String>, Failure> {
    let asked: BTreeSet<&str> =
        checked.answers().filter_map(|answer| answer.text("person_key")).collect();
    let asked: Vec<&str> = asked.into_iter().collect();
    Ok(service.person_records(&asked)?.into_keys().collect())
}

/// Reads the decisions that were loaded before, by packet and lead.
fn held(store: &mut SqlStore) -> Result<BTreeMap<(String, String), ReviewRow>, Failure> {
    let reviews = store.reviews()?.into_iter();
    Ok(reviews.map(|row| ((row.packet.clone(), row.source_pk.to_string()), row)).collect())
}

/// What the service knows beyond the template.
struct Check {
    mapped: bool,
    seen: HashMap<String, Case>,
    persons: BTreeSet<String>,
    /// What was loaded before, by packet and lead.
    held: BTreeMap<(String, String), ReviewRow>,
    now: DateTime<Utc>,
    later: Days,
    findings: Vec<Finding>,
}

impl Check {
    /// Makes the decision of a row; none where something is wrong with it.
    fn review(&mut self, answer: &RowAnswer) -> Result<Option<Review>, Failure> {
        let [packet, lead] = answer.key() else { return Ok(None) };
        let Some(word) = answer.text("decision") else {
            // A comment or a name alone decides nothing.
            return Ok(None);
        };
        let person = answer.text("person_key");
        let key = person.map(PersonKey::new).transpose();
        let Ok(key) = key else {
            self.refuse(
                answer,
                "person_key",
                "is no key of a person",
                "write a key as it is shown",
            );
            return Ok(None);
        };
        let decision = match (word, key) {
            ("link", Some(person)) => {
                if !self.persons.contains(person.as_str()) {
                    self.refuse(
                        answer,
                        "person_key",
                        "nobody has this key: it was mistyped, or the person is gone",
                        "copy the key of one of the persons shown, or of a person who is there",
                    );
                    return Ok(None);
                }
                ReviewDecision::Link(person)
            }
            ("new person", key) => {
                let own = PersonKey::new(format!("review:{lead}"))?;
                let key = key.unwrap_or(own);
                if self.mapped {
                    self.refuse(
                        answer,
                        "decision",
                        "the persons lie in tables of your own, in which nothing is made here",
                        "add the person there, and decide `link`",
                    );
                    return Ok(None);
                }
                let made = self.former(answer).is_some_and(|row| {
                    row.decision == ReviewDecision::NEW_PERSON
                        && row.person_key.as_ref() == Some(&key)
                });
                if !made && self.persons.contains(key.as_str()) {
                    self.refuse(
                        answer,
                        "person_key",
                        "somebody has this key already",
                        "decide `link` if that is the lead, else give another key or none",
                    );
                    return Ok(None);
                }
                ReviewDecision::NewPerson(key)
            }
            ("none of these" | "later", Some(_)) => {
                self.refuse(
                    answer,
                    "person_key",
                    "a person is named, and the decision says nobody",
                    "clear the key, or decide `link`",
                );
                return Ok(None);
            }
            ("none of these", None) => ReviewDecision::NoneOfThese,
            _ => match self.until(answer) {
                Some(until) => ReviewDecision::Later(until),
                None => return Ok(None),
            },
        };
        let Some(by) = answer.text("decided_by") else { return Ok(None) };
        let case = self.seen.get(lead);
        let shown = case.iter().flat_map(|case| case.candidates.iter().take(SHOWN));
        let candidates = match decision {
            ReviewDecision::NoneOfThese | ReviewDecision::NewPerson(_) => {
                shown.map(|candidate| candidate.person.clone()).collect()
            }
            _ => Vec::new(),
        };
        // A lead whose record is gone has no case: its fingerprint is nobody's.
        let fingerprint = case.map(|case| case.fingerprint.clone()).unwrap_or_default();
        let review = Review::new(packet, SourcePk::new(lead.as_str())?, fingerprint, decision, by)
            .with_candidates(candidates)
            .with_comment(answer.text("comment").unwrap_or_default());
        Ok(Some(review))
    }

    /// Gives when a case that is put off comes back.
    fn until(&mut self, answer: &RowAnswer) -> Option<DateTime<Utc>> {
        let Some(day) = answer.date("comes_back_on") else {
            // The same packet says the same, whenever it is loaded again.
            if let Some(until) = self.former(answer).and_then(|row| row.until) {
                return Some(until);
            }
            let day = self.now.date_naive().checked_add_days(self.later)?;
            return Some(day.and_time(NaiveTime::MIN).and_utc());
        };
        let until = day.and_time(NaiveTime::MIN).and_utc();
        let before = self.former(answer).and_then(|row| row.until);
        if until <= self.now && before != Some(until) {
            let (what, remedy) = ("the day is over", "give a day that is yet to come, or none");
            self.refuse(answer, "comes_back_on", what, remedy);
            return None;
        }
        Some(until)
    }

    /// Gives what was loaded of the same case before.
    fn former(&self, answer: &RowAnswer) -> Option<&ReviewRow> {
        let [packet, lead] = answer.key() else { return None };
        self.held.get(&(packet.clone(), lead.clone()))
    }

    fn refuse(&mut self, answer: &RowAnswer, column: &str, what: &str, remedy: &str) {
        self.findings.push(answer.refused(column, what, remedy));
    }
}

/// Tells why the store refuses a decision, at the cell that it is about; `twin` is another row on the same lead.
fn refused(answer: &RowAnswer, refusal: &ReviewRefusal, twin: Option<&RowAnswer>) -> Finding {
    let column = match refusal {
        ReviewRefusal::NotAReviewer | ReviewRefusal::OtherReviewer => "decided_by",
        ReviewRefusal::UnknownPacket => "packet",
        ReviewRefusal::UnknownCase | ReviewRefusal::Matched | ReviewRefusal::Withdrawn => "lead",
        ReviewRefusal::Rejected => "person_key",
        _ => "decision",
    };
    let place = twin.filter(|_| *refusal == ReviewRefusal::Twice);
    let place = place.map(|twin| format!(": {}, row {}", twin.file(), twin.row()));
    let what = format!("{}{}", refusal.message(), place.unwrap_or_default());
    answer.refused(column, &what, refusal.remedy())
}

/// Applies a load in one transaction with the persons that it makes: those of decisions that hold now.
fn apply(
    load: &ReviewLoad,
    records: &HashMap<String, Record>,
    service: &mut Database,
) -> Result<ReviewReceipt, Failure> {
    service.transaction(|service| {
        check_unchanged(load, records, service)?;
        // The store waits for another load first, and knows then what that one has decided.
        let receipt = service.queue().load_reviews(load)?;
        for review in receipt.applied.iter().map(|at| &load.reviews[*at]) {
            if let ReviewDecision::NewPerson(key) = &review.decision {
                service.add_person_of_lead(review.source_pk.as_str(), key.as_str())?;
            }
        }
        Ok(receipt)
    })
}

/// Refuses leads that changed since they were judged, before the transaction began.
fn check_unchanged(
    load: &ReviewLoad,
    records: &HashMap<String, Record>,
    service: &mut Database,
) -> Result<(), Failure> {
    let leads: BTreeSet<&str> = load.reviews.iter().map(|r| r.source_pk.as_str()).collect();
    let leads: Vec<&str> = leads.into_iter().collect();
    for part in leads.chunks(1_000) {
        let now = service.subjects(part)?;
        if let Some(lead) = part.iter().find(|lead| now.get(**lead) != records.get(**lead)) {
            return Err(Failure::new(format_args!("lead {lead} changed while it was loaded"))
                .remedy("load the packets again"));
        }
    }
    Ok(())
}

/// Checks returned packets of corrections, writes the corrected values, and has the leads decided anew.
fn load_corrections(
    args: &LoadArgs,
    reading: &Reading,
    issued: &[ReviewCase],
    store: &mut SqlStore,
    service: &mut Database,
) -> Result<Loaded, Failure> {
    service.check_corrections()?;
    let reader = UnreadableReader::new(reading, service)?;
    let (checked, mut findings) = check(args, &reader.template(), &template(), issued)?;
    let rows = answered_rows(&checked, store)?;
    let leads: HashMap<String, Unreadable> = reader
        .read(&rows, true, service)?
        .into_iter()
        .map(|lead| (lead.row.source_pk.to_string(), lead))
        .collect();
    let held = held(store)?;
    let given_out: HashMap<(&str, &str), &ReviewCase> =
        issued.iter().map(|case| ((case.packet.as_str(), case.source_pk.as_str()), case)).collect();
    let mut reviews = Vec::new();
    let mut corrections: HashMap<(String, String), Vec<Correction>> = HashMap::new();
    for answer in checked.answers() {
        let [packet, key] = answer.key() else { continue };
        let Some(digest) = reader.digest_of(answer) else { continue };
        let Some(by) = answer.text("decided_by") else { continue };
        let lead = leads.get(key);
        let known = held.get(&(packet.clone(), key.clone()));
        let shown = given_out.get(&(packet.as_str(), key.as_str()));
        let is_as_shown =
            lead.zip(shown).is_some_and(|(lead, shown)| lead.fingerprint == shown.fingerprint);
        // What is stale or was loaded before is the store's to tell.
        if let Some(lead) = lead.filter(|_| is_as_shown && known.is_none()) {
            match reader.corrections(lead, answer, by) {
                Ok(made) => {
                    corrections.insert((packet.clone(), key.clone()), made);
                }
                Err((column, what, remedy)) => {
                    findings.push(answer.refused(&column, &what, &remedy));
                    continue;
                }
            }
        }
        let fingerprint = lead.map(|lead| lead.fingerprint.clone()).unwrap_or_default();
        let decision = ReviewDecision::Corrected(digest);
        let review = Review::new(packet, SourcePk::new(key.as_str())?, fingerprint, decision, by)
            .with_comment(answer.text("comment").unwrap_or_default());
        reviews.push((answer, review));
    }
    let records: HashMap<String, Record> =
        leads.into_iter().map(|(lead, found)| (lead, found.record)).collect();
    finish(args, &checked, findings, &reviews, store, |load| {
        service.transaction(|service| {
            check_unchanged(load, &records, service)?;
            let receipt = service.queue().load_reviews(load)?;
            let applied: Vec<Correction> = receipt
                .applied
                .iter()
                .map(|at| &load.reviews[*at])
                .filter_map(|r| corrections.get(&(r.packet.clone(), r.source_pk.to_string())))
                .flatten()
                .cloned()
                .collect();
            if let Some(id) = &receipt.load {
                service.correct(id, &applied)?;
            }
            Ok(receipt)
        })
    })
}
