//! El Salvador: DUI and NIT.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const DUI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"SV"), "DUI");

/// Reads a DUI: eight digits and a check digit modulo 10.
pub(super) fn dui(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(9)?;
    let bytes = number.as_bytes();
    let sum = weighted(bytes, &[9, 8, 7, 6, 5, 4, 3, 2]);
    if bytes[8] != digit((10 - sum % 10) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(0..8))
}

/// Reads a NIT: fourteen digits, the last of which checks the others modulo 11; since 2021 a person's is the DUI.
pub(super) fn nit(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    if number.len() == 9 {
        return dui(number).map(|read| read.of_kind(DUI));
    }
    let marks = number.fit_zeros(14)?;
    let bytes = number.as_bytes();
    if !matches!(bytes[0], b'0' | b'1' | b'9') {
        return Err(UnusableReason::NotAssigned);
    }
    let check = if bytes[10..13] <= b"100"[..] {
        weighted(bytes, &[14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11
    } else {
        (11 - weighted(bytes, &[2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11
    };
    if bytes[13] != digit(check % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(4..10))
}
