//! Plates inside a value: words around one, several in one value.

use crate::text::{self, filler};

/// Words that stand beside a plate, unaccented.
const WORDS: &[&str] = &[
    "AUTO",
    "AUTOMOVIL",
    "CAMION",
    "CAMIONETA",
    "CAR",
    "CARRO",
    "COCHE",
    "DOMINIO",
    "MATRICULA",
    "MOTO",
    "NO",
    "NRO",
    "NUM",
    "NUMERO",
    "PATENTE",
    "PL",
    "PLACA",
    "PLACAS",
    "PLATE",
    "PPU",
    "VEHICULO",
    "VEICULO",
];

/// Most signs of a plate that is taken as it stands; a longer one may hold a word.
const LONGEST: usize = 8;

/// Hands over the text of every plate of a value.
pub(super) fn plates(raw: &str, mut found: impl FnMut(&str)) {
    let folded = folded(raw);
    let bare = bare(&folded);
    for part in bare
        .split([';', '|', '\n'])
        .filter(|part| part.contains(|sign: char| sign.is_alphanumeric()))
    {
        match several(part) {
            Some(parts) => parts.iter().for_each(|plate| found(plate)),
            None => found(&without_words(part)),
        }
    }
    if !bare.contains(|sign: char| sign.is_alphanumeric()) {
        found(bare);
    }
}

/// Folds a value to unaccented capital letters; line breaks stay, since they part plates, and `N°` goes.
fn folded(raw: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let raw = raw.replace("N°", " ").replace("n°", " ").replace("Nº", " ").replace("nº", " ");
    let mut out = String::with_capacity(raw.len());
    for (at, line) in raw.split(['\n', '\r']).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        text::fold(line, &mut out);
    }
    let plain = out.nfd().filter(|&sign| !unicode_normalization::char::is_combining_mark(sign));
    plain.map(|sign| sign.to_ascii_uppercase()).collect()
}

/// Leaves out a label before a colon and what stands in brackets.
fn bare(written: &str) -> &str {
    let rest = match written.split_once(':') {
        Some((label, rest))
            if WORDS.contains(&label.trim()) || is_label(label) && is_plate(rest) =>
        {
            rest
        }
        _ => written,
    };
    let rest = rest.split('(').next().unwrap_or_default();
    let named = rest.contains(|sign: char| sign.is_ascii_digit());
    if named { rest } else { written }
}

fn is_label(text: &str) -> bool {
    !text.contains(|sign: char| sign.is_ascii_digit())
}

/// Cuts a value of several plates, each of letters and digits.
fn several(written: &str) -> Option<Vec<String>> {
    for mark in [" Y ", " E ", " O ", " AND ", "/", "&", "+", ",", " - ", " "] {
        let parts: Vec<String> = written
            .split(mark)
            .filter(|part| part.contains(|sign: char| sign.is_alphanumeric()))
            .map(without_words)
            .collect();
        if parts.len() > 1 && parts.iter().all(|part| is_plate(part)) {
            return Some(parts);
        }
    }
    None
}

/// Tells whether a text is like a plate by itself: five to eight letters and digits, some of each.
fn is_plate(written: &str) -> bool {
    let signs = written.chars().filter(char::is_ascii_alphanumeric);
    let digits = signs.clone().filter(char::is_ascii_digit).count();
    let count = signs.count();
    (5..=LONGEST).contains(&count) && digits > 0 && digits < count
}

/// Drops words that are no part of a plate: known ones, and long ones or those at an end where a plate is left.
fn without_words(written: &str) -> String {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|sign: char| sign.is_whitespace() || sign == '.');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let signs = |words: &[String]| words.concat().bytes().filter(u8::is_ascii_alphanumeric).count();
    let is_word = |word: &String, least: usize| {
        word.len() >= least && word.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let mut kept = words(written);
    // A known word goes; one of three letters at most only where a plate is left.
    let known = |word: &String| WORDS.contains(&word.as_str());
    let rest: Vec<String> = kept.iter().filter(|word| !known(word)).cloned().collect();
    if kept.iter().any(|word| known(word) && word.len() > 3) || is_plate(&rest.concat()) {
        kept = rest;
    }
    let rest: Vec<String> = kept.iter().filter(|word| !is_word(word, 4)).cloned().collect();
    if signs(&kept) > LONGEST && is_plate(&rest.concat()) {
        kept = rest;
    }
    // A make of three letters: `KIA ABC-912`.
    while signs(&kept) > LONGEST && kept.len() > 1 {
        let end = kept.len() - 1;
        if is_word(&kept[0], 1) && is_plate(&kept[1..].concat()) {
            kept.remove(0);
        } else if is_word(&kept[end], 1) && is_plate(&kept[..end].concat()) {
            kept.pop();
        } else {
            break;
        }
    }
    without_check(if kept.is_empty() || filler::says_nothing(written) {
        written.to_owned()
    } else {
        kept.join(" ")
    })
}

/// Drops the check digit that Chile writes behind a plate: `BBCL12-5`. Source: Servicio de Registro Civil e
/// Identificación, Registro de Vehículos Motorizados.
fn without_check(plate: String) -> String {
    let Some((head, check)) = plate.rsplit_once('-') else { return plate };
    let signs: Vec<u8> = head.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let letters = signs.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let digits = signs.len() == 6
        && matches!(letters, 2 | 4)
        && signs[letters..].iter().all(u8::is_ascii_digit);
    let sign = matches!(check.as_bytes(), [b'0'..=b'9' | b'K']);
    // Where dashes part all signs, the last one parts no check digit.
    let near = head.trim_end().rsplit(|sign: char| !sign.is_alphanumeric()).next();
    if digits && sign && near.is_some_and(|part| part.len() > 1) { head.to_owned() } else { plate }
}
