//! One lead as a person looks at it: its evidence and its history.

use chrono::{DateTime, Utc};
use identity_matching::Evidence;
use recovery_queue::{LeadActionKind, LeadRecord, Status};
use serde::Serialize;

/// One thing that happened to a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: String,
    /// Who did it, where somebody or a run did.
    pub who: Option<String>,
}

/// Reads the evidence that a matcher wrote; another resolver's is its own affair.
#[must_use]
pub fn evidence(text: &str) -> Option<Evidence> {
    serde_json::from_str(text).ok()
}

/// Lists what happened to a lead, oldest first.
#[must_use]
pub fn history(record: &LeadRecord) -> Vec<Event> {
    let row = &record.row;
    let by = |decided: &Option<String>| Some(decided.clone().unwrap_or_else(|| "a run".to_owned()));
    let event = |at, what: String, who| Event { at, what, who };
    let mut events = vec![
        event(row.lead_at, "the lead came into being".to_owned(), None),
        event(row.first_seen_at, "the queue saw it first".to_owned(), None),
    ];
    for former in &record.former_links {
        let linked = format!("linked to {} by {}", former.person_key, former.rule);
        events.push(event(former.linked_at, linked, by(&former.decided_by)));
        let ended = format!("no longer linked to {}: {}", former.person_key, former.reason);
        events.push(event(former.ended_at, ended, Some(former.ended_by.clone())));
    }
    for action in &record.actions {
        let what = match action.kind {
            LeadActionKind::Reopened => "made pending again",
            LeadActionKind::Cancelled => "taken out of the work",
            LeadActionKind::Reconciled => "put right",
            LeadActionKind::Reviewed => "decided by a person",
            LeadActionKind::ReviewUndone => "a person's decision undone",
            _ => "changed by hand",
        };
        let before = action.fail_reason.as_ref().map(|reason| format!(" after {}", reason.code()));
        let what = format!("{what}{}: {}", before.unwrap_or_default(), action.reason);
        events.push(event(action.at, what, Some(action.by.clone())));
    }
    match &record.link {
        Some(link) => {
            let sure =
                format!("linked to {} by {} ({})", link.person_key, link.rule, link.confidence);
            events.push(event(link.linked_at, sure, by(&link.decided_by)));
        }
        None if row.status != Status::Matched => {
            let now = row.reason.as_ref().map_or(row.status.code(), |reason| reason.code());
            events.push(event(row.since, format!("since then {now}"), None));
        }
        None => {}
    }
    events.sort_by_key(|event| event.at);
    events
}
