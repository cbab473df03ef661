//! Bolivia: cédula de identidad.

use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// Where a cédula was issued, which stands behind the number and is no part of it.
const DEPARTMENTS: [&[u8]; 14] = [
    b"LP", b"CB", b"CBBA", b"SC", b"SCZ", b"OR", b"PT", b"PTS", b"TJ", b"CH", b"BN", b"BE", b"PD",
    b"PA",
];

/// Reads a cédula: up to eight digits, and perhaps a complement of a digit and a letter against doubles.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    let department = DEPARTMENTS.iter().find(|department| number.as_bytes().ends_with(department));
    if let Some(department) = department {
        number.truncate(number.len() - department.len());
    }
    number.drop_leading_zeros();
    let bytes = number.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fits = match bytes.len() - digits {
        0 => (4..=8).contains(&digits),
        1 => (5..=9).contains(&digits) && bytes[digits].is_ascii_uppercase(),
        _ => return Err(UnusableReason::WrongAlphabet),
    };
    if fits { Ok(DocumentReading::unverified()) } else { Err(UnusableReason::WrongLength) }
}
