//! Guatemala: CUI of the DPI, NIT.

use super::check::{integer, value};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// Reads a CUI: eight digits, a check digit modulo 11, and two digits each for department and municipality.
pub(super) fn cui(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(13)?;
    let bytes = number.as_bytes();
    if !(1..=22).contains(&integer(&bytes[9..11])) || integer(&bytes[11..13]) == 0 {
        return Err(UnusableReason::NotAssigned);
    }
    let sum: u32 = bytes[..8].iter().zip(2..).map(|(&byte, weight)| value(byte) * weight).sum();
    if sum % 11 != value(bytes[8]) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(0..8))
}

/// Reads a NIT: up to eleven digits and a verification character, 0 to 9 or K, modulo 11.
pub(super) fn nit(number: &mut DocumentNumber) -> Outcome {
    number.drop_leading_zeros();
    if !(2..=12).contains(&number.len()) {
        return Err(UnusableReason::WrongLength);
    }
    let (body, check) = number.as_bytes().split_at(number.len() - 1);
    if !body.iter().all(u8::is_ascii_digit) || !matches!(check[0], b'0'..=b'9' | b'K') {
        return Err(UnusableReason::WrongAlphabet);
    }
    let sum: u32 = body.iter().rev().zip(2..).map(|(&byte, weight)| value(byte) * weight).sum();
    if check[0] != b"0123456789K"[((11 - sum % 11) % 11) as usize] {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let body = 0..body.len();
    Ok(DocumentReading::verified().with_body(body))
}
