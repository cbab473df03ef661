//! What concerns the queue as a whole: its history, its loads, and what disagrees.

use recovery_queue::{DatabaseUrl, Decider, LeadStore as _, SqlStore, StoreActionKind};
use serde_json::json;

use super::answer::{Answer, counted};
use super::loads;
use crate::cli::{Exit, Failure};

/// Lists what was done with the queue as a whole.
///
/// # Errors
///
/// The database's.
pub fn history(store: &mut SqlStore, answer: &Answer<'_>) -> Result<Exit, Failure> {
    let actions = store.actions()?;
    answer.console.json(&json!({ "history": actions }))?;
    if answer.writes_text() {
        for action in &actions {
            let what = match action.kind {
                StoreActionKind::Paused => format!("{} paused", action.subject),
                StoreActionKind::Resumed => format!("{} resumed", action.subject),
                StoreActionKind::Pruned => {
                    format!("{} removed by age ({})", counted(action.rows, "row"), action.subject)
                }
                StoreActionKind::LeadForgotten => {
                    format!("a lead forgotten, {}", counted(action.rows, "row"))
                }
                StoreActionKind::PersonForgotten => {
                    format!("a person forgotten, {}", counted(action.rows, "row"))
                }
                StoreActionKind::Imported => {
                    format!("{} imported, {} changed", action.subject, counted(action.rows, "row"))
                }
                StoreActionKind::Migrated => {
                    format!("{} applied ({})", counted(action.rows, "migration"), action.subject)
                }
                StoreActionKind::Stamped => {
                    let stamped = counted(action.rows, "migration");
                    format!("{stamped} recorded as there ({})", action.subject)
                }
                other => other.code().to_owned(),
            };
            let at = action.at.format("%Y-%m-%d %H:%M UTC");
            answer.console.data(format_args!("{at} {what} by {}: {}", action.by, action.reason))?;
        }
    }
    Ok(Exit::Done)
}

/// Lists the loads of packets and of reviews.
///
/// # Errors
///
/// The database's.
pub fn list_loads(
    store: &mut SqlStore,
    url: &DatabaseUrl,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let found = loads::list(store, url)?;
    answer.console.json(&json!({ "loads": found }))?;
    if answer.writes_text() {
        for load in &found {
            let undone = match (&load.undone_at, &load.undone_by) {
                (Some(at), by) => format!(
                    ", undone {} by {}",
                    at.format("%Y-%m-%d %H:%M UTC"),
                    by.as_deref().unwrap_or("somebody")
                ),
                _ => String::new(),
            };
            answer.console.data(format_args!(
                "{} {}: {} loaded by {}{undone}",
                load.loaded_at.format("%Y-%m-%d %H:%M UTC"),
                load.load,
                counted(load.rows, load.of.noun()),
                load.loaded_by,
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// Says what disagrees, and puts it right unless that is only to be counted.
///
/// # Errors
///
/// The database's.
pub fn reconcile(
    store: &mut SqlStore,
    decider: Decider<'_>,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let found =
        if answer.is_dry() { store.inconsistencies()? } else { store.reconcile(decider)? };
    let mut words = vec![match found.len() {
        0 => "nothing disagrees".to_owned(),
        _ if answer.is_dry() => "these disagree".to_owned(),
        _ => "these disagreed".to_owned(),
    }];
    for told in &found {
        let more = told.count.saturating_sub(told.keys.len() as u64);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let right = match (told.kind.can_be_mended(), answer.is_dry()) {
            (false, _) => "mend the backlog's view: it must read the links by the same key",
            (true, true) => "can be put right",
            (true, false) => "put right",
        };
        words.push(format!(
            "  {} {}, {right}: {}{more}",
            told.kind,
            told.count,
            told.keys.join(", ")
        ));
    }
    let left = found.iter().any(|told| answer.is_dry() || !told.kind.can_be_mended());
    answer.done(&words.join("\n"), json!({ "inconsistencies": found }))?;
    Ok(if left { Exit::Failed } else { Exit::Done })
}
