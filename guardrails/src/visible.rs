//! Characters that cannot be seen, written so that they can.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Writes every character that is not seen, or that turns the order of those around it, as `⟨U+202E⟩`.
///
/// These are control characters other than tab and line breaks, the controls of writing direction, invisible operators
/// and tags, and code points that are no characters. A joiner within a word stays: some scripts cannot be written
/// without. A key that holds one of the others looks like another key; a reader is shown what is there
/// (Unicode Technical Report 36, Unicode Standard Annex 9).
///
/// ```
/// use guardrails::visible;
///
/// assert_eq!(visible("L-\u{202e}1\u{fffe}"), "L-⟨U+202E⟩1⟨U+FFFE⟩");
/// assert_eq!(visible("José\n東京"), "José\n東京");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Writes in a JSON text every character that [`visible`] would show as JSON's own escape, which each reader gives back as it was.
///
/// ```
/// use guardrails::escape_json;
///
/// assert_eq!(escape_json("{\"key\":\"L-\u{202e}1\u{e0001}\"}"), r#"{"key":"L-\u202e1\udb40\udc01"}"#);
/// ```
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut units = [0; 2];
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if !is_hidden(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    Cow::Owned(escaped)
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
