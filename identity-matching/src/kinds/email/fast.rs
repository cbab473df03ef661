//! The way of most addresses: ASCII in lower case, nothing around them, no tag, a name that no list holds.
//!
//! Whatever is more than that is left to the long way, which gives the same for what is read here.

use super::address::{self, LOCAL_MAX};
use super::local::is_filler_phrase;
use super::rules::{Domain, EmailTable, is_reserved};
use super::typos;
use crate::key::{Key, KeyForm, Reading};
use crate::kinds::Sink;
use crate::text::filler;

/// Marks of the bytes of a local part: of a letter, of a digit, of what parts a name, of a dot; none of any other.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SEPARATOR: u8 = 4;
const DOT: u8 = 8;

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        class[byte as usize] = match byte {
            b'a'..=b'z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'-' | b'_' => SEPARATOR,
            b'.' => SEPARATOR | DOT,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// Reads a plain address into `sink`; `false`, with nothing done, where there is more to it.
pub(super) fn read(raw: &str, table: &EmailTable, sink: &mut Sink<'_>) -> bool {
    let bytes = raw.as_bytes();
    let Some(at) = bytes.iter().take(LOCAL_MAX + 1).position(|&byte| byte == b'@') else {
        return false;
    };
    let mut squeezed = [0; LOCAL_MAX];
    let (mut length, mut seen, mut before, mut twice) = (0, 0, DOT, 0);
    for &byte in &bytes[..at] {
        let class = CLASS[usize::from(byte)];
        if class == 0 {
            return false;
        }
        // The mask changes nothing: a local part is no longer.
        squeezed[length & (LOCAL_MAX - 1)] = byte;
        length += usize::from(class & SEPARATOR == 0);
        seen |= class;
        twice |= class & before;
        before = class;
    }
    // Digits alone and short names may be fillers.
    let named = seen & LETTER != 0 && length > 3 && (twice | before) & DOT == 0;
    if !named || bytes[0] == b'-' || raw.starts_with(typos::WEB) || !table.has_usual_signs {
        return false;
    }
    let (local, domain) = (&raw[..at], &raw[at + 1..]);
    let (mut host, mut ignored) = (domain, "");
    match table.domain(domain) {
        Some(Domain::Provider { canonical, ignored_signs, plain: true, .. }) => {
            host = canonical.as_deref().unwrap_or(domain);
            ignored = ignored_signs;
        }
        Some(_) => return false,
        None => {
            let usual = address::is_plain_domain(domain.as_bytes())
                && !is_reserved(domain)
                && !typos::is_likely(domain)
                && table.sub_domain(domain).is_none();
            if !usual {
                return false;
            }
        }
    }
    let name = &squeezed[..length];
    let listed = table.local(name).is_some()
        || seen & DIGIT == 0 && filler::is_keyboard_run(name)
        || is_filler_phrase(name, domain);
    if listed || raw.len() > address::BUFFER {
        return false;
    }
    let start = sink.out.begin_text();
    let whole = seen & SEPARATOR == 0 || ignored.is_empty();
    if whole && std::ptr::eq(host, domain) {
        sink.out.extend_text(raw);
    } else {
        if whole {
            sink.out.extend_text(local);
        } else {
            local.split(|sign| ignored.contains(sign)).for_each(|part| sink.out.extend_text(part));
        }
        sink.out.extend_text("@");
        sink.out.extend_text(host);
    }
    let text = sink.out.text_from(start);
    if sink.placeholders.has_email(text) {
        sink.out.drop_text(start);
        return false;
    }
    let changed = text.len() != raw.len();
    let key = Key::email(text, sink.hash_key);
    sink.out.keep_text(key);
    if changed {
        sink.mark(Reading::PROVIDER_RULES);
    }
    sink.push_key(key, KeyForm::Exact);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read_long;
    use super::*;
    use crate::{EmailProvider, EmailRules, NormaliseOptions, Normalised, Normaliser};

    /// Reads an address by one of the two ways.
    fn by(normaliser: &Normaliser, raw: &str, fast: bool) -> (bool, Normalised) {
        let mut out = Normalised::default();
        let table = normaliser.email_table();
        let mut reader = normaliser.read_into(&mut out);
        let mut sink = reader.sink(2);
        let read = if fast {
            read(raw, table, &mut sink)
        } else {
            read_long(raw, table, &mut sink);
            true
        };
        (read, out)
    }

    fn normalisers() -> [Normaliser; 2] {
        let mut own = NormaliseOptions::default();
        let EmailRules { providers, .. } = &mut own.email_rules;
        let mut odd = EmailProvider::new(["own.pe", "-odd.pe", "pe", "test", "x.example.com"]);
        odd.canonical_domain = Some("mail.own.pe".to_owned());
        odd.ignored_signs = "_-".to_owned();
        providers.push(odd);
        own.placeholders =
            own.placeholders.with(crate::Field::EMAIL, ["caja.chica@hotmail.com", "@nadie.pe"]);
        [Normaliser::default(), Normaliser::new(own).expect("options of the test")]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_fast_way_gives_what_the_long_way_gives(
            local in "[a-z]{1,9}|[a-z0-9._-]{1,12}|[A-Za-z0-9._+!=-]{0,8}|(no|sin|test|prueba|info|asdf|qwer|aaaa)[a-z0-9.]{0,4}|caja\\.?chica|[a-z]{60,66}",
            domain in "(gmail|googlemail|hotmail|gmial|proton|own|-odd|nadie|correo|x\\.example|mail\\.fastmail|ana\\.fastmail|yopmail|a--b|example|tiene)\\.(com|me|pe|con|es|com\\.pe|test|c0m|xn--p1ai)|test|pe|[a-z0-9.-]{0,12}|[a-z]{60,66}\\.pe",
            around in prop_oneof![8 => Just(("", "")), 1 => Just((" ", "")), 1 => Just(("<", ">")), 1 => Just(("", ", b@own.pe"))],
        ) {
            let raw = format!("{}{local}@{domain}{}", around.0, around.1);
            for normaliser in normalisers() {
                let (read, fast) = by(&normaliser, &raw, true);
                if read {
                    prop_assert_eq!(fast, by(&normaliser, &raw, false).1, "{}", raw);
                } else {
                    prop_assert_eq!(fast, Normalised::default(), "{}", raw);
                }
            }
        }
    }

    #[test]
    fn most_addresses_go_the_fast_way() {
        let normaliser = Normaliser::default();
        for raw in ["ana.diaz12@hotmail.com", "luisrojas@gmail.com", "l.paz@mail.empresa.com.pe"] {
            assert!(by(&normaliser, raw, true).0, "{raw}");
        }
        for raw in ["ana", "Ana.Diaz@gmail.com", "ana.diaz+x@gmail.com", "info@correo.pe", "ana@a"]
        {
            assert!(!by(&normaliser, raw, true).0, "{raw}");
        }
    }
}
