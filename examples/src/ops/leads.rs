//! The pages of single leads: those behind a reason, and one with its candidates, its history and what to do next.
//!
//! Identifiers come from the evidence alone, which the matcher has masked: a second mask of the same value, such as one
//! made of the service's own table, would show other characters of it.

use chrono::{DateTime, Utc};
use guardrails::page::{Body, FormField, Table, encoded, plain_page};
use guardrails::recovery::reason_in_words;
use identity_matching::{CandidateEvidence, Evidence, KeyUse};
use recovery_queue::{FailReason, LeadRecord, Status};

use crate::guards::Launcher;
use crate::lead;

/// Candidates that stand side by side; further ones are counted.
const ABREAST: usize = 6;
/// Keys, values and events that a page lists; further ones are counted.
const LISTED: usize = 50;

/// One lead of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// When it came to its status.
    pub since: String,
    /// Technical attempts that failed.
    pub attempts: String,
    /// What its decision rests on; none where it came from no matcher.
    pub evidence: Option<Evidence>,
}

/// Leads in the order of their keys, and how many there are from the first of them on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The first of them.
    pub leads: Vec<Listed>,
    /// All of them.
    pub total: u64,
}

/// The form that looks a lead up.
pub(super) fn search(body: Body, key: &str) -> Body {
    let field = FormField { name: "key", label: "Key of a lead", value: key, secret: false };
    body.form("/lead", &field, "Show the lead", false)
}

/// The page of the leads behind a reason.
pub(super) fn list(reason: &FailReason, found: &Page) -> String {
    let mut body = Body::default();
    if let Some(words) = reason_in_words(reason.code()) {
        body = body.paragraph(words);
    }
    body = search(body, "");
    let head = ["Lead", "Failed since", "What it gave", "Candidates"];
    let caption = format!("{} from here on, in the order of their keys", found.total);
    let table = found.leads.iter().fold(Table::new(caption, head).keys(), |table, lead| {
        let (gave, candidates) = match &lead.evidence {
            None => ("–".to_owned(), "–".to_owned()),
            Some(evidence) => (gave(evidence), evidence.candidates.len().to_string()),
        };
        table.linked_row(&address(&lead.key), [&lead.key, &lead.since, &gave, &candidates])
    });
    body = match found.leads.last() {
        None => body.paragraph("There are none from here on."),
        Some(last) => {
            let unlisted = found.total.saturating_sub(found.leads.len() as u64);
            let body = body.table(&table);
            if unlisted == 0 {
                body
            } else {
                let next = format!("/leads?reason={}&after={}", reason.code(), encoded(&last.key));
                body.link(&next, &format!("Next page ({unlisted} more)"))
            }
        }
    };
    let heading = format!("Leads that failed as {}", reason.code());
    plain_page(&heading, Some(("/", "Back to the overview")), &body)
}

/// The page of a lead.
pub(super) fn address(key: &str) -> String {
    format!("/lead?key={}", encoded(key))
}

/// The identifiers of a lead in one line.
fn gave(evidence: &Evidence) -> String {
    let mut parts: Vec<String> = evidence
        .keys
        .iter()
        .take(LISTED)
        .map(|key| format!("{} {}", key.kind.as_str(), key.value))
        .collect();
    match evidence.unusable.len() {
        0 => {}
        1 => parts.push("1 value that cannot be used".to_owned()),
        n => parts.push(format!("{n} values that cannot be used")),
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// The page that says that there is no such lead.
pub(super) fn unknown(key: &str) -> String {
    let body = search(Body::default(), key).paragraph(
        "The queue knows no lead of this key. Keys are compared letter by letter; a lead that is in the backlog only comes \
         to the queue with the next seed.",
    );
    plain_page("No such lead", Some(("/", "Back to the overview")), &body)
}

/// The page of one lead.
pub(super) fn one(record: &LeadRecord, launcher: &Launcher) -> String {
    let row = &record.row;
    let key = row.source_pk.as_str();
    let evidence = record.evidence.as_deref().and_then(lead::evidence);
    let mut body = search(Body::default(), key);
    let status = match &row.reason {
        Some(reason) if row.status == Status::Failed => format!("failed as {}", reason.code()),
        _ => row.status.code().to_owned(),
    };
    let mut figures = vec![("Status", status), ("Since", time(row.since))];
    if let Some(person) = &row.person_key {
        figures.push(("Person", person.to_string()));
    }
    if row.attempts > 0 {
        figures.push(("Technical errors", row.attempts.to_string()));
    }
    body = body.figures(figures);
    if let Some(words) = row.reason.as_ref().and_then(|reason| reason_in_words(reason.code())) {
        body = body.paragraph(words);
    }
    let next = next_steps(record, evidence.as_ref(), launcher);
    let next = next.iter().map(|(words, command)| (words.as_str(), command.as_deref()));
    body = body.paragraph("What to do next:").next_steps(next);
    body = match &evidence {
        Some(evidence) => candidates(given(body, evidence), evidence),
        None => body.remark("No matcher's evidence is kept for this status."),
    };
    body = history(body, record);
    plain_page(&format!("Lead {key}"), Some(("/", "Back to the overview")), &body)
}

fn given(body: Body, evidence: &Evidence) -> Body {
    let head = ["Identifier", "Masked", "Persons who have it", "What it was good for"];
    let count = evidence.keys.len();
    let table = Table::new(caption("What the lead gave", count), head).numbers(2..3);
    let table = evidence.keys.iter().take(LISTED).fold(table, |table, key| {
        let used = match key.used {
            KeyUse::Candidates => "finds candidates",
            KeyUse::Unheld => "nobody has it",
            KeyUse::Shared => "shared by many: only corroborates",
            KeyUse::Generic => "shared by too many: counts for nothing",
            KeyUse::Organisation => "an organisation's: finds weak candidates only",
            KeyUse::Supposed => "what may have been meant: finds weak candidates only",
            KeyUse::Disabled => "left out by the policy",
            _ => "another use",
        };
        table.row([key.kind.as_str(), &key.value, &key.holders.to_string(), used])
    });
    let unusable = caption("Values that cannot be used", evidence.unusable.len());
    let values = Table::new(unusable, ["Value", "Why, and what to do"]);
    let values = evidence.unusable.iter().take(LISTED).fold(values, |table, value| {
        let place = format!("{} {}", value.source.field.as_str(), value.source.position + 1);
        table.row([place, value.reason.to_string()])
    });
    body.table(&table).table(&values)
}

fn caption(what: &str, count: usize) -> String {
    match count.saturating_sub(LISTED) {
        0 => what.to_owned(),
        more => format!("{what}; {more} more are left out"),
    }
}

/// The candidates side by side: a column for each, a row for each thing that is compared.
fn candidates(body: Body, evidence: &Evidence) -> Body {
    let all = &evidence.candidates;
    if all.is_empty() {
        return body;
    }
    let shown = &all[..all.len().min(ABREAST)];
    let title = match all.len() - shown.len() {
        0 => "Candidates, side by side".to_owned(),
        more => format!("Candidates, side by side; {more} more are left out"),
    };
    let head = std::iter::once("Compared").chain(shown.iter().map(|one| one.person.as_str()));
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: &str, cell: &dyn Fn(&CandidateEvidence) -> String| {
        rows.push(std::iter::once(name.to_owned()).chain(shown.iter().map(cell)).collect());
    };
    row("Why it is, or is not, the match", &|one| one.standing.reason().to_owned());
    let mut agreed: Vec<(&str, &str)> = shown
        .iter()
        .flat_map(|one| &one.agrees)
        .map(|key| (key.kind.as_str(), key.value.as_str()))
        .collect();
    agreed.sort_unstable();
    agreed.dedup();
    for (kind, value) in agreed.into_iter().take(LISTED) {
        row(&format!("{kind} {value}"), &|one| {
            let found =
                one.agrees.iter().find(|key| key.kind.as_str() == kind && key.value == value);
            found.map_or_else(|| "–".to_owned(), |key| format!("agrees ({})", key.form.as_str()))
        });
    }
    let mut differing: Vec<&str> =
        shown.iter().flat_map(|one| &one.disagrees).map(|what| what.kind.as_str()).collect();
    differing.sort_unstable();
    differing.dedup();
    for kind in differing {
        row(&format!("{kind} differs"), &|one| {
            let all = one.disagrees.iter().filter(|what| what.kind.as_str() == kind);
            let all: Vec<String> =
                all.map(|what| format!("{} / {}", what.subject, what.person)).collect();
            if all.is_empty() { "–".to_owned() } else { all.join("; ") }
        });
    }
    if shown.iter().any(|one| one.name_similarity.is_some()) {
        row("Similarity of the names", &|one| {
            one.name_similarity.map_or_else(|| "–".to_owned(), |share| format!("{share:.2}"))
        });
    }
    body.table(&rows.into_iter().fold(Table::new(title, head), Table::row))
}

/// What to do with a lead, by where it stands and what is known of it.
fn next_steps(
    record: &LeadRecord,
    evidence: Option<&Evidence>,
    launcher: &Launcher,
) -> Vec<(String, Option<String>)> {
    let key = crate::guards::quoted(record.row.source_pk.as_str());
    let explain = || Some(launcher.command(&format!("explain_match --source-pk {key}")));
    let step = |words: &str, command: Option<String>| (words.to_owned(), command);
    let lacks: Vec<&str> = [("phone", "phone"), ("document", "document"), ("email", "e-mail")]
        .into_iter()
        .filter(|(kind, _)| {
            evidence.is_none_or(|given| given.keys.iter().all(|key| key.kind.as_str() != *kind))
        })
        .map(|(_, name)| name)
        .collect();
    let ask = if lacks.is_empty() {
        "Correct its identifiers, or import the person that is missing.".to_owned()
    } else {
        format!("Ask for its {}, and import it again.", lacks.join(" or "))
    };
    let see = step("See every key, candidate and rule.", explain());
    let recover = || step("Recover.", Some(launcher.command("recover_leads")));
    match (record.row.status, &record.row.reason) {
        (Status::Pending, _) => {
            vec![step("It waits for its turn: recover.", Some(launcher.command("recover_leads")))]
        }
        (Status::Matched, _) => {
            vec![step("Nothing: it is linked. See what the match rests on.", explain())]
        }
        (Status::Withdrawn, _) => {
            vec![step("Nothing: it has left the backlog, or was cancelled by hand.", None)]
        }
        (_, Some(FailReason::ConflictMultipleCandidates | FailReason::WeakMatchOnly)) => {
            let candidates = evidence.map_or(&[][..], |evidence| &evidence.candidates);
            let mut steps = vec![
                see,
                step(
                    "Decide between the candidates, and link the lead to the one who it is:",
                    None,
                ),
            ];
            steps.extend(candidates.iter().take(ABREAST).map(|one| {
                let person = crate::guards::quoted(&one.person);
                let link = format!("queue_admin link add {key} {person} --why 'decided by hand'");
                step(&format!("It is {}.", one.person), Some(launcher.command(&link)))
            }));
            steps
        }
        (_, Some(FailReason::LeadNotFound)) => {
            vec![step("Find out why the backlog still names it: its record is gone.", explain())]
        }
        (_, Some(FailReason::Error)) => vec![
            step(
                "Mend the cause, which the log of the run names; then seed.",
                Some(launcher.command("seed_queue")),
            ),
            recover(),
        ],
        _ => vec![see, (ask, None), recover()],
    }
}

fn history(body: Body, record: &LeadRecord) -> Body {
    let events = lead::history(record);
    let skipped = events.len().saturating_sub(LISTED);
    let table = Table::new(caption("History, oldest first", events.len()), ["When", "What", "Who"]);
    let table = events.iter().skip(skipped).fold(table, |table, event| {
        table.row([&time(event.at), event.what.as_str(), event.who.as_deref().unwrap_or("–")])
    });
    body.table(&table)
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
