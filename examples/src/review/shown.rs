//! What a case shows of a lead or a person: masked, or in full where that was asked for.

use identity_matching::{Normalised, Normaliser, Record};
use raw_packets::Language;

/// How identifiers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// As they are.
    Full,
    /// Masked: enough to see what agrees, too little to call anybody.
    Masked,
}

impl Shown {
    /// What each row of a packet says it by, in the packet's language.
    pub(super) fn word(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Full, Language::En) => "FULL: personal data",
            (Self::Full, Language::Es) => "COMPLETOS: datos personales",
            (Self::Masked, Language::En) => "masked",
            (Self::Masked, Language::Es) => "ocultos",
        }
    }

    /// Tells what a record gives of itself.
    pub(super) fn record(self, record: &Record, normaliser: &Normaliser) -> String {
        let mut parts = Vec::new();
        match self {
            Self::Full => {
                parts.extend(record.phones.iter().map(|phone| format!("phone {phone}")));
                for document in &record.documents {
                    let of = [&document.country, &document.kind].map(|part| part.as_deref());
                    let of: Vec<&str> = of.into_iter().flatten().collect();
                    parts.push(format!("document {} {}", of.join(" "), document.number));
                }
                parts.extend(record.emails.iter().map(|email| format!("email {email}")));
            }
            Self::Masked => parts.extend(masked_keys(&normaliser.normalise(record), normaliser)),
        }
        if let Some(name) = &record.name {
            parts.push(format!("name {}", self.name(name)));
        }
        if let Some(date) = &record.birth_date {
            parts.push(format!("born {}", self.other(date)));
        }
        if let Some(plate) = &record.plate {
            parts.push(format!("plate {}", self.other(plate)));
        }
        parts.join("; ")
    }

    /// Shows a name: masked, of each word its first letter.
    fn name(self, name: &str) -> String {
        if self == Self::Full {
            return name.to_owned();
        }
        let word = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().into_iter();
            first
                .chain(letters.map(|c| if c.is_alphanumeric() { '*' } else { c }))
                .collect::<String>()
        };
        name.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Shows a value that could not be read: masked, its form alone.
    pub(super) fn form(self, text: &str) -> String {
        if self == Self::Full {
            return text.to_owned();
        }
        let shape = |c: char| match c {
            _ if c.is_numeric() => '#',
            _ if c.is_alphabetic() => 'x',
            _ => c,
        };
        text.chars().map(shape).collect()
    }

    fn other(self, text: &str) -> String {
        if self == Self::Full {
            return text.to_owned();
        }
        text.chars().map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
    }
}

fn masked_keys(record: &Normalised, normaliser: &Normaliser) -> Vec<String> {
    let keys = record.keys().iter().map(|held| {
        let kind = held.key.kind();
        let text = record.text(held.key);
        let value = text.map_or_else(|| "***".to_owned(), |text| normaliser.mask(kind, &text));
        format!("{kind} {value}")
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_matching::Region;

    #[test]
    fn masked_shows_no_identifier_and_full_shows_all() {
        let normaliser = Normaliser::for_region(Region::parse("PE").unwrap());
        let record = Record {
            phones: vec!["987 654 321".into()],
            name: Some("Rojas Quispe, Ana".into()),
            birth_date: Some("1987-03-21".into()),
            ..Record::default()
        };
        let masked = Shown::Masked.record(&record, &normaliser);
        for told in ["987 654", "987654", "ojas", "1987"] {
            assert!(!masked.contains(told), "{masked}");
        }
        assert!(masked.contains("R**** Q*****, A**"), "{masked}");
        let full = Shown::Full.record(&record, &normaliser);
        assert_eq!(full, "phone 987 654 321; name Rojas Quispe, Ana; born 1987-03-21");
    }
}
