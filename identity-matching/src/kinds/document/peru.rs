//! Peru: DNI, RUC, carné de extranjería.

use super::check::{digit, weighted};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome, Second};
use crate::key::UnusableReason;
use crate::key::{DocumentTypeId, Reading};
use crate::text::Region;

const DNI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PE"), "DNI");

const CE: DocumentTypeId = DocumentTypeId::new(Region::known(*b"PE"), "CE");

/// Reads a DNI: eight digits, and perhaps the verification character printed behind them, which is a digit
/// or a letter and is checked and dropped.
///
/// Nine digits that begin with a zero may be eight behind a zero that a fixed width put there, and more always are:
/// nothing proves them, so they are supposed.
pub(super) fn dni(number: &mut DocumentNumber) -> Outcome {
    if number.len() == 9 {
        let (body, check) = number.as_bytes().split_at(8);
        if !body.iter().all(u8::is_ascii_digit) {
            return Err(UnusableReason::WrongAlphabet);
        }
        if is_check(body, check[0]) {
            number.truncate(8);
            return Ok(DocumentReading::verified());
        }
        if !number.is_digits() || number.behind_dash().is_some() || body[0] != b'0' {
            return Err(UnusableReason::WrongCheckDigit);
        }
    }
    number.require_digits()?;
    if number.len() > 8 {
        let marks = number.fit_zeros(8)?;
        return Ok(DocumentReading::unverified().with(marks).supposed());
    }
    let restored = number.restore_zeros(8)?;
    Ok(DocumentReading::unverified().with(restored))
}

fn is_check(body: &[u8], check: u8) -> bool {
    let at = (11 - weighted(body, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    let at = at as usize;
    check == b"67890112345"[at] || check == b"KABCDEFGHIJ"[at]
}

/// Nine digits behind a zero, without a dash: a DNI behind a zero, or a carné de extranjería.
pub(super) fn dni_of_nine(written: &DocumentNumber, second: &mut Second<'_>) {
    let zero = written.len() == 9 && written.is_digits() && written.as_bytes()[0] == b'0';
    if !zero || written.behind_dash().is_some() {
        return;
    }
    let mut padded = *written;
    padded.drop_front(1);
    let reading = DocumentReading::unverified().with(Reading::PADDING_DROPPED).supposed();
    second(padded, reading);
    if infers_foreigner_card(written) {
        second(*written, DocumentReading::unverified().of_kind(CE).supposed());
    }
}

/// Reads a RUC: eleven digits, the last of which checks the others modulo 11; a natural person's begins
/// with 10 and carries the DNI.
pub(super) fn ruc(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let padding = number.fit_zeros(11).and_then(|marks| match marks {
        Reading::ZEROS_RESTORED => Err(UnusableReason::WrongLength),
        marks => Ok(marks),
    })?;
    let bytes = number.as_bytes();
    if !matches!(&bytes[..2], b"10" | b"15" | b"16" | b"17" | b"20") {
        return Err(UnusableReason::NotAssigned);
    }
    let sum = weighted(bytes, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    if bytes[10] != digit((11 - sum % 11) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let reading = DocumentReading::verified().with(padding).with_body(2..10);
    Ok(if bytes.starts_with(b"10") { reading.carrying(DNI, 2..10) } else { reading })
}

/// Reads a carné de extranjería: nine digits, or up to twelve letters and digits of older ones. Digits that zeros fill up to
/// twelve, as files of fixed width do, are those nine.
pub(super) fn foreigner_card(number: &mut DocumentNumber) -> Outcome {
    // The type before the number: `CE001234567`.
    if let Some(digits) = number.as_bytes().strip_prefix(b"CE")
        && (6..=9).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
    {
        number.drop_front(2);
    }
    if number.is_digits() && number.len() < 9 {
        let restored = number.restore_zeros(9)?;
        return Ok(DocumentReading::unverified().with(restored));
    }
    if number.is_digits() && number.len() > 9 && number.as_bytes().starts_with(b"000") {
        let marks = number.fit_zeros(9)?;
        return Ok(DocumentReading::unverified().with(marks).supposed());
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
