//! E-mail addresses to one canonical form per mailbox.
//!
//! [`fast`] reads plain ones, [`written`] finds addresses in what people write, [`address`] reads the syntax, [`local`] tells fillers and roles, [`typos`] typing errors, [`rules`] is what is known of providers, throw-away services and roles.

mod address;
mod fast;
mod local;
mod rules;
mod typos;
mod written;

use address::{Address, BUFFER};
use rules::{Domain, is_reserved};

pub(crate) use rules::EmailTable;
pub use rules::{AddressUse, EmailProvider, EmailRules};

use super::{IdentifierKind, RawValue, Sink};
use crate::key::UnusableReason;
use crate::key::{Key, KeyForm, KeyKind, Reading};
use crate::text::{LONGEST_VALUE, Region, filler};
use crate::weak::blocking;

/// E-mail addresses, by what is known of providers, throw-away services and roles.
#[derive(Clone, Debug)]
pub(crate) struct EmailKind {
    pub(crate) table: EmailTable,
}

impl IdentifierKind for EmailKind {
    fn code(&self) -> KeyKind {
        KeyKind::EMAIL
    }

    fn read(&self, raw: RawValue<'_>, _: Option<Region>, sink: &mut Sink<'_>) {
        read(raw.value, &self.table, sink);
    }
}

/// Reads one address into `sink`.
fn read(raw: &str, table: &EmailTable, sink: &mut Sink<'_>) {
    if !fast::read(raw, table, sink) {
        read_long(raw, table, sink);
    }
}

fn read_long(raw: &str, table: &EmailTable, sink: &mut Sink<'_>) {
    if raw.len() > LONGEST_VALUE {
        return sink.unusable(UnusableReason::TooLong);
    }
    let mut buffer = [0; BUFFER];
    if let Some((at, text)) = Address::read_plain(raw, &mut buffer) {
        let (local, domain) = (&text[..at], &text[at + 1..]);
        match accept(local, domain, KeyForm::Exact, table, sink) {
            Ok(suspect) => tell_typo(suspect, local, domain, table, sink),
            Err(reason) => sink.unusable(reason),
        }
        return;
    }
    read_written(raw, table, sink);
}

/// Returns a hash that a plain address has in common with every address that is the same mailbox by any provider's rules;
/// nothing where it is not plain.
pub(crate) fn glance(raw: &str, table: &EmailTable) -> Option<u64> {
    let mut buffer = [0; BUFFER];
    if !table.has_usual_signs || raw.len() > LONGEST_VALUE {
        return None;
    }
    let (at, text) = Address::read_plain(raw, &mut buffer)?;
    let (local, domain) = (&text.as_bytes()[..at], &text[at + 1..]);
    // The name may stand before the domain, and the local part is a tag then.
    let sub_domain = domain.matches('.').nth(1).is_some() && table.sub_domain(domain).is_some();
    (!sub_domain).then(|| mailbox(local))
}

/// Hashes a local part in lower case, without the signs that a provider may ignore and without a tag.
pub(crate) fn mailbox(local: &[u8]) -> u64 {
    let mut hash = 0x6c62_272e_07bb_0142_u64;
    for &sign in local {
        match sign {
            b'+' | b'@' => break,
            b'.' | b'-' | b'_' => {}
            // FNV-1a.
            other => hash = (hash ^ u64::from(other)).wrapping_mul(0x0100_0000_01b3),
        }
    }
    hash
}

/// Reads the addresses of a value that is more than a plain one.
fn read_written(raw: &str, table: &EmailTable, sink: &mut Sink<'_>) {
    let mut folded = String::with_capacity(raw.len());
    crate::text::fold(&crate::text::unescaped(raw), &mut folded);
    let folded = folded.trim();
    if folded.is_empty() {
        return;
    }
    let plain = written::plain_signs(folded);
    let folded = plain.as_deref().unwrap_or(folded);
    let addresses = match written::addresses(folded) {
        Ok(addresses) => addresses,
        Err(_) if filler::says_nothing(folded) => {
            return sink.unusable(UnusableReason::Placeholder);
        }
        Err(reason) => return sink.unusable(reason),
    };
    let marks = sink.reading;
    for &(local, domain) in &addresses {
        let around = folded.len() > local.len() + 1 + domain.len();
        let split = if addresses.len() > 1 { Reading::SPLIT } else { Reading::new() };
        let words = if around { Reading::WRAPPING_DROPPED } else { Reading::new() };
        let mixed = typos::mixes_scripts(local) || typos::mixes_scripts(domain);
        let script = if mixed { Reading::MIXED_SCRIPTS } else { Reading::new() };
        sink.reading = marks.with(split).with(words).with(script);
        let read = Address::of_parts(local, domain).and_then(|address| {
            let (local, domain) = address.parts();
            let suspect = accept(local, domain, KeyForm::Exact, table, sink)?;
            if mixed {
                sink.unusable(UnusableReason::MixedScripts);
            } else {
                tell_typo(suspect, local, domain, table, sink);
            }
            Ok(())
        });
        if let Err(reason) = read {
            sink.unusable(reason);
        }
    }
}

/// Tells whether the domain of an accepted address looks like a typing error.
struct Suspect(bool);

/// Tells a domain that looks like a typing error, and adds the key of the mailbox that may be meant: weak evidence,
/// beside the key of what was written.
fn tell_typo(
    Suspect(suspect): Suspect,
    local: &str,
    domain: &str,
    table: &EmailTable,
    sink: &mut Sink<'_>,
) {
    if !suspect {
        return;
    }
    sink.unusable(UnusableReason::LikelyTypo);
    if let Some(meant) = typos::meant(domain, table) {
        let marks = sink.reading;
        sink.reading = marks.with(Reading::LIKELY_TYPO);
        // What is nobody's mailbox there is no evidence.
        let _ = accept(local, &meant, KeyForm::Supposed, table, sink);
        sink.reading = marks;
    }
}

/// Applies the rules to a well-formed address and adds its key.
fn accept(
    local: &str,
    domain: &str,
    form: KeyForm,
    table: &EmailTable,
    sink: &mut Sink<'_>,
) -> Result<Suspect, UnusableReason> {
    let mut known = table.domain(domain);
    let suspect =
        Suspect(known.is_none() && typos::is_likely(domain) || local.starts_with(typos::WEB));
    let (mut local, mut domain) = (local, domain);
    let written = local.len() + 1 + domain.len();
    if known.is_none()
        && let Some((name, parent)) = table.sub_domain(domain)
    {
        // What stands before the `@` is a tag.
        (local, domain) = (name, parent);
        known = table.domain(parent);
    }
    let disposable = matches!(known, Some(Domain::Disposable));
    if disposable && table.disposable == AddressUse::Unusable {
        return Err(UnusableReason::DisposableAddress);
    }
    let (mut name, mut host, mut ignored) = (local, domain, "");
    if let Some(Domain::Provider { canonical, ignored_signs, tag, .. }) = known {
        name = tag.map_or(local, |tag| before(local, tag));
        host = canonical.as_deref().unwrap_or(domain);
        ignored = ignored_signs;
        // What is left in front of a tag must be a name of its own.
        if name.ends_with('.') {
            return Err(UnusableReason::Malformed);
        }
    }
    let role = local::check(name, domain, table)?;
    if is_reserved(domain) {
        return Err(UnusableReason::Placeholder);
    }
    let start = sink.out.begin_text();
    if ignored.is_empty() {
        sink.out.extend_text(name);
    } else {
        name.split(|sign| ignored.contains(sign)).for_each(|part| sink.out.extend_text(part));
    }
    sink.out.extend_text("@");
    sink.out.extend_text(host);
    let text = sink.out.text_from(start);
    if sink.placeholders.has_email(text) {
        sink.out.drop_text(start);
        return Err(UnusableReason::Placeholder);
    }
    let shared = if disposable && table.disposable == AddressUse::Weak {
        Some(UnusableReason::DisposableAddress)
    } else if role && table.roles == AddressUse::Weak {
        Some(UnusableReason::RoleAddress)
    } else {
        None
    };
    if let Some(reason) = shared {
        let key = blocking::email(Key::email(text, sink.hash_key));
        sink.out.blocking.push(key);
        sink.out.drop_text(start);
        return Err(reason);
    }
    let changed = text.len() != written;
    let reading = if changed { Reading::PROVIDER_RULES } else { Reading::new() };
    let key = Key::email(text, sink.hash_key);
    sink.out.keep_text(key);
    sink.mark(reading);
    sink.push_key(key, form);
    Ok(suspect)
}

/// Returns what stands before the first `sign`: all where it is not there.
fn before(text: &str, sign: char) -> &str {
    let at = match u8::try_from(sign) {
        Ok(sign) if sign.is_ascii() => text.bytes().position(|byte| byte == sign),
        _ => text.find(sign),
    };
    &text[..at.unwrap_or(text.len())]
}
