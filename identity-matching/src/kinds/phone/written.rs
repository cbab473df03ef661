//! What people write around a number: labels, remarks, extensions, a second number, a spreadsheet's decimals.
//!
//! A cell is cut at signs that only stand between values and at words; what is left are runs of digits with light signs
//! between. libphonenumber only ever sees digits and a leading `+`: letters never become digits.

use super::plan::{self, Number, Use};
use super::{Outcome, Phone, fixes};
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
    let number = match link(written) {
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

/// Takes the number out of a link or a messenger's name for a mailbox: `wa.me/51…`, `51…@c.us`, `tel:…`.
///
/// The number in a messenger's is an international one without its `+`. Sources: RFC 3966; the help pages of `WhatsApp` on
/// its links.
fn link(written: &str) -> Option<String> {
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

/// Says how strongly the signs before a run of digits part it from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    /// Blanks, dots, dashes, brackets and the like.
    Light,
    /// As behind the number of a label or a list: `cel 1: `, `2) `.
    Label,
    /// A comma, a slash, or a dash between blanks.
    Strong,
}

/// One run of digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    digits: String,
    plus: bool,
    gap: Gap,
    /// Whether a lone dot or comma stands before it.
    point: bool,
    /// Whether it stands in brackets.
    bracketed: bool,
}

/// Runs of digits without a word between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chunk {
    groups: Vec<Group>,
    /// Whether a word stands in front.
    labelled: bool,
    /// Whether a letter stands inside or at an end without a blank, or the word in front names another kind of
    /// identifier, such as `DNI`.
    refused: bool,
    extension: bool,
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

impl Chunk {
    /// Drops the hour behind a number: the `6` of `987123456 6pm`; tells whether one stood there.
    fn drop_hour(&mut self) -> bool {
        let [.., before, hour] = &self.groups[..] else { return false };
        let found = hour.digits.len() <= 2 && before.digits.len() >= 3 && !hour.point;
        if found {
            self.groups.pop();
        }
        found
    }

    /// Drops the decimals of a spreadsheet behind a whole number; others break it.
    fn drop_decimals(&mut self) {
        if let [.., whole, decimals] = &self.groups[..]
            && decimals.point
            && (whole.digits.len() >= 5 || decimals.digits == "0")
            && decimals.digits.len() <= 2
        {
            let zeros = decimals.digits.bytes().all(|digit| digit == b'0');
            self.refused |= !zeros;
            self.groups.pop();
        }
    }

    /// Tells whether it is a number of two digits at most, or an hour: `18`, `18:00`.
    fn is_count_or_hour(&self) -> bool {
        let short = |group: &Group| group.digits.len() <= 2 && !group.plus;
        self.groups.len() <= 2 && self.groups.iter().all(short)
    }

    fn is_number(&self, region: Option<Region>) -> bool {
        !self.refused && number(&self.groups, region).is_ok()
    }

    /// Reads one number, or several without a word between them.
    fn read(
        &self,
        region: Option<Region>,
        marks: Reading,
        several: bool,
        found: &mut dyn FnMut(Outcome),
    ) {
        if self.refused {
            return found(Outcome::unusable(UnusableReason::Malformed));
        }
        let marks = if several { marks.with(Reading::SPLIT) } else { marks };
        let marks = if self.extension { marks.with(Reading::EXTENSION_DROPPED) } else { marks };
        let groups = join_prefix(&self.groups, region);
        // A `+` begins a number.
        if let Some(at) = (1..groups.len()).find(|&at| groups[at].plus) {
            for groups in [&groups[..at], &groups[at..]] {
                let chunk = Self { groups: groups.to_vec(), ..self.clone() };
                chunk.read(region, marks, true, found);
            }
            return;
        }
        let whole = number(&groups, region);
        // `1) 987123456 2) 912345678`: the next of a list.
        let next = |at: &usize| groups[*at].digits.len() == 1 && groups[at + 1].gap == Gap::Label;
        if whole.is_err()
            && groups.len() > 3
            && let Some(at) = (2..groups.len() - 1).find(next)
        {
            for groups in [&groups[..at], &groups[at..]] {
                let chunk = Self { groups: groups.to_vec(), ..self.clone() };
                chunk.read(region, marks, true, found);
            }
            return;
        }
        let unlabelled = self.without_label(&groups).filter(|rest| number(rest, region).is_ok());
        match (whole, unlabelled) {
            (Ok(phone), Some(rest)) if groups[1].gap != Gap::Label => {
                let other = number(rest, region);
                if other.as_ref().is_ok_and(|other| other.e164() == phone.e164()) {
                    found(Outcome::Number(phone.with(marks)));
                } else {
                    found(Outcome::unusable(UnusableReason::Ambiguous));
                }
            }
            (_, Some(rest)) => {
                if let Ok(phone) = number(rest, region) {
                    found(Outcome::Number(phone.with(marks.with(Reading::WORDS_DROPPED))));
                }
            }
            (Ok(phone), None) => found(Outcome::Number(phone.with(marks))),
            (Err(reason), None) => read_parts(&groups, reason, region, marks, found),
        }
    }

    /// Leaves out the number of a label: the `2` of `cel 2: 987123456` and of `2) 987123456`.
    fn without_label<'a>(&self, groups: &'a [Group]) -> Option<&'a [Group]> {
        let [first, next, ..] = groups else { return None };
        let short = first.digits.len() == 1 && !first.plus && first.digits != "0";
        (short && (self.labelled || next.gap == Gap::Label)).then(|| &groups[1..])
    }
}

/// Reads what is no number as a whole: several numbers, a number with a prefix too many, or nothing.
fn read_parts(
    groups: &[Group],
    reason: UnusableReason,
    region: Option<Region>,
    marks: Reading,
    found: &mut dyn FnMut(Outcome),
) {
    let strong: Vec<&[Group]> = split_strong(groups);
    let split = marks.with(Reading::SPLIT);
    if strong.len() > 1 && strong.iter().any(|part| number(part, region).is_ok()) {
        for part in strong {
            read_one(part, region, split, found);
        }
        return;
    }
    // `01 438 2917 (234)`: an extension without its name.
    if let [rest @ .., last] = groups
        && last.bracketed
        && last.digits.len() <= 4
        && !rest.is_empty()
        && let Ok(phone) = number(rest, region)
    {
        return found(Outcome::Number(phone.with(marks.with(Reading::EXTENSION_DROPPED))));
    }
    let digits = digits_of(groups);
    let plus = groups[0].plus;
    if let Some(outcome) = fixes::read(&digits, plus, region) {
        return found(outcome.with(marks));
    }
    match segments(groups, region) {
        Segments::One(parts) => {
            for part in parts {
                read_one(part, region, split, found);
            }
        }
        Segments::Several => found(Outcome::unusable(UnusableReason::Ambiguous)),
        Segments::None => found(Outcome::not_a_number(reason, &digits, plus)),
    }
}

fn read_one(
    groups: &[Group],
    region: Option<Region>,
    marks: Reading,
    found: &mut dyn FnMut(Outcome),
) {
    let (digits, plus) = (digits_of(groups), groups[0].plus);
    found(match number(groups, region) {
        Ok(phone) => Outcome::Number(phone.with(marks)),
        Err(reason) => match fixes::read(&digits, plus, region) {
            Some(outcome) => outcome.with(marks),
            None => Outcome::not_a_number(reason, &digits, plus),
        },
    });
}

fn number(groups: &[Group], region: Option<Region>) -> Number {
    let (digits, plus) = (digits_of(groups), groups[0].plus);
    if !plus && carries_code(&digits, region) {
        let phone = plan::number(&digits, true, None)?;
        return Ok(Phone { reading: Reading::COUNTRY_CODE, ..phone });
    }
    let phone = plan::number(&digits, plus, region)?;
    if phone.reading.contains(Reading::INTERNATIONAL_PREFIX) && is_padded(&digits, region) {
        return Err(UnusableReason::Ambiguous);
    }
    Ok(phone)
}

/// Tells whether digits without a `+` are too long for a number of the region, and a mobile behind its country code.
///
/// Germany's numbers have eleven digits at most (Bundesnetzagentur, numbering plans of geographic and of mobile numbers),
/// but its plan of former times, which is open, would take `49 151…` for the area of Leer.
fn carries_code(digits: &str, region: Option<Region>) -> bool {
    let germany = region.is_some_and(|region| region.as_str() == "DE");
    germany
        && matches!(digits.len(), 12 | 13)
        && digits.starts_with("49")
        && plan::usage(digits, true, None) == Some(Use::Mobile)
        && plan::number(digits, true, None).is_ok()
}

/// Tells whether `00` before a number may be the zeros of a fixed width as well: behind them stands a mobile of the region,
/// and what the prefix leads to abroad is none.
fn is_padded(digits: &str, region: Option<Region>) -> bool {
    let Some(bare) = digits.strip_prefix("00") else { return false };
    let mobile = |number: &str, plus| plan::usage(number, plus, region) == Some(Use::Mobile);
    mobile(bare, false)
        && !mobile(bare, true)
        && plan::number(bare, false, region)
            .is_ok_and(|home| !home.reading.contains(Reading::COUNTRY_CODE))
}

fn digits_of(groups: &[Group]) -> String {
    groups.iter().map(|group| group.digits.as_str()).collect()
}

/// Joins a country's prefix with the number behind its own `+`: `0051+987123456`, `+51 +51987123456`.
fn join_prefix(groups: &[Group], region: Option<Region>) -> Vec<Group> {
    let mut groups = groups.to_vec();
    if let [first, second, ..] = &groups[..]
        && second.plus
    {
        let prefix = first.digits.trim_start_matches("00");
        let code = plan::country_code(region).to_string();
        let is_code = !prefix.is_empty()
            && prefix.len() <= 3
            && (first.plus || prefix == code || first.digits.len() > prefix.len());
        if is_code || prefix.is_empty() {
            let carries = prefix.is_empty() || second.digits.starts_with(prefix);
            let digits =
                if carries { second.digits.clone() } else { format!("{prefix}{}", second.digits) };
            groups[1].digits = digits;
            groups.remove(0);
        }
    }
    groups
}

fn split_strong(groups: &[Group]) -> Vec<&[Group]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 1..=groups.len() {
        if at == groups.len() || groups[at].gap == Gap::Strong {
            parts.push(&groups[start..at]);
            start = at;
        }
    }
    parts
}

enum Segments<'a> {
    None,
    One(Vec<&'a [Group]>),
    Several,
}

/// Finds the one way to cut runs of digits into whole numbers.
fn segments(groups: &[Group], region: Option<Region>) -> Segments<'_> {
    const LONGEST: usize = 16;
    let count = groups.len();
    if !(2..=LONGEST).contains(&count) {
        return Segments::None;
    }
    // How many ways lead to each place, two at most counted, and the last step of the first.
    let mut ways = [0_u8; LONGEST + 1];
    let mut from = [0_usize; LONGEST + 1];
    ways[0] = 1;
    for end in 1..=count {
        for start in 0..end {
            if ways[start] > 0 && number(&groups[start..end], region).is_ok() {
                ways[end] = (ways[end] + ways[start]).min(2);
                from[end] = start;
            }
        }
    }
    match ways[count] {
        0 => Segments::None,
        1 => {
            let mut parts = Vec::new();
            let mut end = count;
            while end > 0 {
                parts.push(&groups[from[end]..end]);
                end = from[end];
            }
            parts.reverse();
            Segments::One(parts)
        }
        _ => Segments::Several,
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

fn toll_free(written: &str, region: Option<Region>) -> Option<super::Phone> {
    let plus = written.starts_with('+');
    let digits = written.trim_start_matches('+');
    let phone = plan::number(digits, plus, region).ok()?;
    (plan::usage(digits, plus, region) == Some(Use::TollFree)).then_some(phone)
}
