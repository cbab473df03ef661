//! Judging: from compared candidates to a verdict, without looking anything up.

use super::{Compared, Standing, UnmatchedReason};
use crate::policy::{Agree, CompiledDiffer, CompiledRule, Confidence, Policy, Rule};

/// What was decided, without a word of evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// One person, by one rule.
    Matched {
        /// The position of the person among the candidates.
        candidate: usize,
        /// The rule that decided.
        rule: Rule,
        /// The grade of the match.
        confidence: Confidence,
        /// What a scorer of one's own made of the person; a policy gives none.
        score: Option<f64>,
    },
    /// Nobody that may be accepted.
    Unmatched(UnmatchedReason),
}

/// What became of one candidate, and by which rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What became of it.
    pub standing: Standing,
    /// The rule that fits it, whether it decided or not.
    pub rule: Option<Rule>,
    /// What a scorer of one's own made of it.
    pub score: Option<f64>,
}

/// Judges compared candidates: the part of a decision that may be one's own.
///
/// Pure: the same candidates under the same policy get the same verdict, whatever their order. A [`Policy`] is
/// asked by [`judge`]; a scorer of one's own is given to
/// [`DeterministicMatcher::judging_by`](super::DeterministicMatcher::judging_by), and implemented by every function
/// of this signature.
///
/// ```
/// use identity_matching::{
///     Compared, Confidence, Judge, Judged, KeyKind, Policy, Rule, Standing, UnmatchedReason, Judgement,
///     index::PersonId,
/// };
///
/// /// Points for each thing that agrees; two are enough.
/// fn points(_: &Policy, _: bool, candidates: &[Compared], judged: &mut Vec<Judged>) -> Judgement {
///     let score = |c: &Compared| f64::from(u8::from(!c.agrees.is_empty()) + u8::from(c.birth_date == Some(true)));
///     judged.extend(candidates.iter().map(|c| Judged { standing: Standing::Weak, rule: None, score: Some(score(c)) }));
///     match candidates.iter().position(|c| score(c) >= 2.0) {
///         Some(candidate) => Judgement::Matched {
///             candidate,
///             rule: "POINTS".parse().expect("a name"),
///             confidence: Confidence::Medium,
///             score: Some(score(&candidates[candidate])),
///         },
///         None => Judgement::Unmatched(UnmatchedReason::NoCandidates),
///     }
/// }
///
/// let mut ana = Compared::new(PersonId::new(1));
/// ana.agrees.insert(0);
/// ana.birth_date = Some(true);
/// let verdict = points.judge(&Policy::default(), true, &[ana], &mut Vec::new());
/// assert!(matches!(verdict, Judgement::Matched { candidate: 0, .. }));
/// ```
pub trait Judge: Send + Sync {
    /// Judges the candidates of one subject, and adds to `judged` what became of each, in their order.
    ///
    /// `usable` tells whether the subject has a key of a kind that the policy uses.
    fn judge(
        &self,
        policy: &Policy,
        usable: bool,
        candidates: &[Compared],
        judged: &mut Vec<Judged>,
    ) -> Judgement;
}

impl<F> Judge for F
where
    F: Fn(&Policy, bool, &[Compared], &mut Vec<Judged>) -> Judgement + Send + Sync,
{
    fn judge(
        &self,
        policy: &Policy,
        usable: bool,
        candidates: &[Compared],
        judged: &mut Vec<Judged>,
    ) -> Judgement {
        self(policy, usable, candidates, judged)
    }
}

/// How a policy takes one candidate.
#[derive(Clone, Copy)]
enum Fit<'p> {
    /// A rule of strong keys fits and grants a grade.
    Strong(&'p CompiledRule),
    /// Only a rule without keys fits and grants a grade.
    Weak(&'p CompiledRule),
    /// A rule fits and grants nothing.
    Told(&'p CompiledRule),
    /// Every rule that would fit is vetoed; the first of them, and what vetoes it.
    Vetoed(&'p CompiledRule, CompiledDiffer),
    /// No rule fits.
    None,
}

impl Fit<'_> {
    fn rule(&self) -> Option<Rule> {
        match self {
            Self::Strong(rule) | Self::Weak(rule) | Self::Told(rule) | Self::Vetoed(rule, _) => {
                Some(rule.rule.name.clone())
            }
            Self::None => None,
        }
    }
}

/// Judges compared candidates by a policy.
///
/// 1. Of each candidate the first rule counts that fits and grants a grade: one that requires keys before one that
///    requires none. A rule fits where its keys are shared, one of them held by few, its weak evidence agrees and
///    none of its vetoes is true.
/// 2. One candidate by a rule of keys is the match. Of several it is the one who alone agrees on the first kind of the
///    precedence; or whose agreeing kinds strictly contain every other's,
///    or are the same and more of them exact; or who alone has an exact key; or who
///    alone agrees on the policy's `tie_break`. Where one of the first three chooses a doubtful one, and the
///    `tie_break` another, it is a conflict, as it is where none chooses.
/// 3. Without any, one candidate by a granted rule without keys is the match, several are a conflict.
/// 4. Else whoever shares or agrees on anything is weak evidence; without anybody it is the subject's keys that say
///    whether there could have been one.
///
/// A match whose `doubt` is true is granted no more than that allows.
///
/// ```
/// use identity_matching::{Compared, Policy, Rule, Judgement, index::PersonId, judge};
///
/// let policy = Policy::default();
/// let mut luis = Compared::new(PersonId::new(1));
/// let phone = 1; // the second kind of the precedence
/// for set in [&mut luis.agrees, &mut luis.exact, &mut luis.strong, &mut luis.strong_exact] {
///     set.insert(phone);
/// }
/// let verdict = judge(&policy, true, &[luis], &mut Vec::new());
/// assert!(matches!(verdict, Judgement::Matched { rule, .. } if rule == Rule::PHONE_EXACT));
/// ```
pub fn judge(
    policy: &Policy,
    usable: bool,
    candidates: &[Compared],
    judged: &mut Vec<Judged>,
) -> Judgement {
    let first = judged.len();
    let (mut strong, mut weak, mut any) = (0_usize, 0_usize, false);
    for candidate in candidates {
        let fit = fit(policy, candidate);
        strong += usize::from(matches!(fit, Fit::Strong(_)));
        weak += usize::from(matches!(fit, Fit::Weak(_)));
        let standing = standing(candidate, &fit);
        any |= standing != Standing::Unrelated;
        judged.push(Judged { standing, rule: fit.rule(), score: None });
    }
    let judged = &mut judged[first..];
    let winner = match (strong, weak) {
        (0, 0) => {
            return Judgement::Unmatched(if any {
                UnmatchedReason::WeakMatchOnly
            } else if usable {
                UnmatchedReason::NoCandidates
            } else {
                UnmatchedReason::MissingIdentifiers
            });
        }
        (0, 1) => candidates.iter().position(|c| matches!(fit(policy, c), Fit::Weak(_))),
        (0, _) => None,
        (1, _) => candidates.iter().position(|c| matches!(fit(policy, c), Fit::Strong(_))),
        _ => dominant(policy, candidates),
    };
    let fits = |candidate: &Compared| match fit(policy, candidate) {
        Fit::Strong(rule) => Some(rule),
        Fit::Weak(rule) if strong == 0 => Some(rule),
        _ => None,
    };
    for (candidate, judged) in candidates.iter().zip(&mut *judged) {
        if fits(candidate).is_some() {
            judged.standing =
                if winner.is_some() { Standing::Outranked } else { Standing::Conflicting };
        }
    }
    let Some((at, rule)) = winner.and_then(|at| Some((at, fits(&candidates[at])?))) else {
        return Judgement::Unmatched(UnmatchedReason::ConflictMultipleCandidates);
    };
    let granted = rule.rule.grant.unwrap_or(Confidence::Low);
    let doubt = &policy.rules().doubt;
    let doubtful = is_doubtful(policy, &candidates[at]);
    let confidence = if doubtful { granted.min(doubt.grant) } else { granted };
    // The other ways to choose need no word of weak evidence.
    let chosen = strong > 1 && dominant_by_keys(policy, candidates).is_none();
    let rule = if chosen { rule.chosen.clone() } else { rule.rule.name.clone() };
    judged[at] = Judged { standing: Standing::Matched, rule: Some(rule.clone()), score: None };
    Judgement::Matched { candidate: at, rule, confidence, score: None }
}

/// Finds the rule by which a policy takes a candidate.
fn fit<'p>(policy: &'p Policy, candidate: &Compared) -> Fit<'p> {
    let (mut weak, mut told, mut vetoed) = (None, None, None);
    for rule in policy.compiled() {
        if !asks(rule, candidate) {
            continue;
        }
        if let Some(&veto) = rule.veto.iter().find(|veto| differs(candidate, **veto)) {
            vetoed = vetoed.or(Some((rule, veto)));
        } else if rule.rule.grant.is_none() {
            told = told.or(Some(rule));
        } else if rule.require.is_empty() {
            weak = weak.or(Some(rule));
        } else {
            return Fit::Strong(rule);
        }
    }
    match (weak, vetoed, told) {
        (Some(rule), _, _) => Fit::Weak(rule),
        (_, Some((rule, veto)), _) => Fit::Vetoed(rule, veto),
        (_, _, Some(rule)) => Fit::Told(rule),
        _ => Fit::None,
    }
}

/// Tells whether a candidate has what a rule asks for, whatever vetoes it.
fn asks(rule: &CompiledRule, candidate: &Compared) -> bool {
    let shared = |&(place, exact): &(usize, bool)| {
        if exact { candidate.exact.contains(place) } else { candidate.agrees.contains(place) }
    };
    let few = |&(place, exact): &(usize, bool)| {
        if exact {
            candidate.strong_exact.contains(place)
        } else {
            candidate.strong.contains(place)
        }
    };
    rule.require.iter().all(shared)
        && (rule.require.is_empty() || rule.require.iter().any(few))
        && rule.rule.agree.iter().all(|&agree| agrees(candidate, agree))
}

/// Tells whether a candidate agrees on weak evidence.
fn agrees(candidate: &Compared, agree: Agree) -> bool {
    match agree {
        Agree::Name(least) => candidate.name.is_some_and(|name| name >= least),
        Agree::NameWhereGiven(least) => candidate.name.is_none_or(|name| name >= least),
        Agree::BirthDate => candidate.birth_date == Some(true),
        Agree::Plate => candidate.plate,
        Agree::PhoneTail => candidate.phone_tail,
        Agree::Address => candidate.address,
    }
}

/// Tells whether a difference is true of a candidate.
fn differs(candidate: &Compared, differ: CompiledDiffer) -> bool {
    match differ {
        CompiledDiffer::Kind(place) => candidate.differs.contains(place),
        CompiledDiffer::BirthDate => candidate.birth_date == Some(false),
        CompiledDiffer::Name(below) => candidate.name.is_some_and(|name| name < below),
    }
}

/// Tells whether a match with a candidate would be doubtful.
fn is_doubtful(policy: &Policy, candidate: &Compared) -> bool {
    let doubt = policy.doubt();
    !doubt.is_empty() && doubt.iter().all(|&differ| differs(candidate, differ))
}

/// Tells whether a policy would match a candidate by its keys, and nothing speaks against it: then nobody else
/// needs to be looked for.
pub(super) fn is_plain(policy: &Policy, candidate: &Compared) -> bool {
    matches!(fit(policy, candidate), Fit::Strong(_))
        && candidate.differs.is_empty()
        && candidate.birth_date != Some(false)
        && candidate.name.is_none_or(|name| name >= policy.name_differs_below())
}

/// Returns the one strong candidate that stands out among several.
fn dominant(policy: &Policy, candidates: &[Compared]) -> Option<usize> {
    let by_keys = dominant_by_keys(policy, candidates);
    let tie_break = &policy.rules().tie_break;
    let mut agreeing = candidates.iter().enumerate().filter(|(_, candidate)| {
        !tie_break.is_empty()
            && matches!(fit(policy, candidate), Fit::Strong(_))
            && tie_break.iter().all(|&agree| agrees(candidate, agree))
    });
    let by_evidence = agreeing.next().map(|(at, _)| at).filter(|_| agreeing.next().is_none());
    match (by_keys, by_evidence) {
        (Some(by_keys), Some(other))
            if by_keys != other && is_doubtful(policy, &candidates[by_keys]) =>
        {
            None
        }
        (Some(at), _) | (None, Some(at)) => Some(at),
        (None, None) => None,
    }
}

/// Returns the one strong candidate that stands out by its keys alone.
fn dominant_by_keys(policy: &Policy, candidates: &[Compared]) -> Option<usize> {
    let strong = || {
        let all = candidates.iter().enumerate();
        all.filter(|(_, candidate)| matches!(fit(policy, candidate), Fit::Strong(_)))
    };
    let alone = |wins: &dyn Fn(&Compared, &Compared) -> bool| {
        strong()
            .find(|(at, one)| strong().all(|(other, rest)| other == *at || wins(one, rest)))
            .map(|(at, _)| at)
    };
    alone(&|one, other| one.agrees.contains(0) && !other.agrees.contains(0))
        .or_else(|| {
            alone(&|one, other| {
                let more = one.agrees != other.agrees;
                let better = one.exact != other.exact && one.exact.includes(other.exact);
                one.agrees.includes(other.agrees) && (more || better)
            })
        })
        .or_else(|| {
            alone(&|one, other| !one.strong_exact.is_empty() && other.strong_exact.is_empty())
        })
}

/// Says what a candidate is, before anybody is chosen.
fn standing(candidate: &Compared, fit: &Fit<'_>) -> Standing {
    match fit {
        Fit::Strong(_) | Fit::Weak(_) => Standing::Outranked,
        Fit::Vetoed(_, CompiledDiffer::Kind(_)) => Standing::DocumentContradicts,
        Fit::Vetoed(_, CompiledDiffer::BirthDate) => Standing::BirthDateContradicts,
        Fit::Vetoed(_, CompiledDiffer::Name(_)) => Standing::NameContradicts,
        Fit::Told(rule) if rule.require.is_empty() => Standing::Weak,
        Fit::Told(_) => Standing::NotAccepted,
        Fit::None if !candidate.strong.is_empty() => Standing::NotAccepted,
        Fit::None if candidate.weak_key => Standing::SharedOnly,
        Fit::None => Standing::Unrelated,
    }
}
