//! What is known of mailbox providers, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::is_plain_domain;

/// Which addresses of a provider reach one mailbox.
///
/// ```
/// use identity_matching::EmailProvider;
/// let own = EmailProvider::new(["correo.pe"]).with_tag('+');
/// assert!(own.ignored_signs.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EmailProvider {
    /// Domains of the provider, in ASCII form and lower case.
    pub domains: Vec<String>,
    /// The domain that all of them stand for, where a name is one mailbox under each of them.
    #[serde(default)]
    pub canonical_domain: Option<String>,
    /// The signs in the local part that are ignored, such as `.` at Gmail.
    #[serde(default)]
    pub ignored_signs: String,
    /// The sign behind which the rest of the local part is a tag.
    #[serde(default)]
    pub tag: Option<char>,
    /// Whether a name may stand as a sub-domain, and the local part is a tag: `tag@name.fastmail.com`.
    #[serde(default)]
    pub sub_domains: bool,
}

impl EmailProvider {
    /// Makes a provider that takes every address as it is.
    #[must_use]
    pub fn new<D: Into<String>>(domains: impl IntoIterator<Item = D>) -> Self {
        Self {
            domains: domains.into_iter().map(Into::into).collect(),
            canonical_domain: None,
            ignored_signs: String::new(),
            tag: None,
            sub_domains: false,
        }
    }

    /// Sets the sign behind which the rest of the local part is a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: char) -> Self {
        self.tag = Some(tag);
        self
    }
}

/// What an address is good for that no single person has for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AddressUse {
    /// It is unusable: no key, no evidence.
    #[default]
    Unusable,
    /// It is unusable as a key, and weak evidence by the rule `EMAIL_WEAK`.
    Weak,
    /// It is a key like any other address.
    Key,
}

/// What normalising e-mails may be told.
///
/// The default knows the large providers, a list of throw-away services and the usual role names, and
/// takes both for unusable: many persons share them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EmailRules {
    /// Providers; empty takes every address as it is, tags and dots included.
    pub providers: Vec<EmailProvider>,
    /// Domains of throw-away services.
    pub disposable_domains: Vec<String>,
    /// Local parts of roles, such as `info`.
    pub role_names: Vec<String>,
    /// What an address of a throw-away service is good for.
    pub disposable: AddressUse,
    /// What the address of a role is good for.
    pub roles: AddressUse,
}

impl Default for EmailRules {
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect();
        Self {
            providers: providers(),
            disposable_domains: owned(DISPOSABLE),
            role_names: owned(ROLES),
            disposable: AddressUse::default(),
            roles: AddressUse::default(),
        }
    }
}

/// Sources: Gmail Help, "Dots don't matter in Gmail addresses" and "Send emails from a different
/// address"; Microsoft Support, "Add or remove an email alias in Outlook.com"; Apple Support, "Use email aliases
/// on iCloud", and "Set up an `iCloud` address" for its three domains; Fastmail Help, "Plus addressing and
/// subdomain addressing"; Proton Support, "Addresses and aliases" and "Proton Mail domains"; Yandex ID help, "Alternate email addresses", by which
/// one name is one mailbox on all Yandex domains; Zoho Mail Help, "Plus addressing".
fn providers() -> Vec<EmailProvider> {
    let google = EmailProvider {
        canonical_domain: Some("gmail.com".to_owned()),
        ignored_signs: ".".to_owned(),
        ..EmailProvider::new(["gmail.com", "googlemail.com"])
    };
    #[rustfmt::skip]
    let countries = [
        "ar", "at", "be", "ca", "ch", "cl", "co", "cz", "de", "dk", "es", "fi", "fr", "gr", "hu", "ie", "in", "it", "jp",
        "kr", "lv", "my", "nl", "no", "pe", "ph", "pt", "rs", "ru", "se", "sg", "sk",
    ];
    #[rustfmt::skip]
    let second = [
        "co.id", "co.il", "co.jp", "co.kr", "co.nz", "co.th", "co.uk", "co.za", "com.ar", "com.au", "com.bo", "com.br",
        "com.co", "com.gr", "com.hk", "com.mx", "com.my", "com.pe", "com.pt", "com.py", "com.sg", "com.tr", "com.tw",
        "com.ve", "com.vn", "com.ec", "com.uy",
    ];
    let names = ["outlook", "hotmail", "live"];
    let endings = countries.into_iter().chain(second).chain(["com"]);
    let microsoft = endings.flat_map(|ending| names.map(|name| format!("{name}.{ending}")));
    let microsoft = microsoft.chain(["msn.com", "passport.com"].map(str::to_owned));
    let of = |canonical: &str, domains: &[&str], ignored: &str| EmailProvider {
        canonical_domain: Some(canonical.to_owned()),
        ignored_signs: ignored.to_owned(),
        ..EmailProvider::new(domains.iter().copied())
    };
    #[rustfmt::skip]
    let yandex = [
        "yandex.ru", "ya.ru", "yandex.com", "yandex.az", "yandex.by", "yandex.co.il", "yandex.com.am", "yandex.com.ge",
        "yandex.com.tr", "yandex.ee", "yandex.fr", "yandex.kg", "yandex.kz", "yandex.lt", "yandex.lv", "yandex.md",
        "yandex.tj", "yandex.tm", "yandex.ua", "yandex.uz",
    ];
    let fastmail = EmailProvider {
        sub_domains: true,
        ..EmailProvider::new(["fastmail.com", "fastmail.fm", "fastmail.es", "messagingengine.com"])
    };
    let tagged = [
        google,
        EmailProvider::new(microsoft),
        of("icloud.com", &["icloud.com", "me.com", "mac.com"], ""),
        fastmail,
        of("proton.me", &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"], ".-_"),
        of("yandex.ru", &yandex, ""),
        EmailProvider::new(["zoho.com", "zohomail.com"]),
    ];
    // Of Yahoo, whose addresses are taken as they are, the domains are known, so that none is taken for a typing error.
    #[rustfmt::skip]
    let yahoo = [
        "yahoo.com", "yahoo.es", "yahoo.fr", "yahoo.it", "yahoo.de", "yahoo.ca", "yahoo.in", "yahoo.co.uk", "yahoo.co.in",
        "yahoo.co.jp", "yahoo.com.ar", "yahoo.com.br", "yahoo.com.co", "yahoo.com.mx", "yahoo.com.pe", "yahoo.com.ve",
        "yahoo.com.ec", "yahoo.cl", "ymail.com", "rocketmail.com",
    ];
    let tagged = tagged.map(|provider| provider.with_tag('+'));
    tagged.into_iter().chain([EmailProvider::new(yahoo)]).collect()
}

#[rustfmt::skip]
const DISPOSABLE: &[&str] = &[
    "10minutemail.com", "10minutemail.net", "discard.email", "dispostable.com", "emailondeck.com",
    "fakeinbox.com", "fakemail.net", "getairmail.com", "getnada.com", "grr.la", "guerrillamail.biz",
    "guerrillamail.com", "guerrillamail.de", "guerrillamail.info", "guerrillamail.net",
    "guerrillamail.org", "guerrillamailblock.com", "inboxkitten.com", "mailcatch.com", "maildrop.cc",
    "mailinator.com", "mailinator.net", "mailnesia.com", "mailsac.com", "mintemail.com", "minuteinbox.com",
    "moakt.com", "mohmal.com", "mytemp.email", "mytrashmail.com", "nada.email", "pokemail.net",
    "sharklasers.com", "spam4.me", "spamgourmet.com", "temp-mail.io", "temp-mail.org", "tempail.com",
    "tempinbox.com", "tempmail.com", "tempmailo.com", "tempr.email", "throwawaymail.com", "trashmail.com",
    "trashmail.de", "trashmail.net", "yopmail.com", "yopmail.fr", "yopmail.net",
];

/// Source: RFC 2142, and their usual names in Spanish and Portuguese.
#[rustfmt::skip]
const ROLES: &[&str] = &[
    "abuse", "admin", "administracion", "administrador", "administrator", "atencionalcliente", "ayuda",
    "billing", "buzon", "comercial", "compras", "contabilidad", "contact", "contacto", "contato",
    "correo", "facturacion", "facturas", "financeiro", "gerencia", "help", "hostmaster", "info",
    "informacion", "informes", "mail", "marketing", "office", "oficina", "pedidos", "postmaster",
    "recepcion", "reclamos", "recursoshumanos", "rrhh", "sac", "sales", "secretaria", "security",
    "soporte", "suporte", "support", "vendas", "ventas", "webmaster",
];

/// Local parts that stand for "there is none".
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "aaa", "abc", "abcd", "actualizar", "anonimo", "anonymous", "asdf", "asdfg", "asdfgh", "bar", "bbb", "cadastro", "cliente", "correoelectronico", "correofalso", "demo", "desconhecido", "desconocida", "desconocido", "donotreply", "ejemplo", "email", "example", "exemplo", "fake", "falso", "falta", "foo", "foobar", "mailerdaemon", "micorreo", "na", "nadie", "name", "naoinformado", "naoinformou", "naopossui", "naotem", "ninguno", "no", "noaplica", "nobody", "nocontesta", "nocorreo", "nocuenta", "nodefinido", "nodisponible", "noemail", "noexiste", "nohay", "noindica", "noinforma", "nomail", "nombre", "nomecorreo", "none", "noposee", "noregistra", "noreply", "noresponder", "notengo", "notengocorreo", "notengoemail", "notengomail", "notiene", "notienecorreo", "notienecorreoelectronico", "notieneemail", "notienemail", "nouse", "null", "nulo", "pendiente", "poractualizar", "porconfirmar", "pordefinir", "prueba", "pruebas", "qwerty", "semcorreo", "sememail", "semmail", "sincorreo", "sincorreoelectronico", "sindato", "sindatos", "sinemail", "sinmail", "sinnombre", "sinregistro", "sucorreo", "test", "teste", "testing", "tests", "tucorreo", "undefined", "unknown", "user", "username", "usuario", "xxx", "xxxx", "xxxxx", "youremail",
];

/// Tells whether a domain is reserved for examples and tests.
///
/// Source: RFC 2606 and RFC 6761.
pub(super) fn is_reserved(domain: &str) -> bool {
    let name = domain.as_bytes();
    let last = name.iter().rposition(|&byte| byte == b'.').map_or(0, |dot| dot + 1);
    match &name[last..] {
        b"example" | b"invalid" | b"localhost" | b"test" | b"local" => true,
        b"com" | b"net" | b"org" => name[..last.saturating_sub(1)]
            .strip_suffix(b"example")
            .is_some_and(|before| matches!(before, [] | [.., b'.'])),
        _ => false,
    }
}

/// What is known of a domain.
#[derive(Clone, Debug)]
pub(super) enum Domain {
    Disposable,
    Provider {
        canonical: Option<Box<str>>,
        ignored_signs: Box<str>,
        tag: Option<char>,
        sub_domains: bool,
        /// Whether an address there needs no closer look than one at any other domain.
        plain: bool,
    },
}

/// What is known of a local part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    Filler,
    Role,
}

/// The rules, in the form in which addresses are compared with them.
#[derive(Clone, Debug)]
pub(crate) struct EmailTable {
    domains: Names<Domain>,
    locals: Names<Local>,
    /// Whether no provider ignores other signs than `.`, `-` and `_`, or parts tags otherwise than by `+`.
    pub(super) has_usual_signs: bool,
    pub(super) disposable: AddressUse,
    pub(super) roles: AddressUse,
}

impl EmailTable {
    pub(crate) fn new(rules: &EmailRules) -> Self {
        let mut domains = BTreeMap::new();
        for provider in &rules.providers {
            for domain in &provider.domains {
                let canonical = provider.canonical_domain.as_deref().map(str::to_ascii_lowercase);
                let known = Domain::Provider {
                    canonical: canonical.map(String::into_boxed_str),
                    ignored_signs: provider.ignored_signs.as_str().into(),
                    tag: provider.tag,
                    sub_domains: provider.sub_domains,
                    plain: is_plain_domain(domain.to_ascii_lowercase().as_bytes())
                        && !is_reserved(&domain.to_ascii_lowercase()),
                };
                domains.insert(domain.to_ascii_lowercase(), known);
            }
        }
        for domain in &rules.disposable_domains {
            domains.insert(domain.to_ascii_lowercase(), Domain::Disposable);
        }
        let named = rules.role_names.iter().map(|name| (name.to_lowercase(), Local::Role));
        let fillers = FILLERS.iter().map(|&filler| (filler.to_owned(), Local::Filler));
        let has_usual_signs = rules.providers.iter().all(|provider| {
            provider.ignored_signs.chars().all(|sign| matches!(sign, '.' | '-' | '_'))
                && provider.tag.is_none_or(|tag| tag == '+')
        });
        Self {
            has_usual_signs,
            domains: Names::new(domains),
            locals: Names::new(named.chain(fillers).collect()),
            disposable: rules.disposable,
            roles: rules.roles,
        }
    }

    pub(super) fn domain(&self, domain: &str) -> Option<&Domain> {
        self.domains.get(domain.as_bytes())
    }

    /// Returns the name and the domain behind a sub-domain that stands for a name: `ana.fastmail.com`.
    pub(super) fn sub_domain<'d>(&self, domain: &'d str) -> Option<(&'d str, &'d str)> {
        let dot = domain.bytes().position(|byte| byte == b'.')?;
        let (name, parent) = (&domain[..dot], &domain[dot + 1..]);
        // A provider's domain has a dot of its own.
        if !parent.as_bytes().contains(&b'.') {
            return None;
        }
        let named = matches!(self.domain(parent), Some(Domain::Provider { sub_domains: true, .. }));
        (named && !matches!(name, "www" | "mail" | "smtp" | "imap")).then_some((name, parent))
    }

    /// Takes a local part without dots, hyphens and underscores.
    pub(super) fn local(&self, squeezed: &[u8]) -> Option<Local> {
        self.locals.get(squeezed).copied()
    }
}

/// A small map from names by open addressing: one look at one slot settles nearly every look-up.
#[derive(Clone, Debug)]
struct Names<T> {
    /// Index into `entries` plus one; a power of two of slots, at most a quarter of them taken.
    slots: Box<[u32]>,
    entries: Vec<(Box<[u8]>, T)>,
}

impl<T> Names<T> {
    fn new(map: BTreeMap<String, T>) -> Self {
        let count = (map.len() * 4).next_power_of_two().max(4);
        let mut names = Self { slots: vec![0; count].into(), entries: Vec::new() };
        for (at, (name, value)) in (1..).zip(map) {
            let mut slot = names.slot(name.as_bytes());
            while names.slots[slot] != 0 {
                slot = (slot + 1) % count;
            }
            names.slots[slot] = at;
            names.entries.push((name.into_bytes().into(), value));
        }
        names
    }

    fn slot(&self, name: &[u8]) -> usize {
        let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let last = match (name.last_chunk::<8>(), name.first_chunk::<4>(), name.last_chunk::<4>()) {
            // Words at an end may overlap with those before; the length tells names apart that repeat.
            (Some(&last), ..) => u64::from_le_bytes(last),
            (None, Some(&first), Some(&last)) => {
                u64::from(u32::from_le_bytes(first)) << 32 | u64::from(u32::from_le_bytes(last))
            }
            _ => name.iter().fold(1, |word, &byte| word << 8 | u64::from(byte)),
        };
        let (words, _) = name.as_chunks::<8>();
        let start = name.len() as u64;
        let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
        // The high half is well mixed, and a slot needs fewer bits than that.
        #[allow(clippy::cast_possible_truncation)]
        let high = (mix(hash, last) >> 32) as usize;
        high & (self.slots.len() - 1)
    }

    fn get(&self, name: &[u8]) -> Option<&T> {
        let mut slot = self.slot(name);
        loop {
            let at = (self.slots[slot] as usize).checked_sub(1)?;
            let (entry, value) = &self.entries[at];
            if entry.as_ref() == name {
                return Some(value);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}
