//! A policy's rules, laid out to be asked often.

use super::{Agree, MatchRule, Rule, exempt::ExemptDocument};
use crate::{
    key::{DocumentTypeId, KeyKind},
    weak::BlockingKind,
};

/// One kind of the precedence, by its place in it.
#[derive(Clone, Debug)]
pub(crate) struct UsedKind {
    pub(crate) kind: KeyKind,
    pub(crate) max_persons_per_key: u32,
    pub(crate) corroboration_cap: u32,
    pub(crate) exclusive: bool,
    pub(super) exempt: Vec<ExemptDocument>,
}

impl UsedKind {
    /// Tells whether two different documents of this type contradict nobody.
    pub(crate) fn exempts(&self, kind: Option<DocumentTypeId>) -> bool {
        kind.is_some_and(|kind| self.exempt.iter().any(|exempt| exempt.covers(kind)))
    }
}

/// One rule, laid out to be asked often.
#[derive(Clone, Debug)]
pub(crate) struct CompiledRule {
    pub(crate) rule: MatchRule,
    /// The required keys, by the places of their kinds, and whether they must be exact.
    pub(crate) require: Vec<(usize, bool)>,
    pub(crate) veto: Vec<CompiledDiffer>,
    /// The name where weak evidence chose among several persons.
    pub(crate) chosen: Rule,
}

/// A difference, with the place of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CompiledDiffer {
    Kind(usize),
    BirthDate,
    Name(f64),
}

/// Which weak evidence finds persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each way to find persons")]
pub(crate) struct Finds {
    pub(crate) plate: bool,
    pub(crate) name_birth_date: bool,
    pub(crate) phone_tail: bool,
    pub(crate) address: bool,
}

impl Finds {
    /// Adds what a rule that requires no key finds persons by; tells whether it finds any.
    pub(super) fn add(&mut self, rule: &MatchRule) -> bool {
        let has = |wanted: fn(&Agree) -> bool| rule.agree.iter().any(wanted);
        let found = Self {
            plate: has(|agree| *agree == Agree::Plate),
            name_birth_date: has(|agree| *agree == Agree::BirthDate)
                && has(|agree| matches!(agree, Agree::Name(_))),
            phone_tail: has(|agree| *agree == Agree::PhoneTail),
            address: has(|agree| *agree == Agree::Address),
        };
        self.plate |= found.plate;
        self.name_birth_date |= found.name_birth_date;
        self.phone_tail |= found.phone_tail;
        self.address |= found.address;
        found != Self::default()
    }

    /// Tells whether any rule finds persons by blocking keys of a kind.
    pub(super) fn by(self, kind: BlockingKind) -> bool {
        match kind {
            BlockingKind::Plate => self.plate,
            BlockingKind::NameBirthDate => self.name_birth_date,
            BlockingKind::PhoneTail => self.phone_tail,
            BlockingKind::Email => self.address,
        }
    }
}
