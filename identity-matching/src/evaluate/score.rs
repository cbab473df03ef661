//! Precision, recall and F1 against labelled truth.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    decide::{Decision, Standing},
    key::KeyKind,
    policy::Rule,
};

/// Counts decisions by how they compare with the truth.
///
/// *Precision* is right matches among all matches, *recall* right matches among all subjects who are somebody,
/// *F1* their harmonic mean (van Rijsbergen, *Information Retrieval*, 1979). A ratio of nothing is absent,
/// never zero or one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Matched to the person who it is.
    pub right: u64,
    /// Matched to another person than who it is.
    pub wrong_person: u64,
    /// Matched although it is nobody of the population.
    pub wrong_nobody: u64,
    /// Not matched although it is somebody.
    pub missed: u64,
    /// Not matched, and it is nobody.
    pub rightly_nobody: u64,
}

impl Counts {
    /// Returns the number of decisions.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.matched() + self.missed + self.rightly_nobody
    }

    /// Returns the number of matches, right and wrong.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.right + self.wrong_person + self.wrong_nobody
    }

    /// Returns right matches among all matches.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.right, self.matched())
    }

    /// Returns right matches among all subjects who are somebody.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.right, self.right + self.wrong_person + self.missed)
    }

    /// Returns the harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        let wrong = 2 * self.wrong_person + self.wrong_nobody + self.missed;
        ratio(2 * self.right, 2 * self.right + wrong)
    }

    fn add(&mut self, judged: Judged) {
        match judged {
            Judged::Right => self.right += 1,
            Judged::WrongPerson => self.wrong_person += 1,
            Judged::WrongNobody => self.wrong_nobody += 1,
            Judged::Missed => self.missed += 1,
            Judged::RightlyNobody => self.rightly_nobody += 1,
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Right,
    WrongPerson,
    WrongNobody,
    Missed,
    RightlyNobody,
}

/// Compares decisions with labelled truth, one by one.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, Matcher, Normaliser, Policy, Record,
///     evaluate::Evaluator, index::InMemoryIndex,
/// };
///
/// let normaliser = Normaliser::default();
/// let ana = Record { phones: vec!["+51 987 654 312".into()], ..Record::default() };
/// let mut builder = InMemoryIndex::builder();
/// builder.add("P1", &normaliser.normalise(&ana))?;
/// let matcher = DeterministicMatcher::new(builder.build()?, normaliser, Policy::default())?;
///
/// let mut evaluator = Evaluator::new(100);
/// evaluator.add("L1", &matcher.decide_one(&ana)?, Some("P1"));
/// evaluator.add("L2", &matcher.decide_one(&Record::default())?, None);
/// let evaluation = evaluator.finish();
/// assert_eq!(evaluation.precision, Some(1.0));
/// assert_eq!(evaluation.counts.rightly_nobody, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluator {
    counts: Counts,
    outcomes: BTreeMap<&'static str, Counts>,
    rules: BTreeMap<Rule, Counts>,
    kinds: BTreeMap<KeyKind, Counts>,
    wrong: Vec<WrongDecision>,
    wrong_total: u64,
    listed: usize,
}

impl Evaluator {
    /// Makes an evaluator that lists at most so many wrong decisions; all are counted.
    #[must_use]
    pub fn new(listed: usize) -> Self {
        Self {
            counts: Counts::default(),
            outcomes: BTreeMap::new(),
            rules: BTreeMap::new(),
            kinds: BTreeMap::new(),
            wrong: Vec::new(),
            wrong_total: 0,
            listed,
        }
    }

    /// Adds one decision and who the subject really is; nothing means nobody of the population.
    pub fn add(&mut self, subject: &str, decision: &Decision, truth: Option<&str>) {
        let judged = match (decision.outcome.person(), truth) {
            (Some(person), Some(truth)) if person == truth => Judged::Right,
            (Some(_), Some(_)) => Judged::WrongPerson,
            (Some(_), None) => Judged::WrongNobody,
            (None, Some(_)) => Judged::Missed,
            (None, None) => Judged::RightlyNobody,
        };
        self.counts.add(judged);
        self.outcomes.entry(decision.outcome.code()).or_default().add(judged);
        if let Some(rule) = decision.outcome.rule() {
            self.rules.entry(rule.clone()).or_default().add(judged);
        }
        for kind in agreeing_kinds(decision) {
            self.kinds.entry(kind).or_default().add(judged);
        }
        if !matches!(judged, Judged::Right | Judged::RightlyNobody) {
            self.wrong_total += 1;
            if self.wrong.len() < self.listed {
                self.wrong.push(WrongDecision {
                    subject: subject.to_owned(),
                    truth: truth.map(str::to_owned),
                    decision: decision.clone(),
                });
            }
        }
    }

    /// Sums up.
    #[must_use]
    pub fn finish(self) -> Evaluation {
        let counts = self.counts;
        Evaluation {
            decisions_total: counts.total(),
            counts,
            precision: counts.precision(),
            recall: counts.recall(),
            f1: counts.f1(),
            outcomes: self
                .outcomes
                .into_iter()
                .map(|(outcome, counts)| OutcomeRow { outcome, counts })
                .collect(),
            rules: self
                .rules
                .into_iter()
                .map(|(rule, counts)| RuleScore { rule, counts, precision: counts.precision() })
                .collect(),
            kinds: self
                .kinds
                .into_iter()
                .map(|(kind, counts)| KindScore { kind, counts, precision: counts.precision() })
                .collect(),
            wrong_total: self.wrong_total,
            wrong: self.wrong,
        }
    }
}

/// Lists the kinds on which the matched person agrees.
fn agreeing_kinds(decision: &Decision) -> Vec<KeyKind> {
    let matched = decision.evidence.candidates.iter().find(|c| c.standing == Standing::Matched);
    let mut kinds: Vec<KeyKind> =
        matched.into_iter().flat_map(|c| &c.agrees).map(|agreement| agreement.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The result of comparing decisions with truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// How many decisions were compared.
    pub decisions_total: u64,
    /// All of them.
    pub counts: Counts,
    /// Right matches among all matches; absent without a match.
    pub precision: Option<f64>,
    /// Right matches among all who are somebody; absent where all are nobody.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
    /// The confusion by outcome.
    pub outcomes: Vec<OutcomeRow>,
    /// The matches by the rule that decided.
    pub rules: Vec<RuleScore>,
    /// The matches by the kinds that agreed; one match may count under several.
    pub kinds: Vec<KindScore>,
    /// How many decisions were wrong or missed, exactly.
    pub wrong_total: u64,
    /// The first of them, with their evidence.
    pub wrong: Vec<WrongDecision>,
}

/// One row of the confusion table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutcomeRow {
    /// `MATCHED` or the reason code.
    pub outcome: &'static str,
    /// How its decisions compare with the truth.
    pub counts: Counts,
}

/// The score of one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RuleScore {
    /// The rule.
    pub rule: Rule,
    /// How its matches compare with the truth.
    pub counts: Counts,
    /// Right matches among them.
    pub precision: Option<f64>,
}

/// The score of one kind of identifier.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KindScore {
    /// The kind.
    pub kind: KeyKind,
    /// How the matches that agree on it compare with the truth.
    pub counts: Counts,
    /// Right matches among them.
    pub precision: Option<f64>,
}

/// One decision that differs from the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WrongDecision {
    /// The subject's key.
    pub subject: String,
    /// Who it really is.
    pub truth: Option<String>,
    /// What was decided.
    pub decision: Decision,
}
