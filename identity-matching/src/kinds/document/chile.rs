//! Chile: RUT, which for persons is the RUN.

use super::check::value;
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::normalise::UnusableReason;

/// Reads a RUT: up to eight digits and a verification character, 0 to 9 or K, modulo 11.
pub(super) fn rut(number: &mut DocumentNumber) -> Outcome {
    if number.len() == 11 && number.as_bytes().starts_with(b"CL") {
        number.drop_front(2);
    }
    let restored = number.restore_zeros(9)?;
    let (digits, check) = number.as_bytes().split_at(8);
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(check[0], b'0'..=b'9' | b'K') {
        return Err(UnusableReason::WrongAlphabet);
    }
    let sum: u32 =
        digits.iter().rev().zip([2, 3, 4, 5, 6, 7, 2, 3]).map(|(&d, w)| value(d) * w).sum();
    if check[0] != b"0K987654321"[(sum % 11) as usize] {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(restored).with_body(0..8))
}
