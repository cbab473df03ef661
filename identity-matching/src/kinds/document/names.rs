//! Names of document types as people write them: other names, official codes, several types in one field.

use super::{
    spelling::{SYNONYMS, canonical},
    table::{DocumentType, DocumentTypes},
};
use crate::text::Region;

/// What a name of a type stands for.
#[derive(Clone, Debug)]
pub(super) enum Named<'t> {
    /// One type, or several of which the number decides.
    Types(Vec<&'t DocumentType>),
    /// Any document: `Documento de identidad`.
    Any,
    Unknown,
}

/// Words behind the name of a type that only qualify it: `DNI menor de edad`, `RUC 10`, `Cédula vigente`.
const QUALIFIERS: &[&str] = &[
    "10",
    "15",
    "17",
    "20",
    "ANTERIOR",
    "ANTIGUA",
    "ANTIGUO",
    "AZUL",
    "CADUCADO",
    "CLIENTE",
    "DIGITAL",
    "EDAD",
    "ELECTRONICO",
    "HOMOCLAVE",
    "MAYOR",
    "MENOR",
    "NATURAL",
    "NUEVA",
    "NUEVO",
    "ORIGINAL",
    "PERSONA",
    "TITULAR",
    "VENCIDA",
    "VENCIDO",
    "VIGENTE",
];

/// Names of any document, folded as [`canonical`] folds.
const ANY: &[&str] = &[
    "DOCUMENTO",
    "DOCUMENTOIDENTIDAD",
    "DOCUMENTOID",
    "ID",
    "IDCARD",
    "IDENTIDAD",
    "IDENTIDADCARD",
    "DOCIDENTIDAD",
    "OFFICIALID",
    "GOVERNMENTID",
    "DOCUMENTOOFICIAL",
];

/// Finds what a name stands for in a country.
pub(super) fn resolve<'t>(types: &'t DocumentTypes, country: Region, name: &str) -> Named<'t> {
    for find in [one, several, qualified] {
        match find(types, country, name) {
            Named::Unknown => {}
            named => return named,
        }
    }
    Named::Unknown
}

/// Leaves out what only qualifies a type: words such as `vigente`, the country or its adjective, and `extranjero` behind
/// the name of a passport, which tells nothing of it.
fn qualified<'t>(types: &'t DocumentTypes, country: Region, name: &str) -> Named<'t> {
    let words: Vec<&str> = name
        .split(|sign: char| !(sign.is_alphanumeric() || sign == '.'))
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() < 2 || words.len() > 8 {
        return Named::Unknown;
    }
    // `04 CARNET DE EXTRANJERIA`: the code of a catalogue before the name.
    if words[0].len() <= 2 && words[0].bytes().all(|byte| byte.is_ascii_digit()) {
        return resolve(types, country, &words[1..].join(" "));
    }
    let passport = canonical(words[0]) == "PASAPORTE";
    let says = |word: &&str| {
        let folded = canonical(word);
        let qualifies = QUALIFIERS.contains(&folded.as_str())
            || Region::from_name(word) == Some(country)
            || passport && matches!(folded.as_str(), "EXTRANJERIA" | "FOREIGN" | "ESTRANGEIRO");
        !qualifies
    };
    // The first word is the type's.
    let kept: Vec<&str> =
        words.iter().take(1).chain(words[1..].iter().filter(|word| says(word))).copied().collect();
    if kept.len() == words.len() { Named::Unknown } else { one(types, country, &kept.join(" ")) }
}

fn one<'t>(types: &'t DocumentTypes, country: Region, name: &str) -> Named<'t> {
    if let Some(found) = types.find(country, name) {
        return Named::Types(vec![found]);
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let listed = |word: &str| name.eq_ignore_ascii_case(word);
    // One word folds to itself, unless it is written for another.
    if plain
        && !SYNONYMS.iter().any(|(word, _)| listed(word))
        && !ANY.iter().any(|word| listed(word))
        && types.group(country, &name.to_ascii_uppercase()).is_none()
    {
        return Named::Unknown;
    }
    let folded = canonical(name);
    if let Some(group) = types.group(country, &folded) {
        return Named::Types(group);
    }
    if ANY.contains(&folded.as_str()) { Named::Any } else { Named::Unknown }
}

/// Takes the parts of `DNI/NIE`, `CC o NIT` and `DNI - Documento Nacional de Identidad`; parts that nobody knows do not
/// count.
fn several<'t>(types: &'t DocumentTypes, country: Region, name: &str) -> Named<'t> {
    let lower = name.to_lowercase();
    let mut cut = lower.as_str().to_owned();
    for word in [" o ", " u ", " or ", " ou ", " y ", " e ", " and ", " - ", " – "] {
        cut = cut.replace(word, "/");
    }
    let parts = cut.split(['/', ',', ';', '|', '(', ')', '+', '-', ':']).map(str::trim);
    let mut found: Vec<&DocumentType> = Vec::new();
    let (mut any, mut count) = (false, 0);
    for part in parts.filter(|part| !part.is_empty()) {
        count += 1;
        match one(types, country, part) {
            Named::Types(named) => {
                for kind in named {
                    if !found.iter().any(|known| std::ptr::eq(*known, kind)) {
                        found.push(kind);
                    }
                }
            }
            Named::Any => any = true,
            Named::Unknown => {}
        }
    }
    if count < 2 {
        Named::Unknown
    } else if !found.is_empty() {
        Named::Types(found)
    } else if any {
        Named::Any
    } else {
        Named::Unknown
    }
}

/// What the words beside a number say.
pub(super) enum Beside<'t> {
    /// There are none.
    Nothing,
    /// They say nothing: `N°`.
    Noise,
    Types(Vec<&'t DocumentType>),
    Unknown,
}

/// Reads the words beside a number.
pub(super) fn beside<'t>(types: &'t DocumentTypes, country: Region, words: &str) -> Beside<'t> {
    if !words.chars().any(char::is_alphanumeric) {
        return Beside::Nothing;
    }
    let folded = canonical(words);
    if folded.is_empty() {
        return Beside::Noise;
    }
    // A letter beside a number belongs to it.
    if folded.len() == 1 {
        return Beside::Unknown;
    }
    match resolve(types, country, words) {
        Named::Types(named) => Beside::Types(named),
        Named::Any => Beside::Noise,
        Named::Unknown => Beside::Unknown,
    }
}
