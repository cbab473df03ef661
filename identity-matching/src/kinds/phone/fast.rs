//! The fast path: ASCII digits and plain punctuation, numbers of common countries.
//!
//! A dot behind five digits, or before a last zero, is left to the slow path: it may be a spreadsheet's decimal.

use std::sync::LazyLock;

use super::number::{POWERS, Phone};
use super::plans::{PLANS, Plan};
use crate::key::Reading;
use crate::text::Region;

/// Longest national number in the table.
const LENGTHS: usize = 12;
/// One bit for each four leading digits.
const WORDS: usize = 10_000_usize.div_ceil(64);
/// Digits beyond this go to the slow path: `00`, three of country code, eleven national.
const DIGITS: usize = 16;

/// The plans with their prefixes as bit sets.
struct Table {
    /// Index into `PLANS` plus one, by country calling code.
    by_code: [u8; 1000],
    /// Index into `PLANS` plus one, by region.
    by_region: [u8; 676],
    /// Index into `bits` plus one, by plan and national length.
    by_length: Vec<[u8; LENGTHS]>,
    bits: Vec<[u64; WORDS]>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table =
        Table { by_code: [0; 1000], by_region: [0; 676], by_length: Vec::new(), bits: Vec::new() };
    for (plan, at) in PLANS.iter().zip(1..) {
        table.by_code[usize::from(plan.code)] = at;
        table.by_region[usize::from(Region::known(plan.region).index())] = at;
        let mut lengths = [0; LENGTHS];
        for &(length, ranges) in plan.lengths {
            let mut bits = [0_u64; WORDS];
            for prefix in ranges.iter().flat_map(|&[first, last]| first..=last) {
                bits[usize::from(prefix) / 64] |= 1 << (prefix % 64);
            }
            table.bits.push(bits);
            lengths[usize::from(length)] =
                u8::try_from(table.bits.len()).expect("the table has under 256 lengths");
        }
        table.by_length.push(lengths);
    }
    table
});

impl Table {
    /// Tells whether the plan at `at` (plus one) assigns every number that starts like `national`.
    fn assigns(&self, at: u8, national: &[u8]) -> bool {
        let lengths = &self.by_length[usize::from(at) - 1];
        let Some(&set) = lengths.get(national.len()) else { return false };
        let (Some(set), Some(&[a, b, c, d])) =
            (usize::from(set).checked_sub(1), national.first_chunk::<4>())
        else {
            return false;
        };
        let digit = |byte: u8| usize::from(byte & 0x0f);
        let prefix = digit(a) * 1000 + digit(b) * 100 + digit(c) * 10 + digit(d);
        self.bits[set][prefix / 64] >> (prefix % 64) & 1 == 1
    }

    fn plan(at: u8) -> &'static Plan {
        &PLANS[usize::from(at) - 1]
    }
}

/// Reads a number, or leaves it to the slow path.
#[inline]
pub(super) fn read(raw: &[u8], region: Option<Region>) -> Option<Phone> {
    let (plus, rest) = match raw {
        [b'+', rest @ ..] => (true, rest),
        _ => (false, raw),
    };
    let mut compacted = [0_u8; DIGITS];
    let digits = if is_digits(rest) { rest } else { compact(rest, &mut compacted)? };
    let count = digits.len();
    let table = &*TABLE;
    if plus {
        return international(table, digits, Reading::PLUS);
    }
    let at = table.by_region[usize::from(region?.index())];
    if at == 0 {
        return None;
    }
    if table.assigns(at, digits) {
        return Some(phone(Table::plan(at).code, digits, Reading::DEFAULT_REGION));
    }
    let plan = Table::plan(at);
    match digits {
        [b'0', b'0', rest @ ..] if plan.double_zero => {
            international(table, rest, Reading::INTERNATIONAL_PREFIX)
        }
        // Too long for a national number: it carries the country code.
        _ if count > usize::from(plan.longest) => {
            international(table, digits, Reading::COUNTRY_CODE)
                .filter(|phone| phone.country_code == plan.code)
        }
        _ => None,
    }
}

/// Reads a number that begins with its country code.
fn international(table: &Table, digits: &[u8], reading: Reading) -> Option<Phone> {
    if let [b'0', ..] = digits {
        return None;
    }
    let mut code = 0;
    for (at, &digit) in digits.iter().enumerate().take(3) {
        code = code * 10 + usize::from(digit & 0x0f);
        // Country calling codes are prefix-free, so the first that is known is the only one.
        let plan = table.by_code[code];
        if plan != 0 {
            let national = &digits[at + 1..];
            return table
                .assigns(plan, national)
                .then(|| phone(Table::plan(plan).code, national, reading));
        }
    }
    None
}

#[inline]
fn phone(country_code: u16, digits: &[u8], reading: Reading) -> Phone {
    let national_length = u8::try_from(digits.len()).expect("at most sixteen digits");
    Phone { country_code, national: integer(digits), national_length, reading }
}

/// Takes the digits out of plain punctuation.
fn compact<'a>(raw: &[u8], digits: &'a mut [u8; DIGITS]) -> Option<&'a [u8]> {
    let end = raw.iter().rposition(u8::is_ascii_digit).map_or(0, |last| last + 1);
    if raw[..end].ends_with(b".0") {
        return None;
    }
    let (mut count, mut run) = (0, 0);
    for &byte in raw {
        if byte.is_ascii_digit() {
            *digits.get_mut(count)? = byte;
            count += 1;
            run += 1;
        } else if matches!(byte, b' ' | b'-' | b'(' | b')') || byte == b'.' && run < 5 {
            run = 0;
        } else {
            return None;
        }
    }
    Some(&digits[..count])
}

/// Splits eight to sixteen bytes into the first eight and the last eight, which may overlap.
fn words(text: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (text.first_chunk()?, text.last_chunk()?);
    (text.len() <= DIGITS).then(|| (u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
}

/// Tells whether a text is of eight to sixteen ASCII digits, all at once.
fn is_digits(text: &[u8]) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    // A digit's upper half is 3, also when 6 is added to its lower half.
    let eight = |word: u64| {
        word & HIGH == ZEROS && word.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS
    };
    words(text).is_some_and(|(first, last)| eight(first) && eight(last))
}

/// Reads ASCII digits as an integer, eight at a time.
fn integer(digits: &[u8]) -> u64 {
    let Some((first, last)) = words(digits) else {
        return digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit & 0x0f));
    };
    // Of the last eight, only those beyond the first eight count; the others become zeros.
    match digits.len() - 8 {
        0 => eight_digits(first),
        1 => eight_digits(first) * 10 + (last >> 56 & 0x0f),
        more => {
            let beyond = last >> (64 - 8 * more) << (64 - 8 * more);
            eight_digits(first) * POWERS[more] + eight_digits(beyond)
        }
    }
}

/// Reads eight digits, the first in the lowest byte, by pairs, then fours, then all.
const fn eight_digits(word: u64) -> u64 {
    let digits = word & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_read_as_the_standard_library_reads_them(number in "[0-9]{1,16}") {
            prop_assert_eq!(integer(number.as_bytes()), number.parse::<u64>().unwrap());
        }

        #[test]
        fn digits_are_told_from_all_other_bytes(text in proptest::collection::vec(any::<u8>(), 0..18)) {
            let expected = (8..=16).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
            prop_assert_eq!(is_digits(&text), expected);
        }

        #[test]
        fn one_byte_that_is_no_digit_is_seen(number in "[0-9]{8,16}", at: usize, byte: u8) {
            let mut text = number.into_bytes();
            let at = at % text.len();
            text[at] = byte;
            prop_assert_eq!(is_digits(&text), byte.is_ascii_digit());
        }
    }
}
