//! Numbers that stand for none.

use super::DocumentNumber;
use crate::key::UnusableReason;
use crate::text::filler;

/// Compacts a number; a text that says there is none is a filler.
pub(super) fn compact(raw: &str) -> Result<DocumentNumber, UnusableReason> {
    let number = match DocumentNumber::compact(raw) {
        Ok(number) => number,
        Err(UnusableReason::TooLong) => return Err(UnusableReason::TooLong),
        Err(_) if filler::says_nothing(raw) => return Err(UnusableReason::Placeholder),
        Err(reason) => return Err(reason),
    };
    // Mostly the first letter settles it.
    let has_digit = number.as_bytes().iter().any(u8::is_ascii_digit);
    if !has_digit && filler::says_nothing(raw) {
        return Err(UnusableReason::Placeholder);
    }
    Ok(number)
}

/// Tells whether a number that no rule accepts is a filler: then that is the better reason.
pub(super) fn is_filler_number(raw: &str) -> bool {
    let written = compact(raw);
    written.is_ok_and(|written| written.len() > 2 && is_filler_body(written.as_bytes()))
        || filler::says_nothing(raw)
}

/// Tells whether digits are zeros only, one digit repeated, or a run, also behind restored zeros.
pub(super) fn is_filler_body(body: &[u8]) -> bool {
    // Mostly the first three digits settle it.
    if let [first @ b'1'..=b'9', second @ b'0'..=b'9', third @ b'0'..=b'9', ..] = body
        && (second + 10 - first) % 10 != (third + 10 - second) % 10
    {
        return false;
    }
    if !body.iter().all(u8::is_ascii_digit) {
        let Some((&first, rest)) = body.split_first() else { return false };
        return rest.len() > 1 && rest.iter().all(|&byte| byte == first);
    }
    let zeros = body.iter().take_while(|&&digit| digit == b'0').count();
    let rest = &body[zeros..];
    rest.is_empty()
        || rest.len() == 1 && zeros > 5
        || filler::is_repeated_or_run(body)
        || zeros > 0 && rest.len() >= 5 && filler::is_repeated_or_run(rest)
}
