//! Passports, and documents of types that no table knows.

use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::Reading;
use crate::key::UnusableReason;

/// Reads a passport number: five to fifteen letters and digits, at least three of them digits.
pub(super) fn passport(number: &mut DocumentNumber) -> Outcome {
    let bytes = number.as_bytes();
    if !(5..=15).contains(&bytes.len()) {
        return Err(UnusableReason::WrongLength);
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let plain = bytes.iter().all(u8::is_ascii_alphanumeric);
    if digits < 3 || !plain {
        return Err(UnusableReason::WrongAlphabet);
    }
    Ok(DocumentReading::unverified())
}

/// Keeps a number of an unknown type as it is; words without three digits are no number.
pub(super) fn opaque(number: &mut DocumentNumber) -> Outcome {
    if number.len() < 3 {
        return Err(UnusableReason::WrongLength);
    }
    if number.as_bytes().iter().filter(|byte| byte.is_ascii_digit()).count() < 3 {
        return Err(UnusableReason::WrongAlphabet);
    }
    Ok(DocumentReading::unverified().with(Reading::OPAQUE))
}

/// Makes the rule of a type whose numbers are digits, so many at least and at most, with leading zeros that say nothing.
pub(super) fn digits(least: usize, most: usize) -> impl Fn(&mut DocumentNumber) -> Outcome {
    move |number| {
        number.require_digits()?;
        number.drop_leading_zeros();
        if (least..=most).contains(&number.len()) {
            Ok(DocumentReading::unverified())
        } else {
            Err(UnusableReason::WrongLength)
        }
    }
}

/// Makes the rule of a type whose numbers are letters and digits, so many at least and at most.
pub(super) fn signs(least: usize, most: usize) -> impl Fn(&mut DocumentNumber) -> Outcome {
    move |number| {
        if !(least..=most).contains(&number.len()) {
            return Err(UnusableReason::WrongLength);
        }
        let digits = number.as_bytes().iter().filter(|byte| byte.is_ascii_digit()).count();
        let plain = number.as_bytes().iter().all(u8::is_ascii_alphanumeric);
        if digits < 3 || !plain {
            return Err(UnusableReason::WrongAlphabet);
        }
        Ok(DocumentReading::unverified())
    }
}
