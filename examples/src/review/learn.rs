//! What the reviewers' decisions say of the policy: which change of it would have decided as they did, and what else it
//! would change. Nothing changes by itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use identity_matching::index::InMemoryIndex;
use identity_matching::{
    Agree, Confidence, Decision, DeterministicMatcher, Differ, Matcher, Outcome, Policy,
    PolicyRules, Record, Rejections,
};
use recovery_queue::{ReviewDecision, ReviewEffect, ReviewRow, ReviewStore, Snapshot, SqlStore};
use serde::Serialize;

use super::Reading;
use crate::cli::Failure;
use crate::service::Database;

/// How many leads are listed that a change would decide otherwise.
const LISTED: usize = 20;

/// What one policy makes of the reviewed leads, and of all others.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// The change, in the words of a policy file; `today` for the policy as it is.
    pub change: String,
    /// Reviewed leads that it matches to the reviewers' person.
    pub right_total: u64,
    /// Reviewed leads that it matches to somebody else.
    pub wrong_total: u64,
    /// Reviewed leads that are a person's and that it does not match.
    pub missed_total: u64,
    /// Right ones of all that it matches; none where it matches nobody.
    pub precision: Option<f64>,
    /// Right ones of all that are a person's; none where none is.
    pub recall: Option<f64>,
    /// Right and wrong ones by the rule that decided.
    pub by_rule: BTreeMap<String, [u64; 2]>,
    /// Leads that nobody reviewed and that it decides otherwise than today's policy.
    pub others_changed_total: u64,
    /// Of them those that today's policy matches, and that would be matched otherwise or no more.
    pub others_lost_total: u64,
    /// The first of them, by key.
    pub others_changed: Vec<String>,
}

/// Who each reviewed lead is: a person, or nobody who was known.
pub type Truth = BTreeMap<String, Option<String>>;

/// Tells who the reviewed leads are.
#[must_use]
pub fn truth(reviews: &[ReviewRow]) -> Truth {
    let settled = reviews.iter().filter(|review| {
        review.effect == ReviewEffect::Applied
            && ![ReviewDecision::LATER, ReviewDecision::CORRECTED]
                .contains(&review.decision.as_str())
    });
    settled
        .map(|review| {
            let person = review.person_key.as_ref().map(|key| key.as_str().to_owned());
            (review.source_pk.to_string(), person)
        })
        .collect()
}

/// The changes that are tried: each rule granted or taken its grant, each made to look at names, each cap moved.
fn changes(today: &PolicyRules) -> Vec<(String, PolicyRules)> {
    let mut changes = Vec::new();
    for (at, rule) in today.rules.iter().enumerate() {
        let mut rules = today.clone();
        let own = &mut rules.rules[at];
        let words = if rule.grant.is_some() {
            own.grant = None;
            format!("{}: no grant", rule.name)
        } else {
            own.grant = Some(Confidence::Medium);
            format!("{}: grant = medium", rule.name)
        };
        changes.push((words, rules));
        for differ in [Differ::Name(0.66), Differ::BirthDate] {
            let mut rules = today.clone();
            if rule.grant.is_some() && !rule.veto.contains(&differ) {
                rules.rules[at].veto.push(differ);
                let of = match differ {
                    Differ::Name(below) => format!("name < {below}"),
                    _ => "birth_date".to_owned(),
                };
                changes.push((format!("{}: veto += {of}", rule.name), rules));
            }
        }
    }
    for (kind, rules) in &today.kinds {
        for cap in [1, rules.max_persons_per_key.saturating_mul(2)] {
            if cap != rules.max_persons_per_key {
                let mut other = today.clone();
                other.kind_mut(*kind).max_persons_per_key = cap;
                changes.push((format!("{kind}: max_persons_per_key = {cap}"), other));
            }
        }
    }
    for (at, agree) in today.tie_break.iter().enumerate() {
        let mut rules = today.clone();
        rules.tie_break.remove(at);
        changes.push((format!("tie_break: without {}", written(agree)), rules));
    }
    changes
}

/// Writes what is agreed on as a policy file does.
fn written(agree: &Agree) -> String {
    serde_json::to_string(agree).unwrap_or_default().trim_matches('"').to_owned()
}

/// Judges today's policy, every change that is tried, and pairs of them, by what the reviewers decided; the best first.
///
/// A change that is no policy, or that reads records in another way, is not tried. Of pairs one part is among the best
/// changes, the other any that the policy then takes; they are judged by the reviewed leads, and those that do better than
/// either part, the best of them, by all leads.
///
/// # Errors
///
/// The database's, and a policy that cannot be read.
pub fn learn(
    reading: &Reading,
    store: &mut SqlStore,
    service: &mut Database,
) -> Result<Vec<Judged>, Failure> {
    let truth = truth(&store.reviews()?);
    let (policy, normaliser) = reading.policy()?;
    let (index, _) = service.index(&normaliser, &indicatif::ProgressBar::hidden())?;
    let today = DeterministicMatcher::new(Arc::new(index), normaliser, policy.clone())?;
    let mut keys = Vec::new();
    store.read()?.queue(&mut |row| keys.push(row.source_pk.to_string()))?;
    let reviewed: Vec<String> = truth.keys().cloned().collect();
    let trial = Trial { today: &today, truth: &truth };

    let mut known = BTreeSet::from([policy.hash().to_owned()]);
    let mut tried: Vec<Tried> = Vec::new();
    let mut counts = vec![Count::new("today".to_owned(), None)];
    for (words, rules) in changes(policy.rules()) {
        if let Some((rules, count)) = trial.count(words, rules, &mut known) {
            tried.push(Tried { rules, at: counts.len() });
            counts.push(count);
        }
    }
    trial.judge(&mut counts, &keys, service)?;

    // Of changes that find as much, one that moves reviewed leads may have a second that finds more.
    let rank = |of: &Tried| {
        let count = &counts[of.at];
        (count.judged.found(), Reverse(count.moved), count.judged.rank())
    };
    tried.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let mut pairs = Vec::new();
    for first in tried.iter().take(FIRSTS) {
        let own = &counts[first.at].judged;
        for (words, rules) in changes(&first.rules) {
            let second = counts.iter().find(|count| count.judged.change == words);
            let alone = second.map_or(own.found(), |second| own.found().min(second.judged.found()));
            let both = format!("{} and {words}", own.change);
            if let Some((_, count)) = trial.count(both, rules, &mut known) {
                pairs.push((alone, count));
            }
        }
    }
    let (alone, mut pairs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    trial.judge(&mut pairs, &reviewed, service)?;
    let better = pairs.into_iter().zip(alone).filter(|(pair, alone)| pair.judged.found() < *alone);
    let mut better: Vec<Count<'_>> = better.map(|(pair, _)| pair).collect();
    better.sort_by(|a, b| a.judged.rank().cmp(&b.judged.rank()));
    better.truncate(PAIRS);
    let mut better: Vec<Count<'_>> =
        better.into_iter().map(|pair| Count::new(pair.judged.change, pair.matcher)).collect();
    trial.judge(&mut better, &keys, service)?;

    let persons = truth.values().filter(|person| person.is_some()).count() as u64;
    let mut judged: Vec<Judged> =
        counts.into_iter().chain(better).map(|count| count.finish(persons)).collect();
    judged.sort_by(|a, b| a.rank().cmp(&b.rank()));
    Ok(judged)
}

/// How many changes pairs begin with: the best.
const FIRSTS: usize = 12;

/// How many pairs are judged by all leads: the best.
const PAIRS: usize = 20;

/// One change that was tried, and its place among the counts.
struct Tried {
    rules: PolicyRules,
    at: usize,
}

/// What policies are tried on.
struct Trial<'t> {
    today: &'t DeterministicMatcher<Arc<InMemoryIndex>>,
    truth: &'t Truth,
}

impl<'t> Trial<'t> {
    /// Begins to count a policy; none where it is no policy, reads records in another way, or was tried already.
    fn count(
        &self,
        words: String,
        rules: PolicyRules,
        known: &mut BTreeSet<String>,
    ) -> Option<(PolicyRules, Count<'t>)> {
        let policy = Policy::new(rules.clone()).ok()?;
        let is_new = known.insert(policy.hash().to_owned());
        let matcher = self.today.under(policy).ok().filter(|_| is_new)?;
        Some((rules, Count::new(words, Some(matcher))))
    }

    /// Has each policy decide leads.
    fn judge(
        &self,
        counts: &mut [Count<'_>],
        keys: &[String],
        service: &mut Database,
    ) -> Result<(), Failure> {
        if counts.is_empty() {
            return Ok(());
        }
        for part in keys.chunks(1_000) {
            let asked: Vec<&str> = part.iter().map(String::as_str).collect();
            let mut found = service.subjects(&asked)?;
            let known: Vec<(&str, Record)> =
                asked.iter().filter_map(|key| Some((*key, found.remove(*key)?))).collect();
            let records: Vec<Record> = known.iter().map(|(_, record)| record.clone()).collect();
            let before = self.today.decide(&records, &Rejections::default())?;
            for count in &mut *counts {
                let after = match &count.matcher {
                    Some(matcher) => matcher.decide(&records, &Rejections::default())?,
                    None => before.clone(),
                };
                for (((key, _), was), is) in known.iter().zip(&before).zip(&after) {
                    count.add(key, self.truth, was, is);
                }
            }
        }
        Ok(())
    }
}

impl Judged {
    /// What decides more of the reviewed leads as the reviewers did is less, then what decides fewer otherwise.
    fn found(&self) -> (Reverse<u64>, u64) {
        (Reverse(self.right_total), self.wrong_total)
    }

    /// The order of policies, the best first: what is found, then what touches fewest other leads.
    fn rank(&self) -> (Reverse<u64>, u64, u64, &str) {
        let (right, wrong) = self.found();
        (right, wrong, self.others_changed_total, &self.change)
    }
}

/// One policy while it is counted.
struct Count<'m> {
    matcher: Option<DeterministicMatcher<&'m Arc<InMemoryIndex>>>,
    judged: Judged,
    /// Reviewed leads of which it makes something else than today's policy does, be it another reason.
    moved: u64,
}

impl<'m> Count<'m> {
    fn new(change: String, matcher: Option<DeterministicMatcher<&'m Arc<InMemoryIndex>>>) -> Self {
        let judged = Judged {
            change,
            right_total: 0,
            wrong_total: 0,
            missed_total: 0,
            precision: None,
            recall: None,
            by_rule: BTreeMap::new(),
            others_changed_total: 0,
            others_lost_total: 0,
            others_changed: Vec::new(),
        };
        Self { matcher, judged, moved: 0 }
    }

    fn add(&mut self, lead: &str, truth: &Truth, was: &Decision, is: &Decision) {
        let judged = &mut self.judged;
        let Some(truth) = truth.get(lead).map(Option::as_deref) else {
            if was.outcome.person() != is.outcome.person() {
                judged.others_changed_total += 1;
                judged.others_lost_total += u64::from(was.outcome.person().is_some());
                if judged.others_changed.len() < LISTED {
                    judged.others_changed.push(lead.to_owned());
                }
            }
            return;
        };
        self.moved += u64::from(was.outcome != is.outcome);
        match &is.outcome {
            Outcome::Matched { person, rule, .. } => {
                let right = truth == Some(person.as_str());
                judged.right_total += u64::from(right);
                judged.wrong_total += u64::from(!right);
                let counted = judged.by_rule.entry(rule.to_string()).or_default();
                counted[usize::from(!right)] += 1;
            }
            Outcome::Unmatched { .. } => judged.missed_total += u64::from(truth.is_some()),
        }
    }

    fn finish(self, persons: u64) -> Judged {
        let mut judged = self.judged;
        let share = |of: u64, all: u64| (all > 0).then(|| of as f64 / all as f64);
        judged.precision = share(judged.right_total, judged.right_total + judged.wrong_total);
        judged.recall = share(judged.right_total, persons);
        judged
    }
}
