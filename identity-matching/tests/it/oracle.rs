//! An oracle: the rules of deciding a second time, slow and obvious, from what normalising gives and the policy's
//! plain data alone. It shares no line with the engine but reading, and the similarity of names.

use std::collections::{BTreeMap, BTreeSet};

use identity_matching::{
    Agree, BlockingKind, Confidence, DeterministicMatcher, Differ, DocumentTypeId, HeldKey, Key,
    KeyForm, KeyKind, MatchRule, Matcher, Normalised, Outcome, Policy, PolicyRules, Rejections,
    UnmatchedReason,
};
use proptest::prelude::*;

use crate::{
    decisions::normaliser,
    laws::{index, populations, records},
    support::policies,
};

/// What all records of one person say.
#[derive(Default)]
struct Person<'a> {
    records: Vec<&'a Normalised>,
}

impl Person<'_> {
    /// The keys that are the person's: no person holds what may only have been meant.
    fn held(&self) -> impl Iterator<Item = &HeldKey> {
        let held = self.records.iter().flat_map(|record| record.keys());
        held.filter(|held| held.form != KeyForm::Supposed)
    }

    /// The form in which the person holds a key: its strongest.
    fn form(&self, key: Key) -> Option<KeyForm> {
        self.held().filter(|held| held.key == key).map(|held| held.form).min()
    }

    fn keys(&self) -> BTreeSet<Key> {
        self.held().map(|held| held.key).collect()
    }

    fn shares(&self, lead: &Normalised, kind: BlockingKind) -> bool {
        let own: Vec<_> = lead.blocking_keys().iter().filter(|key| key.kind() == kind).collect();
        self.records.iter().any(|r| r.blocking_keys().iter().any(|key| own.contains(&key)))
    }

    fn name(&self, lead: &Normalised) -> Option<f64> {
        let own = lead.name()?;
        let names = self.records.iter().filter_map(|record| record.name());
        names.map(|name| own.similarity(name)).max_by(f64::total_cmp)
    }

    fn birth_date(&self, lead: &Normalised) -> Option<bool> {
        let own = lead.birth_date()?;
        let dates: Vec<_> = self.records.iter().filter_map(|record| record.birth_date()).collect();
        (!dates.is_empty()).then(|| dates.contains(&own))
    }
}

/// One person beside one lead.
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
struct Beside {
    person: String,
    /// Of each kind that agrees: whether an exact key does, whether one that few hold does, and whether one that is
    /// both.
    agrees: BTreeMap<KeyKind, (bool, bool, bool)>,
    weak_key: bool,
    differs: BTreeSet<KeyKind>,
    name: Option<f64>,
    birth_date: Option<bool>,
    plate: bool,
    phone_tail: bool,
    address: bool,
}

impl Beside {
    fn agrees_on(&self, agree: Agree) -> bool {
        match agree {
            Agree::Name(least) => self.name.is_some_and(|name| name >= least),
            Agree::NameWhereGiven(least) => self.name.is_none_or(|name| name >= least),
            Agree::BirthDate => self.birth_date == Some(true),
            Agree::Plate => self.plate,
            Agree::PhoneTail => self.phone_tail,
            Agree::Address => self.address,
            _ => unreachable!("no other evidence is known"),
        }
    }

    fn differs_in(&self, differ: Differ) -> bool {
        match differ {
            Differ::Kind(kind) => self.differs.contains(&kind),
            Differ::BirthDate => self.birth_date == Some(false),
            Differ::Name(below) => self.name.is_some_and(|name| name < below),
            _ => unreachable!("no other difference is known"),
        }
    }

    fn asks(&self, rule: &MatchRule) -> bool {
        let keys = rule.require.iter().map(|r| self.agrees.get(&r.kind).map(|&key| (r.exact, key)));
        let keys: Option<Vec<_>> = keys.collect();
        let Some(keys) = keys else { return false };
        let shared = keys.iter().all(|&(exact, (is_exact, ..))| !exact || is_exact);
        let few = keys.iter().any(|&(exact, (_, few, both))| if exact { both } else { few });
        shared
            && (few || rule.require.is_empty())
            && rule.agree.iter().all(|&agree| self.agrees_on(agree))
    }

    /// The rule by which the person may be matched: one with keys first.
    fn granted<'r>(&self, rules: &'r PolicyRules, with_keys: bool) -> Option<&'r MatchRule> {
        rules.rules.iter().find(|rule| {
            rule.grant.is_some()
                && rule.require.is_empty() != with_keys
                && self.asks(rule)
                && !rule.veto.iter().any(|&differ| self.differs_in(differ))
        })
    }

    fn is_related(&self, rules: &PolicyRules) -> bool {
        self.weak_key
            || self.agrees.values().any(|&(_, few, _)| few)
            || rules.rules.iter().any(|rule| self.asks(rule))
    }
}

/// Says whether one person stands out beside another.
type Wins<'a> = dyn Fn(&Beside, &Beside) -> bool + 'a;

struct Oracle<'a> {
    rules: &'a PolicyRules,
    persons: BTreeMap<&'a str, Person<'a>>,
}

impl Oracle<'_> {
    fn holders(&self, key: Key) -> usize {
        self.persons.values().filter(|person| person.form(key).is_some()).count()
    }

    /// Whether persons are found by a blocking kind at all: a rule without keys asks for it, and few hold the key.
    fn found_by(&self, lead: &Normalised, person: &Person<'_>) -> bool {
        let asked = |wanted: &dyn Fn(&MatchRule) -> bool| {
            self.rules.rules.iter().any(|rule| rule.require.is_empty() && wanted(rule))
        };
        let name = |agree: &Agree| matches!(agree, Agree::Name(_));
        let keys = lead.blocking_keys().iter().filter(|key| match key.kind() {
            BlockingKind::Plate => asked(&|rule| rule.agree.contains(&Agree::Plate)),
            BlockingKind::PhoneTail => asked(&|rule| rule.agree.contains(&Agree::PhoneTail)),
            BlockingKind::Email => asked(&|rule| rule.agree.contains(&Agree::Address)),
            BlockingKind::NameBirthDate => {
                asked(&|rule| rule.agree.contains(&Agree::BirthDate) && rule.agree.iter().any(name))
            }
            _ => unreachable!("no other kind is known"),
        });
        let holds = |person: &Person<'_>, key| {
            person.records.iter().any(|record| record.blocking_keys().contains(key))
        };
        let cap = self.rules.weak.max_persons_per_key as usize;
        keys.into_iter().any(|key| {
            holds(person, key) && self.persons.values().filter(|p| holds(p, key)).count() <= cap
        })
    }

    fn beside(&self, lead: &Normalised, key: &str, person: &Person<'_>) -> Beside {
        let mut beside = Beside {
            person: key.to_owned(),
            agrees: BTreeMap::new(),
            weak_key: false,
            differs: BTreeSet::new(),
            name: person.name(lead),
            birth_date: person.birth_date(lead),
            plate: person.shares(lead, BlockingKind::Plate),
            phone_tail: person.shares(lead, BlockingKind::PhoneTail),
            address: person.shares(lead, BlockingKind::Email),
        };
        for &kind in &self.rules.precedence {
            let own = &self.rules.kinds[&kind];
            let held = lead.keys().iter().filter(|held| held.key.kind() == kind);
            let mut differs = false;
            for held in held {
                let holders = self.holders(held.key);
                if holders > own.corroboration_cap as usize {
                    continue;
                }
                let weak = held.form == KeyForm::Supposed
                    || held.key.document_type().is_some_and(DocumentTypeId::is_organisation);
                if let Some(form) = person.form(held.key) {
                    let few = holders <= own.max_persons_per_key as usize;
                    if weak || !few {
                        beside.weak_key = true;
                    }
                    if !weak {
                        let exact = form == KeyForm::Exact && held.form == KeyForm::Exact;
                        let noted = beside.agrees.entry(kind).or_default();
                        *noted = (noted.0 || exact, noted.1 || few, noted.2 || (exact && few));
                    }
                } else if held.form != KeyForm::Alias && !weak {
                    let exempt = kind == KeyKind::DOCUMENT
                        && own.exempt.iter().flatten().any(|name| name == "PE DNI")
                        && held.key.document_type() == Some(peru("DNI"));
                    let same_sort = |other: &Key| match held.key.document_type() {
                        Some(sort) => other.document_type() == Some(sort),
                        None => {
                            other.kind() == kind
                                && other.is_subscriber() == held.key.is_subscriber()
                        }
                    };
                    differs |= !exempt && person.keys().iter().any(same_sort);
                }
            }
            if own.exclusive == Some(true) && differs && !beside.agrees.contains_key(&kind) {
                beside.differs.insert(kind);
            }
        }
        beside
    }

    fn decide(&self, lead: &Normalised, rejected: &BTreeSet<&str>) -> Answer {
        let all: Vec<Beside> = self
            .persons
            .iter()
            .filter(|(key, _)| !rejected.contains(**key))
            .map(|(key, person)| self.beside(lead, key, person))
            .collect();
        let strong: Vec<&Beside> =
            all.iter().filter(|one| one.granted(self.rules, true).is_some()).collect();
        match strong[..] {
            [] => {}
            [one] => return self.matched(one, one.granted(self.rules, true), false),
            _ => return self.among(&strong),
        }
        // Persons are found by a key that counts or by a blocking key; whoever is not found is no candidate.
        let found: Vec<&Beside> = all
            .iter()
            .filter(|one| {
                one.weak_key
                    || !one.agrees.is_empty()
                    || self.found_by(lead, &self.persons[one.person.as_str()])
            })
            .collect();
        let weak: Vec<&&Beside> =
            found.iter().filter(|one| one.granted(self.rules, false).is_some()).collect();
        match weak[..] {
            [] => {}
            [one] => return self.matched(one, one.granted(self.rules, false), false),
            _ => return conflict(weak.iter().map(|one| &***one)),
        }
        let related: Vec<String> = found
            .iter()
            .filter(|one| one.is_related(self.rules))
            .map(|one| one.person.clone())
            .collect();
        if !related.is_empty() {
            return Answer::No(UnmatchedReason::WeakMatchOnly, related);
        }
        let usable =
            lead.keys().iter().any(|held| self.rules.precedence.contains(&held.key.kind()));
        let reason = if usable {
            UnmatchedReason::NoCandidates
        } else {
            UnmatchedReason::MissingIdentifiers
        };
        Answer::No(reason, Vec::new())
    }

    fn doubtful(&self, one: &Beside) -> bool {
        let doubt = &self.rules.doubt.differ;
        !doubt.is_empty() && doubt.iter().all(|&differ| one.differs_in(differ))
    }

    fn matched(&self, one: &Beside, rule: Option<&MatchRule>, chosen: bool) -> Answer {
        let rule = rule.expect("a rule grants it");
        let granted = rule.grant.expect("it grants a grade");
        let grade = if self.doubtful(one) { granted.min(self.rules.doubt.grant) } else { granted };
        let joined = if chosen { format!("{}+", rule.name) } else { rule.name.to_string() };
        Answer::Yes(one.person.clone(), joined, grade)
    }

    /// Chooses among several persons who may be matched by their keys.
    fn among(&self, strong: &[&Beside]) -> Answer {
        let conflict = conflict(strong.iter().copied());
        let first = self.rules.precedence[0];
        let kinds = |one: &Beside| one.agrees.keys().copied().collect::<BTreeSet<_>>();
        let exact = |one: &Beside| {
            let exact = one.agrees.iter().filter(|(_, (exact, ..))| *exact);
            exact.map(|(&kind, _)| kind).collect::<BTreeSet<_>>()
        };
        let few_exact = |one: &Beside| one.agrees.values().any(|&(_, _, both)| both);
        let ways: [&Wins<'_>; 3] = [
            &|one, other| kinds(one).contains(&first) && !kinds(other).contains(&first),
            &|one, other| {
                kinds(one).is_superset(&kinds(other))
                    && (kinds(one) != kinds(other)
                        || exact(one) != exact(other) && exact(one).is_superset(&exact(other)))
            },
            &|one, other| few_exact(one) && !few_exact(other),
        ];
        let beats_all = |one: &Beside, wins: &Wins<'_>| {
            strong.iter().all(|other| other.person == one.person || wins(one, other))
        };
        let by_keys = ways.iter().find_map(|wins| strong.iter().find(|one| beats_all(one, wins)));
        let tie = &self.rules.tie_break;
        let agreeing: Vec<_> = strong
            .iter()
            .filter(|one| !tie.is_empty() && tie.iter().all(|&agree| one.agrees_on(agree)))
            .collect();
        let by_evidence = if let [one] = agreeing[..] { Some(one) } else { None };
        match (by_keys, by_evidence) {
            (Some(one), Some(other)) if one.person != other.person && self.doubtful(one) => {
                conflict
            }
            (Some(one), _) => self.matched(one, one.granted(self.rules, true), false),
            (None, Some(one)) => self.matched(one, one.granted(self.rules, true), true),
            (None, None) => conflict,
        }
    }
}

fn peru(code: &str) -> DocumentTypeId {
    DocumentTypeId::new("PE".parse().unwrap(), code)
}

fn conflict<'a>(among: impl Iterator<Item = &'a Beside>) -> Answer {
    let persons = among.map(|one| one.person.clone()).collect();
    Answer::No(UnmatchedReason::ConflictMultipleCandidates, persons)
}

#[derive(Debug, PartialEq)]
enum Answer {
    Yes(String, String, Confidence),
    /// Why not, and who came into question: all of a conflict's, and of weak evidence's.
    No(UnmatchedReason, Vec<String>),
}

impl Answer {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Matched { person, rule, confidence } => {
                let rule = rule.as_str();
                let rule = rule.find('+').map_or(rule, |plus| &rule[..=plus]);
                Self::Yes(person.clone(), rule.to_owned(), *confidence)
            }
            Outcome::Unmatched { reason, candidates } => Self::No(*reason, candidates.clone()),
        }
    }
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 600, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_engine_decides_as_the_oracle_does(
        population in populations(),
        leads in proptest::collection::vec(records(), 1..6),
        policy in policies(),
        rejected in proptest::collection::vec((0..6_usize, 0..12_u8), 0..3),
    ) {
        let normaliser = normaliser();
        let read: Vec<(&str, Normalised)> = population
            .iter()
            .map(|(person, record)| (person.as_str(), normaliser.normalise(record)))
            .collect();
        let mut oracle = Oracle { rules: policy.rules(), persons: BTreeMap::new() };
        for (person, record) in &read {
            oracle.persons.entry(person).or_default().records.push(record);
        }
        let rejected: Vec<(usize, String)> =
            rejected.into_iter().map(|(at, person)| (at, format!("P{person}"))).collect();
        let rejections: Rejections = rejected.iter().cloned().collect();
        let matcher = DeterministicMatcher::new(index(&population), normaliser, policy.clone()).unwrap();
        let decisions = matcher.decide(&leads, &rejections).unwrap();
        for (at, (lead, decision)) in leads.iter().zip(decisions).enumerate() {
            let dropped: BTreeSet<&str> = rejected
                .iter()
                .filter(|(of, _)| *of == at)
                .map(|(_, person)| person.as_str())
                .collect();
            let lead = matcher.normaliser().normalise(lead);
            let expected = oracle.decide(&lead, &dropped);
            prop_assert_eq!(
                Answer::of(&decision.outcome),
                expected,
                "lead {}: {}\n{}",
                at,
                decision.evidence.to_json(),
                serde_json::to_string_pretty(policy.rules()).unwrap()
            );
        }
    }
}

#[test]
fn random_policies_are_of_every_shape() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let drawn: Vec<Policy> =
        (0..200).map(|_| policies().new_tree(&mut runner).unwrap().current()).collect();
    let share = |is: fn(&PolicyRules) -> bool| drawn.iter().filter(|p| is(p.rules())).count();
    assert!(share(|rules| *rules == PolicyRules::default()) < 100, "most are no default");
    for (what, count) in [
        ("a conjunction", share(|r| r.rules.iter().any(|rule| rule.require.len() > 1))),
        (
            "keys and evidence",
            share(|r| {
                r.rules.iter().any(|rule| !rule.require.is_empty() && !rule.agree.is_empty())
            }),
        ),
        (
            "a veto of the name",
            share(|r| {
                r.rules.iter().any(|rule| rule.veto.iter().any(|d| matches!(d, Differ::Name(_))))
            }),
        ),
        (
            "a granted weak rule",
            share(|r| r.rules.iter().any(|rule| rule.require.is_empty() && rule.grant.is_some())),
        ),
        ("another order", share(|r| r.precedence[0] != KeyKind::DOCUMENT)),
    ] {
        assert!(count >= 10, "{what}: {count} of 200");
    }
}
