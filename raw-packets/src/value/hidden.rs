//! Characters that cannot be seen, written so that they can, and read back.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Writes every character that is not seen, or that turns the order of those around it, as `⟨U+202E⟩`.
///
/// These are control characters other than tab and line breaks, the controls of writing direction, invisible operators
/// and tags, and code points that are no characters (Unicode Technical Report 36, Unicode Standard Annex 9). A joiner
/// within a word stays. [`unescape_hidden`] gives back exactly what went in.
///
/// ```
/// use raw_packets::value::{escape_hidden, unescape_hidden};
///
/// let shown = escape_hidden("L-\u{202e}1");
/// assert_eq!(shown, "L-⟨U+202E⟩1");
/// assert_eq!(unescape_hidden(&shown), "L-\u{202e}1");
/// ```
#[must_use]
pub fn escape_hidden(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) && !text.contains(OPENS) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        // What looks escaped is escaped itself, so that it comes back.
        if is_hidden(c) || text[at..].starts_with(OPENS) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{OPENS}{:04X}{CLOSES}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Undoes [`escape_hidden`]; what no escape is stays as it stands.
#[must_use]
pub fn unescape_hidden(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(OPENS) else { return Cow::Borrowed(text) };
    let mut read = text[..first].to_owned();
    let mut rest = &text[first..];
    while let Some(at) = rest.find(OPENS) {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((c, after)) = escaped(rest) {
            read.push(c);
            rest = after;
        } else {
            read.push_str(OPENS);
            rest = &rest[OPENS.len()..];
        }
    }
    read.push_str(rest);
    Cow::Owned(read)
}

const OPENS: &str = "⟨U+";
const CLOSES: char = '⟩';

/// Reads the escape at the start of a text, and gives what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    let (digits, after) = text.strip_prefix(OPENS)?.split_once(CLOSES)?;
    let is_code = (4..=6).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    let c = is_code.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))??;
    (is_hidden(c) || OPENS.starts_with(c)).then_some((c, after))
}

fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        // The last two code points of every plane are no characters.
        _ => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_escaped_text_hides_nothing_and_comes_back(
            text in "([⟨U+⟩02E7F8\u{202e}\u{200b}\u{fffe}\u{0}\u{27e8}a]|⟨U\\+202E⟩|⟨U\\+27E8⟩|.){0,12}",
        ) {
            let shown = escape_hidden(&text);
            prop_assert!(!shown.contains(is_hidden));
            prop_assert_eq!(unescape_hidden(&shown), text.as_str());
        }

        #[test]
        fn what_no_escape_is_stays(text in "[^⟨]{0,12}") {
            prop_assert_eq!(unescape_hidden(&text), text.as_str());
        }
    }
}
