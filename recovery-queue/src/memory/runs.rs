//! The record of runs in memory.

use super::kept::InMemoryStore;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId};
use crate::model::ledger::EventKind;
use crate::model::run::{NewRun, RunKind, RunOutcome, RunRecord};
use crate::store::runs::RunStore;

impl RunStore for InMemoryStore {
    fn open_run(&mut self, run: &NewRun) -> Result<RunId, StoreError> {
        self.last_run += 1;
        let run_id = RunId::new(self.last_run);
        let mut record = RunRecord::new(run_id, run.kind, run.actor.clone(), self.latest());
        record.policy.clone_from(&run.policy);
        record.backlog_before = self.backlog_size();
        self.runs.push(record);
        self.run_starts.insert(run_id, self.ledger.len());
        if run.kind == RunKind::Recover {
            let persons: Vec<PersonKey> =
                self.links.values().map(|link| link.person.clone()).collect();
            for person in persons {
                self.mend_origin(&person);
            }
        }
        Ok(run_id)
    }

    fn close_run(&mut self, run: RunId, outcome: RunOutcome) -> Result<(), StoreError> {
        let (now, size) = (self.latest(), self.backlog_size());
        let Some(record) = self.runs.iter_mut().find(|record| record.run_id == run) else {
            return Err(StoreError::NotFound { what: "run", key: run.to_string() });
        };
        // When and with what backlog a killed run ended nobody saw: its last event is what is known of it.
        let killed = outcome == RunOutcome::Killed;
        let events = self.ledger.iter().filter(|event| event.run_id == Some(run));
        let last = events.map(|event| event.at).max().unwrap_or(record.started_at);
        record.finished_at = Some(if killed { last } else { now });
        record.outcome = Some(outcome);
        record.backlog_after = (!killed).then_some(size);
        (record.events, record.failed, record.new_backlog_in) = Default::default();
        let (mut left, begun) = (0, self.run_starts.get(&run).copied().unwrap_or_default());
        for (at, event) in self.ledger.iter().enumerate() {
            let own = event.run_id == Some(run);
            if own {
                *record.events.entry(event.kind.code().to_owned()).or_default() += event.leads;
            }
            if let (true, EventKind::Failed, Some(reason)) = (own, event.kind, &event.reason) {
                *record.failed.entry(reason.clone()).or_default() += event.leads;
            }
            if at < begun {
                continue;
            }
            match event.kind {
                EventKind::Arrived | EventKind::Opening => record.new_backlog_in += event.leads,
                EventKind::Withdrawn => left += event.leads,
                EventKind::Matched if !own => left += event.leads,
                _ => {}
            }
        }
        record.other_out = (!killed).then_some(left);
        Ok(())
    }

    fn mark(&mut self, worker: &str, size: Option<u32>) -> Result<(), StoreError> {
        match size {
            Some(size) => self.marks.insert(worker.to_owned(), size),
            None => self.marks.remove(worker),
        };
        Ok(())
    }

    fn take_marks(&mut self, run: RunId) -> Result<Option<u32>, StoreError> {
        let smallest = std::mem::take(&mut self.marks).into_values().min();
        let open = |record: &&RunRecord| {
            record.kind == RunKind::Recover && record.finished_at.is_none() && record.run_id != run
        };
        let dead: Vec<RunId> = self.runs.iter().filter(open).map(|record| record.run_id).collect();
        for run in dead {
            self.close_run(run, RunOutcome::Killed)?;
        }
        Ok(smallest)
    }
}
