//! Numbers as people and spreadsheets write them, and everything that each form may mean.

use rust_decimal::Decimal;

use super::text::is_space;

/// The written form of numbers in a file and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberStyle {
    /// The decimal mark of the file, `.` or `,`.
    pub mark: char,
    /// Whether only whole numbers are meant.
    pub whole: bool,
}

/// One meaning of a written number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberReading {
    /// The number.
    pub value: Decimal,
    /// The decimal mark of the countries that read it so, `.` or `,`.
    pub mark: char,
}

/// The result of reading a text as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// A number in the form of its file.
    Read {
        /// The number.
        value: Decimal,
        /// What it is where the decimal mark separates thousands, as in `12.345`; only of a column that
        /// may hold fractions, for of whole numbers such a text is wrong.
        also: Option<NumberReading>,
    },
    /// Nothing.
    Blank,
    /// No number in that form.
    Wrong {
        /// What it looks like.
        damage: NumberDamage,
        /// Everything that it may mean.
        readings: Vec<NumberReading>,
    },
}

/// The way in which a number was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberDamage {
    /// A fraction where a whole number is meant.
    NotWhole,
    /// A mark that separates thousands in one country and decimals in another.
    Ambiguous,
    /// The marks of another country than the file's.
    Locale,
    /// Points, commas or blanks where no country writes them.
    Marks,
    /// Scientific notation, which may have cost digits.
    Scientific,
    /// A percentage.
    Percent,
    /// A range of numbers.
    Range,
    /// A number that is said to be about right, or a bound.
    Approximate,
    /// A fraction, such as `1/2` or `½`.
    Fraction,
    /// A minus sign that is none to a computer, or stands behind the number or apart from it.
    Minus,
    /// Brackets around the number, which mean a negative one in accounting.
    Brackets,
    /// A unit, a currency, a footnote or another word beside the number.
    MoreThanANumber,
    /// Digits of another script.
    OtherDigits,
    /// More digits than an exact decimal has.
    TooLong,
    /// Words which say that there is no figure.
    NoFigure,
    /// Nothing that could be a number.
    NoNumber,
}

/// Says by which words people tell that there is no figure, folded.
const NO_FIGURE: [&str; 25] = [
    "nd",
    "n_d",
    "na",
    "n_a",
    "sd",
    "s_d",
    "no_disponible",
    "no_disp",
    "not_available",
    "no_consta",
    "no_publicado",
    "not_published",
    "sin_datos",
    "no_data",
    "null",
    "none",
    "nan",
    "sin_dato",
    "no_aplica",
    "no_procede",
    "not_applicable",
    "sem_dados",
    "k_a",
    "keine_angabe",
    "no_hay_datos",
];

/// Reads a number.
///
/// ```
/// use raw_packets::value::{Number, NumberDamage, NumberStyle, read_number};
///
/// let decimal = NumberStyle { mark: '.', whole: false };
/// let Number::Wrong { damage, readings } = read_number("182,5", decimal) else { panic!() };
/// assert_eq!((damage, readings[0].value.to_string()), (NumberDamage::Locale, "182.5".to_owned()));
/// ```
#[must_use]
pub fn read_number(text: &str, style: NumberStyle) -> Number {
    // What has no width is seen nowhere, and separates nothing.
    let seen: String;
    let text = if text.contains(|c| is_space(c) && !c.is_whitespace()) {
        seen = text.chars().filter(|c| c.is_whitespace() || !is_space(*c)).collect();
        seen.as_str()
    } else {
        text
    };
    // An apostrophe in front is how a spreadsheet is told to keep a text.
    let text = super::trim(super::trim(text).trim_start_matches('\''));
    if text.is_empty() {
        return Number::Blank;
    }
    let wrong = |damage, readings: Vec<NumberReading>| Number::Wrong { damage, readings };
    let text = text.strip_prefix('+').filter(|rest| starts_with_digit(rest)).unwrap_or(text);
    if let Some((damage, magnitude)) = odd_sign(text).filter(|(_, magnitude)| !magnitude.is_empty())
    {
        let readings = match unsigned(magnitude, style) {
            Number::Read { value, also } => {
                let own = NumberReading { value, mark: style.mark };
                std::iter::once(own).chain(also).collect()
            }
            Number::Wrong { damage: NumberDamage::Locale | NumberDamage::Ambiguous, readings } => {
                readings
            }
            Number::Wrong { damage, .. } => return wrong(damage, Vec::new()),
            Number::Blank => return wrong(NumberDamage::NoFigure, Vec::new()),
        };
        return wrong(damage, readings.into_iter().map(negative).collect());
    }
    match text.strip_prefix('-') {
        None => unsigned(text, style),
        Some("") => wrong(NumberDamage::NoFigure, Vec::new()),
        Some(magnitude) => match unsigned(magnitude, style) {
            Number::Read { value, also } => {
                Number::Read { value: -value, also: also.map(negative) }
            }
            Number::Wrong { damage, readings } => {
                wrong(damage, readings.into_iter().map(negative).collect())
            }
            Number::Blank => wrong(NumberDamage::NoFigure, Vec::new()),
        },
    }
}

fn negative(reading: NumberReading) -> NumberReading {
    NumberReading { value: -reading.value, ..reading }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}')
}

/// Takes a sign off that a computer does not take for one: a dash, one that stands apart, one behind the
/// number, or the brackets of accounting.
fn odd_sign(text: &str) -> Option<(NumberDamage, &str)> {
    let is_minus = |c: char| c == '-' || is_dash(c);
    let number = |text: &str| starts_with_digit(super::trim(text));
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return number(inner).then(|| (NumberDamage::Brackets, super::trim(inner)));
    }
    if let Some(rest) = text.strip_prefix(is_dash) {
        return number(rest).then(|| (NumberDamage::Minus, super::trim(rest)));
    }
    if let Some(rest) = text.strip_prefix('-').filter(|rest| rest.starts_with(is_space)) {
        return number(rest).then(|| (NumberDamage::Minus, super::trim(rest)));
    }
    let rest = text.strip_suffix(is_minus).map(super::trim)?;
    // Of `1200,-` the dash stands for no cents.
    let plain = rest.ends_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(|c| c.is_ascii_digit() || is_separator(c));
    plain.then_some((NumberDamage::Minus, rest))
}

/// Says whether a character separates groups of digits or decimals anywhere.
fn is_separator(c: char) -> bool {
    c == '.' || c == ',' || is_group_space(c)
}

/// Says whether a character separates groups as a space or an apostrophe does (Switzerland, SI); what
/// stands on two lines is two numbers.
fn is_group_space(c: char) -> bool {
    is_space(c) && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\'' | '’' | '‘' | '`' | '´' | '˙' | '\u{2b9}')
}

fn unsigned(text: &str, style: NumberStyle) -> Number {
    let wrong = |damage, readings| Number::Wrong { damage, readings };
    // A full stop behind a number ended a sentence.
    let ended =
        text.strip_suffix(['.', ',']).filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    let text = ended.unwrap_or(text);
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    if has_digit && text.chars().all(|c| c.is_ascii_digit() || is_separator(c)) {
        return separated(text, style);
    }
    let damage = match text {
        _ if is_scientific(text) => NumberDamage::Scientific,
        _ if has_digit && is_percent(text) => NumberDamage::Percent,
        _ if is_range(text) => NumberDamage::Range,
        _ if has_digit && is_approximate(text) => NumberDamage::Approximate,
        _ if is_fraction(text) => NumberDamage::Fraction,
        _ => match ascii_digits(text) {
            Some(digits) => {
                return match separated(&digits, style) {
                    Number::Read { value, also } => {
                        let own = NumberReading { value, mark: style.mark };
                        let readings = std::iter::once(own).chain(also).collect();
                        wrong(NumberDamage::OtherDigits, readings)
                    }
                    Number::Wrong { readings, .. } => wrong(NumberDamage::OtherDigits, readings),
                    Number::Blank => wrong(NumberDamage::NoNumber, Vec::new()),
                };
            }
            None if has_digit => NumberDamage::MoreThanANumber,
            None if text.chars().any(char::is_numeric) => NumberDamage::OtherDigits,
            None if NO_FIGURE.contains(&super::folded(text).as_str()) => NumberDamage::NoFigure,
            None if !text.chars().any(char::is_alphanumeric) => NumberDamage::NoFigure,
            None => NumberDamage::NoNumber,
        },
    };
    wrong(damage, Vec::new())
}

/// Reads digits with points, commas and spaces between them.
fn separated(text: &str, style: NumberStyle) -> Number {
    let all = readings(text);
    let fits = |reading: &&NumberReading| !style.whole || reading.value.fract().is_zero();
    let fitting: Vec<NumberReading> = all.iter().filter(fits).copied().collect();
    let wrong = |damage, readings| Number::Wrong { damage, readings };
    let Some(value) = plain(text, style.mark) else {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let damage = match all.as_slice() {
            [] if digits > 28 => NumberDamage::TooLong,
            [] => NumberDamage::Marks,
            [_, _, ..] => NumberDamage::Ambiguous,
            _ => NumberDamage::Locale,
        };
        return wrong(damage, fitting);
    };
    let also = all.iter().find(|reading| reading.value != value).copied();
    match (also, style.whole) {
        (also, false) => Number::Read { value, also },
        (None, true) if value.fract().is_zero() => Number::Read { value, also: None },
        (None, true) => wrong(NumberDamage::NotWhole, Vec::new()),
        (Some(_), true) if fitting.len() > 1 => wrong(NumberDamage::Ambiguous, fitting),
        (Some(_), true) => wrong(NumberDamage::Locale, fitting),
    }
}

/// Reads digits with at most one decimal mark.
fn plain(text: &str, mark: char) -> Option<Decimal> {
    let (whole, fraction) = text.split_once(mark).unwrap_or((text, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let whole = if whole.is_empty() { "0" } else { whole };
    if !all(whole) || !all(fraction) {
        return None;
    }
    Decimal::from_str_exact(&format!("{whole}.{fraction}")).ok().map(|n| n.normalize())
}

/// Returns every number that digits with points, commas and spaces can mean in any country, the smaller
/// first.
fn readings(text: &str) -> Vec<NumberReading> {
    let mut found: Vec<NumberReading> = Vec::new();
    for (group, mark) in [(',', '.'), ('.', ','), (' ', '.'), (' ', ',')] {
        if let Some(value) = grouped(text, group, mark)
            && !found.iter().any(|reading| reading.value == value)
        {
            found.push(NumberReading { value, mark });
        }
    }
    found.sort_by_key(|reading| reading.value);
    found
}

/// Reads a number whose whole part may have groups of three digits.
fn grouped(text: &str, group: char, mark: char) -> Option<Decimal> {
    let (whole, fraction) = text.split_once(mark).unwrap_or((text, ""));
    let is_group = |c: char| if group == ' ' { is_group_space(c) } else { c == group };
    let mut parts = whole.split(is_group);
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let groups = rest.iter().all(|part| part.len() == 3 && digits(part));
    // Nobody separates thousands behind a zero: `0.125` is an eighth.
    let leads = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let first_fits = digits(first)
        && if rest.is_empty() { !whole.is_empty() || text.contains(mark) } else { leads };
    let fraction_fits = digits(fraction) && (text.contains(mark) != fraction.is_empty());
    if !groups || !first_fits || !fraction_fits {
        return None;
    }
    let number = format!("0{first}{}.{fraction}0", rest.concat());
    Decimal::from_str_exact(&number).ok().map(|number| number.normalize())
}

fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.trim_start_matches(['-', '+']);
    starts_with_digit(mantissa)
        && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',')
        && !exponent.is_empty()
        && exponent.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the words in front of the first digit and behind the last one, folded.
fn words_around(text: &str) -> [String; 2] {
    let is_digit = |c: char| c.is_ascii_digit();
    let (first, last) = (text.find(is_digit), text.rfind(is_digit));
    let before = first.map_or(text, |first| &text[..first]);
    let behind = last.map_or("", |last| &text[last + 1..]);
    [super::folded(before), super::folded(behind)]
}

fn is_percent(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["percent", "per_cent", "por_ciento", "por_cento", "pour_cent", "prozent", "pct", "pc"];
    let signs = ['%', '‰', '％', '﹪', '٪'];
    text.starts_with(signs)
        || text.ends_with(signs)
        || WORDS.contains(&words_around(text)[1].as_str())
}

/// Says whether two numbers stand with a dash or a word between them.
fn is_range(text: &str) -> bool {
    const BETWEEN: [&str; 13] = [
        " a ", " to ", " y ", " and ", " e ", " et ", " und ", " bis ", " à ", " hasta ", " até ",
        "..", "…",
    ];
    const BEFORE: [&str; 8] = ["de", "entre", "from", "between", "von", "zwischen", "des", "desde"];
    let lower = text.to_lowercase();
    let from = BEFORE.iter().find_map(|word| lower.strip_prefix(word)?.strip_prefix(' '));
    let text = from.unwrap_or(&lower);
    let split = BETWEEN.iter().find_map(|word| text.split_once(word));
    let split = split.or_else(|| text.split_once(|c| matches!(c, '-' | '÷') || is_dash(c)));
    let number = |text: &str| {
        let text = super::trim(text);
        starts_with_digit(text) && text.chars().all(|c| c.is_ascii_digit() || is_separator(c))
    };
    split.is_some_and(|(from, to)| number(from) && number(to))
}

fn is_approximate(text: &str) -> bool {
    const BEHIND: [&str; 6] =
        ["approx", "approximately", "aprox", "aproximadamente", "ca", "circa"];
    const BEFORE: [&str; 28] = [
        "about",
        "al_menos",
        "alrededor_de",
        "around",
        "at_least",
        "c",
        "casi",
        "cerca_de",
        "environ",
        "etwa",
        "hasta",
        "less_than",
        "mais_de",
        "mas_de",
        "max",
        "maximo",
        "menos_de",
        "min",
        "minimo",
        "moins_de",
        "more_than",
        "over",
        "plus_de",
        "quase",
        "rund",
        "unas",
        "unos",
        "up_to",
    ];
    let signs = ['≈', '~', '∼', '≃', '≅', '<', '>', '≤', '≥', '±', '*'];
    let [before, behind] = words_around(text);
    text.starts_with(signs)
        || text.ends_with(signs)
        || text.ends_with('+')
        || text.contains('±')
        || BEFORE.contains(&before.as_str())
        || BEHIND.contains(&before.as_str())
        || BEHIND.contains(&behind.as_str())
}

fn is_fraction(text: &str) -> bool {
    let vulgar = |c: char| matches!(c, '¼'..='¾' | '⅐'..='⅞' | '↉');
    if text.chars().any(vulgar) {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.split_once(['/', '⁄'])
        .is_some_and(|(over, under)| over.split(is_space).all(digits) && digits(under))
}

/// Writes digits of other scripts as 0 to 9, where the text has such and is nothing but a number.
fn ascii_digits(text: &str) -> Option<String> {
    const ZEROS: [char; 8] =
        ['\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{7c0}', '\u{1d7ce}'];
    let digit = |c: char| {
        let from = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|d| *d < 10);
        ZEROS.iter().find_map(from).and_then(|digit| char::from_digit(digit, 10))
    };
    let written = |c: char| match c {
        '\u{ff0e}' => Some('.'),
        '\u{ff0c}' => Some(','),
        _ if c.is_ascii_digit() || is_separator(c) => Some(c),
        _ => digit(c),
    };
    let digits: String = text.chars().map(written).collect::<Option<_>>()?;
    digits.contains(|c: char| c.is_ascii_digit()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn wrong(text: &str, mark: char, whole: bool) -> (NumberDamage, Vec<String>) {
        match read_number(text, NumberStyle { mark, whole }) {
            Number::Wrong { damage, readings } => {
                (damage, readings.iter().map(|reading| reading.value.to_string()).collect())
            }
            other => panic!("{text} is read as {other:?}"),
        }
    }

    #[test]
    fn a_number_in_the_files_own_form_is_read() {
        for (text, mark, whole, number) in [
            ("12", '.', true, "12"),
            (" 12.50 ", '.', false, "12.5"),
            ("-0,25", ',', false, "-0.25"),
            ("007", '.', true, "7"),
            ("12.0", '.', true, "12"),
            ("1200.00", '.', true, "1200"),
            ("1200.000", '.', true, "1200"),
            ("0.000", '.', true, "0"),
            ("+1200", '.', true, "1200"),
            ("1200.", '.', true, "1200"),
            ("182,5.", ',', false, "182.5"),
            (".5", '.', false, "0.5"),
            ("'1200", '.', true, "1200"),
            ("\u{200e}1200\u{a0}\u{200b}\u{feff}", '.', true, "1200"),
            ("0.125", '.', false, "0.125"),
            ("12\u{200b}00", '.', true, "1200"),
        ] {
            let read = Number::Read { value: decimal(number), also: None };
            assert_eq!(read_number(text, NumberStyle { mark, whole }), read, "{text}");
        }
        assert_eq!(read_number("\u{a0}", NumberStyle { mark: '.', whole: true }), Number::Blank);
    }

    #[test]
    fn in_a_column_of_fractions_the_other_meaning_of_groups_of_three_is_told() {
        for (text, mark, value, also) in [
            ("12.345", '.', "12.345", Some("12345")),
            ("182,500", ',', "182.5", Some("182500")),
            ("1234.567", '.', "1234.567", None),
        ] {
            let Number::Read { value: read, also: other } =
                read_number(text, NumberStyle { mark, whole: false })
            else {
                panic!("{text}")
            };
            assert_eq!(
                (read, other.map(|reading| reading.value)),
                (decimal(value), also.map(decimal)),
                "{text}"
            );
        }
    }

    #[test]
    fn every_meaning_of_a_number_in_another_form_is_given() {
        use NumberDamage::*;
        let table: &[(&str, char, bool, NumberDamage, &[&str])] = &[
            ("12.000", '.', true, Ambiguous, &["12", "12000"]),
            ("12,000", ',', true, Ambiguous, &["12", "12000"]),
            ("12,000", '.', true, Ambiguous, &["12", "12000"]),
            ("12.000", ',', true, Ambiguous, &["12", "12000"]),
            ("-12.000", '.', true, Ambiguous, &["-12", "-12000"]),
            ("1,200", '.', true, Ambiguous, &["1200"]),
            ("1.200", '.', true, Locale, &["1200"]),
            ("1.200", '.', true, Locale, &["1200"]),
            ("12,5", '.', false, Locale, &["12.5"]),
            ("12.5", ',', false, Locale, &["12.5"]),
            ("0,125", '.', false, Locale, &["0.125"]),
            ("1,234", '.', false, Ambiguous, &["1.234", "1234"]),
            ("1.234,5", '.', false, Locale, &["1234.5"]),
            ("1.200,50", '.', false, Locale, &["1200.5"]),
            ("1,200.00", '.', true, Locale, &["1200"]),
            ("1 234", '.', true, Locale, &["1234"]),
            ("1\u{202f}234", '.', true, Locale, &["1234"]),
            ("1\u{2009}234", '.', true, Locale, &["1234"]),
            ("1'234", '.', true, Locale, &["1234"]),
            ("1’234", '.', true, Locale, &["1234"]),
            ("1.234.567", '.', true, Locale, &["1234567"]),
            ("1,20,000", '.', true, Marks, &[]),
            ("12,34,56", '.', false, Marks, &[]),
            ("1200 1300", '.', true, Marks, &[]),
            ("182'5", '.', false, Marks, &[]),
            ("sin dato", '.', true, NoFigure, &[]),
            ("12.5", '.', true, NotWhole, &[]),
            ("1.2E+05", '.', false, Scientific, &[]),
            ("12 days", '.', false, MoreThanANumber, &[]),
            ("1200 b", '.', true, MoreThanANumber, &[]),
            ("€1200", '.', true, MoreThanANumber, &[]),
            ("45%", '.', false, Percent, &[]),
            ("45 por ciento", '.', false, Percent, &[]),
            ("12 ‰", '.', false, Percent, &[]),
            ("％45", '.', false, Percent, &[]),
            ("10-20", '.', true, Range, &[]),
            ("10 a 20", '.', true, Range, &[]),
            ("entre 10 y 20", '.', true, Range, &[]),
            ("de 1.000 a 1.200", '.', true, Range, &[]),
            ("10 bis 20", '.', true, Range, &[]),
            ("≈1200", '.', true, Approximate, &[]),
            ("1200 aprox.", '.', true, Approximate, &[]),
            ("Unos 1.200", '.', true, Approximate, &[]),
            ("1200 ± 5", '.', true, Approximate, &[]),
            ("al menos 1200", '.', true, Approximate, &[]),
            ("45 min", '.', true, MoreThanANumber, &[]),
            ("ca. 1200", '.', true, Approximate, &[]),
            ("<5", '.', true, Approximate, &[]),
            ("1/2", '.', false, Fraction, &[]),
            ("182½", '.', false, Fraction, &[]),
            ("\u{2212}5", '.', true, Minus, &["-5"]),
            ("–5", '.', true, Minus, &["-5"]),
            ("- 5", '.', false, Minus, &["-5"]),
            ("5-", '.', true, Minus, &["-5"]),
            // A dash for no cents makes nothing negative.
            ("1200,-", '.', true, MoreThanANumber, &[]),
            ("1200.–", '.', true, MoreThanANumber, &[]),
            ("1\n200", '.', true, MoreThanANumber, &[]),
            ("1200\t300", '.', true, MoreThanANumber, &[]),
            ("(1.234)", '.', true, Brackets, &["-1234"]),
            ("１２００", '.', true, OtherDigits, &["1200"]),
            ("١٢", '.', true, OtherDigits, &["12"]),
            ("n.d.", '.', true, NoFigure, &[]),
            ("—", '.', true, NoFigure, &[]),
            ("-", '.', true, NoFigure, &[]),
            ("doce", '.', false, NoNumber, &[]),
            ("VERDADERO", '.', true, NoNumber, &[]),
            ("9999999999999999999999999999999999999999", '.', false, TooLong, &[]),
            // An override of direction shows other digits than it stores.
            ("\u{202e}0021", '.', true, MoreThanANumber, &[]),
        ];
        for (text, mark, whole, damage, readings) in table {
            let readings: Vec<String> = readings.iter().map(ToString::to_string).collect();
            assert_eq!(wrong(text, *mark, *whole), (*damage, readings), "{text} with {mark}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,30}|[-0-9., eE+()/%–]{0,20}", whole: bool, comma: bool) {
            let _ = read_number(&text, NumberStyle { mark: if comma { ',' } else { '.' }, whole });
        }

        #[test]
        fn a_written_number_is_read_as_itself(mantissa in any::<i64>(), scale in 0_u32..6, comma: bool) {
            let number = Decimal::new(mantissa, scale);
            let mark = if comma { ',' } else { '.' };
            let text = number.to_string().replace('.', &mark.to_string());
            let read = read_number(&text, NumberStyle { mark, whole: false });
            prop_assert!(matches!(read, Number::Read { value, .. } if value == number.normalize()), "{text}: {read:?}");
        }

        #[test]
        fn a_whole_number_written_with_marks_of_any_country_is_never_read_as_another(
            number in 1_000_i64..1_000_000_000, group in prop::sample::select(vec!['.', ',', ' ', '\'', '\u{202f}']), comma: bool,
        ) {
            let digits = number.to_string();
            let mut text = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at) % 3 == 0 {
                    text.push(group);
                }
                text.push(digit);
            }
            let style = NumberStyle { mark: if comma { ',' } else { '.' }, whole: true };
            let Number::Wrong { readings, .. } = read_number(&text, style) else { panic!("{text}") };
            prop_assert!(readings.iter().any(|reading| reading.value == Decimal::from(number)), "{text}");
        }
    }
}
