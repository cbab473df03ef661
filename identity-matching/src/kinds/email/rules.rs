//! What is known of mailbox providers, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Tells which addresses of a provider reach one mailbox.
///
/// ```
/// use identity_matching::EmailProvider;
/// let own = EmailProvider::new(["correo.pe"]).with_tag('+');
/// assert!(!own.ignores_dots);
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
    /// Whether dots in the local part are ignored.
    #[serde(default)]
    pub ignores_dots: bool,
    /// The sign behind which the rest of the local part is a tag.
    #[serde(default)]
    pub tag: Option<char>,
}

impl EmailProvider {
    /// Makes a provider that takes every address as it is.
    #[must_use]
    pub fn new<D: Into<String>>(domains: impl IntoIterator<Item = D>) -> Self {
        Self {
            domains: domains.into_iter().map(Into::into).collect(),
            canonical_domain: None,
            ignores_dots: false,
            tag: None,
        }
    }

    /// Sets the sign behind which the rest of the local part is a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: char) -> Self {
        self.tag = Some(tag);
        self
    }
}

/// Says what an address is good for that no single person has for long.
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

/// Holds what normalising e-mails may be told.
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
/// on iCloud"; Fastmail Help, "Plus addressing"; Proton Support, "Addresses and aliases".
fn providers() -> Vec<EmailProvider> {
    let google = EmailProvider {
        canonical_domain: Some("gmail.com".to_owned()),
        ignores_dots: true,
        ..EmailProvider::new(["gmail.com", "googlemail.com"])
    };
    #[rustfmt::skip]
    let microsoft = [
        "outlook.com", "outlook.es", "outlook.cl", "outlook.pt", "outlook.fr", "outlook.it", "outlook.de",
        "outlook.com.ar", "outlook.com.br", "outlook.com.mx", "outlook.com.pe", "hotmail.com", "hotmail.es",
        "hotmail.cl", "hotmail.fr", "hotmail.it", "hotmail.de", "hotmail.co.uk", "hotmail.com.ar",
        "hotmail.com.br", "hotmail.com.mx", "live.com", "live.cl", "live.fr", "live.it", "live.com.ar",
        "live.com.mx", "live.com.pt", "live.co.uk", "msn.com", "passport.com",
    ];
    [
        google,
        EmailProvider::new(microsoft),
        EmailProvider::new(["icloud.com", "me.com", "mac.com"]),
        EmailProvider::new(["fastmail.com", "fastmail.fm", "fastmail.es", "messagingengine.com"]),
        EmailProvider::new(["proton.me", "protonmail.com", "protonmail.ch", "pm.me"]),
    ]
    .map(|provider| provider.with_tag('+'))
    .into()
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
    "asdf", "asdfg", "asdfgh", "correofalso", "demo", "donotreply", "example", "fake", "falso",
    "mailerdaemon", "na", "nadie", "naopossui", "naotem", "ninguno", "nobody", "nocorreo", "noemail",
    "nomail", "none", "noreply", "noresponder", "notengo", "notengocorreo", "notieneemail", "notiene",
    "notienecorreo", "null", "prueba", "pruebas", "qwerty", "sincorreo", "sinemail", "sinmail",
    "sememail", "test", "teste", "testing", "tests", "undefined", "unknown", "xxx", "xxxx", "xxxxx",
];

/// What is known of a domain.
#[derive(Clone, Debug)]
pub(super) enum Domain {
    Disposable,
    Provider { canonical: Option<Box<str>>, ignores_dots: bool, tag: Option<char> },
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
                    ignores_dots: provider.ignores_dots,
                    tag: provider.tag,
                };
                domains.insert(domain.to_ascii_lowercase(), known);
            }
        }
        for domain in &rules.disposable_domains {
            domains.insert(domain.to_ascii_lowercase(), Domain::Disposable);
        }
        let named = rules.role_names.iter().map(|name| (name.to_lowercase(), Local::Role));
        let fillers = FILLERS.iter().map(|&filler| (filler.to_owned(), Local::Filler));
        Self {
            domains: Names::new(domains),
            locals: Names::new(named.chain(fillers).collect()),
            disposable: rules.disposable,
            roles: rules.roles,
        }
    }

    pub(super) fn domain(&self, domain: &str) -> Option<&Domain> {
        self.domains.get(domain.as_bytes())
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
