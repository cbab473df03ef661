//! The one way in which an id becomes a part of a file name.

use crate::digest::sha256;

/// Returns the slug of `text`: lower case, every run of characters that are neither letters nor
/// digits turned into one `-`, trimmed; `na` where nothing is left.
///
/// Only ASCII letters and digits are kept, so that the name is the same on every file system.
///
/// ```
/// use raw_packets::slug;
///
/// assert_eq!(slug("es:sanctions:tear_resolutions"), "es-sanctions-tear-resolutions");
/// assert_eq!(slug("  2024-01-01 "), "2024-01-01");
/// assert_eq!(slug("::"), "na");
/// ```
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.ends_with('-') {
        slug.pop();
    }
    if slug.is_empty() { "na".to_owned() } else { slug }
}

/// Returns the slug of an id; where most of its letters and digits are outside ASCII and would be lost, the
/// beginning of its SHA-256 follows, so that ids in other scripts stay apart.
pub(crate) fn slug_of_id(id: &str) -> String {
    let all = id.chars().filter(|c| c.is_alphanumeric()).count();
    let kept = id.chars().filter(char::is_ascii_alphanumeric).count();
    if kept * 2 >= all {
        return slug(id);
    }
    format!("{}-{}", slug(id), &sha256(id.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{slug, slug_of_id};

    #[test]
    fn an_id_in_another_script_keeps_a_name_of_its_own() {
        assert_eq!(slug_of_id("es:sanciones:cataluña"), "es-sanciones-catalu-a");
        let (one, other) = (slug_of_id("bg:съд"), slug_of_id("bg:прокуратура"));
        assert!(
            one.starts_with("bg-") && other.starts_with("bg-") && one != other,
            "{one} {other}"
        );
        assert_eq!(slug_of_id("::"), "na");
    }

    proptest! {
        #[test]
        fn a_slug_is_a_safe_file_name_part_and_its_own_slug(text in ".{0,40}") {
            let once = slug(&text);
            prop_assert!(!once.is_empty());
            prop_assert!(once.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            prop_assert!(!once.contains("--") && !once.starts_with('-') && !once.ends_with('-'));
            prop_assert_eq!(slug(&once), once);
        }
    }
}
