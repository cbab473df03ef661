//! Colombia: the number of the cédula de ciudadanía and the tarjeta de identidad, and the NIT.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome, Second};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const COLOMBIA: Region = Region::known(*b"CO");
const CC: DocumentTypeId = DocumentTypeId::new(COLOMBIA, "CC");

/// Reads a cédula de ciudadanía: up to ten digits, no check digit, no fixed length.
///
/// A dash may part it from the verification digit of the citizen's NIT, which is checked and dropped.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    if number.behind_dash() == Some(1) && number.len() > 5 {
        let (body, check) = number.as_bytes().split_at(number.len() - 1);
        if check[0] != verification_digit(body) {
            return Err(UnusableReason::WrongCheckDigit);
        }
        number.truncate(number.len() - 1);
        number.drop_leading_zeros();
        return Ok(DocumentReading::verified());
    }
    number.drop_leading_zeros();
    match number.len() {
        4..=10 => Ok(DocumentReading::unverified()),
        _ => Err(UnusableReason::WrongLength),
    }
}

/// Reads a tarjeta de identidad or a registro civil: with ten digits it is the number that the cédula will have
/// (NUIP), with eleven one of before 2000, made of the date of birth.
pub(super) fn minor(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    number.drop_leading_zeros();
    match number.len() {
        10 => Ok(DocumentReading::unverified().of_kind(CC)),
        6..=11 => Ok(DocumentReading::unverified()),
        _ => Err(UnusableReason::WrongLength),
    }
}

/// Tells whether an untyped number is like a cédula: up to eight digits, or ten that begin with 1, and no dash before a
/// verification digit.
pub(super) fn infers_cedula(number: &DocumentNumber) -> bool {
    let mut bare = *number;
    bare.drop_leading_zeros();
    number.behind_dash() != Some(1) && is_citizen(bare.as_bytes())
}

/// Cédulas ran up to 99,999,999; since 2003 they are a NUIP of ten digits that begins with 1.
fn is_citizen(digits: &[u8]) -> bool {
    match digits.len() {
        5..=8 => true,
        10 => digits[0] == b'1',
        _ => false,
    }
}

fn is_company(digits: &[u8]) -> bool {
    digits.len() == 9 && matches!(digits[0], b'8' | b'9')
}

/// Reads a NIT: the number and its verification digit; a citizen's carries the cédula.
///
/// A company's nine digits without the verification digit get it added, and so do digits in groups of three without a
/// dash.
pub(super) fn nit(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let (dash, grouped) = (number.behind_dash(), number.is_grouped());
    number.drop_leading_zeros();
    let bytes = number.as_bytes();
    let Some((&check, body)) = bytes.split_last() else { return Err(UnusableReason::WrongLength) };
    if bytes.len() < 6 || bytes.len() > 16 {
        return Err(UnusableReason::WrongLength);
    }
    if grouped && dash.is_none() && (is_company(bytes) || is_citizen(bytes)) {
        return complete(number);
    }
    if check == verification_digit(body) {
        let body = 0..body.len();
        let reading = DocumentReading::verified().with_body(body.clone());
        // Without a dash, nine digits of a company's range are hardly a citizen's and the digit.
        let company = dash.is_none() && is_company(bytes);
        let citizen = is_citizen(&bytes[body.clone()]) && !company;
        return Ok(if citizen { reading.carrying(CC, body) } else { reading });
    }
    if dash.is_none() && is_company(bytes) {
        return complete(number);
    }
    Err(UnusableReason::WrongCheckDigit)
}

/// The number without its verification digit, which a dash would set apart.
pub(super) fn nit_without_check(written: &DocumentNumber, second: &mut Second<'_>) {
    let mut number = *written;
    number.drop_leading_zeros();
    let plausible = is_company(number.as_bytes()) || is_citizen(number.as_bytes());
    if written.behind_dash().is_none()
        && number.is_digits()
        && plausible
        && let Ok(reading) = complete(&mut number)
    {
        second(number, reading);
    }
}

fn complete(number: &mut DocumentNumber) -> Outcome {
    let body = 0..number.len();
    let citizen = is_citizen(number.as_bytes());
    number.append(verification_digit(number.as_bytes()))?;
    let reading = DocumentReading::unverified().with_body(body.clone()).completed();
    Ok(if citizen { reading.carrying(CC, body) } else { reading })
}

fn verification_digit(body: &[u8]) -> u8 {
    const WEIGHTS: [u32; 15] = [71, 67, 59, 53, 47, 43, 41, 37, 29, 23, 19, 17, 13, 7, 3];
    let weights = &WEIGHTS[WEIGHTS.len().saturating_sub(body.len())..];
    match weighted(body, weights) % 11 {
        remainder @ 0..=1 => digit(remainder),
        remainder => digit(11 - remainder),
    }
}
