//! Paraguay: cédula de identidad and RUC.

use super::check::{digit, value};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome, Second};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const CI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PY"), "CI");

/// Reads a RUC: up to eight digits and a check digit modulo 11; what lies below 80,000,000 is a person's cédula.
pub(super) fn ruc(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    number.drop_leading_zeros();
    if !(5..=9).contains(&number.len()) {
        return Err(UnusableReason::WrongLength);
    }
    let Some((&check, body)) = number.as_bytes().split_last() else {
        return Err(UnusableReason::WrongLength);
    };
    if check != verification_digit(body) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let body = 0..body.len();
    let reading = DocumentReading::verified().with_body(body.clone());
    let person = number.len() < 9 || !number.as_bytes().starts_with(b"8");
    Ok(if person { reading.carrying(CI, body) } else { reading })
}

/// The number without its check digit, which a dash would set apart.
pub(super) fn ruc_without_check(written: &DocumentNumber, second: &mut Second<'_>) {
    let mut number = *written;
    number.drop_leading_zeros();
    if written.behind_dash().is_some() || !(5..=8).contains(&number.len()) || !number.is_digits() {
        return;
    }
    let body = 0..number.len();
    if number.append(verification_digit(number.as_bytes())).is_ok() {
        let reading = DocumentReading::unverified().with_body(body.clone()).completed();
        second(number, reading.carrying(CI, body));
    }
}

fn verification_digit(body: &[u8]) -> u8 {
    let sum: u32 = body.iter().rev().zip(2..).map(|(&byte, weight)| value(byte) * weight).sum();
    digit((11 - sum % 11) % 11 % 10)
}
