//! Addresses inside a value: wrapped, labelled, remarked upon, several of them.

use std::ops::Range;

use crate::key::UnusableReason;

/// Lists the addresses of a folded value, each as its local part and its domain.
///
/// An address is what stands around an `@` without a blank; signs that nobody's address begins or ends with are no part
/// of it. A short word that a blank parts from an address may be a piece of it, so such a value gives none.
pub(super) fn addresses(folded: &str) -> Result<Vec<(&str, &str)>, UnusableReason> {
    let mut found: Vec<(Range<usize>, (&str, &str))> = Vec::new();
    for (at, _) in folded.match_indices('@') {
        let local = local(folded, at);
        let domain = domain(folded, at + 1);
        if folded[local.clone()].is_empty() || folded[domain.clone()].is_empty() {
            return Err(UnusableReason::Malformed);
        }
        found.push((local.start..domain.end, (&folded[local], &folded[domain])));
    }
    let mut end = 0;
    for (place, _) in &found {
        if place.start < end || is_piece(&folded[end..place.start], true) {
            return Err(UnusableReason::Malformed);
        }
        end = place.end;
    }
    if found.is_empty() || is_piece(&folded[end..], false) {
        return Err(UnusableReason::Malformed);
    }
    Ok(found.into_iter().map(|(_, address)| address).collect())
}

/// Writes the signs of an address where words or codes stand for them, `ana[at]correo.pe`, `ana%40correo.pe`, and closes it
/// up where blanks stand beside its `@` or its dots, `ana @correo.pe`; nothing where neither is so.
///
/// Blanks are taken out only where nothing but one address can be meant: one `@`, and no other blank.
pub(super) fn plain_signs(folded: &str) -> Option<String> {
    const AT: [&str; 8] =
        ["[at]", "(at)", "{at}", "[arroba]", "(arroba)", "{arroba}", " arroba ", "%40"];
    const DOT: [&str; 4] = ["[dot]", "(dot)", "[punto]", "(punto)"];
    // Brackets and quotes around the whole are no part of it.
    let inner = folded.trim_matches(['<', '>', '(', ')', '[', ']', '"', ' ']);
    let mut text = inner.to_owned();
    if !inner.contains('@') {
        let lower = inner.to_ascii_lowercase();
        let (at, sign) = AT.iter().find_map(|sign| Some((lower.find(sign)?, sign)))?;
        text = format!("{}@{}", inner[..at].trim_end(), inner[at + sign.len()..].trim_start());
        for dot in DOT {
            text = text.replace(dot, ".");
        }
    }
    let (local, domain) = text.split_once('@')?;
    let (local, domain) = (local.trim(), domain.trim());
    let closed = domain.replace(" .", ".").replace(". ", ".");
    let is_one = |part: &str| !part.contains([' ', '@']);
    if is_one(local) && is_one(&closed) {
        text = format!("{local}@{closed}");
    }
    (text != inner).then_some(text)
}

/// Finds the local part that ends before the `@`.
fn local(folded: &str, at: usize) -> Range<usize> {
    // A quoted string that needs no quotes (RFC 5322, section 3.2.4).
    let end = if folded[..at].ends_with('"') { at - 1 } else { at };
    let sign = |sign: char| sign.is_alphanumeric() || ".!#$%&'*+-^_`{}~".contains(sign);
    let length: usize =
        folded[..end].chars().rev().take_while(|c| sign(*c)).map(char::len_utf8).sum();
    let run = &folded[end - length..end];
    let kept =
        run.trim_start_matches(|sign: char| !sign.is_alphanumeric() && !matches!(sign, '_' | '+'));
    end - kept.len()..end
}

/// Finds the domain that begins behind the `@`.
fn domain(folded: &str, start: usize) -> Range<usize> {
    let sign = |sign: char| sign.is_alphanumeric() || matches!(sign, '.' | '-' | '。');
    let rest = &folded[start..];
    let run = &rest[..rest.find(|c| !sign(c)).unwrap_or(rest.len())];
    let kept = run.trim_end_matches(['.', '-', '。']);
    start..start + kept.len()
}

/// Words that stand before an address.
const LABELS: [&str; 27] = [
    "address",
    "alternativo",
    "bien",
    "casa",
    "contacto",
    "contato",
    "correo",
    "correos",
    "eletrônico",
    "electronico",
    "electrónico",
    "email",
    "emails",
    "es",
    "gmail",
    "hotmail",
    "is",
    "laboral",
    "mail",
    "mails",
    "outlook",
    "particular",
    "personal",
    "principal",
    "también",
    "tambien",
    "trabajo",
];

/// Tells whether the word next to an address may be a piece of it that a blank parts: `ana
/// diaz@…`, `…@gmail.co m`; a name begins with a capital.
fn is_piece(beside: &str, before: bool) -> bool {
    const BETWEEN: [&str; 9] = ["y", "e", "o", "ó", "u", "or", "and", "ou", "et"];
    let label = |word: &str| {
        let lower = word.to_lowercase();
        let letters: String = lower.chars().filter(|sign| sign.is_alphabetic()).collect();
        LABELS.contains(&letters.as_str())
    };
    // `ana/luis@…`: a sign inside a word; `email=ana@…` is a label.
    if before
        && let Some(inside) = beside.strip_suffix(['/', '|', '=', '?', '\\'])
        && inside.ends_with(char::is_alphanumeric)
    {
        let word = inside.rsplit([' ', '"', '?', '&']).next().unwrap_or_default();
        return !(beside.ends_with('=') && label(word));
    }
    let inner = beside.trim();
    let (near, parted) = if before {
        (inner.rsplit(' ').next().unwrap_or_default(), beside.ends_with(' '))
    } else {
        (inner.split(' ').next().unwrap_or_default(), beside.starts_with(' '))
    };
    // Brackets and quotes around the whole value are no part of the word.
    let near = if before {
        near.trim_start_matches(|sign: char| !sign.is_alphanumeric() && sign != '_')
    } else {
        near.trim_end_matches(|sign: char| !sign.is_alphanumeric() && sign != '_')
    };
    if !parted || near.is_empty() || BETWEEN.contains(&near.to_lowercase().as_str()) {
        return false;
    }
    let plain = near.chars().all(char::is_alphanumeric);
    let capital = near.chars().next().is_some_and(char::is_uppercase);
    if before {
        // What an address may go on from: `ana.` is a piece of `ana. diaz@…`, and `Sra.` is none.
        let open = near.chars().any(char::is_alphanumeric)
            && near.ends_with(|sign: char| {
                sign.is_alphanumeric() || matches!(sign, '.' | '_' | '-' | '+')
            });
        // `2. ana@…` is the second of a list.
        let digits = near.trim_end_matches('.');
        let listed = digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        return open && !listed && !label(near) && (!capital || near.chars().count() == 1);
    }
    // A domain that lost its end begins with a dot.
    near.starts_with('.') || plain && near.chars().count() <= if capital { 1 } else { 2 }
}
