//! Colombia: cédula de ciudadanía and NIT.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::normalise::UnusableReason;
use crate::text::Region;

const CC: DocumentTypeId = DocumentTypeId::new(Region::known(*b"CO"), "CC");

/// Reads a cédula de ciudadanía: up to ten digits, no check digit, no fixed length.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    number.drop_leading_zeros();
    match number.len() {
        4..=10 => Ok(DocumentReading::unverified()),
        _ => Err(UnusableReason::WrongLength),
    }
}

/// Tells whether an untyped number is like a cédula: up to eight digits, or ten that begin with 1.
pub(super) fn infers_cedula(number: &DocumentNumber) -> bool {
    let mut number = *number;
    number.drop_leading_zeros();
    is_citizen(number.as_bytes())
}

/// Cédulas ran up to 99,999,999; since 2003 they are a NUIP of ten digits that begins with 1.
fn is_citizen(digits: &[u8]) -> bool {
    match digits.len() {
        5..=8 => true,
        10 => digits[0] == b'1',
        _ => false,
    }
}

/// Reads a NIT: the number and its verification digit; a citizen's carries the cédula.
///
/// A company's nine digits without the verification digit get it added.
pub(super) fn nit(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    number.drop_leading_zeros();
    let bytes = number.as_bytes();
    let Some((&check, body)) = bytes.split_last() else { return Err(UnusableReason::WrongLength) };
    if bytes.len() < 7 || bytes.len() > 16 {
        return Err(UnusableReason::WrongLength);
    }
    if check == verification_digit(body) {
        let body = 0..body.len();
        let reading = DocumentReading::verified().with_body(body.clone());
        let citizen = is_citizen(&bytes[body.clone()]);
        return Ok(if citizen { reading.carrying(CC, body) } else { reading });
    }
    if bytes.len() == 9 && matches!(bytes[0], b'8' | b'9') {
        number.append(verification_digit(number.as_bytes()))?;
        return Ok(DocumentReading::unverified().with_body(0..9).completed());
    }
    Err(UnusableReason::WrongCheckDigit)
}

fn verification_digit(body: &[u8]) -> u8 {
    const WEIGHTS: [u32; 15] = [71, 67, 59, 53, 47, 43, 41, 37, 29, 23, 19, 17, 13, 7, 3];
    let weights = &WEIGHTS[WEIGHTS.len().saturating_sub(body.len())..];
    match weighted(body, weights) % 11 {
        remainder @ 0..=1 => digit(remainder),
        remainder => digit(11 - remainder),
    }
}
