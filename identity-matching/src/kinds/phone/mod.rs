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

use super::{IdentifierKind, RawValue, Sink};
use crate::key::{Key, KeyForm, KeyKind, Reading};
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

/// Telephone numbers, by the numbering plans of the world.
#[derive(Clone, Debug)]
pub(crate) struct PhoneKind {
    /// How many last digits are weak evidence.
    pub(crate) tail_digits: u8,
}

impl IdentifierKind for PhoneKind {
    fn code(&self) -> KeyKind {
        KeyKind::PHONE
    }

    fn read(&self, raw: RawValue<'_>, region: Option<Region>, sink: &mut Sink<'_>) {
        read(raw.value, Context { region, tail_digits: self.tail_digits }, sink);
    }
}

/// What a number is read by.
#[derive(Clone, Copy)]
struct Context {
    /// Reads numbers without a country.
    region: Option<Region>,
    tail_digits: u8,
}

/// Reads one number into `sink`.
fn read(raw: &str, context: Context, sink: &mut Sink<'_>) {
    if raw.len() > LONGEST_VALUE {
        return sink.unusable(UnusableReason::TooLong);
    }
    let outcome = match fast::read(raw.as_bytes(), context.region) {
        Some(phone) => Outcome::Number(phone),
        None => libphonenumber::read(raw, context.region),
    };
    match outcome {
        Outcome::Number(phone) => {
            if filler::is_phone(phone.country_code, phone.national, phone.national_length)
                || sink.placeholders.has_phone(phone.e164())
            {
                return sink.unusable(UnusableReason::Placeholder);
            }
            sink.mark(phone.reading);
            sink.push_key(Key::phone(phone.e164()), KeyForm::Exact);
            push_tail(phone.country_code, phone.national, context, sink);
            if let Some(subscriber) = alias::subscriber(phone) {
                sink.push_key(Key::phone_subscriber(subscriber), KeyForm::Alias);
            }
        }
        Outcome::Subscriber { subscriber, country_code, reading } => {
            push_tail(country_code, subscriber, context, sink);
            sink.mark(reading);
            sink.push_key(Key::phone_subscriber(subscriber), KeyForm::Alias);
        }
        Outcome::Unusable(reason) => {
            sink.unusable(reason);
            if reason != UnusableReason::Placeholder {
                push_written_tail(raw, context, sink);
            }
        }
        Outcome::Nothing => {}
    }
}

fn push_tail(country_code: u16, number: u64, context: Context, sink: &mut Sink<'_>) {
    let digits = context.tail_digits;
    sink.out.blocking.push(blocking::phone_tail(country_code, number, digits));
}

/// Keeps the last digits of a number that is no key, when it has enough of them: read by the default region,
/// as every number without a country; one that names another country finds nobody.
fn push_written_tail(raw: &str, context: Context, sink: &mut Sink<'_>) {
    let digits = raw.chars().filter_map(text::digit_value);
    let (count, number) = digits.fold((0_u8, 0_u64), |(count, number), digit| {
        (count.saturating_add(1), number.wrapping_mul(10).wrapping_add(u64::from(digit)))
    });
    if !(context.tail_digits..=15).contains(&count) {
        return;
    }
    let country_code = libphonenumber::country_code(context.region);
    let named = raw.contains(['+', '\u{ff0b}']);
    if !named || number.to_string().starts_with(&country_code.to_string()) {
        push_tail(country_code, number, context, sink);
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
