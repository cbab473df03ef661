//! Runs of digits: one number, or several without a word between them.

use super::fixes;
use super::number::{Outcome, Phone};
use super::plan::{self, Number, Use};
use crate::key::{Reading, UnusableReason};
use crate::text::Region;

/// Says how strongly the signs before a run of digits part it from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    #[default]
    None,
    /// Blanks, dots, dashes, brackets and the like.
    Light,
    /// As behind the number of a label or a list: `cel 1: `, `2) `.
    Label,
    /// A comma, a slash, or a dash between blanks.
    Strong,
}

/// One run of digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) digits: String,
    pub(super) plus: bool,
    pub(super) gap: Gap,
    /// Whether a lone dot or comma stands before it.
    pub(super) point: bool,
    /// Whether it stands in brackets.
    pub(super) bracketed: bool,
}

/// Runs of digits without a word between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) groups: Vec<Group>,
    /// Whether a word stands in front.
    pub(super) labelled: bool,
    /// Whether a letter stands inside or at an end without a blank, or the word in front names another kind of
    /// identifier, such as `DNI`.
    pub(super) refused: bool,
    pub(super) extension: bool,
}

impl Chunk {
    /// Drops the hour behind a number: the `6` of `987123456 6pm`; tells whether one stood there.
    pub(super) fn drop_hour(&mut self) -> bool {
        let [.., before, hour] = &self.groups[..] else { return false };
        let found = hour.digits.len() <= 2 && before.digits.len() >= 3 && !hour.point;
        if found {
            self.groups.pop();
        }
        found
    }

    /// Drops the decimals of a spreadsheet behind a whole number; others break it.
    pub(super) fn drop_decimals(&mut self) {
        if let [.., whole, decimals] = &self.groups[..]
            && decimals.point
            && (whole.digits.len() >= 5 || decimals.digits == "0")
            && decimals.digits.len() <= 2
        {
            let zeros = decimals.digits.bytes().all(|digit| digit == b'0');
            self.refused |= !zeros;
            self.groups.pop();
        }
    }

    /// Tells whether it is a number of two digits at most, or an hour: `18`, `18:00`.
    pub(super) fn is_count_or_hour(&self) -> bool {
        let short = |group: &Group| group.digits.len() <= 2 && !group.plus;
        self.groups.len() <= 2 && self.groups.iter().all(short)
    }

    pub(super) fn is_number(&self, region: Option<Region>) -> bool {
        !self.refused && number(&self.groups, region).is_ok()
    }

    /// Reads one number, or several without a word between them.
    pub(super) fn read(
        &self,
        region: Option<Region>,
        marks: Reading,
        several: bool,
        found: &mut dyn FnMut(Outcome),
    ) {
        if self.refused {
            return found(Outcome::unusable(UnusableReason::Malformed));
        }
        let marks = if several { marks.with(Reading::SPLIT) } else { marks };
        let marks = if self.extension { marks.with(Reading::EXTENSION_DROPPED) } else { marks };
        let groups = join_prefix(&self.groups, region);
        // A `+` begins a number.
        if let Some(at) = (1..groups.len()).find(|&at| groups[at].plus) {
            for groups in [&groups[..at], &groups[at..]] {
                let chunk = Self { groups: groups.to_vec(), ..self.clone() };
                chunk.read(region, marks, true, found);
            }
            return;
        }
        let whole = number(&groups, region);
        // `1) 987123456 2) 912345678`: the next of a list.
        let next = |at: &usize| groups[*at].digits.len() == 1 && groups[at + 1].gap == Gap::Label;
        if whole.is_err()
            && groups.len() > 3
            && let Some(at) = (2..groups.len() - 1).find(next)
        {
            for groups in [&groups[..at], &groups[at..]] {
                let chunk = Self { groups: groups.to_vec(), ..self.clone() };
                chunk.read(region, marks, true, found);
            }
            return;
        }
        let unlabelled = self.without_label(&groups).filter(|rest| number(rest, region).is_ok());
        match (whole, unlabelled) {
            (Ok(phone), Some(rest)) if groups[1].gap != Gap::Label => {
                let other = number(rest, region);
                if other.as_ref().is_ok_and(|other| other.e164() == phone.e164()) {
                    found(Outcome::Number(phone.with(marks)));
                } else {
                    found(Outcome::unusable(UnusableReason::Ambiguous));
                }
            }
            (_, Some(rest)) => {
                if let Ok(phone) = number(rest, region) {
                    found(Outcome::Number(phone.with(marks.with(Reading::WORDS_DROPPED))));
                }
            }
            (Ok(phone), None) => found(Outcome::Number(phone.with(marks))),
            (Err(reason), None) => read_parts(&groups, reason, region, marks, found),
        }
    }

    /// Leaves out the number of a label: the `2` of `cel 2: 987123456` and of `2) 987123456`.
    fn without_label<'a>(&self, groups: &'a [Group]) -> Option<&'a [Group]> {
        let [first, next, ..] = groups else { return None };
        let short = first.digits.len() == 1 && !first.plus && first.digits != "0";
        (short && (self.labelled || next.gap == Gap::Label)).then(|| &groups[1..])
    }
}

/// Reads what is no number as a whole: several numbers, a number with a prefix too many, or nothing.
fn read_parts(
    groups: &[Group],
    reason: UnusableReason,
    region: Option<Region>,
    marks: Reading,
    found: &mut dyn FnMut(Outcome),
) {
    let strong: Vec<&[Group]> = split_strong(groups);
    let split = marks.with(Reading::SPLIT);
    if strong.len() > 1 && strong.iter().any(|part| number(part, region).is_ok()) {
        for part in strong {
            read_one(part, region, split, found);
        }
        return;
    }
    // `01 438 2917 (234)`: an extension without its name.
    if let [rest @ .., last] = groups
        && last.bracketed
        && last.digits.len() <= 4
        && !rest.is_empty()
        && let Ok(phone) = number(rest, region)
    {
        return found(Outcome::Number(phone.with(marks.with(Reading::EXTENSION_DROPPED))));
    }
    let digits = digits_of(groups);
    let plus = groups[0].plus;
    if let Some(outcome) = fixes::read(&digits, plus, region) {
        return found(outcome.with(marks));
    }
    match segments(groups, region) {
        Segments::One(parts) => {
            for part in parts {
                read_one(part, region, split, found);
            }
        }
        Segments::Several => found(Outcome::unusable(UnusableReason::Ambiguous)),
        Segments::None => found(Outcome::not_a_number(reason, &digits, plus)),
    }
}

fn read_one(
    groups: &[Group],
    region: Option<Region>,
    marks: Reading,
    found: &mut dyn FnMut(Outcome),
) {
    let (digits, plus) = (digits_of(groups), groups[0].plus);
    found(match number(groups, region) {
        Ok(phone) => Outcome::Number(phone.with(marks)),
        Err(reason) => match fixes::read(&digits, plus, region) {
            Some(outcome) => outcome.with(marks),
            None => Outcome::not_a_number(reason, &digits, plus),
        },
    });
}

fn number(groups: &[Group], region: Option<Region>) -> Number {
    let (digits, plus) = (digits_of(groups), groups[0].plus);
    if !plus && carries_code(&digits, region) {
        let phone = plan::number(&digits, true, None)?;
        return Ok(Phone { reading: Reading::COUNTRY_CODE, ..phone });
    }
    let phone = plan::number(&digits, plus, region)?;
    if phone.reading.contains(Reading::INTERNATIONAL_PREFIX) && is_padded(&digits, region) {
        return Err(UnusableReason::Ambiguous);
    }
    Ok(phone)
}

/// Tells whether digits without a `+` are too long for a number of the region, and a mobile behind its country code.
///
/// Germany's numbers have eleven digits at most (Bundesnetzagentur, numbering plans of geographic and of mobile numbers),
/// but its plan of former times, which is open, would take `49 151…` for the area of Leer.
fn carries_code(digits: &str, region: Option<Region>) -> bool {
    let germany = region.is_some_and(|region| region.as_str() == "DE");
    germany
        && matches!(digits.len(), 12 | 13)
        && digits.starts_with("49")
        && plan::usage(digits, true, None) == Some(Use::Mobile)
        && plan::number(digits, true, None).is_ok()
}

/// Tells whether `00` before a number may be the zeros of a fixed width as well: behind them stands a mobile of the region,
/// and what the prefix leads to abroad is none.
fn is_padded(digits: &str, region: Option<Region>) -> bool {
    let Some(bare) = digits.strip_prefix("00") else { return false };
    let mobile = |number: &str, plus| plan::usage(number, plus, region) == Some(Use::Mobile);
    mobile(bare, false)
        && !mobile(bare, true)
        && plan::number(bare, false, region)
            .is_ok_and(|home| !home.reading.contains(Reading::COUNTRY_CODE))
}

fn digits_of(groups: &[Group]) -> String {
    groups.iter().map(|group| group.digits.as_str()).collect()
}

/// Joins a country's prefix with the number behind its own `+`: `0051+987123456`, `+51 +51987123456`.
fn join_prefix(groups: &[Group], region: Option<Region>) -> Vec<Group> {
    let mut groups = groups.to_vec();
    if let [first, second, ..] = &groups[..]
        && second.plus
    {
        let prefix = first.digits.trim_start_matches("00");
        let code = plan::country_code(region).to_string();
        let is_code = !prefix.is_empty()
            && prefix.len() <= 3
            && (first.plus || prefix == code || first.digits.len() > prefix.len());
        if is_code || prefix.is_empty() {
            let carries = prefix.is_empty() || second.digits.starts_with(prefix);
            let digits =
                if carries { second.digits.clone() } else { format!("{prefix}{}", second.digits) };
            groups[1].digits = digits;
            groups.remove(0);
        }
    }
    groups
}

fn split_strong(groups: &[Group]) -> Vec<&[Group]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 1..=groups.len() {
        if at == groups.len() || groups[at].gap == Gap::Strong {
            parts.push(&groups[start..at]);
            start = at;
        }
    }
    parts
}

enum Segments<'a> {
    None,
    One(Vec<&'a [Group]>),
    Several,
}

/// Finds the one way to cut runs of digits into whole numbers.
fn segments(groups: &[Group], region: Option<Region>) -> Segments<'_> {
    const LONGEST: usize = 16;
    let count = groups.len();
    if !(2..=LONGEST).contains(&count) {
        return Segments::None;
    }
    // How many ways lead to each place, two at most counted, and the last step of the first.
    let mut ways = [0_u8; LONGEST + 1];
    let mut from = [0_usize; LONGEST + 1];
    ways[0] = 1;
    for end in 1..=count {
        for start in 0..end {
            if ways[start] > 0 && number(&groups[start..end], region).is_ok() {
                ways[end] = (ways[end] + ways[start]).min(2);
                from[end] = start;
            }
        }
    }
    match ways[count] {
        0 => Segments::None,
        1 => {
            let mut parts = Vec::new();
            let mut end = count;
            while end > 0 {
                parts.push(&groups[from[end]..end]);
                end = from[end];
            }
            parts.reverse();
            Segments::One(parts)
        }
        _ => Segments::Several,
    }
}
