//! The seed in memory.

use super::kept::{InMemoryStore, Lead, State};
use crate::model::backlog::{Backlog, BacklogRows};
use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::options::{Feed, Fuse, SeedOptions};
use crate::model::run::{NewRun, RunKind, RunOutcome};
use crate::model::settlement::SeedStep;
use crate::model::work::SeedSummary;
use crate::store::runs::RunStore;

/// Refuses a seed that would withdraw too much.
fn mind_the_fuse(
    store: &InMemoryStore,
    backlog: &str,
    staged: &BacklogRows,
    options: &SeedOptions,
) -> Result<(), StoreError> {
    let Some(here) = store.backlogs.iter().position(|name| name == backlog) else { return Ok(()) };
    let ours = |lead: &Lead| i64::try_from(here) == Ok(lead.backlog) && lead.is_open();
    let open: Vec<&SourcePk> =
        store.leads.iter().filter(|(_, lead)| ours(lead)).map(|(pk, _)| pk).collect();
    let withdrawn = open.iter().filter(|pk| !staged.contains(pk)).count() as u64;
    match options.fuse.and_then(|fuse| fuse.blows(withdrawn, open.len() as u64)) {
        Some(reason) => {
            let backlog = backlog.to_owned();
            Err(StoreError::Backlog { backlog, reason, remedy: Fuse::REMEDY })
        }
        None => Ok(()),
    }
}

pub(super) fn seed(
    store: &mut InMemoryStore,
    backlog: &dyn Backlog,
    options: &SeedOptions,
) -> Result<SeedSummary, StoreError> {
    // What is in memory is read whole, whatever a feed names: the result is the same.
    if let Some(Feed::Outbox(table)) = &options.feed {
        return Err(StoreError::Backlog {
            backlog: backlog.name().to_owned(),
            reason: format!(
                "its feed is the table {}, and this store has no database",
                table.quoted()
            ),
            remedy: "name the leads by Feed::Keys, or use a SqlStore",
        });
    }
    let staged = BacklogRows::read(backlog)?;
    mind_the_fuse(store, backlog.name(), &staged, options)?;
    let now = store.now;
    let known = store.backlogs.iter().position(|name| name == backlog.name());
    let index = known.unwrap_or_else(|| {
        store.backlogs.push(backlog.name().to_owned());
        store.backlogs.len() - 1
    });
    let here = i64::try_from(index).unwrap_or(i64::MAX);
    let run = store.open_run(&NewRun::new(RunKind::Seed, options.actor.clone(), None))?;
    let mut summary = SeedSummary::of(backlog, &staged, known.is_none());
    let mut leaks = Vec::new();
    for pk in staged.rejected().keys() {
        // It is in the backlog, whatever is wrong with the row: what is known of it stays.
        match store.leads.get(pk) {
            Some(lead) if matches!(lead.state, State::Matched { .. }) => {
                summary.count(SeedStep::Leak);
                leaks.push(pk.clone());
            }
            Some(lead) if lead.backlog != here && lead.is_open() => {
                summary.count(SeedStep::HeldElsewhere);
            }
            _ => {}
        }
    }
    // Leads are numbered by creation; of those created together the first by key comes first.
    for row in staged.in_order() {
        let pk = &row.source_pk;
        store.left.remove(pk);
        let Some(lead) = store.leads.get(pk) else {
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
        let (home, changed) = (lead.backlog == here, lead.version != row.lead_version);
        let known = lead.clone();
        let step = if matches!(known.state, State::Withdrawn { cancelled: true, .. }) {
            SeedStep::Keep
        } else {
            options.step(&store.row(pk, &known), home, changed, now)
        };
        summary.count(step);
        let Some(lead) = store.leads.get_mut(pk) else { continue };
        match step {
            SeedStep::Arrive | SeedStep::Reopen => {
                lead.backlog = here;
                lead.priority = row.priority;
                lead.lead_at = row.lead_at;
                lead.state = Lead::pending();
                lead.since = now;
            }
            SeedStep::Leak => leaks.push(pk.clone()),
            SeedStep::Keep | SeedStep::HeldElsewhere => {}
        }
        if lead.backlog == here {
            lead.version.clone_from(&row.lead_version);
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
    for pk in leaks {
        if store.leaks.insert(pk, here).is_none() {
            summary.new_leaks += 1;
        }
    }
    for (kind, reason, leads) in summary.events() {
        store.event(kind, reason, leads, Some(run));
    }
    store.close_run(run, RunOutcome::Done)?;
    Ok(summary)
}
