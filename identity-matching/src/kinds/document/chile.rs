//! Chile: RUT, which for persons is the RUN.

use super::check::value;
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome, Second};
use crate::key::Reading;
use crate::key::UnusableReason;

/// Reads a RUT: up to eight digits, nine of provisional ones, and a verification character, 0 to 9 or K, modulo 11.
///
/// Digits in groups of three without a dash are all of the body: the character is missing, and added. Nine of them are
/// so only of a provisional number, which begins with 100; of others a spreadsheet has grouped the character, too.
pub(super) fn rut(number: &mut DocumentNumber) -> Outcome {
    if matches!(number.len(), 9..=11) && number.as_bytes().starts_with(b"CL") {
        number.drop_front(2);
    }
    let padding = if number.len() > 9 { number.fit_zeros(10)? } else { Reading::new() };
    let whole = number.len() == 9 && !number.as_bytes().starts_with(b"100");
    if number.is_grouped() && number.behind_dash().is_none() && number.is_digits() && !whole {
        return complete(number);
    }
    let short = number.len() == 10 && number.as_bytes()[0] == b'0';
    let restored = if short {
        number.drop_front(1);
        Reading::PADDING_DROPPED
    } else if number.len() < 10 {
        number.restore_zeros(9)?
    } else {
        padding
    };
    let (digits, check) = number.as_bytes().split_at(number.len() - 1);
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(check[0], b'0'..=b'9' | b'K') {
        return Err(UnusableReason::WrongAlphabet);
    }
    if check[0] != character(digits) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let body = 0..digits.len();
    Ok(DocumentReading::verified().with(restored).with_body(body))
}

/// The digits without their verification character, which a dash would set apart.
pub(super) fn without_check(written: &DocumentNumber, second: &mut Second<'_>) {
    let mut number = *written;
    if written.behind_dash().is_none()
        && number.is_digits()
        && matches!(number.len(), 7 | 8)
        && let Ok(reading) = complete(&mut number)
    {
        second(number, reading);
    }
}

fn complete(number: &mut DocumentNumber) -> Outcome {
    if !(6..=9).contains(&number.len()) {
        return Err(UnusableReason::WrongLength);
    }
    let restored = if number.len() == 9 { Reading::new() } else { number.restore_zeros(8)? };
    let body = 0..number.len();
    number.append(character(number.as_bytes()))?;
    Ok(DocumentReading::unverified().with(restored).with_body(body).completed())
}

fn character(digits: &[u8]) -> u8 {
    let weights = (2..=7_u32).cycle();
    let sum: u32 =
        digits.iter().rev().zip(weights).map(|(&digit, weight)| value(digit) * weight).sum();
    b"0K987654321"[(sum % 11) as usize]
}
