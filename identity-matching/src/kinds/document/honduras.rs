//! Honduras: DNI and RTN.

use super::check::integer;
use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::DocumentTypeId;
use crate::key::UnusableReason;
use crate::text::Region;

const DNI: DocumentTypeId = DocumentTypeId::new(Region::known(*b"HN"), "DNI");

/// Reads a DNI: department, municipality, year of registration and five digits.
pub(super) fn dni(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(13)?;
    verify(number.as_bytes())?;
    Ok(DocumentReading::unverified().with(marks).with_body(8..13))
}

fn verify(digits: &[u8]) -> Result<(), UnusableReason> {
    let place = (1..=18).contains(&integer(&digits[..2])) && integer(&digits[2..4]) > 0;
    let year = (1880..=2100).contains(&integer(&digits[4..8]));
    if place && year { Ok(()) } else { Err(UnusableReason::NotAssigned) }
}

/// Reads an RTN: fourteen digits; a person's is the DNI and one digit more.
pub(super) fn rtn(number: &mut DocumentNumber) -> Outcome {
    number.require_digits()?;
    let marks = number.fit_zeros(14)?;
    let person = verify(number.as_bytes()).is_ok();
    let reading = DocumentReading::unverified().with(marks).with_body(4..13);
    Ok(if person { reading.carrying(DNI, 0..13) } else { reading })
}
