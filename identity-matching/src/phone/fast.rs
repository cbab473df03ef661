//! The fast path: ASCII digits and plain punctuation, numbers of common countries.

use std::sync::LazyLock;

use super::Phone;
use super::plans::{PLANS, Plan};
use crate::key::Reading;
use crate::region::Region;

/// Longest national number in the table.
const LENGTHS: usize = 12;
/// One bit for each four leading digits.
const WORDS: usize = 10_000_usize.div_ceil(64);
/// Digits beyond this go to the judge: `00`, three of country code, eleven national.
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
        let digit = |byte: u8| usize::from(byte);
        let prefix = digit(a) * 1000 + digit(b) * 100 + digit(c) * 10 + digit(d);
        self.bits[set][prefix / 64] >> (prefix % 64) & 1 == 1
    }

    fn plan(at: u8) -> &'static Plan {
        &PLANS[usize::from(at) - 1]
    }
}

/// Reads a number, or leaves it to the judge.
pub(super) fn read(raw: &[u8], region: Option<Region>) -> Option<Phone> {
    let (plus, rest) = match raw {
        [b'+', rest @ ..] => (true, rest),
        _ => (false, raw),
    };
    let mut digits = [0_u8; DIGITS];
    let mut count = 0;
    for &byte in rest {
        let value = byte.wrapping_sub(b'0');
        if value < 10 {
            *digits.get_mut(count)? = value;
            count += 1;
        } else if !matches!(byte, b' ' | b'-' | b'.' | b'(' | b')') {
            return None;
        }
    }
    let digits = &digits[..count];
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
        [0, 0, rest @ ..] if plan.double_zero => {
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
    if let [0, ..] = digits {
        return None;
    }
    let mut code = 0;
    for (at, &digit) in digits.iter().enumerate().take(3) {
        code = code * 10 + usize::from(digit);
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

fn phone(country_code: u16, digits: &[u8], reading: Reading) -> Phone {
    let national = digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit));
    let national_length = u8::try_from(digits.len()).expect("at most sixteen digits");
    Phone { country_code, national, national_length, reading }
}
