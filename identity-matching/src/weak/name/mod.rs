//! Personal names as weak evidence.

mod fold;
mod known;
mod order;

use std::fmt;

use serde::{Deserialize, Serialize};

use rapidfuzz::distance::jaro_winkler;

use self::order::{Role, WORDS_MAX, Words};
use crate::key::UnusableReason;
use crate::text::LONGEST_VALUE;
use crate::text::filler;

/// A folded personal name, comparable by [`Name::similarity`].
///
/// Folding drops accents, case, punctuation, and the particles of Spanish and Portuguese names (`de`, `de la`,
/// `dos`, `y`), and keeps which words are given names and which are surnames, as far as that is known: a comma parts
/// them (`Rojas Quispe, Ana`), a name that begins with a frequent surname has its surnames first, and any other is read
/// in the order of speech, given names first. `Debug` shows none of it.
///
/// ```
/// use identity_matching::Name;
/// let full = Name::parse("María Fernanda de la Cruz Ñahui")?;
/// let short = Name::parse("CRUZ, Maria")?;
/// assert!(full.similarity(&short) >= 0.8);
/// assert!(full.similarity(&Name::parse("Mario Quispe")?) < 0.66);
/// # Ok::<(), identity_matching::UnusableReason>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Folds a name.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::TooLong`], [`UnusableReason::Placeholder`] for `no tiene` and the like,
    /// [`UnusableReason::Blank`] for nothing, [`UnusableReason::Malformed`] when no word of two letters is
    /// left.
    pub fn parse(raw: &str) -> Result<Self, UnusableReason> {
        Self::parse_into(raw, String::new())
    }

    /// Folds a name into a buffer.
    pub(crate) fn parse_into(raw: &str, mut buffer: String) -> Result<Self, UnusableReason> {
        if raw.len() > LONGEST_VALUE {
            return Err(UnusableReason::TooLong);
        }
        buffer.clear();
        fold::fold(raw, &mut buffer);
        // One sign may stand for a sentence, and what was folded must be readable again.
        if buffer.len() > LONGEST_VALUE {
            return Err(UnusableReason::TooLong);
        }
        let words = order::each(&buffer).filter(|word| word.chars().nth(1).is_some()).count();
        // A Chinese name may be of one sign for each word.
        if words == 0 && buffer.is_ascii() {
            return Err(if raw.trim().is_empty() {
                UnusableReason::Blank
            } else if filler::is_filler(raw) {
                UnusableReason::Placeholder
            } else {
                UnusableReason::Malformed
            });
        }
        // `0nr` has lost its digit: both writings count.
        if filler::is_filler(raw) || filler::is_filler(&buffer) {
            return Err(UnusableReason::Placeholder);
        }
        Ok(Self(buffer))
    }

    /// Takes back a name that [`as_str`](Self::as_str) gave.
    pub(crate) fn folded(text: String) -> Self {
        Self(text)
    }

    /// Gives the buffer back.
    pub(crate) fn into_buffer(self) -> String {
        self.0
    }

    /// Returns the folded name, `ana rojas quispe` or `rojas quispe, ana`: personal data.
    ///
    /// Parsing it again gives the same name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lists the folded words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        order::each(&self.0)
    }

    /// Lists hashes of how the words of a folded name sound, for blocking; short words and initials are left out.
    pub(crate) fn sounds_of(folded: &str) -> impl Iterator<Item = u64> {
        order::each(folded).filter(|word| word.len() > 2).map(fold::sound)
    }

    /// Measures how alike two names are, from 0 (nothing shared) to 1 (the same words).
    ///
    /// Words are paired one to one, the most alike first. A pair counts as 1 when equal, 0.95 when it sounds
    /// alike in Spanish or Portuguese, 0.9 for an initial and its word, and as its Jaro–Winkler similarity when
    /// that is at least 0.88; else the words stay unpaired. Two frequent given names, and two given names that differ in
    /// their final `o` or `a` alone (`Mario` and `María`), are two names however alike. The *coverage* of a name is the
    /// sum over its words of what their pair counts, weighted by their letters. The similarity is ¾ of the greater plus
    /// ¼ of the smaller coverage, so that a name is like its own short form (`Juan Pérez` and `Juan Carlos
    /// Pérez Gómez`: 0.86).
    ///
    /// It is halved, and so below every limit of the default policy, where
    ///
    /// - no given name is paired with a given name, or no other pair is of surnames (`Rojas Quispe`, half of the name
    ///   of every sister);
    /// - both names have a given name that stays unpaired (`Ana Rojas Quispe` and `Luisa Rojas Quispe`, `María
    ///   Fernanda` and `María Luisa`).
    ///
    /// Brothers and sisters have equal surnames by law, of the father and of the mother, so that surnames never tell them
    /// apart and given names must (Peru: Código Civil, article 20; Spain: Código Civil, article 109). Names of the same
    /// words are one name in any order, unless commas say that given names and surnames differ.
    ///
    /// Symmetric. Sources: Winkler, *String Comparator Metrics* (1990); Monge and Elkan, *The Field Matching Problem*
    /// (1996), for the pairing of words. Names alone tell persons apart badly; the value confirms or refuses, and finds
    /// nobody.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        self.similarity_to(&other.0)
    }

    /// Measures how alike the name is to one that [`as_str`](Self::as_str) gave.
    pub(crate) fn similarity_to(&self, other: &str) -> f64 {
        if self.0 == other {
            return 1.0;
        }
        // One order of the two, so that ties fall alike and the measure is symmetric.
        let own = self.0.as_str();
        let (one, two) = if own <= other { (own, other) } else { (other, own) };
        let (one, two) = (Words::of(one), Words::of(two));
        let pairs = pair(&one, &two);
        let coverage = [pairs.covered[0] / one.letters(), pairs.covered[1] / two.letters()];
        let [low, high] =
            if coverage[0] <= coverage[1] { coverage } else { [coverage[1], coverage[0]] };
        let similarity = 0.75 * high + 0.25 * low;
        if pairs.are_one_person(&one, &two) { similarity } else { similarity / 2.0 }
    }
}

crate::weak::text_form!(Name, Name::parse, |name: &Name| name.0.clone());

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Name {
    /// Writes the folded name: personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

/// Which words of two names are paired.
struct Pairs {
    /// How many pairs there are, and how many may be of given names, of surnames, and of both.
    count: usize,
    given: usize,
    surnames: usize,
    either: usize,
    /// What the pairs cover of either name, in letters.
    covered: [f64; 2],
    /// Whether the words of either name are unpaired.
    free: [[bool; WORDS_MAX]; 2],
}

impl Pairs {
    /// Tells whether the names may be those of one person.
    fn are_one_person(&self, one: &Words<'_>, two: &Words<'_>) -> bool {
        let counts = [one.as_slice().len(), two.as_slice().len()];
        // Where no comma parts them, the same words are one name in whatever order.
        if self.count == counts[0] && self.count == counts[1] && !(one.parted && two.parted) {
            return true;
        }
        let unpaired = |words: &Words<'_>, free: &[bool]| {
            words.as_slice().iter().zip(free).any(|((_, role), &free)| free && role.may_be_given())
        };
        let given_differ = unpaired(one, &self.free[0]) && unpaired(two, &self.free[1]);
        // One word cannot be the given name and the surname at once.
        let both = self.given + self.surnames - self.either >= 2;
        self.given > 0 && self.surnames > 0 && both && !given_differ
    }
}

/// Pairs words, the most alike first, and of equals first those of one role.
fn pair(one: &Words<'_>, two: &Words<'_>) -> Pairs {
    let (one, two) = (one.as_slice(), two.as_slice());
    let mut pairs = Pairs {
        count: 0,
        given: 0,
        surnames: 0,
        either: 0,
        covered: [0.0; 2],
        free: [[true; WORDS_MAX]; 2],
    };
    let mut likeness = [[(0.0, false); WORDS_MAX]; WORDS_MAX];
    for (row, first) in likeness.iter_mut().zip(one) {
        for (cell, second) in row.iter_mut().zip(two) {
            let given = first.1.may_be_given() && second.1.may_be_given();
            let surname = first.1.may_be_surname() && second.1.may_be_surname();
            *cell = (word_similarity(first.0, second.0, given), given || surname);
        }
    }
    loop {
        let mut best = ((0.0, false), 0, 0);
        for (at, row) in likeness.iter().enumerate().take(one.len()) {
            for (other, &value) in row.iter().enumerate().take(two.len()) {
                if pairs.free[0][at] && pairs.free[1][other] && value > best.0 {
                    best = (value, at, other);
                }
            }
        }
        let ((value, _), at, other) = best;
        if value <= 0.0 {
            return pairs;
        }
        (pairs.free[0][at], pairs.free[1][other]) = (false, false);
        let (first, second) = (one[at], two[other]);
        let may = |is: fn(Role) -> bool| is(first.1) && is(second.1);
        let (given, surname) = (may(Role::may_be_given), may(Role::may_be_surname));
        pairs.count += 1;
        pairs.given += usize::from(given);
        pairs.surnames += usize::from(surname);
        pairs.either += usize::from(given && surname);
        pairs.covered[0] += value * first.0.len() as f64;
        pairs.covered[1] += value * second.0.len() as f64;
    }
}

/// Least Jaro–Winkler similarity of two words that are taken for one.
const ALIKE: f64 = 0.88;

/// Measures how alike two words are, which may both be given names.
fn word_similarity(one: &str, two: &str, given: bool) -> f64 {
    if one == two {
        return 1.0;
    }
    let (short, long) = if one.len() <= two.len() { (one, two) } else { (two, one) };
    if short.chars().nth(1).is_none() {
        return if long.starts_with(short) { 0.9 } else { 0.0 };
    }
    if fold::sound(one) == fold::sound(two) {
        return 0.95;
    }
    if given && (known::is_given(one) && known::is_given(two) || is_other_gender(short, long)) {
        return 0.0;
    }
    let similarity = if one.is_ascii() && two.is_ascii() {
        jaro_winkler::similarity(one.bytes(), two.bytes())
    } else {
        jaro_winkler::similarity(one.chars(), two.chars())
    };
    if similarity >= ALIKE { similarity.min(0.95) } else { 0.0 }
}

/// Tells whether two given names are the masculine and the feminine form of one, as `mario` and `maria`, `juan` and
/// `juana`.
fn is_other_gender(short: &str, long: &str) -> bool {
    match (short.strip_suffix(['o', 'a']), long.strip_suffix(['o', 'a'])) {
        (Some(one), Some(other)) if short.len() == long.len() => one == other,
        (_, Some(stem)) => short == stem,
        _ => false,
    }
}
