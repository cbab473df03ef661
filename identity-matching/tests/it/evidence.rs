//! What a decision tells of keys and candidates, and what the index is asked for.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use identity_matching::{
    Confidence, Considered, Decision, DeterministicMatcher, Differ, KeyKind, KeyUse, Matcher,
    Normalised, Policy, PolicyRules, Record, Rejections, Rule, Standing, SubjectView,
    index::{
        CandidateIndex, CandidateRead, Holders, InMemoryIndex, InRead, IndexError, IndexKey,
        IndexedPerson, PersonId,
    },
};

use crate::decisions::{dni, email, matcher, normaliser, phone, record};

const PHONE: &str = "987654312";
const DNI: &str = "45678913";
const EMAIL: &str = "ana.rojas@correo.pe";

fn with(mut record: Record, change: impl FnOnce(&mut Record)) -> Record {
    change(&mut record);
    record
}

fn ana(record: Record) -> Record {
    with(record, |record| record.name = Some("Ana Rojas Quispe".into()))
}

fn plated(record: Record) -> Record {
    with(record, |record| record.plate = Some("ABC-123".into()))
}

fn decided(rules: PolicyRules, persons: &[(&str, Record)], lead: &Record) -> Decision {
    matcher(persons, Policy::new(rules).unwrap()).decide_one(lead).unwrap()
}

fn holders(count: usize, held: &Record) -> Vec<(&'static str, Record)> {
    const NAMES: [&str; 12] =
        ["P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "P09", "P10", "P11", "P12"];
    NAMES.into_iter().take(count).map(|name| (name, held.clone())).collect()
}

#[test]
fn keys_stand_by_the_precedence_and_say_what_each_was_good_for() {
    let mut rules = PolicyRules::default().without_kind(KeyKind::EMAIL);
    rules.precedence = vec![KeyKind::PHONE, KeyKind::DOCUMENT];
    for kind in rules.kinds.values_mut() {
        (kind.max_persons_per_key, kind.corroboration_cap) = (2, 3);
    }
    let lead = email(dni(phone(record(), PHONE), DNI), EMAIL);
    let mut used = Vec::new();
    for count in [0, 1, 3, 4] {
        let decision = decided(rules.clone(), &holders(count, &dni(record(), DNI)), &lead);
        let keys: Vec<_> =
            decision.evidence.keys.iter().map(|key| (key.kind, key.used, key.holders)).collect();
        let [first, document, last] = keys[..] else { panic!("{keys:?}") };
        assert_eq!(first, (KeyKind::PHONE, KeyUse::Unheld, 0));
        // A kind that the policy leaves out stands behind the others.
        assert_eq!(last, (KeyKind::EMAIL, KeyUse::Disabled, 0));
        assert_eq!((document.0, document.2 as usize), (KeyKind::DOCUMENT, count));
        used.push(document.1);
    }
    assert_eq!(used, [KeyUse::Unheld, KeyUse::Candidates, KeyUse::Shared, KeyUse::Generic]);
}

#[test]
fn a_document_of_a_type_in_no_table_is_told_as_kept_as_it_was_written() {
    let lead = with(dni(record(), DNI), |lead| {
        lead.documents.push(identity_matching::RawDocument::typed("PE", "Brevete", "Q45678913"));
    });
    let evidence = decided(PolicyRules::default(), &[], &lead).evidence;
    let mut opaque: Vec<bool> = evidence.keys.iter().map(|key| key.opaque).collect();
    opaque.sort_unstable();
    assert_eq!(opaque, [false, true]);
    let json = evidence.to_json();
    assert_eq!(json.matches("\"opaque\":true").count(), 1, "{json}");
    assert!(!json.contains("\"opaque\":false"), "{json}");
    assert_eq!(serde_json::from_str::<identity_matching::Evidence>(&json).unwrap(), evidence);
}

#[test]
fn an_agreement_says_whether_the_key_is_weak_by_itself() {
    let mut persons = holders(4, &phone(record(), PHONE));
    persons[0].1 = email(persons[0].1.clone(), EMAIL);
    let lead = email(phone(record(), PHONE), EMAIL);
    let decision = decided(PolicyRules::default(), &persons, &lead);
    let found = decision.evidence.candidates.iter().find(|one| one.person == "P01").unwrap();
    let agrees: Vec<_> = found.agrees.iter().map(|key| (key.kind, key.shared)).collect();
    assert_eq!(agrees, [(KeyKind::PHONE, true), (KeyKind::EMAIL, false)]);
}

#[test]
fn a_disagreement_shows_both_values_masked() {
    let mut rules = PolicyRules::default();
    rules.kind_mut(KeyKind::PHONE).exclusive = Some(true);
    rules.rule_mut(&Rule::EMAIL_EXACT).unwrap().veto.push(Differ::Kind(KeyKind::PHONE));
    let persons = [("ANA", email(phone(record(), "912345678"), EMAIL))];
    let decision = decided(rules, &persons, &email(phone(record(), PHONE), EMAIL));
    let [against] = &decision.evidence.candidates[0].disagrees[..] else { panic!("{decision:?}") };
    assert_eq!((&*against.subject, &*against.person), ("+51*****4312", "+51*****5678"));
}

#[test]
fn the_same_name_differs_in_nothing_however_strict_the_policy_is() {
    let mut rules = PolicyRules::default();
    rules.doubt.differ = vec![Differ::Name(1.0)];
    let persons = [("ANA", ana(phone(record(), PHONE)))];
    let disagrees = |lead: &Record| {
        let decision = decided(rules.clone(), &persons, lead);
        let known = decision.evidence.candidates[0].disagrees.len();
        (decision.outcome, known)
    };
    let (same, none) = disagrees(&ana(phone(record(), PHONE)));
    let near = with(phone(record(), PHONE), |lead| lead.name = Some("Ana Rojas Quispes".into()));
    let (other, one) = disagrees(&near);
    assert_eq!((none, one), (0, 1));
    let grade = |outcome: &identity_matching::Outcome| match outcome {
        identity_matching::Outcome::Matched { confidence, .. } => Some(*confidence),
        identity_matching::Outcome::Unmatched { .. } => None,
    };
    assert_eq!((grade(&same), grade(&other)), (Some(Confidence::High), Some(Confidence::Medium)));
}

#[test]
fn who_shares_a_weak_key_is_no_candidate_where_another_key_settles_the_lead() {
    let mut persons = holders(4, &phone(record(), PHONE));
    persons[0].1 = email(persons[0].1.clone(), EMAIL);
    let candidates = |lead: &Record| {
        let decision = decided(PolicyRules::default(), &persons, lead);
        (decision.outcome.person().map(str::to_owned), decision.evidence.candidates.len())
    };
    let both = email(phone(record(), PHONE), EMAIL);
    assert_eq!(candidates(&both), (Some("P01".into()), 1));
    assert_eq!(candidates(&phone(record(), PHONE)), (None, 4));
}

#[test]
fn a_disagreement_names_the_type_of_the_documents() {
    let persons = [("ANA", dni(phone(record(), PHONE), "41234567"))];
    let decision = decided(PolicyRules::default(), &persons, &dni(phone(record(), PHONE), DNI));
    let [against] = &decision.evidence.candidates[0].disagrees[..] else { panic!("{decision:?}") };
    assert_eq!(against.document_type.as_deref(), Some("PE DNI"));
    assert_ne!(against.subject, against.person);
}

#[test]
fn who_fits_by_weak_evidence_alone_has_no_part_in_a_conflict_of_keys() {
    let mut rules = PolicyRules::default();
    for rule in &mut rules.rules {
        rule.grant = rule.grant.or(Some(Confidence::Low));
    }
    let born = |record, date: &str| with(ana(record), |one| one.birth_date = Some(date.into()));
    let persons = [
        ("KEY", born(phone(record(), PHONE), "1990-12-01")),
        ("NAME", born(record(), "1987-03-21")),
        ("OTHER", born(phone(record(), PHONE), "1991-12-01")),
    ];
    let lead = born(phone(record(), PHONE), "1987-03-21");
    let decision = decided(rules, &persons, &lead);
    assert_eq!(decision.outcome.code(), "CONFLICT_MULTIPLE_CANDIDATES");
    let mut standings: Vec<_> = decision
        .evidence
        .candidates
        .iter()
        .map(|one| (one.person.as_str(), one.standing, one.rule.clone()))
        .collect();
    standings.sort_unstable_by_key(|&(person, ..)| person);
    let expected = [
        ("KEY", Standing::Conflicting, Some(Rule::PHONE_EXACT)),
        ("NAME", Standing::Outranked, Some(Rule::NAME_BIRTH_DATE)),
        ("OTHER", Standing::Conflicting, Some(Rule::PHONE_EXACT)),
    ];
    assert_eq!(standings, expected);
}

#[test]
fn a_rejected_pair_counts_at_its_place_in_a_long_batch_on_any_number_of_threads() {
    let persons = [("ANA", phone(record(), PHONE)), ("LUIS", dni(record(), DNI))];
    let leads: Vec<Record> = (0..1_300)
        .map(|at| if at % 2 == 0 { phone(record(), PHONE) } else { dni(record(), DNI) })
        .collect();
    let rejected = [0, 255, 256, 257, 650, 651, 900, 1_299];
    let pairs = rejected.into_iter().flat_map(|at| [(at, "ANA"), (at, "LUIS")]);
    let rejections: Rejections = pairs.collect();
    for threads in [1, 2, 4] {
        let threads = NonZeroUsize::new(threads).unwrap();
        let matcher = matcher(&persons, Policy::default()).with_threads(threads);
        assert_eq!(matcher.threads(), threads);
        let decisions = matcher.decide(&leads, &rejections).unwrap();
        for (at, decision) in decisions.iter().enumerate() {
            let person = if at % 2 == 0 { "ANA" } else { "LUIS" };
            let expected = (!rejected.contains(&at)).then_some(person);
            assert_eq!(decision.outcome.person(), expected, "lead {at}, {threads} threads");
        }
    }
    // The fast way goes through the batch in parts, too.
    let normalised: Vec<Normalised> =
        leads.iter().map(|lead| normaliser().normalise(lead)).collect();
    let views: Vec<SubjectView<'_>> = normalised.iter().map(SubjectView::from).collect();
    let mut told = Vec::new();
    let report = &mut |at: usize, considered: &Considered<'_>| {
        told.push((at, considered.person().is_some()));
    };
    matcher(&persons, Policy::default()).consider(&views, &rejections, report).unwrap();
    let expected: Vec<_> = (0..leads.len()).map(|at| (at, !rejected.contains(&at))).collect();
    assert!(told == expected, "each lead is reported in its place");
    let shown = format!("{rejections:?}");
    assert!(shown.contains("16") && !shown.contains("ANA"), "{shown}");
}

/// Notes of which keys the holders are asked for.
struct Asked<'a> {
    index: InMemoryIndex,
    keys: &'a Mutex<Vec<IndexKey>>,
}

impl CandidateIndex for Asked<'_> {
    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        self.index.read(&mut |read| look_up(&mut Noted { read, keys: self.keys }))
    }
}

struct Noted<'a> {
    read: &'a mut dyn CandidateRead,
    keys: &'a Mutex<Vec<IndexKey>>,
}

impl CandidateRead for Noted<'_> {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
        self.read.holders(keys, limit, report)
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        self.read.persons(ids, report)
    }
}

/// Decides a lead and counts how many keys the index was asked for.
fn asked(rules: PolicyRules, persons: &[(&str, Record)], lead: &Record) -> usize {
    let mut builder = InMemoryIndex::builder();
    for (person, record) in persons {
        builder.add(person, &normaliser().normalise(record)).unwrap();
    }
    let keys = Mutex::new(Vec::new());
    let index = Asked { index: builder.build().unwrap(), keys: &keys };
    let policy = Policy::new(rules).unwrap();
    DeterministicMatcher::new(index, normaliser(), policy).unwrap().decide_one(lead).unwrap();
    keys.into_inner().unwrap_or_else(PoisonError::into_inner).len()
}

#[test]
fn the_index_is_asked_for_weak_evidence_only_where_a_rule_uses_it_and_no_key_settles() {
    let persons = [("ANA", ana(phone(record(), PHONE)))];
    let lead = |phone_number, name: &str| {
        with(plated(phone(record(), phone_number)), |lead| lead.name = Some(name.into()))
    };
    let rules = PolicyRules::default;
    // The phone, and its last digits and the plate beside it where the phone settles nothing.
    assert_eq!(asked(rules(), &persons, &lead(PHONE, "Ana Rojas Quispe")), 1);
    assert_eq!(asked(rules(), &persons, &lead("912345678", "Ana Rojas Quispe")), 3);
    // A name that is nearly the same is the same; another is not.
    assert_eq!(asked(rules(), &persons, &lead(PHONE, "Ana Rojas Quispes")), 1);
    assert_eq!(asked(rules(), &persons, &lead(PHONE, "Luis Paz")), 3);
    // How near a name must be is the policy's.
    let mut strict = rules();
    strict.doubt.differ = vec![Differ::Name(0.999)];
    assert_eq!(asked(strict, &persons, &lead(PHONE, "Ana Rojas Quispes")), 3);
    // No rule finds persons by a plate, so nobody is asked who has it.
    let mut plateless = rules();
    plateless.rules.retain(|rule| rule.name != Rule::PLATE_NAME);
    assert_eq!(asked(plateless, &persons, &lead("912345678", "Ana Rojas Quispe")), 2);
}
