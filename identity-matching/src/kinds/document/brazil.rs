//! Brazil: CPF and CNPJ.

use super::check::{digit, value};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// Reads a CPF: nine digits and two check digits modulo 11.
pub(super) fn cpf(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let restored = number.fit_zeros(11)?;
    let bytes = number.as_bytes();
    for length in [9, 10] {
        let sum: u32 =
            bytes[..length].iter().rev().zip(2..).map(|(&byte, weight)| value(byte) * weight).sum();
        if bytes[length] != digit(sum * 10 % 11) {
            return Err(UnusableReason::WrongCheckDigit);
        }
    }
    Ok(DocumentReading::verified().with(restored).with_body(0..9))
}

/// Reads a CNPJ: twelve letters or digits and two check digits modulo 11.
///
/// Letters are issued since July 2026 and count as their ASCII code minus 48.
pub(super) fn cnpj(number: &mut DocumentNumber) -> Outcome {
    let restored = number.fit_zeros(14)?;
    let bytes = number.as_bytes();
    let alphabet = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    if !bytes[..12].iter().all(alphabet) || !bytes[12..].iter().all(u8::is_ascii_digit) {
        return Err(UnusableReason::WrongAlphabet);
    }
    for length in [12, 13] {
        // Weights 2 to 9 from the right, and again.
        let weights = (2..=9_u32).cycle();
        let sum: u32 = bytes[..length]
            .iter()
            .rev()
            .zip(weights)
            .map(|(&byte, weight)| u32::from(byte - b'0') * weight)
            .sum();
        if bytes[length] != digit(sum * 10 % 11) {
            return Err(UnusableReason::WrongCheckDigit);
        }
    }
    // A root of zeros is a bank's; a root of another digit repeated is nobody's.
    let body = if bytes.starts_with(b"00000000") { 0..14 } else { 0..8 };
    Ok(DocumentReading::verified().with(restored).with_body(body))
}
