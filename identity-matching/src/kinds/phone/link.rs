//! Links to a number, and a messenger's names of mailboxes.

/// Takes the number out of a link or a messenger's name for a mailbox: `wa.me/51…`, `51…@c.us`, `tel:…`.
///
/// The number in a messenger's is an international one without its `+`. Sources: RFC 3966; the help pages of `WhatsApp` on
/// its links.
pub(super) fn read(written: &str) -> Option<String> {
    const SCHEMES: [&str; 5] = ["tel:", "sms:", "callto:", "whatsapp:", "viber:"];
    const INSIDE: [&str; 4] = ["wa.me/", "phone=", "number=", "t.me/"];
    const MAILBOXES: [&str; 2] = ["@c.us", "@s.whatsapp.net"];
    let decoded = decode(written);
    let lower = decoded.to_ascii_lowercase();
    let global = |number: &str| {
        let number = number.trim_start_matches(['+', '0', ' ']);
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        (digits.len() > 6).then(|| format!("+{digits}"))
    };
    let inside = INSIDE.iter().find_map(|mark| Some(lower.find(mark)? + mark.len()));
    if let Some(number) = inside.and_then(|start| global(&decoded[start..])) {
        return Some(number);
    }
    let mailbox = MAILBOXES.iter().find_map(|mailbox| lower.find(mailbox));
    if let Some(number) = mailbox.and_then(|end| global(&decoded[..end])) {
        return Some(number);
    }
    let scheme = SCHEMES.iter().find(|scheme| lower.starts_with(*scheme));
    if scheme.is_none() && !lower.contains("phone-context") {
        return (decoded != written).then_some(decoded);
    }
    Some(without_parameters(&decoded[scheme.map_or(0, |scheme| scheme.len())..]))
}

/// Decodes what a link writes for the sign `+` and for blanks.
fn decode(written: &str) -> String {
    if !written.contains('%') {
        return written.to_owned();
    }
    written.replace("%2B", "+").replace("%2b", "+").replace("%20", " ")
}

/// Drops the parameters of a `tel:` link; its `phone-context` gives a local number the country (RFC 3966).
fn without_parameters(written: &str) -> String {
    let mut parts = written.trim_start().split(';');
    let number = parts.next().unwrap_or_default().trim();
    let context = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let global = value.trim().strip_prefix('+')?;
        let digits = !global.is_empty() && global.bytes().all(|byte| byte.is_ascii_digit());
        (digits && name.trim().eq_ignore_ascii_case("phone-context")).then_some(global)
    });
    match context {
        Some(context) if !number.starts_with('+') => format!("+{context}{number}"),
        _ => number.to_owned(),
    }
}
