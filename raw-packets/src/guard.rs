//! The guard against formulas in text cells (OWASP, CSV injection; CWE-1236).

use std::borrow::Cow;

/// Returns the text with an apostrophe in front where a spreadsheet would take it for a formula.
///
/// Guarded is what starts with `=`, `+`, `-`, `@`, a tab, a carriage return or NUL, also behind
/// apostrophes of its own, so that [`unguard`] gives back exactly what went in. Only for texts: a
/// number may start with `-`.
///
/// ```
/// use raw_packets::{guard, unguard};
///
/// assert_eq!(guard("=1+1"), "'=1+1");
/// assert_eq!(unguard("'=1+1"), "=1+1");
/// assert_eq!(guard("it's plain"), "it's plain");
/// ```
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    if is_dangerous(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Undoes [`guard`].
#[must_use]
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_dangerous(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

fn is_dangerous(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_guarded_text_comes_back_and_starts_no_formula(text in "['=+@\t\r-]{0,4}.{0,12}") {
            let guarded = guard(&text);
            prop_assert!(!is_dangerous(&guarded));
            prop_assert_eq!(unguard(&guarded), &text);
        }
    }
}
