//! Ecuador: cédula and RUC.

use super::check::{digit, integer, luhn_sum, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;
use crate::key::{DocumentTypeId, Reading};
use crate::text::Region;

const CEDULA: DocumentTypeId = DocumentTypeId::new(Region::known(*b"EC"), "CI");

/// Reads a cédula: province, a digit up to 6, six more and a check digit modulo 10.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let restored = number.fit_zeros(10)?;
    verify_cedula(number.as_bytes())?;
    Ok(DocumentReading::verified().with(restored).with_body(0..9))
}

fn verify_cedula(digits: &[u8]) -> Result<(), UnusableReason> {
    verify_province(digits)?;
    if digits[2] > b'6' {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = luhn_sum(&digits[..9], 2);
    verify(digits[9] == digit((10 - sum % 10) % 10))
}

/// Provinces are 1 to 24; 30 is for those registered abroad, 50 for some companies.
fn verify_province(digits: &[u8]) -> Result<(), UnusableReason> {
    match integer(&digits[..2]) {
        1..=24 | 30 | 50 => Ok(()),
        _ => Err(UnusableReason::NotAssigned),
    }
}

fn verify(fits: bool) -> Result<(), UnusableReason> {
    if fits { Ok(()) } else { Err(UnusableReason::WrongCheckDigit) }
}

/// Reads a RUC of thirteen digits: a person's is the cédula and an establishment; public bodies have 6,
/// some of them 9, and companies 9 as the third digit, and check digits modulo 11, which those of companies need not fit.
pub(super) fn ruc(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let restored = number.fit_zeros(13)?;
    let digits = number.as_bytes();
    verify_province(digits)?;
    let is_public = weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11);
    let mut verified = true;
    let (establishment, carries) = match digits[2] {
        b'6' | b'9' if is_public => (&digits[9..], false),
        // Residents born abroad have a 6 too.
        b'0'..=b'6' => {
            verify_cedula(&digits[..10])?;
            (&digits[10..], true)
        }
        b'9' => {
            verified = weighted(digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11);
            (&digits[10..], false)
        }
        _ => return Err(UnusableReason::NotAssigned),
    };
    if establishment.iter().all(|&byte| byte == b'0') {
        return Err(UnusableReason::NotAssigned);
    }
    // Companies get numbers whose check digit does not fit: it proves a number and refuses none.
    if !verified && restored != Reading::new() {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let reading =
        if verified { DocumentReading::verified() } else { DocumentReading::unverified() };
    let reading = reading.with(restored).with_body(0..9);
    Ok(if carries { reading.carrying(CEDULA, 0..10) } else { reading })
}
