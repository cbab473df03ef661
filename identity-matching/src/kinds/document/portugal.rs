//! Portugal: NIF, cartão de cidadão, bilhete de identidade.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const BI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PT"), "BI");

/// Reads a NIF: eight digits and a check digit modulo 11.
pub(super) fn nif(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let bytes = number.as_bytes();
    if bytes.len() != 9 {
        return Err(UnusableReason::WrongLength);
    }
    if bytes[0] == b'0' {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = weighted(bytes, &[9, 8, 7, 6, 5, 4, 3, 2]);
    if bytes[8] != digit((11 - sum % 11) % 11 % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with_body(0..8))
}

/// Reads the number of a cartão de cidadão: the civil number and its check digit, two signs of the version and a
/// check digit over all, by Luhn's sum with letters from 10 to 35. It carries the civil number.
pub(super) fn citizen_card(number: &mut DocumentNumber) -> Outcome {
    let bytes = number.as_bytes();
    if bytes.len() != 12 {
        return Err(UnusableReason::WrongLength);
    }
    let shape = bytes[..9].iter().all(u8::is_ascii_digit)
        && bytes[9..11].iter().all(u8::is_ascii_alphanumeric)
        && bytes[11].is_ascii_digit();
    if !shape {
        return Err(UnusableReason::WrongAlphabet);
    }
    let value =
        |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
    let twice = |at: usize, value: u32| match value * 2 {
        _ if !at.is_multiple_of(2) => value,
        double @ 10.. => double - 9,
        double => double,
    };
    let sum: u32 = bytes.iter().enumerate().map(|(at, &byte)| twice(at, value(byte))).sum();
    if !sum.is_multiple_of(10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with_body(0..8).carrying(BI, 0..8))
}

/// Reads a civil number, as a bilhete de identidade bears it: up to eight digits.
pub(super) fn civil_number(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let restored = number.restore_zeros(8)?;
    Ok(DocumentReading::unverified().with(restored))
}
