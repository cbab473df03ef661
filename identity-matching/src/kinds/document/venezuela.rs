//! Venezuela: cédula de identidad, RIF.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const CI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"VE"), "CI");

/// Reads a cédula: up to nine digits behind `V` for citizens and `E` for foreigners, whose numbers begin at 80,000,000:
/// the digits are the number, with the letter and without.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    if matches!(number.as_bytes(), [b'V' | b'E', ..]) {
        number.drop_front(1);
    }
    number.require_digits()?;
    number.drop_leading_zeros();
    match number.len() {
        5..=9 => Ok(DocumentReading::unverified()),
        _ => Err(UnusableReason::WrongLength),
    }
}

/// Reads a RIF: a letter for the kind of holder, eight digits and a check digit modulo 11; a person's carries the
/// cédula.
pub(super) fn rif(number: &mut DocumentNumber) -> Outcome {
    let kind = match number.as_bytes() {
        [b'V', ..] => 4,
        [b'E', ..] => 8,
        [b'J' | b'C', ..] => 12,
        [b'P', ..] => 16,
        [b'G', ..] => 20,
        _ => return Err(UnusableReason::WrongAlphabet),
    };
    let restored = number.restore_zeros_at(1, 10)?;
    let bytes = number.as_bytes();
    if !bytes[1..].iter().all(u8::is_ascii_digit) {
        return Err(UnusableReason::WrongAlphabet);
    }
    let sum = kind + weighted(&bytes[1..9], &[3, 2, 7, 6, 5, 4, 3, 2]);
    if bytes[9] != b"00987654321"[(sum % 11) as usize] {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let zeros = bytes[1..9].iter().take_while(|&&byte| byte == digit(0)).count();
    let reading = DocumentReading::verified().with(restored).with_body(1..9);
    let person = matches!(bytes[0], b'V' | b'E') && zeros < 4;
    Ok(if person { reading.carrying(CI, 1 + zeros..9) } else { reading })
}
