//! What people write around a document's number: its type, an abbreviation of "number", the country, who issued it,
//! remarks, a spreadsheet's guards and decimals, a second document.

use super::DocumentNumber;
use super::filler::is_filler_number;
use super::names::{self, Beside, Named};
use super::reading::{self, Context, Found, Read, Wanted};
use crate::key::Reading;
use crate::key::UnusableReason;
use crate::text::spreadsheet::{self, Cell};
use crate::text::{self, Region, filler};

/// Takes the documents of one value, each with its readings or a reason.
pub(super) type Report<'a> = dyn FnMut(Result<Vec<Read>, UnusableReason>) + 'a;

/// Fewest digits of a document that stands beside another.
const DIGITS_MIN: usize = 5;

/// Reads all documents of one value of at most [`text::LONGEST_VALUE`] bytes.
pub(super) fn read(
    raw: &str,
    wanted: &Wanted<'_>,
    country: Region,
    context: &Context<'_>,
    report: &mut Report<'_>,
) {
    let raw = &*text::unescaped(raw);
    let signs = without_ordinals(raw);
    let mut folded = String::with_capacity(raw.len());
    for (at, line) in signs.as_deref().unwrap_or(raw).split(['\n', '\r']).enumerate() {
        if at > 0 {
            folded.push('\n');
        }
        text::fold(line, &mut folded);
    }
    let cell = WrittenCell { wanted, country, context };
    let parts: Vec<&str> = folded
        .split(['\n', ';', '|'])
        .flat_map(|part| part.split(" & "))
        .map(str::trim)
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .collect();
    if let [] | [_] = parts[..] {
        return cell.read(folded.trim(), Reading::new(), report);
    }
    for part in parts {
        cell.read(part, Reading::SPLIT, report);
    }
}

/// Writes an ordinal sign as a sign, so that folding makes no letter of it that touches the number (`nº45678912`), and an
/// accent that stands for an apostrophe as one (`52´847´193`).
fn without_ordinals(raw: &str) -> Option<String> {
    let sign = |letter: char| match letter {
        'º' | 'ª' | '№' => Some('°'),
        '´' => Some('\''),
        _ => None,
    };
    let written = raw.chars().any(|letter| sign(letter).is_some());
    written.then(|| raw.chars().map(|letter| sign(letter).unwrap_or(letter)).collect())
}

struct WrittenCell<'a, 't> {
    wanted: &'a Wanted<'t>,
    country: Region,
    context: &'a Context<'t>,
}

impl<'t> WrittenCell<'_, 't> {
    /// Reads one document, or several that a word, a slash, a comma or a blank parts.
    fn read(&self, written: &str, marks: Reading, report: &mut Report<'_>) {
        let reason = match self.one(written) {
            Ok(reads) => return report(Ok(with(reads, marks))),
            Err(reason) => reason,
        };
        let parts = self.parts(written);
        if parts.is_empty() {
            let filler = is_filler_number(written);
            return report(Err(if filler { UnusableReason::Placeholder } else { reason }));
        }
        for part in parts {
            report(self.one(part).map(|reads| with(reads, marks.with(Reading::SPLIT))));
        }
    }

    /// Cuts a value of several documents, of which one at least can be read.
    fn parts<'w>(&self, written: &'w str) -> Vec<&'w str> {
        let long = |part: &&str| part.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN;
        let labels = self.cut_at_labels(written);
        if labels.len() > 1 && labels.iter().any(|part| self.one(part).is_ok()) {
            return labels;
        }
        for mark in [" y ", " e ", " o ", " and ", "/", ",", " - ", " "] {
            let parts: Vec<&str> =
                written.split(mark).map(str::trim).filter(|part| !part.is_empty()).collect();
            let fits = |part: &&str| self.one(part).is_ok();
            let read = match mark {
                " " => parts.iter().all(fits),
                _ => parts.iter().any(fits),
            };
            if parts.len() > 1 && parts.iter().all(long) && read {
                return parts;
            }
        }
        Vec::new()
    }

    /// Cuts before every name of a type that stands between numbers: `DNI 45678912 RUC 20512333797`.
    fn cut_at_labels<'w>(&self, written: &'w str) -> Vec<&'w str> {
        let mut parts = Vec::new();
        let (mut start, mut digits) = (0, 0);
        for (at, word) in words(written) {
            let numeral = word.bytes().filter(u8::is_ascii_digit).count();
            let names = numeral == 0
                && word.len() > 1
                && matches!(
                    names::beside(self.context.types, self.country, word),
                    Beside::Types(_)
                );
            if names
                && digits >= DIGITS_MIN
                && written[at + word.len()..].bytes().any(|byte| byte.is_ascii_digit())
            {
                parts.push(written[start..at].trim());
                (start, digits) = (at, 0);
            }
            digits += numeral;
        }
        parts.push(written[start..].trim());
        parts
    }

    /// Reads one document with what stands around it.
    fn one(&self, written: &str) -> Result<Vec<Read>, UnusableReason> {
        let bare = spreadsheet::unguarded(written)
            .trim_matches(['#', '[', ']', '+', '{', '}', '<', '>', ' ']);
        let marks = if bare == written { Reading::new() } else { Reading::WRAPPING_DROPPED };
        let whole = match spreadsheet::cell(bare) {
            Cell::Whole(digits) => Some(digits),
            Cell::Rounded => return Err(UnusableReason::Rounded),
            Cell::Text | Cell::Fraction => None,
        };
        let (bare, marks) = match &whole {
            Some(digits) => (digits.as_str(), marks.with(Reading::SPREADSHEET_NUMBER)),
            None => (bare, marks),
        };
        let dashed = with_check_dash(bare);
        let bare = dashed.as_deref().unwrap_or(bare);
        let core = Core::of(bare).ok_or(if filler::says_nothing(bare) {
            UnusableReason::Placeholder
        } else {
            UnusableReason::Malformed
        })?;
        if core.lead.len() > 3 && filler::is_filler(core.lead) {
            return Err(UnusableReason::Placeholder);
        }
        let lead = names::beside(self.context.types, self.country, core.lead);
        let tail = names::beside(self.context.types, self.country, core.tail);
        let mut labels: Vec<_> = Vec::new();
        for beside in [&lead, &tail] {
            if let Beside::Types(named) = beside {
                labels.extend(named.iter().copied());
            }
        }
        let stripped = matches!(lead, Beside::Noise | Beside::Types(_))
            || matches!(tail, Beside::Noise | Beside::Types(_));
        let keep_lead = matches!(lead, Beside::Unknown);
        let keep_tail = matches!(tail, Beside::Unknown);
        let mut reason = None;
        let mut attempt = |text: &str, wanted: &Wanted<'t>, marks: Reading| -> Option<Vec<Read>> {
            match self.number(text, wanted) {
                Ok(reads) => Some(with(reads, marks)),
                Err(why) => {
                    reason.get_or_insert(why);
                    None
                }
            }
        };
        let dropped = marks.with(Reading::WORDS_DROPPED);
        let own = if labels.is_empty() || !matches!(self.wanted, Wanted::Named(Named::Any)) {
            self.wanted.clone()
        } else {
            Wanted::Named(Named::Types(labels.clone()))
        };
        // What is known beside the number goes, a short series before it stays, words behind it go.
        let long = |words: &str, least: usize| {
            self::words(words).all(|(_, word)| word.chars().count() >= least)
        };
        let remark = keep_tail && long(core.tail, 2);
        let series = core.with_series(bare, keep_lead);
        let behind = keep_tail && !remark;
        let near = series.part(bare, false, behind);
        let near_marks = if near.len() == bare.len() && !stripped { marks } else { dropped };
        let all = core.part(bare, keep_lead, keep_tail);
        let mut found = attempt(near, &own, near_marks);
        if found.is_none() && all != near {
            found = attempt(all, &own, if stripped { dropped } else { marks });
        }
        // Letters that may belong to a number are never dropped.
        if found.is_none() && keep_lead && long(core.lead, 4) {
            found = attempt(core.part(bare, false, behind), &own, dropped);
        }
        let letters = core.lead.trim_matches(|sign: char| !sign.is_alphanumeric());
        if found.is_none() && letters.eq_ignore_ascii_case(self.country.as_str()) {
            let marks = marks.with(Reading::COUNTRY_DROPPED);
            found = attempt(core.part(bare, false, behind), &own, marks);
        }
        if found.is_none() && !labels.is_empty() {
            let named = Wanted::Named(Named::Types(labels));
            found = attempt(core.part(bare, false, behind), &named, dropped);
        }
        if found.is_none() {
            found = self.without_letters(core.part(bare, false, behind), &own, marks);
        }
        // A Mexican company's number may begin with `&`; of other numbers it is no part.
        if found.is_none() && bare[core.start..].starts_with('&') {
            found = attempt(&bare[core.start..core.end], &own, marks);
        }
        if found.is_none() && core.joined {
            found = attempt(&bare[core.numeral..core.end], &own, dropped);
        }
        found.ok_or(reason.unwrap_or(UnusableReason::Malformed))
    }

    /// Drops letters that touch the number: the country's, as of a VAT number, or a name of the type.
    fn without_letters(
        &self,
        written: &str,
        wanted: &Wanted<'t>,
        marks: Reading,
    ) -> Option<Vec<Read>> {
        let letters = written.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (head, rest) = written.split_at(letters);
        if let Some(country) = head.get(..2)
            && country.eq_ignore_ascii_case(self.country.as_str())
            && let Ok(reads) = self.number(written[2..].trim_start_matches([' ', '-', '.']), wanted)
        {
            return Some(with(reads, marks.with(Reading::COUNTRY_DROPPED)));
        }
        if letters > 1
            && let Beside::Types(named) = names::beside(self.context.types, self.country, head)
        {
            let named = match wanted {
                Wanted::Named(Named::Any) => &Wanted::Named(Named::Types(named)),
                wanted => wanted,
            };
            return Some(with(self.number(rest, named).ok()?, marks.with(Reading::WORDS_DROPPED)));
        }
        None
    }

    fn number(&self, written: &str, wanted: &Wanted<'t>) -> Result<Vec<Read>, UnusableReason> {
        let number = DocumentNumber::compact(written)?;
        let mut reads = Vec::new();
        let found: &mut Found<'_> = &mut |read| reads.push(read);
        reading::read(&number, wanted, self.country, self.context, found)?;
        Ok(reads)
    }
}

fn with(reads: Vec<Read>, marks: Reading) -> Vec<Read> {
    reads.into_iter().map(|read| read.with(marks)).collect()
}

/// Writes the dash that `DV` stands for before a verification digit: `NIT 900456781 DV 6`, `D.V.: 6`.
fn with_check_dash(written: &str) -> Option<String> {
    let words: Vec<(usize, &str)> = words(written).collect();
    let named = |at: usize, name: &str| {
        words.get(at).is_some_and(|(_, word)| word.eq_ignore_ascii_case(name))
    };
    let last = words.len().checked_sub(1)?;
    let (_, check) = words[last];
    let label = match last {
        1.. if named(last - 1, "DV") => last - 1,
        2.. if named(last - 1, "V") && named(last - 2, "D") => last - 2,
        _ => return None,
    };
    let number = written[..words[label].0].trim_end_matches([' ', '-', ',', '.', '(']);
    let digits = check.len() <= 2 && check.bytes().all(|byte| byte.is_ascii_digit());
    (digits && number.ends_with(|sign: char| sign.is_ascii_digit()))
        .then(|| format!("{number}-{check}"))
}

/// Lists the runs of letters and digits with their places.
fn words(written: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = written.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(move |word| (word.as_ptr() as usize - written.as_ptr() as usize, word))
}

/// The part of a value from its first to its last word with a digit, and what stands before and behind.
struct Core<'a> {
    lead: &'a str,
    tail: &'a str,
    start: usize,
    end: usize,
    /// Where the first word with a digit begins, and whether `&` joins letters to it: then the part begins before.
    numeral: usize,
    joined: bool,
}

impl<'a> Core<'a> {
    fn of(written: &'a str) -> Option<Self> {
        let mut numerals =
            words(written).filter(|(_, word)| word.bytes().any(|byte| byte.is_ascii_digit()));
        let (start, first) = numerals.next()?;
        let (last, word) = numerals.last().unwrap_or((start, first));
        let (numeral, end) = (start, last + word.len());
        let joined = written[..numeral].ends_with('&');
        let before =
            written[..numeral].trim_end_matches(|sign: char| sign.is_alphanumeric() || sign == '&');
        let start = if joined { before.len() } else { numeral };
        Some(Self { lead: &written[..start], tail: &written[end..], start, end, numeral, joined })
    }

    /// Takes a short last word of what stands before into the part: the series of a passport, the letter of a company.
    fn with_series(&self, written: &'a str, lead: bool) -> Self {
        let series = words(self.lead).last().filter(|(_, word)| lead && word.chars().count() <= 3);
        let start = series.map_or(self.start, |(at, _)| at);
        Self { lead: &written[..start], start, ..*self }
    }

    /// Returns the part with what stands before or behind, or without.
    fn part<'w>(&self, written: &'w str, lead: bool, tail: bool) -> &'w str {
        let start = if lead { 0 } else { self.start };
        let end = if tail { written.len() } else { self.end };
        written[start..end].trim_start_matches(|sign: char| !sign.is_alphanumeric())
    }
}
