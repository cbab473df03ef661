//! Personal names as weak evidence.

mod fold;

use std::fmt;

use rapidfuzz::distance::jaro_winkler;

use crate::normalise::UnusableReason;
use crate::text::LONGEST_VALUE;
use crate::text::filler;

/// Is a folded personal name, comparable by [`Name::similarity`].
///
/// Folding drops accents, case, punctuation, the order of the words, and the particles of Spanish and
/// Portuguese names (`de`, `de la`, `dos`, `y`). `Debug` shows none of it.
///
/// ```
/// use identity_matching::Name;
/// let full = Name::parse("María Fernanda de la Cruz Ñahui")?;
/// let short = Name::parse("CRUZ, Maria")?;
/// assert!(full.similarity(&short) >= 0.8);
/// assert!(full.similarity(&Name::parse("Mario Quispe")?) < 0.66);
/// # Ok::<(), identity_matching::UnusableReason>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
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
        let words = buffer.split(' ').filter(|word| word.chars().nth(1).is_some()).count();
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
        // `no tiene` is sorted by now, `0nr` has lost its digit: both writings count.
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

    /// Returns the folded name, its words sorted: personal data.
    ///
    /// Parsing it again gives the same name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lists the folded words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }

    /// Lists hashes of how the words sound, for blocking; short words and initials are left out.
    pub(crate) fn sounds(&self) -> impl Iterator<Item = u64> {
        self.words().filter(|word| word.len() > 2).map(fold::sound)
    }

    /// Measures how alike two names are, from 0 (nothing shared) to 1 (the same words).
    ///
    /// Words are paired one to one, the most alike first. A pair counts as 1 when equal, 0.95 when it sounds
    /// alike in Spanish or Portuguese, 0.9 for an initial and its word, and as its Jaro–Winkler similarity when
    /// that is at least 0.88; else the words stay unpaired. The *coverage* of a name is the sum over its
    /// words of what their pair counts, weighted by their letters. The similarity is ¾ of the greater plus
    /// ¼ of the smaller coverage, so that a name is like its own short form (`Juan Pérez` and `Juan Carlos
    /// Pérez Gómez`: 0.86); with one pair only, while either name has more words, it is halved.
    ///
    /// Symmetric, and 1 exactly for equal folded names. Sources: Winkler, *String Comparator Metrics* (1990);
    /// Monge and Elkan, *The Field Matching Problem* (1996), for the pairing of words. Names alone tell
    /// persons apart badly; the value confirms or refuses, and finds nobody.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        if self == other {
            return 1.0;
        }
        // One order of the two, so that ties fall alike and the measure is symmetric.
        let (one, two) = if self.0 <= other.0 { (self, other) } else { (other, self) };
        let (one, two) = (Words::new(one), Words::new(two));
        let (pairs, covered_one, covered_two) = pair(&one, &two);
        let coverage = [covered_one / one.letters(), covered_two / two.letters()];
        let [low, high] =
            if coverage[0] <= coverage[1] { coverage } else { [coverage[1], coverage[0]] };
        let similarity = 0.75 * high + 0.25 * low;
        let lone = pairs < 2 && (one.count > 1 || two.count > 1);
        // Different names never reach the value of equal ones.
        (if lone { similarity / 2.0 } else { similarity }).min(0.999)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

/// The words of a name, on the stack.
struct Words<'a> {
    words: [&'a str; fold::WORDS_MAX],
    count: usize,
}

impl<'a> Words<'a> {
    fn new(name: &'a Name) -> Self {
        let mut words = [""; fold::WORDS_MAX];
        let mut count = 0;
        for (slot, word) in words.iter_mut().zip(name.words()) {
            *slot = word;
            count += 1;
        }
        Self { words, count }
    }

    fn as_slice(&self) -> &[&'a str] {
        &self.words[..self.count]
    }

    fn letters(&self) -> f64 {
        self.as_slice().iter().map(|word| word.len() as f64).sum()
    }
}

/// Pairs words, the most alike first; gives the number of pairs and what they cover of either name.
fn pair(one: &Words<'_>, two: &Words<'_>) -> (usize, f64, f64) {
    let mut free_one = [true; fold::WORDS_MAX];
    let mut free_two = [true; fold::WORDS_MAX];
    let mut likeness = [[0.0; fold::WORDS_MAX]; fold::WORDS_MAX];
    for (row, first) in likeness.iter_mut().zip(one.as_slice()) {
        for (cell, second) in row.iter_mut().zip(two.as_slice()) {
            *cell = word_similarity(first, second);
        }
    }
    let (mut pairs, mut covered_one, mut covered_two) = (0, 0.0, 0.0);
    loop {
        let mut best = (0.0, 0, 0);
        for (at, row) in likeness.iter().enumerate().take(one.count).filter(|(at, _)| free_one[*at])
        {
            for (other, &value) in row.iter().enumerate().take(two.count) {
                if free_two[other] && value > best.0 {
                    best = (value, at, other);
                }
            }
        }
        let (value, at, other) = best;
        if value <= 0.0 {
            return (pairs, covered_one, covered_two);
        }
        (free_one[at], free_two[other]) = (false, false);
        pairs += 1;
        covered_one += value * one.words[at].len() as f64;
        covered_two += value * two.words[other].len() as f64;
    }
}

/// Least Jaro–Winkler similarity of two words that are taken for one.
const ALIKE: f64 = 0.88;

fn word_similarity(one: &str, two: &str) -> f64 {
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
    let similarity = if one.is_ascii() && two.is_ascii() {
        jaro_winkler::similarity(one.bytes(), two.bytes())
    } else {
        jaro_winkler::similarity(one.chars(), two.chars())
    };
    if similarity >= ALIKE { similarity.min(0.95) } else { 0.0 }
}
