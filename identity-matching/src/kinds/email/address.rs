//! The syntax of addresses, as mailbox providers really take them.

use crate::key::UnusableReason;

/// Longest local part (RFC 5321, section 4.5.3.1.1).
pub(super) const LOCAL_MAX: usize = 64;
/// Longest address: a path of 256 without its angle brackets (RFC 3696, erratum 1690).
const ADDRESS_MAX: usize = 254;

/// Holds an address in lower case, its domain in ASCII form.
pub(super) struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// Reads an address of ASCII letters and signs into `buffer`, or leaves it to [`Address::of_parts`].
    ///
    /// Gives the place of the `@` in what is then in the buffer.
    pub(super) fn read_plain(raw: &str, buffer: &mut [u8; ADDRESS_MAX]) -> Option<(usize, usize)> {
        let bytes = raw.as_bytes().trim_ascii();
        let at = bytes.iter().position(|&byte| byte == b'@')?;
        // A sign that nobody's address begins with is no part of it.
        let named = bytes[0].is_ascii_alphanumeric() || bytes[0] == b'_';
        if at > LOCAL_MAX || !named || bytes[..at].iter().any(|byte| b"/|=?".contains(byte)) {
            return None;
        }
        let target = buffer.get_mut(..bytes.len())?;
        let mut dotted = true;
        for (slot, &byte) in target[..at].iter_mut().zip(bytes) {
            *slot = LOWER_ATOM[usize::from(byte)];
            // Neither a dot at an end nor two in a row.
            let dot = byte == b'.';
            if *slot == 0 && (!dot || dotted) {
                return None;
            }
            if dot {
                *slot = byte;
            }
            dotted = dot;
        }
        if dotted {
            return None;
        }
        target[at] = b'@';
        let mut label = 0_usize;
        let mut labels = 1;
        let mut letters = true;
        let mut before = b'-';
        for (slot, &byte) in target[at + 1..].iter_mut().zip(&bytes[at + 1..]) {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' => label += 1,
                b'0'..=b'9' => {
                    label += 1;
                    letters = false;
                }
                // Two hyphens may be Punycode, which needs a closer look.
                b'-' if label > 0 && before != b'-' => {
                    label += 1;
                    letters = false;
                }
                b'.' if label > 0 && before != b'-' => {
                    label = 0;
                    labels += 1;
                    letters = true;
                }
                _ => return None,
            }
            if label > 63 {
                return None;
            }
            before = byte;
            *slot = byte | if byte.is_ascii_uppercase() { 0x20 } else { 0 };
        }
        // The last label of a public name is of letters, two at least.
        (labels > 1 && letters && label > 1).then_some((at, bytes.len()))
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

/// The letters, digits and signs of an atom in lower case; zero for all other bytes.
static LOWER_ATOM: [u8; 256] = {
    let mut lower = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if is_atom(byte) {
            lower[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    lower
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
            if let Some((at, length)) = Address::read_plain(&raw, &mut buffer) {
                let (local, domain) = raw.trim().split_once('@').unwrap();
                let full = Address::of_parts(local, domain);
                let full = full.map(|full| (full.at, full.text.into_bytes()));
                prop_assert_eq!(full, Ok((at, buffer[..length].to_vec())));
                // What stands around an address is nothing here.
                let found = super::super::written::addresses(&raw);
                prop_assert_eq!(found, Ok(vec![(local, domain)]));
            }
        }
    }
}
