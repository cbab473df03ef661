//! Typing errors in the domains of great providers: told, never mended.

use super::EmailTable;

/// Domains that are written wrong most often.
const GREAT: [&str; 10] = [
    "gmail.com",
    "hotmail.com",
    "outlook.com",
    "yahoo.com",
    "icloud.com",
    "hotmail.es",
    "outlook.es",
    "yahoo.es",
    "protonmail.com",
    "hotmail.fr",
];

/// Domains of providers that are one letter from a great one's.
const REAL: [&str; 6] = ["email.com", "mail.com", "ymail.com", "gmx.com", "rmail.com", "hmail.com"];

/// Endings that are no top-level domain (IANA, root zone database), written for `.com` and `.net`.
const ENDINGS: [&str; 12] = [
    ".con", ".comm", ".cmo", ".ocm", ".vom", ".xom", ".cpm", ".coom", ".c0m", ".nte", ".ent",
    ".comn",
];

/// Tells whether a domain looks like a typing error and is in no list.
pub(super) fn is_suspect(domain: &str, table: &EmailTable) -> bool {
    table.domain(domain).is_none() && is_likely(domain)
}

/// Tells whether a domain that no table knows looks like a typing error.
pub(super) fn is_likely(domain: &str) -> bool {
    if ENDINGS.iter().any(|ending| domain.ends_with(ending)) {
        return true;
    }
    if !(7..=18).contains(&domain.len()) || REAL.contains(&domain) {
        return false;
    }
    GREAT.iter().any(|great| is_one_edit(domain.as_bytes(), great.as_bytes()))
        || ["gmail.com.", "icloud.com."].iter().any(|great| domain.starts_with(great))
}

/// Tells whether one sign more, less or changed, or two neighbours swapped, part two texts (Damerau 1964).
fn is_one_edit(one: &[u8], two: &[u8]) -> bool {
    let (short, long) = if one.len() <= two.len() { (one, two) } else { (two, one) };
    if long.len() - short.len() > 1 || one == two {
        return false;
    }
    let head = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let tail = short.iter().rev().zip(long.iter().rev()).take_while(|(a, b)| a == b).count();
    if short.len() < long.len() {
        return head + tail >= short.len();
    }
    let swapped = head + tail + 2 == long.len()
        && short[head] == long[head + 1]
        && short[head + 1] == long[head];
    head + tail + 1 >= long.len() || swapped
}

/// Tells whether letters that look Latin stand among Latin ones: Cyrillic and Greek (Unicode Technical Standard 39).
pub(super) fn mixes_scripts(text: &str) -> bool {
    let other = |letter: char| matches!(u32::from(letter), 0x0370..=0x052f);
    text.split(['.', '@', '-', '_', '+']).any(|label| {
        label.chars().any(|letter| letter.is_ascii_alphabetic()) && label.chars().any(other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_told_from_a_provider_of_its_own() {
        for domain in [
            "gmial.com",
            "gmail.con",
            "gmail.co",
            "gmail.comm",
            "gmai.com",
            "gmail.com.pe",
            "hotmial.com",
            "hotmai.com",
            "yaho.com",
            "outlok.com",
            "correo.con",
            "iclud.com",
        ] {
            assert!(is_likely(domain), "{domain}");
        }
        for domain in [
            "gmail.com",
            "ymail.com",
            "mail.com",
            "gmail.fr",
            "empresa.pe",
            "correo.com",
            "entel.pe",
        ] {
            assert!(!is_likely(domain), "{domain}");
        }
        assert!(mixes_scripts("test\u{43e}.diaz@gmail.com") && mixes_scripts("c\u{43e}rreo.pe"));
        assert!(!mixes_scripts("peña@cañón.pe") && !mixes_scripts("иван@почта.рф"));
    }
}
