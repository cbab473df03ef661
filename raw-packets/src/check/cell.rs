//! One cell against its column.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{Datelike as _, Days, NaiveDate};
use rust_decimal::Decimal;

use crate::finding::{Finding, Problem, Whose};
use crate::read::{Cell, Form, MAX_CELL};
use crate::template::{CellType, Choice, Column, Fill, Language, Role, Template};
use crate::value::{
    Date, DateDamage, Number, NumberDamage, NumberStyle, folded, is_blank, is_error_value,
    is_formula, is_too_narrow, letters, read_date, read_number, repaired_mojibake, same_text, trim,
    unguard,
};

/// The value of a cell that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A blank cell, where blank is allowed.
    Blank,
    /// A text.
    Text(String),
    /// A number.
    Number(Decimal),
    /// A day.
    Date(NaiveDate),
}

/// The judgement of a cell.
pub(super) enum Judged {
    /// As it should be.
    Good(Value),
    /// As it should be, with something to know.
    Noted(Value, Finding),
    /// Wrong.
    Refused(Finding),
    /// A key of something else, which moves the whole row.
    Foreign(Finding),
    /// Wrong for a reason that is told of the file as a whole.
    Told,
}

/// What a cell is judged by, beside its column.
pub(super) struct Context<'a> {
    pub(super) template: &'a Template,
    pub(super) decimal_mark: char,
    /// The last day that can be evidence's, where the caller named today.
    pub(super) as_of: Option<NaiveDate>,
    /// Whether the packet is known to have been issued from other facts.
    pub(super) stale: bool,
    /// Whether letters of the file could not be read, which is told once.
    pub(super) undecoded: bool,
    /// Whether a double quote of the file may have been left open.
    pub(super) odd_quotes: bool,
    /// Every key of every packet that is known.
    pub(super) keys: &'a BTreeSet<&'a str>,
    /// The language of what is said.
    pub(super) language: Language,
}

impl Context<'_> {
    fn refused(&self, problem: &Problem<'_>) -> Judged {
        Judged::Refused(self.finding(problem))
    }

    fn finding(&self, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, problem)
    }
}

/// Returns what a cell says, without the guard of a text and what surrounds it without being seen.
pub(super) fn said<'c>(column: &Column, cell: &'c Cell) -> Cow<'c, str> {
    let guarded = cell.form == Form::Text && !column.cell_type.is_number();
    match if guarded { unguard(&cell.text) } else { Cow::Borrowed(cell.text.as_str()) } {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}

/// Judges a cell of a column, issued as `issued`.
pub(super) fn read_cell(
    context: &Context<'_>,
    column: &Column,
    issued: &str,
    cell: &Cell,
) -> Judged {
    if context.undecoded && cell.text.contains(char::REPLACEMENT_CHARACTER) {
        return Judged::Told;
    }
    if let Some(finding) = refuse_form(context, column, issued, cell) {
        return Judged::Refused(finding);
    }
    let text = &*said(column, cell);
    match column.role {
        Role::Key if !issued.is_empty() => key(context, column, issued, text, cell),
        Role::Context => context_cell(context, column, issued, text),
        Role::Key | Role::Capture => capture(context, column, text, cell),
    }
}

fn refuse_form(
    context: &Context<'_>,
    column: &Column,
    issued: &str,
    cell: &Cell,
) -> Option<Finding> {
    let mut kept = None;
    let problem = if cell.text.chars().nth(MAX_CELL).is_some() {
        Problem::CellTooLong { most: MAX_CELL }
    } else if cell.form == Form::Error || is_error_value(&cell.text) {
        Problem::ErrorValue
    } else if cell.form == Form::Text && is_too_narrow(&cell.text) {
        Problem::TooNarrow
    } else {
        let text = trim(&cell.text);
        let formula = match cell.form {
            Form::Formula => true,
            // A number may start with a sign; a text in its column is judged as a number.
            Form::Text if column.cell_type.is_number() => text.starts_with('='),
            Form::Text => is_formula(&cell.text),
            Form::TypedText | Form::Number { .. } | Form::Percentage | Form::Date | Form::Error => {
                false
            }
        };
        if !formula {
            return None;
        }
        let typed = cell.form == Form::Formula;
        kept = kept_as_text(column, issued, text).filter(|_| !typed);
        Problem::Formula { typed, text: column.cell_type == CellType::Text }
    };
    Some(context.finding(&problem).with_repair(kept.map(str::to_owned)))
}

/// Returns what `="1200"` says, as programs write digits that a spreadsheet is to keep.
fn kept_as_text<'t>(column: &Column, issued: &str, text: &'t str) -> Option<&'t str> {
    let kept = text.strip_prefix("=\"")?.strip_suffix('"')?;
    let good = match column.cell_type {
        _ if column.role != Role::Capture => kept == issued,
        CellType::Integer | CellType::Decimal => kept.bytes().all(|b| b.is_ascii_digit()),
        CellType::Date => matches!(read_date(kept), Date::Read(_)),
        CellType::Text | CellType::Url => false,
    };
    (good && !kept.is_empty()).then_some(kept)
}

fn key(context: &Context<'_>, column: &Column, issued: &str, text: &str, cell: &Cell) -> Judged {
    let value = || match read_date(issued) {
        Date::Read(date) if column.cell_type == CellType::Date => Value::Date(date),
        _ => Value::Text(issued.to_owned()),
    };
    // An apostrophe in front is how a spreadsheet is told to keep a text.
    if same_text(text, issued) || same_text(text.trim_start_matches('\''), issued) {
        return Judged::Good(value());
    }
    let with_repair = |problem: &Problem<'_>, only: bool| {
        let repair = only.then(|| issued.to_owned());
        Judged::Refused(context.finding(problem).with_repair(repair))
    };
    if text.is_empty() {
        return with_repair(&Problem::IssuedGone { issued, key: true }, true);
    }
    if column.cell_type == CellType::Date
        && let Date::Read(day) = read_date(issued)
        && let Date::Wrong { damage, readings } = typed_date(text, cell)
        && readings.contains(&day)
    {
        // An office program writes a day in its own way on saving; what can only mean this packet's is no
        // damage.
        let of_another = |reading: &NaiveDate| {
            *reading != day && context.keys.contains(reading.to_string().as_str())
        };
        return if readings.iter().any(of_another) {
            with_repair(&Problem::KeyDate { damage, issued }, false)
        } else {
            Judged::Noted(value(), context.finding(&Problem::KeyRewritten { issued }))
        };
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(issued)
        && digits(text)
        && issued.trim_start_matches('0') == text.trim_start_matches('0')
    {
        return with_repair(&Problem::LeadingZerosLost { issued }, true);
    }
    if context.keys.contains(text) {
        let problem = Problem::KeyOf { issued, whose: Whose::AnotherPacket };
        return Judged::Foreign(context.finding(&problem));
    }
    if is_mangled(text, issued) {
        return with_repair(&Problem::KeyMangled { issued }, true);
    }
    let style = NumberStyle { mark: '.', whole: false };
    if let Number::Wrong { damage: NumberDamage::Scientific, .. } = read_number(text, style) {
        return with_repair(&Problem::KeyScientific { issued }, false);
    }
    let problem = Problem::KeyOf { issued, whose: Whose::Nobody };
    Judged::Foreign(context.finding(&problem))
}

/// Says whether a text is the issued one after what programs do to letters: capitals, accents taken off,
/// UTF-8 read as another encoding, letters lost.
fn is_mangled(text: &str, issued: &str) -> bool {
    let punctuation =
        |text: &str| -> String { text.chars().filter(char::is_ascii_punctuation).collect() };
    let lost = |c: char| matches!(c, '?' | '_' | char::REPLACEMENT_CHARACTER);
    let same_but_lost = || {
        let mut letters = text.chars().zip(issued.chars());
        text.contains(lost)
            && text.chars().count() == issued.chars().count()
            && letters.all(|(is, was)| is == was || lost(is) && !was.is_ascii())
    };
    folded(text) == folded(issued) && punctuation(text) == punctuation(issued)
        || repaired_mojibake(text).is_some_and(|repaired| same_text(&repaired, issued))
        || same_but_lost()
}

fn context_cell(context: &Context<'_>, column: &Column, issued: &str, text: &str) -> Judged {
    let value = Value::Text(issued.to_owned());
    if same_text(text, issued) {
        return Judged::Good(value);
    }
    if text.is_empty() && column.required {
        let finding = context.finding(&Problem::IssuedGone { issued, key: false });
        return Judged::Refused(finding.with_repair(Some(issued.to_owned())));
    }
    // What is held changes with every load, and says nothing against the packet.
    if column.fill.as_ref().is_some_and(Fill::is_counter) && text.parse::<u64>().is_ok() {
        return Judged::Good(value);
    }
    let finding = if context.stale {
        context.finding(&Problem::IssuedAtAnotherTime { now: issued })
    } else {
        context.finding(&Problem::ReadOnlyChanged { issued }).with_repair(Some(issued.to_owned()))
    };
    Judged::Noted(value, finding)
}

fn capture(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    if is_blank(text) {
        return if column.required { blank(context, column) } else { Judged::Good(Value::Blank) };
    }
    match column.cell_type {
        CellType::Integer | CellType::Decimal => number(context, column, text, cell),
        CellType::Date => date(context, column, text, cell),
        CellType::Url => url(context, text),
        CellType::Text => self::text(context, column, text),
    }
}

fn blank(context: &Context<'_>, column: &Column) -> Judged {
    context.refused(&if column.name == context.template.evidence_date() {
        Problem::EvidenceDateMissing
    } else if column.name == context.template.evidence_quote() {
        Problem::EvidenceQuoteMissing
    } else if column.cell_type.is_number() {
        Problem::NumberMissing
    } else {
        Problem::CellMissing
    })
}

fn number(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    let whole = column.cell_type == CellType::Integer;
    let read = match cell.form {
        Form::Date => return context.refused(&Problem::NumberAsDate),
        Form::Percentage => Number::Wrong { damage: NumberDamage::Percent, readings: Vec::new() },
        Form::Number { .. } => typed_number(text, whole),
        _ => read_number(text, NumberStyle { mark: context.decimal_mark, whole }),
    };
    // A workbook knows its numbers, and shows them with any mark.
    let mark = context.decimal_mark;
    match read {
        Number::Read { value, also } => {
            if let Some(finding) = bounds(context, column, value) {
                return Judged::Refused(finding);
            }
            let other = also.map(|other| other.value).filter(|other| in_bounds(column, *other));
            match other {
                None => Judged::Good(Value::Number(value)),
                Some(also) => {
                    let mark = if text.contains(',') { ',' } else { '.' };
                    let problem = Problem::ThousandsPossible { read: value, also, mark };
                    Judged::Noted(Value::Number(value), context.finding(&problem))
                }
            }
        }
        Number::Blank => blank(context, column),
        Number::Wrong { damage, readings } => {
            let unit = column.unit.as_ref().map(|unit| unit.get(context.language));
            let problem = Problem::Number { damage, text, readings: &readings, unit, mark };
            // What may mean two numbers is for the person to say.
            let repair = match readings[..] {
                [only] if in_bounds(column, only.value) => {
                    Some(only.value.to_string().replace('.', &mark.to_string()))
                }
                _ => None,
            };
            Judged::Refused(context.finding(&problem).with_repair(repair))
        }
    }
}

/// Reads the number of a workbook's cell, which has a decimal point and nothing else.
fn typed_number(text: &str, whole: bool) -> Number {
    let wrong = |damage| Number::Wrong { damage, readings: Vec::new() };
    match text.parse::<Decimal>() {
        Ok(value) if whole && !value.fract().is_zero() => wrong(NumberDamage::NotWhole),
        Ok(value) => Number::Read { value: value.normalize(), also: None },
        Err(_) => wrong(NumberDamage::TooLong),
    }
}

fn out_of_bounds(column: &Column, number: Decimal) -> Option<Problem<'_>> {
    let below =
        column.minimum.as_ref().filter(|b| number < b.limit || b.exclusive && number == b.limit);
    let above =
        column.maximum.as_ref().filter(|b| number > b.limit || b.exclusive && number == b.limit);
    let (bound, greater) = below.map(|b| (b, true)).or_else(|| above.map(|b| (b, false)))?;
    Some(Problem::OutOfBounds { greater, bound })
}

fn in_bounds(column: &Column, number: Decimal) -> bool {
    out_of_bounds(column, number).is_none()
}

fn bounds(context: &Context<'_>, column: &Column, number: Decimal) -> Option<Finding> {
    out_of_bounds(column, number).map(|problem| context.finding(&problem))
}

/// Reads a day, of a workbook's number by the epoch that the workbook says it has.
fn typed_date(text: &str, cell: &Cell) -> Date {
    match (read_date(text), cell.form) {
        (Date::Wrong { damage: DateDamage::Serial, .. }, Form::Number { since_1904 }) => {
            let epoch = if since_1904 { (1904, 1, 1) } else { (1899, 12, 30) };
            let epoch = NaiveDate::from_ymd_opt(epoch.0, epoch.1, epoch.2);
            let days = text.split('.').next().and_then(|days| days.parse().ok());
            let day =
                epoch.zip(days).and_then(|(epoch, days)| epoch.checked_add_days(Days::new(days)));
            Date::Wrong { damage: DateDamage::Serial, readings: day.into_iter().collect() }
        }
        (read, _) => read,
    }
}

/// The first year of which evidence is taken.
const FIRST_EVIDENCE: i32 = 1950;

fn date(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    let evidence = column.name == context.template.evidence_date();
    let as_of = context.as_of.filter(|_| evidence);
    let possible = |date: &NaiveDate| {
        as_of.is_none_or(|as_of| *date <= as_of) && (!evidence || date.year() >= FIRST_EVIDENCE)
    };
    match (typed_date(text, cell), as_of) {
        (Date::Read(date), Some(as_of)) if date > as_of => {
            context.refused(&Problem::FutureEvidence { as_of })
        }
        // What Excel shows of a small number in a cell for days.
        (Date::Read(date), _) if evidence && date.year() < FIRST_EVIDENCE => {
            context.refused(&Problem::LongAgo { first: FIRST_EVIDENCE })
        }
        (Date::Read(date), _) => Judged::Good(Value::Date(date)),
        (Date::Blank, _) => blank(context, column),
        (Date::Wrong { damage, readings }, _) => {
            let repair = match readings.into_iter().filter(possible).collect::<Vec<_>>()[..] {
                [one] => Some(one.to_string()),
                _ => None,
            };
            let finding = context.finding(&Problem::Date { damage, evidence });
            Judged::Refused(finding.with_repair(repair))
        }
    }
}

fn url(context: &Context<'_>, text: &str) -> Judged {
    let scheme = |scheme: &str| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        begin.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let host = scheme("https://").or_else(|| scheme("http://"));
    let host = host.and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace) {
        return Judged::Good(Value::Text(text.to_owned()));
    }
    context.refused(&Problem::NoAddress)
}

fn text(context: &Context<'_>, column: &Column, text: &str) -> Judged {
    // What a reader writes for a letter that it could not read; a quotation must not keep it.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return context.refused(&Problem::LettersLost);
    }
    if let Some(repaired) = repaired_mojibake(text) {
        return Judged::Refused(context.finding(&Problem::LettersLost).with_repair(Some(repaired)));
    }
    let length = letters(text);
    if let Some(least) = column.min_length.filter(|least| length < *least) {
        let evidence = column.name == context.template.evidence_quote();
        return context.refused(&Problem::TextTooShort { length, least, evidence });
    }
    if column.one_of.is_empty() {
        return Judged::Good(Value::Text(text.to_owned()));
    }
    if let Some(choice) = column.choice(text) {
        return Judged::Good(Value::Text(choice.value.clone()));
    }
    let written = folded(text);
    let mut words = column.one_of.iter().flat_map(Choice::words);
    let repair = words.find(|word| folded(word) == written).map(str::to_owned);
    let finding = context.finding(&Problem::NotAllowed { allowed: &column.one_of });
    Judged::Refused(finding.with_repair(repair))
}
