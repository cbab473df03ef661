//! Passports, and documents of types that no table knows.

use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::Reading;
use crate::normalise::UnusableReason;

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

/// Keeps a number of an unknown type as it is.
pub(super) fn opaque(number: &mut DocumentNumber) -> Outcome {
    if number.len() < 3 {
        return Err(UnusableReason::WrongLength);
    }
    Ok(DocumentReading::unverified().with(Reading::OPAQUE))
}
