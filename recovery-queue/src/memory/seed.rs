//! The seed in memory.

use super::{Lead, MemoryStore, State};
use crate::model::backlog::{Backlog, BacklogRows};
use crate::model::error::StoreError;
use crate::model::ledger::EventKind;
use crate::model::options::SeedOptions;
use crate::model::run::{NewRun, RunKind, RunOutcome};
use crate::model::work::{SeedSummary, from_std};
use crate::store::runs::RunStore;

pub(super) fn seed(
    store: &mut MemoryStore,
    backlog: &dyn Backlog,
    options: &SeedOptions,
) -> Result<SeedSummary, StoreError> {
    let staged = BacklogRows::read(backlog)?;
    let now = store.now;
    let known = store.backlogs.iter().position(|name| name == backlog.name());
    let index = known.unwrap_or_else(|| {
        store.backlogs.push(backlog.name().to_owned());
        store.backlogs.len() - 1
    });
    let here = i64::try_from(index).unwrap_or(i64::MAX);
    let run = store.open_run(&NewRun::new(RunKind::Seed, options.actor.clone(), None))?;
    let mut summary = SeedSummary {
        backlog: backlog.name().to_owned(),
        backlog_size: staged.len() as u64,
        duplicates: staged.duplicates(),
        opening: known.is_none(),
        ..SeedSummary::default()
    };
    let mut leaks = Vec::new();
    // Leads are numbered by creation; of those created together the first by key comes first.
    for row in staged.in_order() {
        let pk = &row.source_pk;
        let Some(lead) = store.leads.get_mut(pk) else {
            store.last_lead += 1;
            let lead = Lead {
                id: store.last_lead,
                backlog: here,
                priority: row.priority,
                lead_at: row.lead_at,
                version: row.lead_version.clone(),
                first_seen_at: now,
                since: now,
                state: Lead::pending(),
            };
            store.leads.insert(pk.clone(), lead);
            summary.arrived += 1;
            continue;
        };
        let rested = options.cool_down.is_some_and(|rest| {
            (now - lead.since).num_microseconds().unwrap_or(i64::MAX) >= from_std(rest)
        });
        let back = matches!(lead.state, State::Withdrawn { cancelled: false, .. });
        let reopen = matches!(lead.state, State::Failed { .. })
            && lead.backlog == here
            && (lead.version != row.lead_version || rested);
        if back || reopen {
            lead.backlog = here;
            lead.priority = row.priority;
            lead.lead_at = row.lead_at;
            lead.state = Lead::pending();
            lead.since = now;
            summary.arrived += u64::from(back);
            summary.reopened += u64::from(reopen);
        } else if matches!(lead.state, State::Matched { .. }) {
            leaks.push(pk.clone());
        }
        if lead.backlog == here {
            lead.version.clone_from(&row.lead_version);
        } else if lead.is_open() {
            summary.held_elsewhere += 1;
        }
    }
    for (pk, lead) in &mut store.leads {
        if lead.backlog == here && lead.is_open() && !staged.contains(pk) {
            let (State::Pending { attempts, .. } | State::Failed { attempts, .. }) = lead.state
            else {
                continue;
            };
            lead.state = State::Withdrawn { attempts, run_id: Some(run), cancelled: false };
            lead.since = now;
            summary.withdrawn += 1;
        }
    }
    store.leaks.retain(|pk, backlog| *backlog != here || leaks.contains(pk));
    summary.leaks = leaks.len() as u64;
    for pk in leaks {
        if store.leaks.insert(pk, here).is_none() {
            summary.new_leaks += 1;
        }
    }
    let arrival = if summary.opening { EventKind::Opening } else { EventKind::Arrived };
    store.event(arrival, None, summary.arrived, Some(run));
    store.event(EventKind::Reopened, None, summary.reopened, Some(run));
    store.event(EventKind::Withdrawn, None, summary.withdrawn, Some(run));
    store.event(EventKind::Leaked, None, summary.new_leaks, Some(run));
    store.close_run(run, RunOutcome::Done)?;
    Ok(summary)
}
