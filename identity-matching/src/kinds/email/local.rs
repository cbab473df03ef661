//! Local parts that are nobody's name: fillers, roles, signs alone.

use super::address::LOCAL_MAX;
use super::rules::{AddressUse, EmailTable, Local};
use crate::key::UnusableReason;
use crate::text::filler;

/// Refuses fillers, and roles that are unusable, by the local part; tells whether it is a role.
pub(super) fn check(local: &str, domain: &str, table: &EmailTable) -> Result<bool, UnusableReason> {
    let mut squeezed = [0; LOCAL_MAX];
    let (mut length, mut seen) = (0, 0);
    for &byte in local.as_bytes().iter().take(LOCAL_MAX) {
        let class = CLASS[usize::from(byte)];
        squeezed[length] = byte;
        length += usize::from(class & SEPARATOR == 0);
        seen |= class;
    }
    // Signs alone are nobody's name.
    if seen & NAMED == 0 {
        return Err(UnusableReason::Malformed);
    }
    let name = &squeezed[..length];
    let known = table.local(name);
    match known {
        Some(Local::Filler) => return Err(UnusableReason::Placeholder),
        Some(Local::Role) if table.roles == AddressUse::Unusable => {
            return Err(UnusableReason::RoleAddress);
        }
        _ => {}
    }
    if filler::is_keyboard_run(name) || is_filler_phrase(name, domain) {
        return Err(UnusableReason::Placeholder);
    }
    // `a@a.com`, `123456@…`, `...@…`.
    let echoed = length <= 3 && first_label(domain) == local;
    if length == 0 || echoed || seen & OTHER == 0 && filler::is_repeated_or_run(name) {
        return Err(UnusableReason::Placeholder);
    }
    Ok(known == Some(Local::Role))
}

/// Tells whether local part and domain say together that there is none, as `no@tiene.com` and `sin@correo.com` do, or a
/// filler has digits behind it: `test1@…`.
pub(super) fn is_filler_phrase(name: &[u8], domain: &str) -> bool {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let bare = &name[..name.len() - digits];
    let numbered = digits > 0
        && matches!(
            bare,
            b"test" | b"prueba" | b"teste" | b"correo" | b"email" | b"mail" | b"demo" | b"fake"
        );
    let starts = match name {
        b"no" => "no",
        b"sin" => "sin",
        b"nao" => "nao",
        b"sem" => "sem",
        b"not" => "not",
        b"none" => "none",
        b"nada" => "nada",
        _ => return numbered,
    };
    let label = first_label(domain);
    numbered || label.len() < 12 && filler::is_filler(&format!("{starts}{label}"))
}

/// Returns what stands before the first dot of a domain.
fn first_label(domain: &str) -> &str {
    let dot = domain.bytes().position(|byte| byte == b'.');
    &domain[..dot.unwrap_or(domain.len())]
}

/// Marks of the bytes of a local part: of a letter or digit, of what is no digit, of what parts a name.
const NAMED: u8 = 1;
const OTHER: u8 = 2;
const SEPARATOR: u8 = 4;

static CLASS: [u8; 256] = {
    let mut class = [OTHER; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        match byte {
            b'.' | b'-' | b'_' => class[byte as usize] = SEPARATOR,
            b'0'..=b'9' => class[byte as usize] = NAMED,
            b'A'..=b'Z' | b'a'..=b'z' | 128.. => class[byte as usize] = NAMED | OTHER,
            _ => {}
        }
        byte -= 1;
    }
    class
};
