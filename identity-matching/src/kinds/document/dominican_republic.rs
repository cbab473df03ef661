//! Dominican Republic: cédula and RNC.
//!
//! Both registries have issued numbers whose check digit does not fit, so it refuses none.

use super::check::{digit, luhn_sum, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::Reading;
use crate::key::UnusableReason;

/// Reads a cédula: three digits of the municipality, seven, and a check digit by Luhn's sum.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(11)?;
    let bytes = number.as_bytes();
    let check = digit((10 - luhn_sum(&bytes[..10], 1) % 10) % 10);
    reading(bytes[10] == check, marks)
}

/// Reads an RNC: eight digits and a check digit modulo 11; of a person it is the cédula.
pub(super) fn rnc(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(9)?;
    let bytes = number.as_bytes();
    let sum = weighted(bytes, &[7, 9, 8, 6, 5, 4, 3, 2]);
    reading(bytes[8] == digit((10 - sum % 11) % 9 + 1), marks)
}

fn reading(fits: bool, marks: Reading) -> Outcome {
    // What was restored by nothing but its length needs the check.
    if !fits && marks != Reading::new() {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let reading = DocumentReading::unverified().with(marks);
    Ok(if fits { reading.with(Reading::CHECK_VERIFIED) } else { reading })
}
