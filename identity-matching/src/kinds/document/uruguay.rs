//! Uruguay: cédula de identidad and RUT.

use super::check::{digit, integer, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// Reads a cédula: seven digits and a check digit modulo 10.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(8)?;
    let bytes = number.as_bytes();
    let sum = weighted(bytes, &[2, 9, 8, 7, 6, 3, 4]);
    if bytes[7] != digit((10 - sum % 10) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(0..7))
}

/// Reads a RUT: twelve digits, the last of which checks the others modulo 11.
pub(super) fn rut(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(12)?;
    let bytes = number.as_bytes();
    if !(1..=22).contains(&integer(&bytes[..2])) || &bytes[8..11] != b"001" {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = weighted(bytes, &[4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
    let check = (11 - sum % 11) % 11;
    if check == 10 || bytes[11] != digit(check) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(2..8))
}
