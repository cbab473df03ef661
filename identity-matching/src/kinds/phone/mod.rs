//! Telephone numbers to E.164.
//!
//! What most rows look like, ASCII digits with blanks and dashes of a common country, is read by
//! [`fast`]; everything else by [`libphonenumber`], which asks libphonenumber. Both answer the same for every
//! input that both can read. [`alias`] adds the subscriber behind legacy forms.

mod alias;
mod fast;
mod filler;
mod libphonenumber;
mod plans;

use crate::key::{Key, KeyForm, Reading, Source};
use crate::normalise::{Normalised, Normaliser};
use crate::weak::blocking;

use crate::normalise::UnusableReason;
use crate::text::Region;
use crate::text::{self, LONGEST_VALUE};

/// Is one number that a numbering plan assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phone {
    /// Country calling code.
    country_code: u16,
    /// The national number as an integer; its leading zeros are in `national_length`.
    national: u64,
    /// How many digits the national number has.
    national_length: u8,
    reading: Reading,
}

impl Phone {
    /// Most digits of a national number that fit an integer behind any country code.
    const NATIONAL_MAX: u8 = 16;

    /// Returns country calling code and national number as one integer.
    fn e164(self) -> u64 {
        let length = self.national_length.min(Self::NATIONAL_MAX);
        u64::from(self.country_code) * POWERS[usize::from(length)] + self.national
    }
}

/// Powers of ten, as far as a national number goes.
const POWERS: [u64; Phone::NATIONAL_MAX as usize + 1] = {
    let mut powers = [1; Phone::NATIONAL_MAX as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Is what one written number comes to.
enum Outcome {
    Number(Phone),
    /// Only the subscriber behind a legacy form that no plan assigns any more, as a number of today.
    Subscriber {
        subscriber: u64,
        country_code: u16,
        reading: Reading,
    },
    Unusable(UnusableReason),
    /// Nothing was written.
    Nothing,
}

/// Reads one number into `out`.
pub(crate) fn read(raw: &str, source: Source, normaliser: &Normaliser, out: &mut Normalised) {
    if raw.len() > LONGEST_VALUE {
        return out.push_unusable(source, UnusableReason::TooLong);
    }
    let outcome = match fast::read(raw.as_bytes(), normaliser.options().default_region) {
        Some(phone) => Outcome::Number(phone),
        None => libphonenumber::read(raw, normaliser.options().default_region),
    };
    match outcome {
        Outcome::Number(phone) => {
            if filler::is_phone(phone.country_code, phone.national, phone.national_length)
                || normaliser.placeholders.has_phone(phone.e164())
            {
                return out.push_unusable(source, UnusableReason::Placeholder);
            }
            out.push_key(Key::phone(phone.e164()), KeyForm::Exact, source, phone.reading);
            push_tail(phone.country_code, phone.national, normaliser, out);
            if let Some(subscriber) = alias::subscriber(phone) {
                let alias = Key::phone_subscriber(subscriber);
                out.push_key(alias, KeyForm::Alias, source, phone.reading);
            }
        }
        Outcome::Subscriber { subscriber, country_code, reading } => {
            push_tail(country_code, subscriber, normaliser, out);
            out.push_key(Key::phone_subscriber(subscriber), KeyForm::Alias, source, reading);
        }
        Outcome::Unusable(reason) => {
            out.push_unusable(source, reason);
            if reason != UnusableReason::Placeholder {
                push_written_tail(raw, normaliser, out);
            }
        }
        Outcome::Nothing => {}
    }
}

fn push_tail(country_code: u16, number: u64, normaliser: &Normaliser, out: &mut Normalised) {
    let digits = normaliser.options().phone_tail_digits;
    out.blocking.push(blocking::phone_tail(country_code, number, digits));
}

/// Keeps the last digits of a number that is no key, when it has enough of them: read by the default region,
/// as every number without a country; one that names another country finds nobody.
fn push_written_tail(raw: &str, normaliser: &Normaliser, out: &mut Normalised) {
    let digits = raw.chars().filter_map(text::digit_value);
    let (count, number) = digits.fold((0_u8, 0_u64), |(count, number), digit| {
        (count.saturating_add(1), number.wrapping_mul(10).wrapping_add(u64::from(digit)))
    });
    if !(normaliser.options().phone_tail_digits..=15).contains(&count) {
        return;
    }
    let country_code = libphonenumber::country_code(normaliser.options().default_region);
    let named = raw.contains(['+', '\u{ff0b}']);
    if !named || number.to_string().starts_with(&country_code.to_string()) {
        push_tail(country_code, number, normaliser, out);
    }
}

/// Reads a number for a list of placeholders: its E.164 integer, when a plan assigns it.
pub(crate) fn e164(raw: &str, region: Option<Region>) -> Option<u64> {
    match libphonenumber::read(raw, region) {
        Outcome::Number(phone) => Some(phone.e164()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
