//! Formulas: texts that are one, and the guard against those that look so (OWASP, CSV injection; CWE-1236).

use std::borrow::Cow;

use super::hidden::{escape_hidden, unescape_hidden};

/// Returns the text as a cell of a CSV file that a person opens: with an apostrophe in front where a spreadsheet would
/// take it for a formula, and what cannot be seen shown ([`escape_hidden`]).
///
/// Guarded is what starts with `=`, `+`, `-`, `@`, a tab or a carriage return, also behind
/// apostrophes of its own, so that [`unguard`] gives back exactly what went in. Only for texts: a
/// number may start with `-`.
///
/// ```
/// use raw_packets::value::{guard, unguard};
///
/// assert_eq!(guard("=1+1"), "'=1+1");
/// assert_eq!(unguard("'=1+1"), "=1+1");
/// assert_eq!(guard("it's plain"), "it's plain");
/// ```
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    let shown = escape_hidden(text);
    if is_dangerous(shown.trim_start_matches('\'')) {
        Cow::Owned(format!("'{shown}"))
    } else {
        shown
    }
}

/// Undoes [`guard`].
#[must_use]
pub fn unguard(text: &str) -> Cow<'_, str> {
    unescape_hidden(match text.strip_prefix('\'') {
        Some(rest) if is_dangerous(rest.trim_start_matches('\'')) => rest,
        _ => text,
    })
}

/// Says whether a text of a CSV file is a formula that was never guarded.
///
/// An office program writes the values of formulas into a CSV, never the formulas, so that a text that
/// starts with a dash, a plus or an at sign is a text; one that calls a function or computes is none.
///
/// ```
/// use raw_packets::value::is_formula;
///
/// assert!(is_formula("=1+1") && is_formula("@SUM(A1)") && is_formula("-2+3"));
/// assert!(!is_formula("-En 2024 se presentaron") && !is_formula("@ministerio") && !is_formula("-5"));
/// ```
#[must_use]
pub fn is_formula(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('=' | '\0') => true,
        Some('+' | '-' | '@') => {
            let rest = chars.as_str();
            let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
            let calls = name.len() < rest.len()
                && name.starts_with('(')
                && rest.starts_with(|c: char| c.is_ascii_uppercase());
            let arithmetic = |c: char| c.is_ascii_digit() || "+-*/^()., ".contains(c);
            let computes = rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.contains(['+', '-', '*', '/', '^'])
                && rest.chars().all(arithmetic);
            calls || computes
        }
        _ => false,
    }
}

fn is_dangerous(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_guarded_text_comes_back_and_starts_no_formula(text in "['=+@\t\r\0\u{202e}-]{0,4}.{0,12}") {
            let guarded = guard(&text);
            prop_assert!(!is_dangerous(&guarded));
            prop_assert_eq!(unguard(&guarded), text.as_str());
        }
    }
}
