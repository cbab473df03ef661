//! Dates of birth as weak evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::UnusableReason;
use crate::text::Region;
use crate::text::filler;
use crate::text::{self, LONGEST_VALUE, spreadsheet};

/// A date of birth.
///
/// ```
/// use identity_matching::BirthDate;
/// let date = BirthDate::parse("21/03/1987", None)?;
/// assert_eq!(date, BirthDate::parse("1987-03-21", None)?);
/// assert_eq!(date.as_u32(), 19_870_321);
/// # Ok::<(), identity_matching::UnusableReason>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BirthDate(u32);

/// Dates that forms and spreadsheets write where there is none.
const FILLERS: [u32; 5] = [18_991_230, 18_991_231, 19_000_101, 19_111_111, 19_700_101];

impl fmt::Display for BirthDate {
    /// Writes the date as `1987-03-21`: personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(date) = self;
        write!(f, "{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100)
    }
}

impl BirthDate {
    /// Reads a date: `1987-03-21`, `19870321`, `21/03/1987`, with `-`, `/`, `.` or blanks between, and perhaps a time
    /// behind. Two digits of a year up to 29 are of this century: `21-mar-87`.
    ///
    /// Where the year stands last the day comes first, and the month in the region `US`; where only one order gives a
    /// date, it is that one. A month may be in words, and the serial number of a spreadsheet is read too.
    ///
    /// # Errors
    ///
    /// [`UnusableReason::TooLong`], [`UnusableReason::Blank`], [`UnusableReason::Malformed`] for anything else
    /// than three numbers, [`UnusableReason::NotAssigned`] when there is no such day between
    /// 1890 and 2150, and [`UnusableReason::Placeholder`] for `1900-01-01`, `1970-01-01` and other fillers.
    pub fn parse(raw: &str, region: Option<Region>) -> Result<Self, UnusableReason> {
        if raw.len() > LONGEST_VALUE {
            return Err(UnusableReason::TooLong);
        }
        if raw.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Self::parse_folded(raw, region);
        }
        let mut folded = String::with_capacity(raw.len());
        text::fold(raw, &mut folded);
        Self::parse_folded(&folded, region)
    }

    fn parse_folded(folded: &str, region: Option<Region>) -> Result<Self, UnusableReason> {
        let written = folded.trim();
        if written.is_empty() {
            return Err(UnusableReason::Blank);
        }
        if filler::is_filler(written) {
            return Err(UnusableReason::Placeholder);
        }
        let month_first = region.is_some_and(|region| region.as_str() == "US");
        let (year, month, day) = parts(written, month_first).ok_or(UnusableReason::Malformed)?;
        let number = year * 10_000 + month * 100 + day;
        if FILLERS.contains(&number) || year < 2 || year == 9999 || year == 1111 {
            return Err(UnusableReason::Placeholder);
        }
        if !(1890..=2150).contains(&year) || !(1..=days(year, month)).contains(&day) {
            return Err(UnusableReason::NotAssigned);
        }
        Ok(Self(number))
    }

    /// Takes back a date that [`as_u32`](Self::as_u32) gave.
    pub(crate) const fn from_u32(stored: u32) -> Self {
        Self(stored)
    }

    /// Returns the date as the integer `yyyymmdd`, to be stored; never zero.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

crate::weak::text_form!(BirthDate, |raw| BirthDate::parse(raw, None), BirthDate::to_string);

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(…)")
    }
}

/// Takes year, month and day apart.
fn parts(written: &str, month_first: bool) -> Option<(u32, u32, u32)> {
    let written = without_label(spreadsheet::unguarded(written));
    let whole = match spreadsheet::cell(written) {
        spreadsheet::Cell::Whole(digits) => digits,
        _ => String::new(),
    };
    let written = if whole.is_empty() { written } else { whole.as_str() };
    if let Some(day) = serial(written) {
        return Some(day);
    }
    let number = |text: &str| {
        let digits =
            text.len() <= 4 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse::<u32>().ok() } else { None }
    };
    let letters = written.chars().filter(|letter| letter.is_alphabetic()).count();
    if letters > 1
        && let Some(date) = in_words(without_hour(written))
    {
        return Some(date);
    }
    // A time follows a `T`, or a blank behind a date that has its own separators.
    let date = written.split(['T', 't']).next()?;
    let date = match date.split_once(' ') {
        Some((date, _)) if date.contains(['-', '/', '.']) => date,
        _ => date,
    };
    let date = date.strip_suffix(".0").unwrap_or(date);
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        let (year, month, day) = (number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?);
        // `21031987`: where the year cannot stand first, it stands last.
        let first = (1890..=2150).contains(&year) && (1..=days(year, month)).contains(&day);
        let (last, middle, front) =
            (number(&date[4..])?, number(&date[2..4])?, number(&date[..2])?);
        let behind = (1890..=2150).contains(&last) && (1..=days(last, middle)).contains(&front);
        return Some(if behind && !first { (last, middle, front) } else { (year, month, day) });
    }
    let mut fields = date
        .split(['-', '/', '.', ' ', '|', '_', '\\'])
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let (first, second, third) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() {
        return None;
    }
    match (first.len(), third.len()) {
        (4, 1..=2) => Some((number(first)?, number(second)?, number(third)?)),
        (1..=2, 4) => {
            let (first, second) = (number(first)?, number(second)?);
            // Where one order gives no month, it is the other.
            let month_first = if month_first { second > 12 || first <= 12 } else { second > 12 };
            let (month, day) =
                if month_first && first <= 12 { (first, second) } else { (second, first) };
            Some((number(third)?, month, day))
        }
        (1..=2, 2) => {
            let (first, second, third) = (number(first)?, number(second)?, number(third)?);
            // No day is as great: the year stands first.
            if first > 31 {
                return Some((of_century(first), second, third));
            }
            let month_first = if month_first { second > 12 || first <= 12 } else { second > 12 };
            let (month, day) =
                if month_first && first <= 12 { (first, second) } else { (second, first) };
            Some((of_century(third), month, day))
        }
        _ => None,
    }
}

/// Returns the year that two digits stand for: to 29 of this century, from 30 of the last, as the spreadsheets read and
/// write them from which such dates come (Microsoft, "Change the date system, format, or two-digit year interpretation").
fn of_century(year: u32) -> u32 {
    if year < 30 { 2000 + year } else { 1900 + year }
}

/// Drops a label and a weekday before a date: `F. Nac.: 21/03/1987`, `Sábado, 21 de marzo de 1987`, `nacido 21/03/1987`.
fn without_label(written: &str) -> &str {
    let start = match written.split_once([':', ',']) {
        Some((label, rest)) if label.chars().all(|sign| !sign.is_ascii_digit()) => rest,
        _ => written,
    };
    let rest = start.trim_start();
    let (word, behind) = rest.split_at(
        rest.find(|sign: char| !(sign.is_alphabetic() || sign == '.')).unwrap_or(rest.len()),
    );
    let digits = behind.trim_start().starts_with(|sign: char| sign.is_ascii_digit());
    let month = month_of(&word.to_lowercase()).is_some();
    if word.chars().count() > 2 && digits && !month { behind.trim_start() } else { rest }
}

/// Reads the serial number of a day in a spreadsheet, which counts from 30 December 1899: `31857`, `31857.0`.
///
/// Only numbers of five digits, from 1927 to 2173: shorter ones are years. Source: ECMA-376, part 1, 18.17.4.1.
fn serial(written: &str) -> Option<(u32, u32, u32)> {
    let whole = written.split_once('.').map_or(written, |(whole, _)| whole);
    let fraction = &written[whole.len()..];
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // A run is a filler.
    if whole.len() != 5
        || !digits(whole)
        || !digits(fraction.trim_start_matches('.'))
        || filler::is_repeated_or_run(whole.as_bytes())
    {
        return None;
    }
    // Days from 1 March of the year 0, in eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms").
    let day = whole.parse::<u32>().ok()? + 693_899;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let years = year + era * 400 + u32::from(month <= 2);
    Some((years, month, of_year - (153 * shifted + 2) / 5 + 1))
}

/// Drops a time behind a date: `Mar 21 1987 12:00AM`.
fn without_hour(written: &str) -> &str {
    match written.rsplit_once(' ') {
        Some((date, time))
            if time.contains(':') && time.starts_with(|sign: char| sign.is_ascii_digit()) =>
        {
            date
        }
        _ => written,
    }
}

/// Reads a date with the month in words, in Spanish, Portuguese or English: `21 de marzo de 1987`, `21-mar-1987`, `March
/// 21, 1987`.
fn in_words(written: &str) -> Option<(u32, u32, u32)> {
    let (mut day, mut month, mut year, mut short) = (None, None, None, None);
    for word in written.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty())
    {
        let digits = word.trim_end_matches(|sign: char| sign.is_alphabetic());
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let slot = match digits.len() {
                4 => &mut year,
                // The year stands last.
                2 if day.is_some() && month.is_some() && year.is_none() => &mut short,
                1 | 2 => &mut day,
                _ => return None,
            };
            if slot.replace(digits.parse::<u32>().ok()?).is_some() {
                return None;
            }
            continue;
        }
        let lower = word.to_lowercase();
        match month_of(&lower) {
            Some(named) if month.is_none() => month = Some(named),
            None if matches!(lower.as_str(), "de" | "del" | "do" | "of" | "the") => {}
            _ => return None,
        }
    }
    Some((year.or(short.map(of_century))?, month?, day?))
}

/// Returns the month that a word in lower case names, in letters or in Roman numerals of two signs at least.
fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &["ene", "jan"],
        &["feb", "fev"],
        &["mar"],
        &["abr", "apr"],
        &["may", "mai"],
        &["jun"],
        &["jul"],
        &["ago", "aug"],
        &["set", "sep"],
        &["oct", "out"],
        &["nov"],
        &["dic", "dez", "dec"],
    ];
    const ROMAN: [&str; 12] =
        ["", "ii", "iii", "iv", "", "vi", "vii", "viii", "ix", "", "xi", "xii"];
    let named = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
    let at = MONTHS.iter().position(|names| named(names) && word.len() <= 10);
    let at = at.or_else(|| ROMAN.iter().position(|roman| !roman.is_empty() && *roman == word))?;
    u32::try_from(at + 1).ok()
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    }
}
