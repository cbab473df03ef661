//! Typing errors in the domains of great providers: told, and at most weak evidence for the mailbox that may be meant.

use super::rules::EmailTable;

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

/// Endings that are no top-level domain (IANA, root zone database), and what they are written for.
const ENDINGS: [(&str, &str); 12] = [
    (".con", ".com"),
    (".comm", ".com"),
    (".cmo", ".com"),
    (".ocm", ".com"),
    (".vom", ".com"),
    (".xom", ".com"),
    (".cpm", ".com"),
    (".coom", ".com"),
    (".c0m", ".com"),
    (".comn", ".com"),
    (".nte", ".net"),
    (".ent", ".net"),
];

/// What people who think of a web page write before an address or its domain.
pub(super) const WEB: &str = "www.";

/// Great domains behind which people write another ending.
const CONTINUED: [&str; 2] = ["gmail.com", "icloud.com"];

/// Tells whether a domain that no table knows looks like a typing error.
pub(super) fn is_likely(domain: &str) -> bool {
    domain.starts_with(WEB)
        || has_wrong_ending(domain)
        || continued(domain).is_some()
        || near(domain).next().is_some()
}

/// Returns the domain that may have been meant, where it is one: `gmail.com` for `gmial.com`.
pub(super) fn meant(domain: &str, table: &EmailTable) -> Option<String> {
    if let Some(bare) = domain.strip_prefix(WEB) {
        return Some(bare.to_owned());
    }
    if let Some(great) = continued(domain) {
        return Some(great.to_owned());
    }
    let ended = ENDINGS
        .iter()
        .find_map(|(wrong, right)| Some(format!("{}{right}", domain.strip_suffix(wrong)?)));
    let domain = ended.as_deref().unwrap_or(domain);
    if table.domain(domain).is_some() {
        return ended;
    }
    let great = {
        let mut great = near(domain);
        (great.next(), great.next())
    };
    match great {
        (Some(one), None) => Some(one.to_owned()),
        // It may be either.
        (Some(_), Some(_)) => None,
        (None, _) => ended,
    }
}

/// Returns the great domain behind which another ending was written, or that has no address under this one:
/// `gmail.com.pe`, `gmail.es`.
fn continued(domain: &str) -> Option<&'static str> {
    /// Google gives addresses under `gmail.com` and `googlemail.com` alone (Gmail Help); under these endings people who
    /// know `hotmail.es` and `yahoo.es` write it.
    const NO_GMAIL: [&str; 4] = ["gmail.es", "gmail.pe", "gmail.cl", "gmail.it"];
    if NO_GMAIL.contains(&domain) {
        return Some("gmail.com");
    }
    CONTINUED
        .into_iter()
        .find(|great| domain.strip_prefix(great).is_some_and(|rest| rest.starts_with('.')))
}

/// Lists the great domains that are one typing error from a domain which is no provider's of its own.
fn near(domain: &str) -> impl Iterator<Item = &'static str> {
    let signs = domain.as_bytes();
    let may_be =
        (7..=18).contains(&domain.len()) && may_be_edited(signs) && !REAL.contains(&domain);
    GREAT.into_iter().filter(move |great| may_be && is_one_edit(signs, great.as_bytes()))
}

/// Tells whether a domain ends in no top-level domain; mostly its length says no.
fn has_wrong_ending(domain: &str) -> bool {
    let last = domain.bytes().rposition(|sign| sign == b'.').unwrap_or_default();
    matches!(domain.len() - last, 4 | 5)
        && ENDINGS.iter().any(|(wrong, _)| domain[last..] == **wrong)
}

/// Tells whether a domain may be one edit from a great one: an edit leaves its first three signs or its last two.
fn may_be_edited(domain: &[u8]) -> bool {
    let Some([first, second, third]) = domain.first_chunk() else { return false };
    let Some([before, last]) = domain.last_chunk() else { return false };
    matches!([before, last], [b'o', b'm'] | [b'e', b's'] | [b'f', b'r'])
        || matches!(&[*first, *second, *third], b"gma" | b"hot" | b"out" | b"yah" | b"icl" | b"pro")
}

/// Tells whether one sign more, less or changed, or two neighbours swapped, part two texts (Damerau 1964).
fn is_one_edit(one: &[u8], two: &[u8]) -> bool {
    let (short, long) = if one.len() <= two.len() { (one, two) } else { (two, one) };
    if long.len() - short.len() > 1 || one == two {
        return false;
    }
    // One edit leaves the first sign, or all behind the second.
    if short.first() != long.first() && !long.ends_with(short.get(2..).unwrap_or_default()) {
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
    fn no_edit_of_a_great_domain_is_passed_over() {
        for great in GREAT {
            let signs = great.as_bytes();
            for at in 0..=signs.len() {
                for sign in b"az0.-" {
                    let mut edits = vec![[&signs[..at], &[*sign], &signs[at..]].concat()];
                    if at < signs.len() {
                        edits.push([&signs[..at], &signs[at + 1..]].concat());
                        edits.push([&signs[..at], &[*sign], &signs[at + 1..]].concat());
                    }
                    if at + 1 < signs.len() {
                        let swapped = [signs[at + 1], signs[at]];
                        edits.push([&signs[..at], &swapped, &signs[at + 2..]].concat());
                    }
                    for edited in edits.iter().filter(|edited| edited.as_slice() != signs) {
                        let domain = std::str::from_utf8(edited).unwrap();
                        assert!(is_likely(domain) || REAL.contains(&domain), "{domain}");
                    }
                }
            }
        }
    }

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
        let table = EmailTable::new(&crate::EmailRules::default());
        for (domain, right) in [
            ("gmial.com", Some("gmail.com")),
            ("gmail.con", Some("gmail.com")),
            ("gmial.con", Some("gmail.com")),
            ("gmail.com.pe", Some("gmail.com")),
            ("gmail.es", Some("gmail.com")),
            ("gmail.co", Some("gmail.com")),
            ("hotmai.es", Some("hotmail.es")),
            ("hotmial.com", Some("hotmail.com")),
            ("correo.con", Some("correo.com")),
            ("empresa.com.vom", Some("empresa.com.com")),
            ("entel.nte", Some("entel.net")),
            // Spain's or France's.
            ("hotmail.er", None),
        ] {
            assert_eq!(meant(domain, &table).as_deref(), right, "{domain}");
        }
        assert!(mixes_scripts("test\u{43e}.diaz@gmail.com") && mixes_scripts("c\u{43e}rreo.pe"));
        assert!(!mixes_scripts("peña@cañón.pe") && !mixes_scripts("иван@почта.рф"));
    }
}
