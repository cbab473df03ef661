//! Days as people and spreadsheets write them, and everything that each form may mean.

use chrono::{Days, NaiveDate};
use unicode_normalization::UnicodeNormalization as _;

use super::folded;
use super::text::is_space;

/// The result of reading a text as a day.
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

/// The way in which a day was damaged.
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
    /// A day with a remark, or two days.
    MoreThanADate,
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
    if let Some(date) = iso(text) {
        return Date::Read(date);
    }
    let plain = plain(text);
    if let Some(readings) = serial(&plain) {
        return wrong(DateDamage::Serial, readings);
    }
    let day = without_time(&plain);
    if day.is_empty() {
        return wrong(DateDamage::TimeOnly, Vec::new());
    }
    of_numbers(&day)
        .or_else(|| basic(&day))
        .or_else(|| of_words(&day))
        .unwrap_or_else(|| wrong(more_or_none(&day), Vec::new()))
}

/// Says whether a day stands among what else is in a text.
fn more_or_none(text: &str) -> DateDamage {
    let words = text.split([' ', '(', ')', '[', ']', ';']);
    let is_day = |word: &str| {
        let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        iso(word).is_some()
            || matches!(of_numbers(word), Some(Date::Wrong { readings, .. }) if !readings.is_empty())
    };
    if words.into_iter().any(is_day) { DateDamage::MoreThanADate } else { DateDamage::NoDate }
}

/// Reads `YYYY-MM-DD`.
fn iso(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let [year, month, day] = [parts.next()?, parts.next()?, parts.next()?];
    let is_iso = parts.next().is_none() && [year, month, day].map(str::len) == [4, 2, 2];
    if is_iso { ymd(number(year)?, number(month)?, number(day)?) } else { None }
}

/// Returns a day of a year of four digits; nobody's evidence is older, and `0025` is a year cut short.
fn ymd(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(year).ok().filter(|year| *year >= 1000)?;
    NaiveDate::from_ymd_opt(year, month, day)
}

fn number(digits: &str) -> Option<u32> {
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all { digits.parse().ok() } else { None }
}

/// Writes a text with the digits, hyphens, strokes and blanks of the keyboard, and the words for year,
/// month and day of East Asia as hyphens.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.nfkc() {
        match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '年' | '月' | '년' | '월' => plain.push('-'),
            '\u{2044}' | '\u{2215}' => plain.push('/'),
            '日' | '일' => plain.push(' '),
            c if c.is_whitespace() => plain.push(' '),
            c if is_space(c) => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Takes the time of day off, with the words that belong to it; leaves nothing of a time alone.
fn without_time(plain: &str) -> String {
    const OF_TIMES: [&str; 22] = [
        "a", "am", "at", "cest", "cet", "gmt", "h", "hora", "horas", "hr", "hrs", "hs", "las", "m",
        "p", "pm", "t", "uhr", "um", "utc", "z", "às",
    ];
    let is_digit_at = |at: usize| plain.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let mut spaced = String::with_capacity(plain.len());
    for (at, c) in plain.char_indices() {
        // What ISO 8601 writes between day and time.
        let between =
            matches!(c, 'T' | 't') && at > 0 && is_digit_at(at - 1) && is_digit_at(at + 1);
        spaced.push(if between { ' ' } else { c });
    }
    let is_time = |word: &&str| {
        let clock = word.trim_end_matches(|c: char| c.is_alphabetic() || c == '.');
        clock.contains(':')
            && clock.starts_with(|c: char| c.is_ascii_digit())
            && clock.chars().all(|c| c.is_ascii_digit() || ":.,+-".contains(c))
            || word.starts_with("PT") && word[2..].starts_with(|c: char| c.is_ascii_digit())
    };
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    let timed = words.iter().any(is_time);
    let of_time = |word: &&str| {
        let word = word.trim_matches(['.', ',']).to_lowercase();
        timed && OF_TIMES.contains(&word.replace('.', "").as_str())
    };
    let kept = words.into_iter().filter(|word| !is_time(word) && !of_time(word));
    kept.collect::<Vec<_>>().join(" ")
}

/// Reads numbers in any order, with strokes, points, hyphens or blanks between them.
fn of_numbers(day: &str) -> Option<Date> {
    let separator = |c: char| matches!(c, '/' | '.' | '-' | ' ' | ',');
    if !day.starts_with(|c: char| c.is_ascii_digit())
        || day.contains(|c: char| !c.is_ascii_digit() && !separator(c))
    {
        return None;
    }
    let groups = day.split(separator).filter(|group| !group.is_empty());
    let groups: Vec<(usize, u32)> =
        groups.map(|group| Some((group.len(), number(group)?))).collect::<Option<_>>()?;
    let wrong = |damage, readings| Some(Date::Wrong { damage, readings });
    let is_year = |(digits, year): (usize, u32)| digits == 4 && (1900..2200).contains(&year);
    let is_month = |(digits, month): (usize, u32)| digits <= 2 && (1..=12).contains(&month);
    let parts = match groups[..] {
        [one] if is_year(one) => return wrong(DateDamage::NoDay, Vec::new()),
        [one, two] if is_year(one) && is_month(two) || is_month(one) && is_year(two) => {
            return wrong(DateDamage::NoDay, Vec::new());
        }
        [first, second, third] => [first, second, third],
        _ => return None,
    };
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
    let day = text.split(' ').next().filter(|day| day.len() == 8 && number(day).is_some())?;
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

/// The months in the languages of the people whom we know to fill in forms, without accents.
const MONTHS: [&[&str]; 12] = [
    &["january", "enero", "janeiro", "janvier", "januar", "janner", "gennaio", "gener", "januari"],
    &["february", "febrero", "fevereiro", "fevrier", "februar", "febbraio", "febrer", "februari"],
    &["march", "marzo", "marco", "mars", "marz", "maerz", "mrz", "marc", "maart", "mrt"],
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
const BETWEEN: [&str; 22] = [
    "a", "am", "d", "da", "de", "del", "dem", "den", "der", "dia", "do", "el", "er", "il", "le",
    "nd", "o", "of", "rd", "st", "th", "the",
];

/// The months as Roman figures, as Spanish, Polish and Hungarian letters have them.
const ROMAN: [&str; 12] =
    ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];

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
        match month(word).or_else(|| roman(word)) {
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
    let mut rest = word;
    std::iter::from_fn(move || {
        let is_digit = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
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

fn roman(word: &str) -> Option<u32> {
    (1..).zip(ROMAN).find(|(_, figure)| *figure == word).map(|(month, _)| month)
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
            ("2025\u{2011}03\u{2011}31", NotIso, march),
            ("2025–03–31", NotIso, march),
            ("２０２５-０３-３１", NotIso, march),
            ("2025. 03. 31.", NotIso, march),
            ("2025-03-31T10:00:00.000+02:00", NotIso, march),
            ("2025년 3월 31일", NotIso, march),
            ("20250331T100000Z", NotIso, march),
            ("31 / 03 / 2025", OneCountry, march),
            ("31 03 2025", OneCountry, march),
            ("31. 3. 2025", OneCountry, march),
            ("31\u{a0}mars\u{a0}2025", OneCountry, march),
            ("31mars2025", OneCountry, march),
            ("31-III-2025", OneCountry, march),
            ("Montag, den 31. März 2025", OneCountry, march),
            ("31. Mrz. 2025", OneCountry, march),
            ("segunda-feira, 31 de março de 2025", OneCountry, march),
            ("31 de marzo de 2025 a las 10:00 h", OneCountry, march),
            ("Mar 31 2025 12:00AM", OneCountry, march),
            ("1º de abril de 2025", OneCountry, &["2025-04-01"]),
            ("1.º de abril de 2025", OneCountry, &["2025-04-01"]),
            ("1er avril 2025", OneCountry, &["2025-04-01"]),
            ("1 d'abril de 2025", OneCountry, &["2025-04-01"]),
            ("viernes, 6-VI-2025", OneCountry, &["2025-06-06"]),
            ("31/03/0025", NoSuchDay, &[]),
            ("0025-03-31", NoSuchDay, &[]),
            ("2025", NoDay, &[]),
            ("03/2025", NoDay, &[]),
            ("2025-03", NoDay, &[]),
            ("12.5", NoDate, &[]),
            ("31/03/2025 (provisional)", MoreThanADate, &[]),
            ("2025-03-31*", MoreThanADate, &[]),
            ("31/03/2025, 01/04/2025", MoreThanADate, &[]),
            ("publicado el 31.3.2025", MoreThanADate, &[]),
            ("-31/03/2025", NoDate, &[]),
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
            ("10:00:00 UTC", TimeOnly, &[]),
            ("PT10H30M", TimeOnly, &[]),
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
