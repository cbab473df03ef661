//! The place of given names and surnames within a name.

use super::known::{is_given, is_particle, is_surname};

/// Most words of a name that are kept; nobody's name has more that matter.
pub(super) const WORDS_MAX: usize = 12;

/// What stands behind a comma without being a given name.
const SUFFIXES: [&str; 8] = ["filho", "ii", "iii", "jr", "junior", "neto", "segundo", "tercero"];

/// Puts the folded words behind `start` in order: given names first, `ana rojas quispe`, or, where it is known which
/// words are the surnames, these first and a comma behind them: `rojas quispe, ana`.
///
/// A comma in what was written parts surnames from given names. Without one, a name that begins with a frequent
/// surname has its surnames first, as registers write it, and one of frequent surnames alone has no given name;
/// any other is read in the order of speech. Arranging twice changes nothing.
pub(super) fn arrange(start: usize, out: &mut String) {
    let written = out.split_off(start);
    let mut words = [""; WORDS_MAX];
    let mut count = 0;
    // How many words stand before the last comma that parts anything; before a comma at the end.
    let (mut parted, mut ended) = (None, false);
    for (at, segment) in written.split(',').enumerate() {
        let first = count;
        for word in segment.split(' ').filter(|word| !word.is_empty() && !is_particle(word)) {
            if count < WORDS_MAX {
                words[count] = word;
                count += 1;
            }
        }
        let suffix = count == first + 1 && SUFFIXES.contains(&words[first]);
        if at > 0 && first > 0 && first < count && !suffix {
            parted = Some(first);
        }
        ended = at > 0 && first == count;
    }
    let words = &words[..count];
    let (surnames, given) = match parted.or_else(|| surnames_first(words, ended)) {
        // `Ana, Rojas Quispe` has its comma behind the given name.
        Some(at) if is_swapped(&words[..at], &words[at..]) => (&words[at..], &words[..at]),
        Some(at) => (&words[..at], &words[at..]),
        None => return push_words(words, out),
    };
    push_words(surnames, out);
    out.push(',');
    if !given.is_empty() {
        out.push(' ');
        push_words(given, out);
    }
}

fn push_words(words: &[&str], out: &mut String) {
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
}

fn is_swapped(before: &[&str], behind: &[&str]) -> bool {
    before.iter().all(|word| is_given(word)) && behind.iter().all(|word| is_surname(word))
}

/// Tells how many surnames stand first, where the words say so.
fn surnames_first(words: &[&str], ended: bool) -> Option<usize> {
    let (first, last) = (words.first()?, words.last()?);
    let alone = words.iter().all(|word| is_surname(word));
    if alone || ended && !is_given(first) && !is_given(last) {
        return Some(words.len());
    }
    if !is_surname(first) || words.len() < 2 {
        return None;
    }
    // People have two surnames at most, as a rule, and no given name stands between them.
    let given = words.iter().rev().take_while(|word| is_given(word)).count();
    Some((words.len() - given.max(1)).min(2))
}

/// What a word of a name may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Given,
    Surname,
    /// It may be the second given name or the first surname.
    Either,
}

impl Role {
    pub(super) fn may_be_given(self) -> bool {
        self != Self::Surname
    }

    pub(super) fn may_be_surname(self) -> bool {
        self != Self::Given
    }
}

/// The words of an arranged name with their roles, on the stack.
pub(super) struct Words<'a> {
    all: [(&'a str, Role); WORDS_MAX],
    count: usize,
    /// Whether a comma tells surnames and given names apart.
    pub(super) parted: bool,
}

impl<'a> Words<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        let mut words = [("", Role::Either); WORDS_MAX];
        let mut count = 0;
        let surnames = name.find(',').unwrap_or(0);
        let parted = surnames > 0;
        for (slot, word) in words.iter_mut().zip(each(name)) {
            // Both lie in one text, so their places tell which part the word is of.
            let at = word.as_ptr().addr() - name.as_ptr().addr();
            *slot = (word, if at < surnames { Role::Surname } else { Role::Given });
            count += 1;
        }
        if !parted {
            for (at, (word, role)) in words.iter_mut().enumerate().take(count).skip(1) {
                let last = at + 1 == count;
                *role = if is_given(word) || !last && at + 2 < count {
                    Role::Either
                } else {
                    Role::Surname
                };
            }
        }
        Self { all: words, count, parted }
    }

    pub(super) fn as_slice(&self) -> &[(&'a str, Role)] {
        &self.all[..self.count]
    }

    pub(super) fn letters(&self) -> f64 {
        self.as_slice().iter().map(|(word, _)| word.len() as f64).sum()
    }
}

/// Lists the words of an arranged name.
pub(super) fn each(name: &str) -> impl Iterator<Item = &str> {
    name.split([' ', ',']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(written: &str) -> String {
        let mut out = written.to_owned();
        arrange(0, &mut out);
        out
    }

    #[test]
    fn given_names_are_told_from_surnames() {
        for (written, expected) in [
            ("ana rojas quispe", "ana rojas quispe"),
            ("rojas quispe, ana", "rojas quispe, ana"),
            ("rojas quispe ana lucia", "rojas quispe, ana lucia"),
            ("rojas quispe yuliana", "rojas quispe, yuliana"),
            ("quispe yuliana", "quispe, yuliana"),
            ("ana, rojas quispe", "rojas quispe, ana"),
            ("rojas quispe", "rojas quispe,"),
            ("yupa choqque,", "yupa choqque,"),
            ("ana rojas quispe,", "ana rojas quispe"),
            ("juan perez, jr", "juan perez jr"),
            ("yuliana yesica choqque yupa", "yuliana yesica choqque yupa"),
            ("ana maria", "ana maria"),
            (", ana", "ana"),
        ] {
            assert_eq!(arranged(written), expected, "{written}");
            assert_eq!(arranged(expected), expected, "a second time");
        }
    }
}
