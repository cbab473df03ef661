//! What spreadsheets and data frames do to a value: guards, decimals, exponents.

/// Drops what keeps a spreadsheet from reading a value as a number or a formula: `="0765"`, `'0765`, `"0765"`, `=0765`.
///
/// Single signs at an end that no value begins or ends with, such as `*` and `?`, are dropped too.
pub(crate) fn unguarded(written: &str) -> &str {
    let stray = |sign: char| {
        sign.is_whitespace()
            || matches!(
                sign,
                '=' | '"'
                    | '\''
                    | '`'
                    | '´'
                    | '‘'
                    | '’'
                    | '“'
                    | '”'
                    | '„'
                    | '«'
                    | '»'
                    | '*'
                    | '?'
                    | '¿'
                    | '!'
                    | '¡'
                    | '…'
                    | '•'
                    | '\u{b7}'
                    | '|'
                    | ';'
                    | ','
                    | '\\'
                    | '~'
                    | '^'
                    | '_'
                    | '\u{fffd}'
            )
    };
    written.trim_matches(stray)
}

/// What a text is as the number of a spreadsheet or a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing that only a program writes.
    Text,
    /// A whole number written as a decimal or with an exponent: its digits, with the sign `+` where it had one.
    Whole(String),
    /// A number of which digits are lost: `5.19877E+10`.
    Rounded,
    /// A number that is not whole: `987123456.5`.
    Fraction,
}

/// Reads decimals (`987123456.0`, `12.531.909,00`) and exponents (`9.87123456E8`), which are whole numbers where all
/// digits are there.
///
/// A whole number in binary64, as spreadsheets and data frames keep it, is written so by pandas, Java
/// (`Double.toString`) and exports of Excel.
pub(crate) fn cell(written: &str) -> Cell {
    let (sign, number) = match written.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", written),
    };
    if let Some((mantissa, exponent)) = number.split_once(['e', 'E']) {
        return with_exponent(sign, mantissa, exponent).unwrap_or(Cell::Text);
    }
    decimal(sign, number).unwrap_or(Cell::Text)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn with_exponent(sign: &str, mantissa: &str, exponent: &str) -> Option<Cell> {
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let written = is_digits(whole)
        && (is_digits(fraction) || whole.len() == 1 && whole.len() == mantissa.len())
        && is_digits(exponent)
        && exponent.len() <= 2;
    if !written {
        return None;
    }
    let places: usize = exponent.parse().ok()?;
    if fraction.len() < places {
        return Some(Cell::Rounded);
    }
    let (moved, rest) = fraction.split_at(places);
    if rest.bytes().any(|digit| digit != b'0') {
        return Some(Cell::Fraction);
    }
    Some(Cell::Whole(format!("{sign}{whole}{moved}")))
}

fn decimal(sign: &str, number: &str) -> Option<Cell> {
    let (whole, fraction) = number.rsplit_once(['.', ','])?;
    if !is_digits(fraction) {
        return None;
    }
    let zeros = fraction.bytes().all(|digit| digit == b'0');
    if is_digits(whole) {
        // Three digits behind one to three may be a group of thousands.
        return match (whole.len(), fraction.len()) {
            (0..=3, _) => None,
            _ if zeros => Some(Cell::Whole(format!("{sign}{whole}"))),
            (5.., 1..=2) => Some(Cell::Fraction),
            _ => None,
        };
    }
    // Groups of thousands by one sign, the decimals behind another.
    let point = char::from(number.as_bytes()[whole.len()]);
    let mark = whole.chars().find(|sign| !sign.is_ascii_digit())?;
    let mut groups = whole.split(mark);
    let first = groups.next().filter(|first| is_digits(first) && first.len() <= 3);
    let grouped = first.is_some() && groups.all(|group| is_digits(group) && group.len() == 3);
    let decimals = zeros
        && fraction.len() <= 2
        && mark != point
        && matches!(mark, '.' | ',' | '\'' | '’' | ' ');
    (grouped && decimals)
        .then(|| Cell::Whole(format!("{sign}{}", whole.split(mark).collect::<String>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_its_digits_and_nothing_else_is() {
        let whole = |digits: &str| Cell::Whole(digits.to_owned());
        for (written, expected) in [
            ("987123456.0", whole("987123456")),
            ("987123456,00", whole("987123456")),
            ("+51987123456.0", whole("+51987123456")),
            ("12.531.909,00", whole("12531909")),
            ("45,678,912.0", whole("45678912")),
            ("9.87123456E8", whole("987123456")),
            ("9,87123456E+08", whole("987123456")),
            ("2.0512333797E10", whole("20512333797")),
            ("9.8712345600e8", whole("987123456")),
            ("9.8712345E8", Cell::Rounded),
            ("5.19877E+10", Cell::Rounded),
            ("4E7", Cell::Rounded),
            ("9.871234565E8", Cell::Fraction),
            ("987123456.5", Cell::Fraction),
            ("987.123", Cell::Text),
            ("987.123.456", Cell::Text),
            ("12.531.909", Cell::Text),
            ("118E1234", Cell::Text),
            ("XE12", Cell::Text),
            ("E8", Cell::Text),
            ("", Cell::Text),
        ] {
            assert_eq!(cell(written), expected, "{written}");
        }
    }

    #[test]
    fn guards_stand_around_a_value_and_are_no_part_of_it() {
        for written in
            ["=\"07654329\"", "'07654329", "\"07654329\"", "=07654329", "*07654329*", "07654329?"]
        {
            assert_eq!(unguarded(written), "07654329", "{written}");
        }
    }
}
