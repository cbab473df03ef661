//! Masking: what of an identifier may be shown.

use std::fmt;

use crate::key::KeyKind;

/// An identifier with all but a little of it replaced by `*`.
///
/// A phone keeps its first two digits and its last four, a document its last four when it has at least
/// eight characters (its last one or none below), an e-mail the first letter and the domain.
///
/// ```
/// use identity_matching::{KeyKind, Masked};
/// assert_eq!(Masked::new(KeyKind::PHONE, "+51987654321").to_string(), "+51*****4321");
/// assert_eq!(Masked::new(KeyKind::DOCUMENT, "45678912").to_string(), "****8912");
/// assert_eq!(Masked::new(KeyKind::EMAIL, "ana@example.com").to_string(), "a**@example.com");
/// ```
#[derive(Clone, Copy)]
pub struct Masked<'a> {
    kind: KeyKind,
    text: &'a str,
}

impl<'a> Masked<'a> {
    /// Masks `text`, an identifier of the given kind, raw or canonical.
    #[must_use]
    pub const fn new(kind: KeyKind, text: &'a str) -> Self {
        Self { kind, text }
    }
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_masked(f, self.kind, self.text)
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked({self})")
    }
}

/// Longest masked text: a raw value may be a megabyte, and evidence stays readable.
const SHOWN_MAX: usize = 64;

pub(crate) fn write_masked(f: &mut fmt::Formatter<'_>, kind: KeyKind, text: &str) -> fmt::Result {
    let (head, tail) = match kind {
        KeyKind::PHONE if text.starts_with('+') => (3, 4),
        KeyKind::EMAIL => match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() => {
                write_ends(f, local, 1, 0)?;
                return write!(f, "@{}", domain.chars().take(SHOWN_MAX).collect::<String>());
            }
            _ => (0, 0),
        },
        _ => (0, 4),
    };
    write_ends(f, text, head, tail)
}

/// Writes the first `head` and last `tail` characters, and `*` between; less where that showed half.
fn write_ends(f: &mut fmt::Formatter<'_>, text: &str, head: usize, tail: usize) -> fmt::Result {
    let length = text.chars().take(SHOWN_MAX + 1).count();
    if length > SHOWN_MAX {
        return f.write_str("****…");
    }
    let head = head.min(length / 2);
    let tail = if head + 2 * tail <= length { tail } else { length.saturating_sub(head) / 4 };
    for (at, character) in text.chars().enumerate() {
        let shown = at < head || at >= length - tail;
        write!(f, "{}", if shown { character } else { '*' })?;
    }
    Ok(())
}
