//! Numbers as people and spreadsheets write them, and what each form must have meant.

use rust_decimal::Decimal;

/// Is what a text that should be a number turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Number {
    /// A number in the file's own form.
    Read(Decimal),
    /// Nothing.
    Blank,
    /// No number in that form.
    Wrong {
        /// What it looks like.
        damage: NumberDamage,
        /// The number that it must have meant, where there is only one.
        repair: Option<Decimal>,
    },
}

/// Names what was done to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberDamage {
    NotWhole,
    Scientific,
    Locale,
    MoreThanANumber,
    OtherDigits,
    NoNumber,
}

impl NumberDamage {
    /// Returns the damage by the name that findings use.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Scientific => "scientific-notation",
            Self::Locale => "locale-number",
            Self::MoreThanANumber => "unit-mismatch",
            Self::NotWhole | Self::OtherDigits | Self::NoNumber => "type-error",
        }
    }
}

/// Reads a number with the decimal mark `mark`, `.` or `,`.
pub(super) fn read_number(text: &str, mark: char, whole: bool) -> Number {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return Number::Blank;
    }
    let wrong = |damage, repair| Number::Wrong { damage, repair };
    if let Some(number) = plain(text, mark) {
        return if whole && !number.fract().is_zero() {
            wrong(NumberDamage::NotWhole, None)
        } else {
            Number::Read(number)
        };
    }
    if is_scientific(text) {
        return wrong(NumberDamage::Scientific, None);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let has_digit = digits.chars().any(|c| c.is_ascii_digit());
    if has_digit
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',' || is_space(c))
    {
        let readings = readings(text);
        let fits = |number: &&Decimal| !whole || number.fract().is_zero();
        let repair = match readings.iter().filter(fits).collect::<Vec<_>>()[..] {
            [one] => Some(one.normalize()),
            _ => None,
        };
        return wrong(NumberDamage::Locale, repair);
    }
    if has_digit && digits.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong(NumberDamage::MoreThanANumber, None);
    }
    if digits.chars().any(char::is_numeric) {
        return wrong(NumberDamage::OtherDigits, None);
    }
    wrong(NumberDamage::NoNumber, None)
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\'' | '’')
}

/// Reads digits with at most one decimal mark.
fn plain(text: &str, mark: char) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once(mark).unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all(whole) || !all(fraction) {
        return None;
    }
    let sign = if digits.len() < text.len() { "-" } else { "" };
    Decimal::from_str_exact(&format!("{sign}{whole}.{fraction}")).ok().map(|n| n.normalize())
}

fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let exponent = exponent.trim_start_matches(['-', '+']);
    let digit = |b: u8| b.is_ascii_digit();
    mantissa.starts_with(|c: char| c.is_ascii_digit())
        && mantissa.bytes().all(|b| digit(b) || b == b'.' || b == b',')
        && !exponent.is_empty()
        && exponent.bytes().all(digit)
}

/// Returns every number that digits with points, commas and spaces can mean in any country.
fn readings(text: &str) -> Vec<Decimal> {
    let mut found: Vec<Decimal> = Vec::new();
    for (group, mark) in [(',', '.'), ('.', ','), (' ', '.'), (' ', ',')] {
        if let Some(number) = grouped(text, group, mark)
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found
}

/// Reads a number whose whole part may have groups of three digits.
fn grouped(text: &str, group: char, mark: char) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let minus = if text.starts_with('-') { "-" } else { "" };
    let (whole, fraction) = unsigned.split_once(mark).unwrap_or((unsigned, ""));
    let is_group = |c: char| if group == ' ' { is_space(c) } else { c == group };
    let mut parts = whole.split(is_group);
    let first = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let groups = rest.iter().all(|part| part.len() == 3 && digits(part));
    let first_fits = !first.is_empty() && digits(first) && (rest.is_empty() || first.len() <= 3);
    let fraction_fits = digits(fraction) && (unsigned.contains(mark) != fraction.is_empty());
    if !groups || !first_fits || !fraction_fits {
        return None;
    }
    let number = format!("{minus}{first}{}.{fraction}0", rest.concat());
    Decimal::from_str_exact(&number).ok().map(|number| number.normalize())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    fn wrong(text: &str, mark: char, whole: bool) -> (&'static str, Option<String>) {
        match read_number(text, mark, whole) {
            Number::Wrong { damage, repair } => {
                (damage.code(), repair.map(|number| number.to_string()))
            }
            other => panic!("{text} is read as {other:?}"),
        }
    }

    #[test]
    fn a_number_in_the_files_own_form_is_read() {
        for (text, mark, number) in [
            ("12", '.', "12"),
            (" 12.50 ", '.', "12.5"),
            ("-0,25", ',', "-0.25"),
            ("007", '.', "7"),
        ] {
            assert_eq!(read_number(text, mark, false), Number::Read(decimal(number)), "{text}");
        }
        assert_eq!(read_number("12.0", '.', true), Number::Read(decimal("12")));
        assert_eq!(read_number("\u{a0}", '.', true), Number::Blank);
    }

    #[test]
    fn a_repair_is_offered_only_where_there_is_one_reading() {
        for (text, mark, whole, code, repair) in [
            ("12,5", '.', false, "locale-number", Some("12.5")),
            ("12.5", ',', false, "locale-number", Some("12.5")),
            ("1,234", '.', false, "locale-number", None),
            ("1,234", '.', true, "locale-number", Some("1234")),
            ("1.234", ',', false, "locale-number", None),
            ("1.234,5", '.', false, "locale-number", Some("1234.5")),
            ("1 234", '.', true, "locale-number", Some("1234")),
            ("1,234,567", '.', false, "locale-number", Some("1234567")),
            ("12,34,56", '.', false, "locale-number", None),
            ("1.2E+05", '.', false, "scientific-notation", None),
            ("12 days", '.', false, "unit-mismatch", None),
            ("45%", '.', false, "unit-mismatch", None),
            ("12.5", '.', true, "type-error", None),
            ("doce", '.', false, "type-error", None),
            ("１２", '.', false, "type-error", None),
            (&"9".repeat(40), '.', false, "locale-number", None),
        ] {
            let repair = repair.map(str::to_owned);
            assert_eq!(wrong(text, mark, whole), (code, repair), "{text} with {mark}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,30}|[0-9., eE+-]{0,20}", whole: bool, comma: bool) {
            let _ = read_number(&text, if comma { ',' } else { '.' }, whole);
        }

        #[test]
        fn a_written_number_is_read_as_itself(mantissa in any::<i64>(), scale in 0_u32..6, comma: bool) {
            let number = Decimal::new(mantissa, scale);
            let mark = if comma { ',' } else { '.' };
            let text = number.to_string().replace('.', &mark.to_string());
            prop_assert_eq!(read_number(&text, mark, false), Number::Read(number.normalize()));
        }
    }
}
