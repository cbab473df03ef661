//! Leads with their keys ready, and what is decided of them.

use benchmarks::rows::Outcome;
use identity_matching::{
    Considered, DeterministicMatcher, HeldKey, Judgement, Normalised, SubjectView, UnmatchedReason,
    index::InMemoryIndex,
};

use crate::figures;

/// Leads with their keys ready, as a caller that normalises on arrival keeps them.
#[derive(Default)]
pub(crate) struct Ready {
    ids: String,
    keys: Vec<HeldKey>,
    ends: Vec<u32>,
}

impl Ready {
    pub(crate) fn push(&mut self, id: &str, lead: &Normalised) -> Outcome<()> {
        self.ids.push_str(id);
        self.ids.push('\n');
        self.keys.extend_from_slice(lead.keys());
        self.ends.push(self.keys.len().try_into()?);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn clear(&mut self) {
        self.ids.clear();
        self.keys.clear();
        self.ends.clear();
    }
}

/// What came out: for every lead its id, the verdict, which holds the rule, and the person's key.
#[derive(Default)]
pub(crate) struct Decided {
    ids: String,
    verdicts: Vec<Judgement>,
    persons: String,
    counts: [usize; 5],
}

pub(crate) const BATCH: usize = 4_096;

impl Decided {
    pub(crate) fn with_room(leads: usize) -> Self {
        Self {
            verdicts: Vec::with_capacity(leads),
            persons: String::with_capacity(leads * 8),
            ..Self::default()
        }
    }

    pub(crate) fn decide(
        &mut self,
        ready: &Ready,
        matcher: &DeterministicMatcher<InMemoryIndex>,
    ) -> Outcome<()> {
        self.ids.push_str(&ready.ids);
        let mut views = Vec::with_capacity(BATCH);
        let mut start = 0;
        for ends in ready.ends.chunks(BATCH) {
            views.clear();
            for &end in ends {
                views.push(SubjectView::of_keys(&ready.keys[start..end as usize]));
                start = end as usize;
            }
            matcher.consider(
                &views,
                &identity_matching::Rejections::default(),
                &mut |_, considered| self.take(considered),
            )?;
        }
        Ok(())
    }

    fn take(&mut self, considered: &Considered<'_>) {
        let verdict = considered.verdict();
        self.verdicts.push(verdict.clone());
        self.persons.push_str(considered.person().unwrap_or_default());
        let at = match verdict {
            Judgement::Matched { .. } => 0,
            Judgement::Unmatched(UnmatchedReason::ConflictMultipleCandidates) => 1,
            Judgement::Unmatched(UnmatchedReason::WeakMatchOnly) => 2,
            Judgement::Unmatched(UnmatchedReason::NoCandidates) => 3,
            Judgement::Unmatched(_) => 4,
        };
        self.counts[at] += 1;
    }
}

/// Prints how the leads came out.
pub(crate) fn report(way: &str, decided: &[Decided]) {
    let names = ["matched", "conflict", "weak", "no_candidates", "missing"];
    for (at, name) in names.iter().enumerate() {
        let total = decided.iter().map(|one| one.counts[at]).sum();
        figures::count(&format!("{way}_{name}"), "leads", total);
    }
    let leads = decided.iter().map(|one| one.verdicts.len()).sum();
    figures::count(&format!("{way}_decided"), "leads", leads);
    let text = decided.iter().map(|one| one.ids.len() + one.persons.len()).sum();
    figures::count(&format!("{way}_text"), "bytes", text);
}
