//! Costa Rica: cédula física, cédula jurídica, DIMEX.

use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::UnusableReason;

/// Reads a cédula física: a digit for the province, and two groups of four, which dashes may cut short.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.pad_groups(&[1, 4, 4]).unwrap_or_default();
    if number.len() == 10 && number.as_bytes()[0] == b'0' {
        number.drop_front(1);
    }
    if number.len() != 9 {
        return Err(UnusableReason::WrongLength);
    }
    if number.as_bytes()[0] == b'0' {
        return Err(UnusableReason::NotAssigned);
    }
    Ok(DocumentReading::unverified().with(marks))
}

/// Reads a cédula jurídica: ten digits that begin with the class of the entity, 2 to 5.
pub(super) fn company(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.pad_groups(&[1, 3, 6]).unwrap_or_default();
    match (number.len(), number.as_bytes()[0]) {
        (10, b'2'..=b'5') => Ok(DocumentReading::unverified().with(marks)),
        (10, _) => Err(UnusableReason::NotAssigned),
        _ => Err(UnusableReason::WrongLength),
    }
}

/// Reads a DIMEX: eleven or twelve digits, the first a 1.
pub(super) fn dimex(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    match (number.len(), number.as_bytes()[0]) {
        (11 | 12, b'1') => Ok(DocumentReading::unverified()),
        (11 | 12, _) => Err(UnusableReason::NotAssigned),
        _ => Err(UnusableReason::WrongLength),
    }
}
