//! Peru: DNI, RUC, carné de extranjería.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::normalise::UnusableReason;
use crate::text::Region;

const DNI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PE"), "DNI");

/// Reads a DNI: eight digits, and perhaps the verification character printed behind them, which is a digit
/// or a letter and is checked and dropped.
pub(super) fn dni(number: &mut DocumentNumber) -> Outcome {
    if number.len() == 9 {
        let (body, check) = number.as_bytes().split_at(8);
        if !body.iter().all(u8::is_ascii_digit) {
            return Err(UnusableReason::WrongAlphabet);
        }
        let at = (11 - weighted(body, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
        let at = at as usize;
        if check[0] != b"67890112345"[at] && check[0] != b"KABCDEFGHIJ"[at] {
            return Err(UnusableReason::WrongCheckDigit);
        }
        number.truncate(8);
        return Ok(DocumentReading::verified());
    }
    number.require_digits()?;
    let restored = number.restore_zeros(8)?;
    Ok(DocumentReading::unverified().with(restored))
}

/// Reads a RUC: eleven digits, the last of which checks the others modulo 11; a natural person's begins
/// with 10 and carries the DNI.
pub(super) fn ruc(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let bytes = number.as_bytes();
    if bytes.len() != 11 {
        return Err(UnusableReason::WrongLength);
    }
    if !matches!(&bytes[..2], b"10" | b"15" | b"16" | b"17" | b"20") {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = weighted(bytes, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    if bytes[10] != digit((11 - sum % 11) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let reading = DocumentReading::verified().with_body(2..10);
    Ok(if bytes.starts_with(b"10") { reading.carrying(DNI, 2..10) } else { reading })
}

/// Reads a carné de extranjería: nine digits, or up to twelve letters and digits of older ones.
pub(super) fn foreigner_card(number: &mut DocumentNumber) -> Outcome {
    if number.is_digits() && number.len() < 9 {
        let restored = number.restore_zeros(9)?;
        return Ok(DocumentReading::unverified().with(restored));
    }
    let digits = number.as_bytes().iter().filter(|byte| byte.is_ascii_digit()).count();
    if !(9..=12).contains(&number.len()) {
        return Err(UnusableReason::WrongLength);
    }
    if digits < 6 {
        return Err(UnusableReason::WrongAlphabet);
    }
    Ok(DocumentReading::unverified())
}

/// Tells whether an untyped number looks like a carné de extranjería: nine digits, the first a zero.
pub(super) fn infers_foreigner_card(number: &DocumentNumber) -> bool {
    number.len() == 9 && number.is_digits() && number.as_bytes().starts_with(b"00")
}
