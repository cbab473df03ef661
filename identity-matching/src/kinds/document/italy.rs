//! Italy: codice fiscale and partita IVA.

use super::check::{digit, integer, is_short_date, luhn_sum, value};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// What a sign in an odd place counts, from 0 to 9 and from A to Z; a digit counts as the letter of its value.
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// Reads a codice fiscale: sixteen signs, the last a check letter modulo 26; an entity's is of eleven digits.
///
/// Where two persons would have the same, letters stand for digits (omocodia): then they belong to the number.
pub(super) fn fiscal_code(number: &mut DocumentNumber) -> Outcome {
    if number.len() == 11 {
        return vat_number(number);
    }
    let bytes = number.as_bytes();
    if bytes.len() != 16 {
        return Err(UnusableReason::WrongLength);
    }
    let numeral = |&byte: &u8| byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte);
    let numerals = [6, 7, 9, 10, 12, 13, 14].iter().all(|&at| numeral(&bytes[at]));
    let letters = [0, 1, 2, 3, 4, 5, 8, 11, 15].iter().all(|&at| bytes[at].is_ascii_uppercase());
    if !numerals || !letters {
        return Err(UnusableReason::WrongAlphabet);
    }
    let digit_of = |at: usize| match b"LMNPQRSTUV".iter().position(|&letter| letter == bytes[at]) {
        Some(value) => u32::try_from(value).unwrap_or_default(),
        None => value(bytes[at]),
    };
    let month = b"ABCDEHLMPRST".iter().position(|&letter| letter == bytes[8]);
    let month =
        month.and_then(|at| u32::try_from(at + 1).ok()).ok_or(UnusableReason::NotAssigned)?;
    // Forty is added to the day of a woman.
    let day = digit_of(9) * 10 + digit_of(10);
    let day = if day > 40 { day - 40 } else { day };
    let date = [digit_of(6), digit_of(7), month / 10, month % 10, day / 10, day % 10].map(digit);
    if !is_short_date(&date) {
        return Err(UnusableReason::NotAssigned);
    }
    let sign =
        |byte: u8| usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    let weigh = |(at, &byte): (usize, &u8)| {
        if at.is_multiple_of(2) {
            ODD[sign(byte)]
        } else {
            u32::try_from(sign(byte)).unwrap_or_default()
        }
    };
    let sum: u32 = bytes[..15].iter().enumerate().map(weigh).sum();
    if u32::from(bytes[15] - b'A') != sum % 26 {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified())
}

/// Reads a partita IVA: ten digits and a check digit by Luhn's sum.
pub(super) fn vat_number(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(11)?;
    let bytes = number.as_bytes();
    // The office of the province that issued it.
    if !matches!(integer(&bytes[7..10]), 1..=100 | 120 | 121 | 888 | 999) {
        return Err(UnusableReason::NotAssigned);
    }
    if bytes[10] != digit((10 - luhn_sum(&bytes[..10], 1) % 10) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(marks).with_body(0..7))
}
