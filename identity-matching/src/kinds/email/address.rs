//! The syntax of addresses, as mailbox providers really take them.

use crate::key::UnusableReason;

/// Longest local part (RFC 5321, section 4.5.3.1.1).
pub(super) const LOCAL_MAX: usize = 64;
/// Longest address: a path of 256 without its angle brackets (RFC 3696, erratum 1690).
const ADDRESS_MAX: usize = 254;

/// An address in lower case, its domain in ASCII form.
pub(super) struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// Reads an address of ASCII letters and signs where it stands, or leaves it to [`Address::of_parts`].
    ///
    /// Most addresses are in lower case already; `buffer` takes the others. Gives the place of the `@` in the text.
    pub(super) fn read_plain<'t>(
        raw: &'t str,
        buffer: &'t mut [u8; ADDRESS_MAX],
    ) -> Option<(usize, &'t str)> {
        let raw = raw.trim_ascii();
        let bytes = raw.as_bytes();
        let at = bytes.iter().position(|&byte| byte == b'@')?;
        // A sign that nobody's address begins with is no part of it.
        let named = bytes[0].is_ascii_alphanumeric() || bytes[0] == b'_';
        if at > LOCAL_MAX || bytes.len() > ADDRESS_MAX || !named {
            return None;
        }
        let mut seen = 0;
        let mut dotted = true;
        for &byte in &bytes[..at] {
            let class = CLASS[usize::from(byte)];
            // Neither a dot at an end nor two in a row.
            if class & ATOM == 0 && (byte != b'.' || dotted) {
                return None;
            }
            dotted = byte == b'.';
            seen |= class;
        }
        if dotted {
            return None;
        }
        seen |= domain_marks(&bytes[at + 1..])?;
        if seen & UPPER == 0 {
            return Some((at, raw));
        }
        let lower = buffer.get_mut(..bytes.len())?;
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        Some((at, std::str::from_utf8(lower).ok()?))
    }

    /// Reads an address from its two parts.
    pub(super) fn of_parts(local: &str, domain: &str) -> Result<Self, UnusableReason> {
        let local = local.to_lowercase();
        if !is_local(&local) {
            return Err(UnusableReason::Malformed);
        }
        let domain = idna::uts46::Uts46::new()
            .to_ascii(
                domain.as_bytes(),
                idna::AsciiDenyList::STD3,
                idna::uts46::Hyphens::Allow,
                idna::uts46::DnsLength::Verify,
            )
            .map_err(|_| UnusableReason::Malformed)?;
        if !is_public_domain(&domain) || local.len() + 1 + domain.len() > ADDRESS_MAX {
            return Err(UnusableReason::Malformed);
        }
        Ok(Self { at: local.len(), text: format!("{local}@{domain}") })
    }

    pub(super) fn parts(&self) -> (&str, &str) {
        (&self.text[..self.at], &self.text[self.at + 1..])
    }
}

/// Reads a domain of ASCII letters, digits and hyphens that needs no closer look; gives the marks of its bytes.
fn domain_marks(domain: &[u8]) -> Option<u8> {
    let (mut length, mut labels, mut of_label, mut before) = (0_usize, 1, 0, b'-');
    let mut seen = 0;
    for &byte in domain {
        let class = CLASS[usize::from(byte)];
        if class & (LETTER | DIGIT) != 0 {
            length += 1;
            of_label |= class;
        } else if length == 0 || before == b'-' {
            // Two hyphens may be Punycode, which needs a closer look.
            return None;
        } else if byte == b'-' {
            length += 1;
            of_label |= DIGIT;
        } else if byte == b'.' {
            (length, of_label) = (0, 0);
            labels += 1;
        } else {
            return None;
        }
        if length > 63 {
            return None;
        }
        before = byte;
        seen |= class;
    }
    // The last label of a public name is of letters, two at least.
    if labels == 1 || length < 2 || of_label & DIGIT != 0 { None } else { Some(seen) }
}

/// Tells whether a domain is in lower case and needs no closer look.
pub(super) fn is_plain_domain(domain: &[u8]) -> bool {
    domain_marks(domain).is_some_and(|seen| seen & UPPER == 0)
}

/// Marks of bytes: of a plain atom, a letter, a digit, a capital.
const ATOM: u8 = 1;
const LETTER: u8 = 2;
const DIGIT: u8 = 4;
const UPPER: u8 = 8;

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        // A sign that may part two addresses is left to a closer look.
        if is_atom(byte) && !matches!(byte, b'/' | b'|' | b'=' | b'?') {
            class[byte as usize] = match byte {
                b'a'..=b'z' => ATOM | LETTER,
                b'A'..=b'Z' => ATOM | LETTER | UPPER,
                b'0'..=b'9' => ATOM | DIGIT,
                _ => ATOM,
            };
        }
        byte += 1;
    }
    class
};

/// Letters, digits and signs of an atom (RFC 5322, section 3.2.3).
const fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?'
        )
        || matches!(byte, b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~')
}

/// Tells whether a local part is atoms with dots between, of ASCII or other letters (RFC 6531).
fn is_local(local: &str) -> bool {
    let sign = |character: char| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => is_atom(byte),
        _ => character.is_alphanumeric(),
    };
    !local.is_empty()
        && local.len() <= LOCAL_MAX
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(sign))
}

/// Tells whether a name in ASCII form is of two labels at least, none with a hyphen at an end, the last
/// one no number.
fn is_public_domain(domain: &str) -> bool {
    let Some((_, last)) = domain.rsplit_once('.') else { return false };
    let labels = domain.split('.').all(|label| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.len() < 64
    });
    let punycode = last.starts_with("xn--");
    labels && last.len() > 1 && (punycode || last.bytes().all(|byte| byte.is_ascii_lowercase()))
}

pub(super) const BUFFER: usize = ADDRESS_MAX;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_plain_reading_never_differs_from_the_full_one(
            raw in "[ ]?[a-zA-Z0-9.!'+_-]{1,12}@[a-zA-Z0-9.-]{1,14}(\\.[a-zA-Z]{1,4})?",
        ) {
            let mut buffer = [0; BUFFER];
            if let Some((at, text)) = Address::read_plain(&raw, &mut buffer) {
                let (local, domain) = raw.trim().split_once('@').unwrap();
                let full = Address::of_parts(local, domain);
                let full = full.map(|full| (full.at, full.text));
                prop_assert_eq!(full, Ok((at, text.to_owned())));
                // What stands around an address is nothing here.
                let found = super::super::written::addresses(&raw);
                prop_assert_eq!(found, Ok(vec![(local, domain)]));
            }
        }
    }
}
