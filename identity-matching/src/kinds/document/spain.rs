//! Spain: DNI, NIE, CIF, and NIF, which is any of them.

use super::check::{integer, luhn_sum};
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const SPAIN: Region = Region::known(*b"ES");
const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// Returns the check letter of a number: its remainder by 23 picks it.
fn letter(number: u32) -> u8 {
    LETTERS[(number % 23) as usize]
}

/// Reads a DNI: eight digits and their letter; the letter is added where it is missing.
pub(super) fn dni(number: &mut DocumentNumber) -> Outcome {
    if number.is_digits() {
        let restored = number.restore_zeros(8)?;
        number.append(letter(integer(number.as_bytes())))?;
        return Ok(DocumentReading::unverified().with(restored).with_body(0..8).completed());
    }
    // Zeros of a fixed width say nothing: the letter proves the rest.
    let restored = number.fit_zeros(9)?;
    let (digits, check) = number.as_bytes().split_at(8);
    if !digits.iter().all(u8::is_ascii_digit) || !check[0].is_ascii_uppercase() {
        return Err(UnusableReason::WrongAlphabet);
    }
    if check[0] != letter(integer(digits)) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(restored).with_body(0..8))
}

/// Reads a NIE: X, Y or Z, seven digits and a letter, which is added where it is missing; X counts as 0, Y as 1 and Z as 2. The
/// eight digits that were once written behind X begin with a zero, which is dropped.
pub(super) fn nie(number: &mut DocumentNumber) -> Outcome {
    let &[first @ (b'X' | b'Y' | b'Z'), ..] = number.as_bytes() else {
        return Err(UnusableReason::WrongAlphabet);
    };
    if number.len() == 10 && number.as_bytes()[1] == b'0' {
        let written = *number;
        number.truncate(1);
        written.as_bytes()[2..].iter().try_for_each(|&byte| number.append(byte))?;
    }
    if number.len() <= 8 && number.as_bytes()[1..].iter().all(u8::is_ascii_digit) {
        let restored = number.restore_zeros_at(1, 8)?;
        let body = u32::from(first - b'X') * 10_000_000 + integer(&number.as_bytes()[1..]);
        number.append(letter(body))?;
        return Ok(DocumentReading::unverified().with(restored).with_body(1..8).completed());
    }
    let restored = number.restore_zeros_at(1, 9)?;
    let (digits, check) = (&number.as_bytes()[1..8], number.as_bytes()[8]);
    if !digits.iter().all(u8::is_ascii_digit) || !check.is_ascii_uppercase() {
        return Err(UnusableReason::WrongAlphabet);
    }
    if check != letter(u32::from(first - b'X') * 10_000_000 + integer(digits)) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with(restored).with_body(1..8))
}

/// Reads a CIF: a letter for the kind of entity, seven digits, and a check digit or letter.
///
/// Kinds N, P, Q, R, S and W have a letter, A, B, E and H a digit, the others either. As either is met with
/// all of them, either is read, and the letter or the digit is what is kept.
pub(super) fn cif(number: &mut DocumentNumber) -> Outcome {
    let bytes = number.as_bytes();
    let &[kind, .., check] = bytes else { return Err(UnusableReason::WrongLength) };
    if !kind.is_ascii_uppercase() {
        return Err(UnusableReason::WrongAlphabet);
    }
    if !b"ABCDEFGHJNPQRSUVW".contains(&kind) {
        return Err(UnusableReason::NotAssigned);
    }
    if bytes.len() != 9 {
        return Err(UnusableReason::WrongLength);
    }
    let digits = &bytes[1..8];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(UnusableReason::WrongAlphabet);
    }
    let control = ((10 - luhn_sum(digits, 2) % 10) % 10) as usize;
    let (as_digit, as_letter) = (b"0123456789"[control], b"JABCDEFGHI"[control]);
    if check != as_digit && check != as_letter {
        return Err(UnusableReason::WrongCheckDigit);
    }
    let kept = if b"NPQRSW".contains(&kind) { as_letter } else { as_digit };
    number.truncate(8);
    number.append(kept)?;
    Ok(DocumentReading::verified().with_body(1..8))
}

/// Reads a NIF: a DNI, a NIE, a CIF, or the K, L or M of a natural person who has neither of the first two.
pub(super) fn nif(number: &mut DocumentNumber) -> Outcome {
    if number.len() == 11 && number.as_bytes().starts_with(b"ES") {
        number.drop_front(2);
    }
    let Some(&first) = number.as_bytes().first() else { return Err(UnusableReason::WrongLength) };
    match first {
        b'0'..=b'9' => dni(number).map(|read| read.of_kind(DocumentTypeId::new(SPAIN, "DNI"))),
        b'X'..=b'Z' => nie(number).map(|read| read.of_kind(DocumentTypeId::new(SPAIN, "NIE"))),
        b'K' | b'L' | b'M' => natural_person(number),
        _ => cif(number).map(|read| read.of_kind(DocumentTypeId::new(SPAIN, "CIF"))),
    }
}

fn natural_person(number: &mut DocumentNumber) -> Outcome {
    let bytes = number.as_bytes();
    if bytes.len() != 9 {
        return Err(UnusableReason::WrongLength);
    }
    if !bytes[1..8].iter().all(u8::is_ascii_digit) {
        return Err(UnusableReason::WrongAlphabet);
    }
    if bytes[8] != letter(integer(&bytes[1..8])) {
        return Err(UnusableReason::WrongCheckDigit);
    }
    Ok(DocumentReading::verified().with_body(1..8))
}
