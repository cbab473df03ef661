//! One lead or one person, as the queue knows them.

use guardrails::recovery::reason_in_words;
use recovery_queue::{LeadStore as _, PersonKey, SourcePk, SqlStore};
use serde_json::{Value, json};

use super::answer::{Answer, counted};
use crate::cli::{Exit, Failure};
use crate::lead;

/// Shows a lead: where it stands, what it gave, its candidates and its history.
///
/// # Errors
///
/// A key that the queue does not know, and the database's.
pub fn show_lead(
    store: &mut SqlStore,
    key: &SourcePk,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let record = store.lead(key)?.ok_or_else(|| {
        Failure::new(format_args!("the queue knows no lead {key}"))
            .remedy("seed first; keys are compared letter by letter")
    })?;
    let (row, history) = (&record.row, lead::history(&record));
    let reason = row.reason.as_ref().map(|reason| reason.code().to_owned());
    let evidence = record.evidence.as_deref().and_then(lead::evidence);
    answer.console.json(&json!({
        "source_pk": key.as_str(),
        "status": row.status.code(),
        "fail_reason": reason,
        "person_key": row.person_key.as_ref().map(PersonKey::as_str),
        "since": row.since,
        "attempts": row.attempts,
        "evidence": evidence,
        "history": history,
    }))?;
    if !answer.writes_text() {
        return Ok(Exit::Done);
    }
    let why = reason.as_deref().map_or_else(String::new, |reason| format!(" as {reason}"));
    answer.console.data(format_args!(
        "lead {key} is {}{why} since {}",
        row.status.code(),
        row.since
    ))?;
    if let Some(words) = reason.as_deref().and_then(reason_in_words) {
        answer.console.data(format_args!("  {words}"))?;
    }
    for given in evidence.iter().flat_map(|evidence| &evidence.keys) {
        let holders = counted(u64::from(given.holders), "person");
        answer.console.data(format_args!(
            "  gave {} {} ({holders} with it)",
            given.kind.as_str(),
            given.value
        ))?;
    }
    for one in evidence.iter().flat_map(|evidence| &evidence.candidates) {
        answer.console.data(format_args!(
            "  candidate {} {}",
            one.person,
            one.standing.reason()
        ))?;
    }
    for event in history {
        let who = event.who.map_or_else(String::new, |who| format!(" ({who})"));
        answer.console.data(format_args!(
            "  {} {}{who}",
            event.at.format("%Y-%m-%d %H:%M UTC"),
            event.what
        ))?;
    }
    Ok(Exit::Done)
}

/// Shows a person: the leads that are and were linked.
///
/// # Errors
///
/// A key that the queue does not know, and the database's.
pub fn show_person(
    store: &mut SqlStore,
    key: &PersonKey,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let record = store.person(key)?.ok_or_else(|| {
        Failure::new(format_args!("the queue knows no person {key}"))
            .remedy("a person comes to the queue with a first link")
    })?;
    let links: Vec<Value> = record
        .links
        .iter()
        .map(|link| json!({ "source_pk": link.source_pk.as_str(), "rule": link.rule, "linked_at": link.linked_at }))
        .collect();
    let former: Vec<Value> = record
        .former_links
        .iter()
        .map(|(lead, link)| json!({ "source_pk": lead.as_str(), "ended_at": link.ended_at, "reason": link.reason }))
        .collect();
    let origin = record.origin.as_ref().map(|origin| origin.source_pk.to_string());
    answer.console.json(&json!({ "person_key": key.as_str(), "origin": origin, "links": links, "former_links": former }))?;
    if answer.writes_text() {
        let origin = origin.unwrap_or_else(|| "none".to_owned());
        answer.console.data(format_args!(
            "person {key} has {}; origin {origin}",
            counted(links.len() as u64, "lead")
        ))?;
        for link in &record.links {
            answer.console.data(format_args!(
                "  {} by {} since {}",
                link.source_pk, link.rule, link.linked_at
            ))?;
        }
        for (lead, link) in &record.former_links {
            answer
                .console
                .data(format_args!("  {lead} until {}: {}", link.ended_at, link.reason))?;
        }
    }
    Ok(Exit::Done)
}
