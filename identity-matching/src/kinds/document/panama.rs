//! Panama: cédula de identidad personal.

use super::number::DocumentNumber;
use super::rule::{DocumentReading, Outcome};
use crate::key::Reading;
use crate::key::UnusableReason;

/// Reads a cédula: a province or a sign of the kind of citizen, a book and an entry, which dashes part: `8-123-4567`,
/// `PE-12-345`, `E-8-12345`. `AV` (registered before the civil registry) and `PI` (indigenous) stand behind the province,
/// with a dash or without: `8-AV-123-456`, `8AV-123-456`. Blanks part them as well. Canonical with all parts in full
/// length; without what parts them it cannot be read.
pub(super) fn cedula(number: &mut DocumentNumber) -> Outcome {
    let letters = number.as_bytes().iter().take_while(|byte| !byte.is_ascii_digit()).count();
    let padded = [&[2, 4, 6][..], &[2, 2, 4, 6], &[4, 4, 6]]
        .into_iter()
        .find_map(|lengths| number.pad_groups(lengths));
    let canonical = matches!(number.len(), 12 | 14);
    let marks = match padded {
        Some(marks) => marks,
        None if canonical => Reading::default(),
        None => return Err(UnusableReason::Ambiguous),
    };
    let bytes = number.as_bytes();
    if let [b'0' | b'1', b'0'..=b'9', b'A', b'V', rest @ ..]
    | [b'0' | b'1', b'0'..=b'9', b'P', b'I', rest @ ..] = bytes
        && rest.len() == 10
        && rest.iter().all(u8::is_ascii_digit)
        && (b"01".as_slice()..=b"13").contains(&&bytes[..2])
    {
        return Ok(DocumentReading::unverified().with(marks));
    }
    let (head, rest) = bytes.split_at(2);
    let known = match head {
        [b'0'..=b'9', b'0'..=b'9'] => letters == 0 && (b"01".as_slice()..=b"13").contains(&head),
        _ => matches!(head, b"0E" | b"0N" | b"PE" | b"PI" | b"AV"),
    };
    if rest.len() != 10 || !rest.iter().all(u8::is_ascii_digit) || !known {
        return Err(UnusableReason::NotAssigned);
    }
    Ok(DocumentReading::unverified().with(marks))
}
