//! Days as people and spreadsheets write them, and what each form must have meant.

use chrono::{Days, NaiveDate};

/// Is what a text that should be a day turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Date {
    /// A day, written `YYYY-MM-DD`.
    Read(NaiveDate),
    /// Nothing.
    Blank,
    /// No day in that form.
    Wrong {
        /// What it looks like.
        damage: DateDamage,
        /// Every day that it may mean.
        readings: Vec<NaiveDate>,
    },
}

/// Names what was done to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateDamage {
    Serial,
    NotIso,
    OneCountry,
    TwoDigitYear,
    Ambiguous,
    NoSuchDay,
    NoDate,
}

impl DateDamage {
    /// Returns the damage by the name that findings use.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Serial => "date-serial",
            Self::NotIso | Self::OneCountry | Self::TwoDigitYear => "locale-date",
            Self::Ambiguous => "date-ambiguous",
            Self::NoSuchDay | Self::NoDate => "type-error",
        }
    }
}

/// Reads a day.
pub(super) fn read_date(text: &str) -> Date {
    let text = text.trim();
    if text.is_empty() {
        return Date::Blank;
    }
    if let Some(date) = iso(text, '-') {
        return Date::Read(date);
    }
    if let Some(readings) = serial(text) {
        return Date::Wrong { damage: DateDamage::Serial, readings };
    }
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    if let Some(date) = iso(day, '-').or_else(|| iso(day, '/')).or_else(|| iso(day, '.')) {
        return Date::Wrong { damage: DateDamage::NotIso, readings: vec![date] };
    }
    if let Some(readings) = local(day) {
        let damage = match readings.len() {
            0 => DateDamage::NoSuchDay,
            1 => DateDamage::OneCountry,
            _ => DateDamage::Ambiguous,
        };
        return Date::Wrong { damage, readings };
    }
    if let Some(readings) = short(day).filter(|readings| !readings.is_empty()) {
        return Date::Wrong { damage: DateDamage::TwoDigitYear, readings };
    }
    Date::Wrong { damage: DateDamage::NoDate, readings: Vec::new() }
}

/// Reads year, month and day with four, two and two digits; with `/` or `.` also fewer.
fn iso(text: &str, separator: char) -> Option<NaiveDate> {
    let mut parts = text.split(separator);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let strict = separator == '-';
    let short = |part: &str| part.len() == 2 || (!strict && part.len() == 1);
    if parts.next().is_some() || year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    NaiveDate::from_ymd_opt(number(year)?.try_into().ok()?, number(month)?, number(day)?)
}

/// Reads day and month in either order, then a year of four digits.
fn local(text: &str) -> Option<Vec<NaiveDate>> {
    let separator = ['/', '.', '-'].into_iter().find(|c| text.contains(*c))?;
    let mut parts = text.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || first.len() > 2 || second.len() > 2 {
        return None;
    }
    let (first, second) = (number(first)?, number(second)?);
    let year: i32 = number(year)?.try_into().ok()?;
    let mut readings: Vec<_> = [(first, second), (second, first)]
        .into_iter()
        .filter_map(|(month, day)| NaiveDate::from_ymd_opt(year, month, day))
        .collect();
    readings.dedup();
    Some(readings)
}

/// Reads a day with a year of two digits, as spreadsheets show it in many countries, in any order.
///
/// 00 to 29 stand for 2000 to 2029 in every common spreadsheet; of later ones they are not of one mind.
fn short(text: &str) -> Option<Vec<NaiveDate>> {
    let separator = ['/', '.', '-'].into_iter().find(|c| text.contains(*c))?;
    let mut parts = text.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || [first, second, third].iter().any(|part| part.len() > 2) {
        return None;
    }
    let year = |part: &str| number(part).filter(|year| part.len() == 2 && *year <= 29);
    let mut readings = Vec::new();
    for (year_of, month, day) in
        [(third, second, first), (third, first, second), (first, second, third)]
    {
        let (Some(year), Some(month), Some(day)) = (year(year_of), number(month), number(day))
        else {
            continue;
        };
        let date = i32::try_from(2000 + year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
        readings.extend(date.filter(|date| !readings.contains(date)));
    }
    Some(readings)
}

/// Reads the number of days since the end of 1899, or since 1904, the two epochs of spreadsheets.
fn serial(text: &str) -> Option<Vec<NaiveDate>> {
    let days = text.strip_suffix(".0").unwrap_or(text);
    if days.len() != 5 {
        return None;
    }
    let days = u64::from(number(days)?);
    let epochs = [NaiveDate::from_ymd_opt(1899, 12, 30)?, NaiveDate::from_ymd_opt(1904, 1, 1)?];
    Some(epochs.into_iter().filter_map(|epoch| epoch.checked_add_days(Days::new(days))).collect())
}

fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(text: &str) -> (&'static str, Vec<String>) {
        match read_date(text) {
            Date::Wrong { damage, readings } => {
                (damage.code(), readings.iter().map(ToString::to_string).collect())
            }
            other => panic!("{text} is read as {other:?}"),
        }
    }

    #[test]
    fn damage_to_a_date_is_named_with_every_reading() {
        for (text, code, readings) in [
            ("46082", "date-serial", vec!["2026-03-01", "2030-03-02"]),
            ("2026-03-01 00:00:00", "locale-date", vec!["2026-03-01"]),
            ("2026/3/1", "locale-date", vec!["2026-03-01"]),
            ("25/12/2026", "locale-date", vec!["2026-12-25"]),
            ("12/25/2026", "locale-date", vec!["2026-12-25"]),
            ("03.03.2026", "locale-date", vec!["2026-03-03"]),
            ("01/03/2026", "date-ambiguous", vec!["2026-01-03", "2026-03-01"]),
            ("31/02/2026", "type-error", vec![]),
            ("2026-02-31", "type-error", vec![]),
            ("1 de marzo", "type-error", vec![]),
            ("01/03/26", "locale-date", vec!["2026-03-01", "2026-01-03", "2001-03-26"]),
            ("31/03/25", "locale-date", vec!["2025-03-31"]),
            ("31/03/55", "type-error", vec![]),
        ] {
            let readings: Vec<String> = readings.into_iter().map(str::to_owned).collect();
            assert_eq!(wrong(text), (code, readings), "{text}");
        }
        assert_eq!(read_date(" "), Date::Blank);
    }

    proptest! {
        #[test]
        fn a_written_day_is_read_as_itself_and_no_text_panics(days in 0_u64..80_000, text in ".{0,20}|[0-9/.-]{0,12}") {
            let date = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + Days::new(days);
            prop_assert_eq!(read_date(&date.to_string()), Date::Read(date));
            let _ = read_date(&text);
        }
    }
}
