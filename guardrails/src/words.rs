//! Numbers and errors in words.

/// A count with its noun: `1 lead`, `2 leads`.
pub(crate) fn count_of(count: impl TryInto<u64> + std::fmt::Display, noun: &str) -> String {
    let words = format!("{count} {noun}");
    if matches!(count.try_into(), Ok(1)) { words } else { words + "s" }
}

/// A count with its thousands apart and its noun: `2,058 leads`.
pub(crate) fn many(count: u64, noun: &str) -> String {
    let words = format!("{} {noun}", grouped(count.into()));
    if count == 1 { words } else { words + "s" }
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Percent with two decimals, but never `0` for something and never `100` for not all.
pub(crate) fn percent(ratio: f64) -> String {
    let rounded = (ratio * 1e4).round() / 1e2;
    if ratio > 0.0 && rounded <= 0.0 {
        "under 0.01".to_owned()
    } else if ratio < 1.0 && rounded >= 100.0 {
        "over 99.99".to_owned()
    } else {
        rounded.to_string()
    }
}

/// An error with what lies behind it: `a: b: c`.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_and_the_sign_stays() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "−1,234,567");
        assert_eq!((many(1, "lead"), many(2_058, "lead")), ("1 lead".into(), "2,058 leads".into()));
    }
}
