//! A queue store of one's own: the core trait over plain maps, proved by the public conformance suite. Over a database
//! each command is one transaction; leases, runs and links by hand are traits of their own, for whoever needs them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use recovery_queue::testing::{TestStore, check_core};
use recovery_queue::{
    Backlog, BacklogLead, BacklogRows, BatchRequest, BatchSummary, ClaimedLead, Cursor, EventKind,
    FailReason, LedgerSlot, LinkRow, Position, QueueRow, QueueStore, Resolution, Resolver,
    SeedOptions, SeedStep, SeedSummary, Settlement, Snapshot, SourcePk, Status, StoreError,
    resolve_isolated,
};

/// A lead: its number, its backlog's number, its row, and what was decided.
#[derive(Clone, Debug)]
struct Lead {
    id: i64,
    backlog: i64,
    seen: BacklogLead,
    row: QueueRow,
    decided: Option<Resolution>,
    leaks: bool,
}

/// The store: leads by key, the ledger, and the clock that the suite sets.
#[derive(Clone, Debug, Default)]
struct MapStore {
    now: DateTime<Utc>,
    backlogs: Vec<String>,
    leads: BTreeMap<SourcePk, Lead>,
    ledger: Vec<LedgerSlot>,
}

impl MapStore {
    fn wake_where(&mut self, limit: u64, wakes: impl Fn(&String) -> bool) -> u64 {
        let (now, mut woken) = (self.now, 0);
        for lead in self.leads.values_mut() {
            let Some(Resolution::Unmatched { wake_keys, .. }) = &lead.decided else { continue };
            if woken < limit && lead.row.reason.is_some() && wake_keys.iter().any(&wakes) {
                lead.row.reset(Status::Pending, now);
                woken += 1;
            }
        }
        self.note(vec![(EventKind::Reopened, None, woken)]);
        woken
    }

    fn note(&mut self, events: Vec<(EventKind, Option<FailReason>, u64)>) {
        let slot = |(kind, reason, leads)| LedgerSlot::new(self.now, kind, reason, leads);
        self.ledger.extend(events.into_iter().map(slot));
    }
}

impl QueueStore for MapStore {
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        let (staged, now, name) = (BacklogRows::read(backlog)?, self.now, backlog.name());
        let opening = !self.backlogs.iter().any(|known| known == name);
        let mut done = SeedSummary::of(backlog, &staged, opening);
        self.backlogs.extend(opening.then(|| name.to_owned()));
        let here = (0..).zip(&self.backlogs).find(|(_, it)| *it == name).map_or(0, |(at, _)| at);
        for lead in staged.in_order() {
            let id = i64::try_from(self.leads.len()).unwrap_or(i64::MAX);
            let Some(known) = self.leads.get_mut(&lead.source_pk) else {
                let (key, seen) = (lead.source_pk.clone(), lead.clone());
                let row = QueueRow::new(key.clone(), name, Status::Pending, lead.lead_at, now);
                let lead = Lead { id, backlog: here, seen, row, decided: None, leaks: false };
                self.leads.insert(key, lead);
                done.arrived += 1;
                continue;
            };
            let changed = known.seen.lead_version != lead.lead_version;
            let step = options.step(&known.row, known.backlog == here, changed, now);
            done.count(step);
            if matches!(step, SeedStep::Arrive | SeedStep::Reopen) {
                (known.seen, known.backlog) = (lead.clone(), here);
                known.row.reset(Status::Pending, now);
            }
        }
        for lead in self.leads.values_mut().filter(|lead| lead.backlog == here) {
            let (status, staged) = (lead.row.status, staged.contains(&lead.row.source_pk));
            let leaks = staged && status == Status::Matched;
            done.new_leaks += u64::from(leaks && !lead.leaks);
            lead.leaks = leaks;
            if !staged && matches!(status, Status::Pending | Status::Failed) {
                lead.row.reset(Status::Withdrawn, now);
                done.withdrawn += 1;
            }
        }
        self.note(done.events());
        Ok(done)
    }

    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError> {
        let (now, mut ahead) = (self.now, cursor.clone());
        let only = batch.options.backlog.as_ref();
        let ids =
            (0_i64..).zip(&self.backlogs).filter(|(_, name)| only.is_none_or(|it| it == *name));
        let mut leads: Vec<ClaimedLead> = Vec::new();
        for backlog in ahead.in_turn(ids.map(|(id, _)| id).collect()) {
            let after = ahead.position(backlog);
            let free = |lead: &&Lead| lead.backlog == backlog && lead.row.is_due(now);
            let mine = self.leads.values().filter(free);
            let place = |it: &Lead| Position::new(it.seen.priority, it.seen.lead_at, it.id);
            let mine: BTreeMap<_, _> = mine.map(|lead| (place(lead), lead)).collect();
            let next = mine.into_iter().filter(|(place, _)| *place > after);
            for (position, lead) in next.take(batch.size as usize) {
                let mut claimed = ClaimedLead::new(lead.row.source_pk.clone(), lead.row.lead_at);
                claimed.attempts = lead.row.attempts;
                leads.push(claimed);
                ahead.advance(backlog, position);
            }
            if !leads.is_empty() {
                break;
            }
        }
        let answers = resolve_isolated(resolver, &leads)?;
        let mut done = BatchSummary::of(leads.len() as u64);
        for (claimed, answer) in leads.iter().zip(answers) {
            let told = Settlement::of(&answer, claimed, now, batch.options);
            done.count(&told);
            if let Some(lead) = self.leads.get_mut(&claimed.source_pk) {
                told.write(&mut lead.row, batch.run, now);
                lead.decided = Some(answer);
            }
        }
        self.note(done.events());
        *cursor = ahead;
        Ok(done)
    }

    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        Ok(self.wake_where(u64::MAX, |key| keys.contains(key)))
    }

    fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError> {
        Ok(self.wake_where(limit.into(), |key| !key.starts_with(reading)))
    }

    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(self))
    }
}

/// The consistent read: nobody else writes while the store is borrowed.
impl Snapshot for &mut MapStore {
    fn as_of(&self) -> DateTime<Utc> {
        self.now
    }

    fn queue(&mut self, each: &mut dyn FnMut(QueueRow)) -> Result<(), StoreError> {
        self.leads.values().map(|lead| lead.row.clone()).for_each(each);
        Ok(())
    }

    fn links(&mut self, each: &mut dyn FnMut(LinkRow)) -> Result<(), StoreError> {
        let link = |lead: &Lead| {
            let Some(Resolution::Matched(found)) = &lead.decided else { return None };
            let (key, person) = (lead.row.source_pk.clone(), lead.row.person_key.clone()?);
            Some(LinkRow::new(key, person, &found.rule, &found.confidence, lead.row.since))
        };
        self.leads.values().filter_map(link).for_each(each);
        Ok(())
    }

    fn ledger(
        &mut self,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError> {
        self.ledger.iter().filter(|slot| slot.start < until).cloned().for_each(each);
        Ok(())
    }

    fn leaks(&mut self) -> Result<Vec<SourcePk>, StoreError> {
        let leaks = self.leads.values().filter(|lead| lead.leaks);
        Ok(leaks.map(|lead| lead.row.source_pk.clone()).collect())
    }
}

impl TestStore for MapStore {
    fn set_clock(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }
}

fn main() {
    check_core(&mut MapStore::default);
    anstream::println!("The store does what every store must.");
}
