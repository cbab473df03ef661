//! The error values of formulas, in the languages in which office programs show them.

/// The error values that do not end in `!` or `?`: not available, still being computed, and the like.
const PLAIN: [&str; 14] = [
    "#N/A",
    "#N/D",
    "#NV",
    "#N/DISP",
    "#N/B",
    "#I/T",
    "#Н/Д",
    "#N/DSP",
    "#GETTING_DATA",
    "#ND",
    "#NODATA",
    "#DIV/0",
    "#REF",
    "#VALUE",
];

/// Says whether a text is the error of a formula, such as `#DIV/0!`, `#¡REF!`, `#WERT!`, `#N/D` or
/// LibreOffice's `Err:502`.
///
/// Office programs translate the names; what is common to them is a `#`, capital letters and a closing
/// `!` or `?`, in French after a space (Microsoft's and LibreOffice's lists of error codes).
///
/// ```
/// use raw_packets::value::is_error_value;
///
/// assert!(["#¡DIV/0!", "#N/D", "#DIV/0 !", "Err:502"].into_iter().all(is_error_value));
/// assert!(!is_error_value("#1 of the list!"));
/// ```
#[must_use]
pub fn is_error_value(text: &str) -> bool {
    let text = super::trim(text);
    if let Some(number) = text.strip_prefix("Err:") {
        return number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    }
    let Some(name) = text.strip_prefix('#') else { return false };
    if PLAIN.contains(&text) {
        return true;
    }
    let Some(name) = name.strip_suffix(['!', '?']) else { return false };
    let name = super::trim(name).trim_start_matches(['¡', '¿']);
    let of_name = |c: char| c.is_uppercase() || matches!(c, '/' | '0' | '_');
    (2..=20).contains(&name.chars().count()) && name.chars().all(of_name)
}

/// Says whether a text is what a spreadsheet shows where a column is too narrow for the value.
pub(crate) fn is_too_narrow(text: &str) -> bool {
    let text = super::trim(text);
    text.len() >= 2 && text.bytes().all(|byte| byte == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_values_of_every_language_are_known() {
        for text in [
            "#DIV/0!",
            "#N/A",
            "#NAME?",
            "#NULL!",
            "#NUM!",
            "#REF!",
            "#VALUE!",
            "#SPILL!",
            "#CALC!",
            "#FIELD!",
            "#BLOCKED!",
            "#CONNECT!",
            "#GETTING_DATA",
            "#¡DIV/0!",
            "#N/D",
            "#¿NOMBRE?",
            "#¡NULO!",
            "#¡NUM!",
            "#¡REF!",
            "#¡VALOR!",
            "#¡DESBORDAMIENTO!",
            "#NV",
            "#ZAHL!",
            "#BEZUG!",
            "#WERT!",
            "#ÜBERLAUF!",
            "#DIV/0 !",
            "#NOM\u{a0}?",
            "#NOMBRE!",
            "#VALEUR\u{202f}!",
            "#NOME?",
            "#NÚM!",
            "#VALOR!",
            "#N/DISP",
            "#RIF!",
            "#NULLO!",
            "#DEEL/0!",
            "#ЗНАЧ!",
            "#Н/Д",
            "Err:502",
        ] {
            assert!(is_error_value(text), "{text}");
        }
        for text in ["#", "##", "#1 of the list", "#hashtag!", "N/A", "Err:", "Err:5023", "#A B!"] {
            assert!(!is_error_value(text), "{text}");
        }
    }

    #[test]
    fn a_column_that_is_too_narrow_shows_only_hashes() {
        assert!(is_too_narrow("########") && is_too_narrow("##"));
        assert!(!is_too_narrow("#") && !is_too_narrow("#1#"));
    }
}
