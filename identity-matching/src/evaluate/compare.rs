//! What would change under another policy.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decide::{Decision, Outcome};

/// Collects how the decisions of two policies differ, lead by lead.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, Matcher, Normaliser, Policy, PolicyRules, KeyKind, Record,
///     evaluate::Comparison, index::InMemoryIndex,
/// };
///
/// let normaliser = Normaliser::default();
/// let ana = Record { phones: vec!["+51 987 654 312".into()], ..Record::default() };
/// let mut builder = InMemoryIndex::builder();
/// builder.add("P1", &normaliser.normalise(&ana))?;
/// let today = DeterministicMatcher::new(builder.build()?, normaliser, Policy::default())?;
/// let rules = PolicyRules::default().without_kind(KeyKind::PHONE);
/// let other = today.under(Policy::new(rules)?)?;
///
/// let mut comparison = Comparison::default();
/// comparison.add("L1", &today.decide_one(&ana)?, &other.decide_one(&ana)?, None);
/// assert_eq!(comparison.changed_total, 1);
/// assert_eq!(comparison.changes[0].after.person(), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// How many subjects were compared.
    pub compared_total: u64,
    /// How many of them are decided otherwise.
    pub changed_total: u64,
    /// How many went from wrong or missed to right, where the truth is known.
    pub better_total: u64,
    /// How many went from right to wrong or missed, where the truth is known.
    pub worse_total: u64,
    /// How many went from which outcome to which, the changed ones only.
    pub moves: BTreeMap<String, u64>,
    /// The changed ones.
    pub changes: Vec<LeadChange>,
}

/// One subject that is decided otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LeadChange {
    /// The subject's key.
    pub subject: String,
    /// What is decided today.
    pub before: Outcome,
    /// What would be decided.
    pub after: Outcome,
    /// Whether that is better, where the truth is known and the change touches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<bool>,
}

impl Comparison {
    /// Adds the two decisions of one subject; `truth` is who it really is, where that is known (the inner
    /// nothing means nobody).
    pub fn add(
        &mut self,
        subject: &str,
        before: &Decision,
        after: &Decision,
        truth: Option<Option<&str>>,
    ) {
        self.compared_total += 1;
        if before.outcome == after.outcome {
            return;
        }
        self.changed_total += 1;
        let moved = format!("{} -> {}", before.outcome.code(), after.outcome.code());
        *self.moves.entry(moved).or_default() += 1;
        let better = truth.and_then(|truth| {
            let (was, is) = (before.outcome.person() == truth, after.outcome.person() == truth);
            (was != is).then_some(is)
        });
        match better {
            Some(true) => self.better_total += 1,
            Some(false) => self.worse_total += 1,
            None => {}
        }
        self.changes.push(LeadChange {
            subject: subject.to_owned(),
            before: before.outcome.clone(),
            after: after.outcome.clone(),
            better,
        });
    }
}
