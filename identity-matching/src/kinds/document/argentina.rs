//! Argentina: DNI and CUIT, which for persons is the CUIL.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const DNI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"AR"), "DNI");

/// Reads a DNI: seven or eight digits, no check digit; canonical with eight, as a CUIT carries it. The letter before the number
/// of a libreta, `M` of enrolment and `F` of a civic one, is no part of it.
pub(super) fn dni(number: &mut DocumentNumber) -> Outcome {
    if let [b'M' | b'F', digits @ ..] = number.as_bytes()
        && (6..=8).contains(&digits.len())
    {
        number.drop_front(1);
    }
    number.require_digits()?;
    if number.len() > 8 {
        let marks = number.fit_zeros(8)?;
        return Ok(DocumentReading::unverified().with(marks).supposed());
    }
    let restored = number.restore_zeros(8)?;
    Ok(DocumentReading::unverified().with(restored))
}

/// Tells whether an untyped number has the seven or eight digits of a DNI.
pub(super) fn infers_dni(number: &DocumentNumber) -> bool {
    matches!(number.len(), 7 | 8)
}

/// Reads a CUIT or CUIL: two digits for the kind of holder, eight, and a check digit modulo 11; a
/// person's carries the DNI.
pub(super) fn cuit(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let bytes = number.as_bytes();
    if bytes.len() != 11 {
        return Err(UnusableReason::WrongLength);
    }
    let person = matches!(&bytes[..2], b"20" | b"23" | b"24" | b"25" | b"26" | b"27");
    if !person && !matches!(&bytes[..2], b"30" | b"33" | b"34" | b"50" | b"51" | b"55") {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = weighted(bytes, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    let check = match 11 - sum % 11 {
        11 => 0,
        // No digit stands for ten: the holder gets another prefix, and 9 under it.
        10 => 9,
        rest => rest,
    };
    if bytes[10] != digit(check) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let reading = DocumentReading::verified().with_body(2..10);
    Ok(if person { reading.carrying(DNI, 2..10) } else { reading })
}
