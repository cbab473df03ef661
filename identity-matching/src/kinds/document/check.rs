//! Check digits: weighted sums over digits.

/// Returns the value of an ASCII digit.
pub(super) fn value(byte: u8) -> u32 {
    u32::from(byte & 0x0f)
}

/// Adds up the digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, weight)| value(digit) * weight).sum()
}

/// Adds up the digits of the products with 2 and 1 by turns, as Luhn (US patent 2,950,048) does.
///
/// `first` is the factor of the first digit, 1 or 2.
pub(super) fn luhn_sum(digits: &[u8], first: u32) -> u32 {
    let mut factor = first;
    let mut sum = 0;
    for &digit in digits {
        let product = value(digit) * factor;
        sum += if product > 9 { product - 9 } else { product };
        factor = 3 - factor;
    }
    sum
}

/// Reads up to nine digits as an integer.
pub(super) fn integer(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, &digit| number * 10 + value(digit))
}

/// Makes the ASCII digit of a value below ten.
pub(super) fn digit(value: u32) -> u8 {
    b'0' + (value % 10) as u8
}

/// Tells whether six digits are a day of some year, as `yymmdd`.
pub(super) fn is_short_date(digits: &[u8]) -> bool {
    let &[y1, y2, m1, m2, d1, d2] = digits else { return false };
    let (month, day) = (integer(&[m1, m2]), integer(&[d1, d2]));
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        // Two digits do not tell 1900 from 2000, of which the second is a leap year.
        2 if integer(&[y1, y2]).is_multiple_of(4) => 29,
        2 => 28,
        _ => 0,
    };
    (1..=longest).contains(&day)
}
