//! What people write around a number: labels, remarks, extensions, a second number, a spreadsheet's decimals.
//!
//! A cell is cut at signs that only stand between values and at words; what is left are runs of digits with light signs
//! between. libphonenumber only ever sees digits and a leading `+`: letters never become digits.

use super::groups::{Chunk, Gap, Group};
use super::link;
use super::number::{Outcome, Phone};
use super::plan::{self, Use};
use crate::key::Reading;
use crate::key::UnusableReason;
use crate::text::spreadsheet::{self, Cell};
use crate::text::{self, Region, filler};

/// Reads all numbers of one value of at most [`text::LONGEST_VALUE`] bytes.
pub(super) fn read(raw: &str, region: Option<Region>, found: &mut dyn FnMut(Outcome)) {
    let mut folded = String::with_capacity(raw.len());
    fold_lines(&text::unescaped(raw), &mut folded);
    let written = folded.trim();
    if written.is_empty() {
        return;
    }
    if !written.bytes().any(|byte| byte.is_ascii_digit()) {
        let filler = filler::says_nothing(written);
        let reason = if filler { UnusableReason::Placeholder } else { UnusableReason::Malformed };
        return found(Outcome::unusable(reason));
    }
    let number = match link::read(written) {
        Some(number) => number,
        None => spreadsheet::unguarded(written).to_owned(),
    };
    let marks = if number == written { Reading::new() } else { Reading::WRAPPING_DROPPED };
    match spreadsheet::cell(&number) {
        Cell::Whole(digits) => {
            let plus = digits.starts_with('+');
            let mut chunk = Chunk::default();
            let digits = digits.trim_start_matches('+').to_owned();
            chunk.groups.push(Group { digits, plus, ..Group::default() });
            return chunk.read(region, marks.with(Reading::SPREADSHEET_NUMBER), false, found);
        }
        Cell::Rounded => return found(Outcome::unusable(UnusableReason::Rounded)),
        Cell::Fraction => return found(Outcome::unusable(UnusableReason::Malformed)),
        Cell::Text => {}
    }
    let parts: Vec<&str> = parts(&number).collect();
    let several = parts.len() > 1;
    let mut any = false;
    for part in parts {
        let cut = Part::cut(part, region);
        any |= !cut.chunks.is_empty();
        cut.read(region, marks, several, found);
    }
    if !any {
        found(Outcome::unusable(UnusableReason::Malformed));
    }
}

/// Folds a value as [`text::fold`] does, but for line breaks, which part values.
fn fold_lines(raw: &str, out: &mut String) {
    for (at, line) in raw.split(['\n', '\r', '\u{2028}', '\u{2029}']).enumerate() {
        if at > 0 {
            out.push('\n');
        }
        text::fold(line, out);
    }
}

/// Cuts at signs that only stand between values.
fn parts(written: &str) -> impl Iterator<Item = &str> {
    let lines = written.split(['\n', ';', '|', '&']).flat_map(|part| part.split(":::"));
    let parts = lines.flat_map(|part| part.split("//")).map(str::trim);
    parts.filter(|part| part.chars().any(char::is_alphanumeric))
}

/// What stands in a part of a cell, cut at words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    chunks: Vec<Chunk>,
    /// Digits and letters in capitals behind them, as vanity numbers are written.
    vanity: Option<String>,
}

/// Names of an extension, unaccented.
const EXTENSIONS: &[&str] = &[
    "anexo",
    "anexos",
    "anx",
    "ax",
    "durchwahl",
    "ext",
    "exten",
    "extensao",
    "extension",
    "extensiones",
    "extensions",
    "extn",
    "int",
    "interno",
    "internos",
    "op",
    "opc",
    "opcao",
    "opcion",
    "poste",
    "r",
    "ram",
    "ramais",
    "ramal",
    "ramales",
    "x",
    "xt",
];

/// Names of other identifiers: what stands behind them is no telephone number.
const FOREIGN: &[&str] = &[
    "cedula",
    "cif",
    "cnpj",
    "cpf",
    "cuil",
    "cuit",
    "curp",
    "dni",
    "dpi",
    "dui",
    "nie",
    "nif",
    "nit",
    "pasaporte",
    "passaporte",
    "passport",
    "patente",
    "placa",
    "rfc",
    "rnc",
    "rtn",
    "ruc",
    "rut",
];

/// Letters that stand for a label when one touches a number: `T987…`, `C.987…`.
const LETTERS: &[&str] = &["c", "f", "m", "n", "p", "t", "w"];

/// What stands behind an hour: `6pm`, `24h`.
const HOURS: &[&str] = &["am", "h", "hrs", "hs", "pm"];

/// Most digits of an extension.
const EXTENSION_MAX: usize = 6;

impl Part {
    fn cut(written: &str, region: Option<Region>) -> Self {
        let written = without_carrier(written, region);
        let mut part = Self::default();
        let mut chunk = Chunk::default();
        // Between the digits before and here.
        let mut signs = String::new();
        let mut plus = false;
        let mut in_extension = false;
        // Whether a bracket opens before the last digits.
        let mut bracket = false;
        let mut rest = written.as_str();
        while let Some(first) = rest.chars().next() {
            let run = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
            if first.is_ascii_digit() {
                let (digits, after) = rest.split_at(run(|c| c.is_ascii_digit()));
                rest = after;
                let hash = signs.trim_end().ends_with('#') && !chunk.groups.is_empty();
                if digits.len() <= EXTENSION_MAX && !plus && (in_extension || hash) {
                    chunk.extension = true;
                    in_extension = true;
                } else {
                    if in_extension {
                        part.end(&mut chunk);
                        in_extension = false;
                    }
                    // ` + ` between two numbers joins them as a word does.
                    let joins = signs == " + " && !chunk.groups.is_empty();
                    let plus = plus && !joins;
                    let gap = match chunk.groups.is_empty() {
                        true => Gap::None,
                        false if joins => Gap::Strong,
                        false => gap(&signs, bracket),
                    };
                    bracket = signs.contains('(');
                    let point = matches!(signs.as_str(), "." | ",");
                    let bracketed = signs.ends_with('(') && rest.starts_with(')');
                    let digits = digits.to_owned();
                    chunk.groups.push(Group { digits, plus, gap, point, bracketed });
                }
                signs.clear();
                plus = false;
            } else if first.is_alphabetic() {
                let (word, after) = rest.split_at(run(char::is_alphabetic));
                rest = after;
                let glued = signs.is_empty() && !chunk.groups.is_empty() && !plus;
                let touches = rest.starts_with(|c: char| c.is_ascii_digit());
                let folded = folded(word);
                let name = folded.as_str();
                let alone = chunk.groups.is_empty() && part.chunks.is_empty() && name.len() > 2;
                if glued && !touches && HOURS.contains(&name) && chunk.drop_hour() {
                    in_extension = false;
                    part.end(&mut chunk);
                    chunk.labelled = true;
                } else if EXTENSIONS.contains(&name)
                    && (alone || !chunk.groups.is_empty())
                    && digits_follow(rest)
                {
                    in_extension = true;
                } else if glued
                    && (touches || word.chars().nth(1).is_none() || is_like_digits(word))
                {
                    // A letter for a digit, or a digit too few: whose number it is, nobody knows.
                    chunk.refused = true;
                    if !touches {
                        part.end(&mut chunk);
                    }
                } else {
                    in_extension = false;
                    part.end(&mut chunk);
                    chunk.labelled = true;
                    let letter = word.chars().nth(1).is_none() && !LETTERS.contains(&name);
                    chunk.refused =
                        FOREIGN.contains(&name) || touches && (letter || is_like_digits(word));
                }
                signs.clear();
                plus = false;
            } else {
                plus |= first == '+';
                signs.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        part.end(&mut chunk);
        part.vanity = vanity(&written);
        part
    }

    fn end(&mut self, chunk: &mut Chunk) {
        let mut ended = std::mem::take(chunk);
        ended.drop_decimals();
        if !ended.groups.is_empty() {
            self.chunks.push(ended);
        }
    }

    fn read(
        &self,
        region: Option<Region>,
        marks: Reading,
        several: bool,
        found: &mut dyn FnMut(Outcome),
    ) {
        if let [chunk] = &self.chunks[..]
            && let Some(vanity) = self.vanity.as_deref()
            && !chunk.is_number(region)
            && let Some(phone) = toll_free(vanity, region)
        {
            return found(Outcome::Number(phone.with(Reading::VANITY)));
        }
        let alone = self.chunks.len() == 1;
        for (at, chunk) in self.chunks.iter().enumerate() {
            // An hour or a count in a remark behind a number.
            if at > 0 && chunk.is_count_or_hour() {
                continue;
            }
            let words = !alone || chunk.labelled;
            let marks = if words { marks.with(Reading::WORDS_DROPPED) } else { marks };
            chunk.read(region, marks, several || !alone, found);
        }
    }
}

/// Weighs the signs between two runs of digits, of which the first may stand in brackets.
fn gap(signs: &str, bracket: bool) -> Gap {
    let inner = signs.trim();
    let apart = signs.starts_with(' ') && signs.ends_with(' ');
    if inner.contains([',', '/']) || apart && inner.starts_with('-') {
        Gap::Strong
    } else if inner.ends_with(':')
        || signs.ends_with(' ')
            && !apart
            && (inner == ")" && !bracket || matches!(inner, "." | "-"))
    {
        Gap::Label
    } else {
        Gap::Light
    }
}

fn digits_follow(rest: &str) -> bool {
    let mut rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '+');
    // `ext. no. 5`
    if let Some(after) = rest.get(..2).filter(|two| two.eq_ignore_ascii_case("no")) {
        rest = rest[after.len()..].trim_start_matches(|c: char| !c.is_alphanumeric());
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (1..=EXTENSION_MAX).contains(&digits)
}

/// Tells whether a word is of letters that are typed for digits: `O`, `l`.
fn is_like_digits(word: &str) -> bool {
    word.chars().all(|letter| matches!(letter, 'O' | 'o' | 'Q' | 'I' | 'i' | 'l' | 'S' | 'Z' | 'B'))
}

/// Folds a word to lower case without accents.
fn folded(word: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    word.nfd().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Drops the `xx` that stands for a carrier in Brazil: `0xx11 96123-4567` (Anatel, Resolução 86/1998).
fn without_carrier(written: &str, region: Option<Region>) -> String {
    let bytes = written.as_bytes();
    let brazil = region.is_some_and(|region| region.as_str() == "BR");
    let start = bytes.iter().position(u8::is_ascii_digit).unwrap_or_default();
    if brazil && bytes.get(start) == Some(&b'0') {
        let rest = written[start + 1..].trim_start();
        if rest.get(..2).is_some_and(|carrier| carrier.eq_ignore_ascii_case("xx")) {
            return format!("{}0{}", &written[..start], &rest[2..]);
        }
    }
    written.to_owned()
}

/// Reads a number whose end is written in capital letters, by the keys of a telephone (ITU-T E.161).
///
/// Who has such a number is a business with a free number; in others letters stay letters.
fn vanity(written: &str) -> Option<String> {
    let first = written.find(|c: char| c.is_ascii_uppercase())?;
    let (head, tail) = written.split_at(first);
    let letters = tail.bytes().filter(u8::is_ascii_uppercase).count();
    let plain = tail.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'-'));
    let digits = head.bytes().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'(' | b')' | b'+' | b'.')
    });
    if letters < 4 || !plain || !digits {
        return None;
    }
    let key = |letter: u8| b"22233344455566677778889999"[usize::from(letter - b'A')];
    let converted =
        tail.bytes().filter(u8::is_ascii_uppercase).map(|letter| char::from(key(letter)));
    Some(head.chars().filter(|c| c.is_ascii_digit() || *c == '+').chain(converted).collect())
}

fn toll_free(written: &str, region: Option<Region>) -> Option<Phone> {
    let plus = written.starts_with('+');
    let digits = written.trim_start_matches('+');
    let phone = plan::number(digits, plus, region).ok()?;
    (plan::usage(digits, plus, region) == Some(Use::TollFree)).then_some(phone)
}
