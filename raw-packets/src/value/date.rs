//! Days as people and spreadsheets write them, and everything that each form may mean.

use chrono::{Days, NaiveDate};

use super::folded;

/// What a text that should be a day turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Date {
    /// A day, written `YYYY-MM-DD` (ISO 8601).
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateDamage {
    /// The number of days by which spreadsheets count.
    Serial,
    /// Year, month and day in another form than `YYYY-MM-DD`, or with a time.
    NotIso,
    /// Day, month and year in the order or the words of a country.
    OneCountry,
    /// A year of two digits.
    TwoDigitYear,
    /// Day and month that may be exchanged.
    Ambiguous,
    /// A time of day alone.
    TimeOnly,
    /// A month or a year without its day.
    NoDay,
    /// A day that no calendar has.
    NoSuchDay,
    /// Nothing that could be a day.
    NoDate,
}

/// Reads a day.
///
/// ```
/// use raw_packets::value::{Date, DateDamage, read_date};
///
/// let Date::Wrong { damage, readings } = read_date("31 de marzo de 2025") else { panic!() };
/// assert_eq!((damage, readings[0].to_string()), (DateDamage::OneCountry, "2025-03-31".to_owned()));
/// ```
#[must_use]
pub fn read_date(text: &str) -> Date {
    let text = super::trim(super::trim(text).trim_start_matches('\''));
    if text.is_empty() {
        return Date::Blank;
    }
    let wrong = |damage, readings| Date::Wrong { damage, readings };
    if let Some(parts) = numbers(text, '-')
        && parts.map(|(digits, _)| digits) == [4, 2, 2]
        && let Some(date) = ymd(parts[0].1, parts[1].1, parts[2].1)
    {
        return Date::Read(date);
    }
    if let Some(readings) = serial(text) {
        return wrong(DateDamage::Serial, readings);
    }
    if is_time(text) {
        return wrong(DateDamage::TimeOnly, Vec::new());
    }
    let asian = text.replace(['年', '月'], "-").replace('日', "");
    let day = asian.split([' ', 'T', '\u{a0}']).next().unwrap_or_default().trim_end_matches('.');
    if let Some(readings) = of_numbers(day).or_else(|| basic(text)) {
        return readings;
    }
    of_words(text).unwrap_or_else(|| wrong(DateDamage::NoDate, Vec::new()))
}

fn ymd(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Splits a text into three numbers, each with how many digits it is written with.
fn numbers(text: &str, separator: char) -> Option<[(usize, u32); 3]> {
    let mut parts = text.split(separator).map(|part| Some((part.len(), number(part)?)));
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn number(digits: &str) -> Option<u32> {
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all { digits.parse().ok() } else { None }
}

/// Reads three numbers in any order.
fn of_numbers(text: &str) -> Option<Date> {
    let parts = ['/', '.', '-'].into_iter().find_map(|separator| numbers(text, separator))?;
    let wrong = |damage, readings| Some(Date::Wrong { damage, readings });
    let [first, second, third] = parts.map(|(_, number)| number);
    match parts.map(|(digits, _)| digits) {
        [4, 1 | 2, 1 | 2] => match ymd(first, second, third) {
            Some(date) => wrong(DateDamage::NotIso, vec![date]),
            None => wrong(DateDamage::NoSuchDay, Vec::new()),
        },
        [1 | 2, 1 | 2, 4] => {
            let mut readings: Vec<_> = [ymd(third, second, first), ymd(third, first, second)]
                .into_iter()
                .flatten()
                .collect();
            readings.sort_unstable();
            readings.dedup();
            let damage = match readings.len() {
                0 => DateDamage::NoSuchDay,
                1 => DateDamage::OneCountry,
                _ => DateDamage::Ambiguous,
            };
            wrong(damage, readings)
        }
        [1 | 2, 1 | 2, 1 | 2] => {
            // Spreadsheets take 00 to 29 for 2000 to 2029; on later years they differ.
            let year =
                |(digits, year): (usize, u32)| (digits == 2 && year <= 29).then_some(2000 + year);
            let mut readings = Vec::new();
            for (year_of, month, day) in
                [(parts[2], second, first), (parts[2], first, second), (parts[0], second, third)]
            {
                let date = year(year_of).and_then(|year| ymd(year, month, day));
                readings.extend(date.filter(|date| !readings.contains(date)));
            }
            if readings.is_empty() { None } else { wrong(DateDamage::TwoDigitYear, readings) }
        }
        _ => None,
    }
}

/// Reads `YYYYMMDD`, the basic form of ISO 8601.
fn basic(text: &str) -> Option<Date> {
    let day =
        text.split(['T', ' ']).next().filter(|day| day.len() == 8 && number(day).is_some())?;
    let date = ymd(number(&day[..4])?, number(&day[4..6])?, number(&day[6..])?);
    let damage = if date.is_some() { DateDamage::NotIso } else { DateDamage::NoSuchDay };
    Some(Date::Wrong { damage, readings: date.into_iter().collect() })
}

/// Reads the number of days since the end of 1899, or since 1904, the two epochs of spreadsheets, perhaps
/// with a part of a day behind it.
fn serial(text: &str) -> Option<Vec<NaiveDate>> {
    let (days, part) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if days.len() != 5 || part.is_empty() || part.bytes().any(|b| !b.is_ascii_digit()) {
        return None;
    }
    let days = u64::from(number(days)?);
    let epochs = [NaiveDate::from_ymd_opt(1899, 12, 30)?, NaiveDate::from_ymd_opt(1904, 1, 1)?];
    Some(epochs.into_iter().filter_map(|epoch| epoch.checked_add_days(Days::new(days))).collect())
}

/// Says whether a text is a time of day alone, such as `13:45:00` or `1:45 PM`.
fn is_time(text: &str) -> bool {
    let clock = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '.' || c.is_whitespace());
    let mut parts = clock.split(':');
    let number =
        |part: Option<&str>| part.is_some_and(|part| part.len() <= 2 && number(part).is_some());
    let second = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
    number(parts.next())
        && number(parts.next())
        && parts.next().is_none_or(second)
        && parts.next().is_none()
}

/// The months in the languages of the people whom we know to fill in forms, without accents.
const MONTHS: [&[&str]; 12] = [
    &["january", "enero", "janeiro", "janvier", "januar", "gennaio", "gener", "januari"],
    &["february", "febrero", "fevereiro", "fevrier", "februar", "febbraio", "febrer", "februari"],
    &["march", "marzo", "marco", "mars", "marz", "maerz", "marc", "maart", "mrt"],
    &["april", "abril", "avril", "aprile"],
    &["may", "mayo", "maio", "mai", "maggio", "maig", "mei", "maj"],
    &["june", "junio", "junho", "juin", "juni", "giugno", "juny"],
    &["july", "julio", "julho", "juillet", "juli", "luglio", "juliol"],
    &["august", "agosto", "aout", "agost", "augustus", "augusti"],
    &["september", "septiembre", "setiembre", "setembro", "septembre", "settembre", "setembre"],
    &["october", "octubre", "outubro", "octobre", "oktober", "ottobre"],
    &["november", "noviembre", "novembro", "novembre"],
    &["december", "diciembre", "dezembro", "decembre", "dezember", "dicembre", "desembre"],
];

const WEEKDAYS: [&str; 42] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "lunes",
    "martes",
    "miercoles",
    "jueves",
    "viernes",
    "sabado",
    "domingo",
    "segunda",
    "terca",
    "quarta",
    "quinta",
    "sexta",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "lunedi",
    "martedi",
    "mercoledi",
    "giovedi",
    "venerdi",
    "dilluns",
    "dimarts",
    "domenica",
    "feira",
];

/// Words that stand between the parts of a day.
const BETWEEN: [&str; 14] =
    ["de", "del", "d", "of", "the", "el", "le", "a", "st", "nd", "rd", "th", "er", "dia"];

/// Reads a day whose month is a word, in one of a few languages.
fn of_words(text: &str) -> Option<Date> {
    let text = folded(text);
    let mut numbers = Vec::new();
    let mut months = Vec::new();
    for word in text.split('_').flat_map(split_digits) {
        if let Some(number) = number(word) {
            numbers.push((word.len(), number));
            continue;
        }
        match month(word) {
            Some(month) => months.push((month, is_weekday(word))),
            None if is_weekday(word) || BETWEEN.contains(&word) => {}
            None => return None,
        }
    }
    // `mar` is a Tuesday, too, which stands in front.
    if months.len() > 1
        && let Some(at) = months.iter().position(|(_, weekday)| *weekday)
    {
        months.remove(at);
    }
    let [(month, _)] = months[..] else { return None };
    let wrong = |damage, readings| Some(Date::Wrong { damage, readings });
    match numbers[..] {
        [(1 | 2, day), (4, year)] | [(4, year), (1 | 2, day)] => match ymd(year, month, day) {
            Some(date) => wrong(DateDamage::OneCountry, vec![date]),
            None => wrong(DateDamage::NoSuchDay, Vec::new()),
        },
        [(1 | 2, day), (2, year)] if year <= 29 => match ymd(2000 + year, month, day) {
            Some(date) => wrong(DateDamage::TwoDigitYear, vec![date]),
            None => wrong(DateDamage::NoSuchDay, Vec::new()),
        },
        [] | [_] => wrong(DateDamage::NoDay, Vec::new()),
        _ => None,
    }
}

/// Splits a word where digits and letters meet, as in `31st`.
fn split_digits(word: &str) -> impl Iterator<Item = &str> {
    let at = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    [&word[..at], &word[at..]].into_iter().filter(|part| !part.is_empty())
}

/// Finds the one month that a word, or its beginning of three letters and more, stands for.
fn month(word: &str) -> Option<u32> {
    if word.len() < 3 {
        return None;
    }
    let begins = |names: &&[&str]| names.iter().any(|name| name.starts_with(word));
    let mut found = (1_u32..).zip(&MONTHS).filter(|(_, names)| begins(names));
    let month = found.next()?.0;
    found.next().is_none().then_some(month)
}

fn is_weekday(word: &str) -> bool {
    word.len() >= 2 && WEEKDAYS.iter().any(|name| name.starts_with(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(text: &str) -> (DateDamage, Vec<String>) {
        match read_date(text) {
            Date::Wrong { damage, readings } => {
                (damage, readings.iter().map(ToString::to_string).collect())
            }
            other => panic!("{text} is read as {other:?}"),
        }
    }

    #[test]
    fn damage_to_a_date_is_named_with_every_reading() {
        use DateDamage::*;
        let march = ["2025-03-31"].as_slice();
        let table: &[(&str, DateDamage, &[&str])] = &[
            ("46082", Serial, &["2026-03-01", "2030-03-02"]),
            ("45747.708333", Serial, &["2025-03-31", "2029-04-01"]),
            ("45747,0", Serial, &["2025-03-31", "2029-04-01"]),
            ("2026-03-01 00:00:00", NotIso, &["2026-03-01"]),
            ("2025-03-31T00:00:00Z", NotIso, march),
            ("2025/3/31", NotIso, march),
            ("2025-3-31", NotIso, march),
            ("20250331", NotIso, march),
            ("2025年3月31日", NotIso, march),
            ("31.3.2025.", OneCountry, march),
            ("31/3/2025", OneCountry, march),
            ("3/31/2025", OneCountry, march),
            ("31/03/2025 12:00", OneCountry, march),
            ("03.03.2026", OneCountry, &["2026-03-03"]),
            ("01/03/2026", Ambiguous, &["2026-01-03", "2026-03-01"]),
            ("31/02/2026", NoSuchDay, &[]),
            ("2026-02-31", NoSuchDay, &[]),
            ("20250231", NoSuchDay, &[]),
            ("01/03/26", TwoDigitYear, &["2026-03-01", "2026-01-03", "2001-03-26"]),
            ("31/03/25", TwoDigitYear, march),
            ("31/03/55", NoDate, &[]),
            ("31 de marzo de 2025", OneCountry, march),
            ("lunes, 31 de marzo de 2025", OneCountry, march),
            ("Mon, March 31st, 2025", OneCountry, march),
            ("mar., 31 mar. 2025", OneCountry, march),
            ("31. März 2025", OneCountry, march),
            ("31 mars 2025", OneCountry, march),
            ("31-Mar-2025", OneCountry, march),
            ("31-Mar-25", TwoDigitYear, march),
            ("15 ene 2025", OneCountry, &["2025-01-15"]),
            ("30 sept 2024", OneCountry, &["2024-09-30"]),
            ("15-out-2024", OneCountry, &["2024-10-15"]),
            ("1 juil. 2024", OneCountry, &["2024-07-01"]),
            ("1 jui 2024", NoDate, &[]),
            ("31 de febrero de 2025", NoSuchDay, &[]),
            ("marzo de 2025", NoDay, &[]),
            ("mar-25", NoDay, &[]),
            ("1 de marzo", NoDay, &[]),
            ("13:45:00", TimeOnly, &[]),
            ("1:45 p. m.", TimeOnly, &[]),
            ("ayer", NoDate, &[]),
        ];
        for (text, damage, readings) in table {
            let readings: Vec<String> = readings.iter().map(ToString::to_string).collect();
            assert_eq!(wrong(text), (*damage, readings), "{text}");
        }
        assert_eq!(read_date("\u{a0}"), Date::Blank);
        let day = NaiveDate::from_ymd_opt(2025, 3, 31).unwrap();
        for text in ["2025-03-31", "\u{a0}2025-03-31\u{200b}", "'2025-03-31"] {
            assert_eq!(read_date(text), Date::Read(day), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_day_is_read_as_itself_and_no_text_panics(
            days in 0_u64..80_000, text in ".{0,20}|[0-9/.:-]{0,12}|[0-9a-zé年月 .,-]{0,24}",
        ) {
            let date = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + Days::new(days);
            prop_assert_eq!(read_date(&date.to_string()), Date::Read(date));
            let _ = read_date(&text);
        }

        #[test]
        fn no_written_form_of_a_day_is_read_as_another(
            days in 0_u64..20_000,
            form in prop::sample::select(vec!["%d/%m/%Y", "%m/%d/%Y", "%-d.%-m.%Y", "%Y/%-m/%-d", "%Y%m%d", "%d %B %Y", "%B %-d, %Y", "%A, %d %b %Y", "%Y-%m-%dT%H:%M:%S"]),
        ) {
            let date = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + Days::new(days);
            let text = date.and_hms_opt(0, 0, 0).unwrap().format(form).to_string();
            let Date::Wrong { readings, .. } = read_date(&text) else { panic!("{text}") };
            prop_assert!(readings.contains(&date), "{text}: {readings:?}");
        }
    }
}
