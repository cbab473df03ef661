//! The spelling of document types' names: what the writings of one name have in common.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::text::LONGEST_VALUE;

/// Words that say nothing of the type, folded.
const NOISE: &[&str] = &[
    "CON", "DA", "DAS", "DE", "DEL", "DO", "DOS", "EL", "LA", "LAS", "LOS", "N", "NO", "NR", "NRO",
    "NUM", "NUMBER", "NUMERO", "OF", "POR", "THE", "TIPO", "TYPE",
];

/// Words that are written for another.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("ALIEN", "FOREIGN"),
    ("CARNET", "CARNE"),
    ("CED", "CEDULA"),
    ("CEDULAS", "CEDULA"),
    ("CIUD", "CIUDADANIA"),
    ("CONTRIBUYENTE", "CONTRIBUYENTES"),
    ("DOC", "DOCUMENTO"),
    ("DOCUMENT", "DOCUMENTO"),
    ("EXT", "EXTRANJERIA"),
    ("EXTRANJ", "EXTRANJERIA"),
    ("EXTRANJERO", "EXTRANJERIA"),
    ("EXTRANJEROS", "EXTRANJERIA"),
    ("FOREIGNER", "FOREIGN"),
    ("IDENT", "IDENTIDAD"),
    ("IDENTIDADE", "IDENTIDAD"),
    ("IDENTIFICACION", "IDENTIDAD"),
    ("IDENTIFICATION", "IDENTIDAD"),
    ("IDENTITY", "IDENTIDAD"),
    ("LIBR", "LIBRETA"),
    ("NAC", "NACIONAL"),
    ("NATIONAL", "NACIONAL"),
    ("PAS", "PASAPORTE"),
    ("PASAP", "PASAPORTE"),
    ("PASS", "PASAPORTE"),
    ("PASSAPORTE", "PASAPORTE"),
    ("PASSPORT", "PASAPORTE"),
    ("PASSPORTS", "PASAPORTE"),
    ("REG", "REGISTRO"),
    ("TARJ", "TARJETA"),
];

/// Folds a name to what its writings have in common: unaccented capital letters and digits, without words that say
/// nothing, common abbreviations written out: `Carnet Ext.` and `Carné de extranjería` are `CARNEEXTRANJERIA`.
///
/// Single letters in a row are one word (`D.N.I.`); a number is read without leading zeros and without a spreadsheet's
/// decimals (`01`, `1.0`).
pub(super) fn canonical(name: &str) -> String {
    let name = name.strip_suffix(".0").unwrap_or(name);
    let name = name.replace("N°", " ").replace("n°", " ").replace("Nº", " ").replace("nº", " ");
    let folded: String = name
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { ' ' },
        )
        .take(LONGEST_VALUE)
        .collect();
    let mut words: Vec<String> = Vec::new();
    let mut spelled = false;
    for word in folded.split(' ').filter(|word| !word.is_empty()) {
        let single = word.len() == 1 && word.as_bytes()[0].is_ascii_uppercase();
        match words.last_mut() {
            Some(last) if single && spelled => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        spelled = single;
    }
    let mut out = String::new();
    for word in &words {
        if NOISE.contains(&word.as_str()) {
            continue;
        }
        let known = SYNONYMS.iter().find(|(written, _)| written == word);
        out.push_str(known.map_or(word.as_str(), |&(_, meant)| meant));
    }
    if !out.is_empty() && out.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = out.trim_start_matches('0');
        return if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    }
    out
}
