//! The one way in which an id becomes a part of a file name.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::slug;

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
