//! Mexico: CURP and RFC.

use super::check::{digit, is_short_date};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::Reading;
use crate::key::UnusableReason;

/// Codes of the states in a CURP, and `NE` for born abroad.
const STATES: &[u8] = b"ASBCBSCCCHCLCMCSDFDGGRGTHGJCMCMNMSNENLNTOCPLQRQTSLSPSRTCTLTSVZYNZS";

/// Reads a CURP: letters of the name, date of birth, sex, state, consonants, a sign against homonyms and a
/// check digit.
pub(super) fn curp(number: &mut DocumentNumber) -> Outcome {
    let bytes = number.as_bytes();
    if bytes.len() != 18 {
        return Err(UnusableReason::WrongLength);
    }
    let letters = |part: &[u8]| part.iter().all(u8::is_ascii_uppercase);
    let sex = matches!(bytes[10], b'H' | b'M' | b'X');
    let serial = bytes[16].is_ascii_digit() || bytes[16].is_ascii_uppercase();
    let shape = letters(&bytes[..4])
        && bytes[4..10].iter().all(u8::is_ascii_digit)
        && sex
        && letters(&bytes[11..16])
        && serial
        && bytes[17].is_ascii_digit();
    if !shape {
        return Err(UnusableReason::WrongAlphabet);
    }
    // The generic number of foreigners without a CURP.
    if bytes.starts_with(b"XEXX010101") {
        return Err(UnusableReason::Placeholder);
    }
    let state = STATES.chunks(2).any(|state| state == &bytes[11..13]);
    if !state || !is_short_date(&bytes[4..10]) {
        return Err(UnusableReason::NotAssigned);
    }
    let sum: u32 =
        bytes.iter().zip((2..=18_u32).rev()).map(|(&byte, w)| curp_value(byte) * w).sum();
    if bytes[17] != digit((10 - sum % 10) % 10) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified())
}

/// Values run 0 to 9, A to N, Ñ, O to Z.
fn curp_value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'N' => u32::from(byte - b'A') + 10,
        _ => u32::from(byte.saturating_sub(b'O')) + 25,
    }
}

/// Reads an RFC with its three last signs: thirteen letters and digits for a person, twelve for a company.
///
/// The check digit marks a number as verified when it fits; numbers whose check digit does not fit are in
/// use, so it refuses none.
pub(super) fn rfc(number: &mut DocumentNumber) -> Outcome {
    let text = number.as_str();
    let length = text.chars().count();
    let Some(letters) = length.checked_sub(9).filter(|letters| matches!(letters, 3 | 4)) else {
        return Err(UnusableReason::WrongLength);
    };
    let split = text.char_indices().nth(letters).map_or(0, |(at, _)| at);
    let (name, rest) = text.split_at(split);
    let rest = rest.as_bytes();
    let is_letter = |letter: char| letter.is_ascii_uppercase() || matches!(letter, 'Ñ' | '&');
    let plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if !name.chars().all(is_letter)
        || rest.len() != 9
        || !rest[..6].iter().all(u8::is_ascii_digit)
        || !rest[6..].iter().all(plain)
    {
        return Err(UnusableReason::WrongAlphabet);
    }
    // The two generic numbers, of sales to the public and to foreigners.
    if matches!(text, "XAXX010101000" | "XEXX010101000") {
        return Err(UnusableReason::Placeholder);
    }
    if !is_short_date(&rest[..6]) {
        return Err(UnusableReason::NotAssigned);
    }
    // A company's name is taken as four signs, the first a blank.
    let signs = text.chars().take(length - 1).map(rfc_value);
    let weights = if letters == 3 { 2..=12_u32 } else { 2..=13_u32 };
    let blank = if letters == 3 { 37 * 13 } else { 0 };
    let sum: u32 =
        blank + signs.zip(weights.rev()).map(|(value, weight)| value * weight).sum::<u32>();
    let check = match 11 - sum % 11 {
        11 => b'0',
        10 => b'A',
        rest => digit(rest),
    };
    let reading = DocumentReading::unverified();
    Ok(if check == rest[8] { reading.with(Reading::CHECK_VERIFIED) } else { reading })
}

/// Values run 0 to 9, A to N, &, O to Z, blank, Ñ.
fn rfc_value(sign: char) -> u32 {
    match sign {
        '0'..='9' => u32::from(sign) - u32::from('0'),
        'A'..='N' => u32::from(sign) - u32::from('A') + 10,
        '&' => 24,
        'O'..='Z' => u32::from(sign) - u32::from('O') + 25,
        'Ñ' => 38,
        _ => 37,
    }
}
