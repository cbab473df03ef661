//! Telephone numbers to E.164.
//!
//! What most rows look like, ASCII digits with blanks and dashes of a common country, is read by
//! [`fast`]; everything else by [`written`], which takes labels and remarks away from [`groups`] of digits, which ask
//! [`plan`], with the feature `phone-metadata` libphonenumber. Both answer the same for every input that both can read. [`fixes`] reads prefixes
//! too many and plans before a reform, [`alias`] adds the subscriber behind legacy forms.

mod alias;
#[cfg(not(feature = "phone-metadata"))]
mod common;
mod fast;
mod filler;
mod fixes;
mod groups;
#[cfg(feature = "phone-metadata")]
mod libphonenumber;
mod link;
mod number;
mod plan;
mod plans;
mod written;

use self::number::{Outcome, POWERS, Phone};
use super::{IdentifierKind, RawValue, Sink};
use crate::key::{Key, KeyForm, KeyKind, UnusableReason};
use crate::text::{LONGEST_VALUE, Region};
use crate::weak::blocking;

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

/// Reads the numbers of one value into `sink`.
fn read(raw: &str, context: Context, sink: &mut Sink<'_>) {
    if raw.len() > LONGEST_VALUE {
        return sink.unusable(UnusableReason::TooLong);
    }
    match fast::read(raw.as_bytes(), context.region) {
        Some(phone) => accept_phone(phone, KeyForm::Exact, context, sink),
        None => written::read(raw, context.region, &mut |found| accept(found, context, sink)),
    }
}

fn accept(outcome: Outcome, context: Context, sink: &mut Sink<'_>) {
    match outcome {
        Outcome::Number(phone) => accept_phone(phone, KeyForm::Exact, context, sink),
        Outcome::Alias(phone) => accept_phone(phone, KeyForm::Alias, context, sink),
        Outcome::Subscriber { subscriber, country_code, reading } => {
            if is_placeholder(country_code, subscriber, sink) {
                return sink.unusable(UnusableReason::Placeholder);
            }
            push_tail(country_code, subscriber, context, sink);
            sink.reading = reading;
            sink.push_key(Key::phone_subscriber(subscriber), KeyForm::Alias);
        }
        Outcome::Unusable { reason, digits } => {
            sink.unusable(reason);
            if let Some((number, count, plus)) = digits {
                push_written_tail(number, count, plus, context, sink);
            }
        }
    }
}

fn accept_phone(phone: Phone, form: KeyForm, context: Context, sink: &mut Sink<'_>) {
    let key = Key::phone(phone.e164());
    let subscriber = alias::subscriber(phone).map(Key::phone_subscriber);
    if filler::is_phone(phone.country_code, phone.national, phone.national_length)
        || sink.placeholders.has_key(key)
        || subscriber.is_some_and(|subscriber| sink.placeholders.has_key(subscriber))
    {
        return sink.unusable(UnusableReason::Placeholder);
    }
    sink.reading = phone.reading;
    sink.push_key(key, form);
    push_tail(phone.country_code, phone.national, context, sink);
    if let Some(subscriber) = subscriber {
        sink.push_key(subscriber, KeyForm::Alias);
    }
}

/// Reports every key that a plain number may give, and returns the key of its last digits; nothing where it is not plain.
pub(crate) fn glance(
    raw: &str,
    region: Option<Region>,
    tail_digits: u8,
    report: &mut dyn FnMut(Key),
) -> Option<blocking::BlockingKey> {
    let phone = fast::read(raw.as_bytes(), region)?;
    report(Key::phone(phone.e164()));
    if let Some(subscriber) = alias::subscriber(phone) {
        report(Key::phone_subscriber(subscriber));
    }
    Some(blocking::phone_tail(phone.country_code, phone.national, tail_digits))
}

/// Tells whether the subscriber behind a legacy form is a filler.
fn is_placeholder(country_code: u16, subscriber: u64, sink: &Sink<'_>) -> bool {
    let length = subscriber.to_string().len() - country_code.to_string().len();
    let length = u8::try_from(length).unwrap_or_default();
    let national = subscriber % POWERS[usize::from(length.min(Phone::NATIONAL_MAX))];
    filler::is_phone(country_code, national, length)
        || sink.placeholders.has_key(Key::phone_subscriber(subscriber))
}

fn push_tail(country_code: u16, number: u64, context: Context, sink: &mut Sink<'_>) {
    let digits = context.tail_digits;
    sink.out.blocking.push(blocking::phone_tail(country_code, number, digits));
}

/// Keeps the last digits of a number that is no key, when it has enough of them: read by the region, as every number
/// without a country; one that names another country finds nobody.
fn push_written_tail(number: u64, count: u8, plus: bool, context: Context, sink: &mut Sink<'_>) {
    if !(context.tail_digits..=15).contains(&count) {
        return;
    }
    let country_code = plan::country_code(context.region);
    if !plus || number.to_string().starts_with(&country_code.to_string()) {
        push_tail(country_code, number, context, sink);
    }
}

#[cfg(test)]
#[cfg(feature = "phone-metadata")]
mod tests;
