//! One cell against its column.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::date::{Date, read_date};
use super::number::{Number, NumberDamage, read_number};
use super::problem::Problem;
use crate::finding::{Finding, Reason};
use crate::guard::unguard;
use crate::read::{Cell, Form, MAX_CELL};
use crate::template::{CellType, Column, Fill, Language, Role, Template};

/// Is the value of a cell that is as it should be.
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

/// Is the judgement of a cell.
pub(super) enum Judged {
    /// As it should be.
    Good(Value),
    /// As it should be, with something to know.
    Noted(Value, Finding),
    /// Wrong.
    Refused(Finding),
}

/// What a cell is judged by, beside its column.
pub(super) struct Context<'a> {
    pub(super) template: &'a Template,
    pub(super) decimal_mark: char,
    /// The last day that can be evidence's, where the caller named today.
    pub(super) as_of: Option<NaiveDate>,
    /// Whether the packet is known to have been issued from other facts.
    pub(super) stale: bool,
    /// The language of what is said.
    pub(super) language: Language,
}

impl Context<'_> {
    fn finding(&self, reason: Reason, code: &'static str, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, reason, code, problem)
    }
}

/// Judges a cell of a column, issued as `issued`.
pub(super) fn read_cell(
    context: &Context<'_>,
    column: &Column,
    issued: &str,
    cell: &Cell,
) -> Judged {
    if let Some(finding) = refuse_form(context, column, cell) {
        return Judged::Refused(finding);
    }
    let guarded = cell.form == Form::Text && !column.cell_type.is_number();
    let text = if guarded { unguard(&cell.text) } else { &cell.text };
    let text = text.trim();
    match column.role {
        Role::Key if !issued.is_empty() => key(context, column, issued, text),
        Role::Context => context_cell(context, column, issued, text),
        Role::Key | Role::Capture => capture(context, column, text, cell),
    }
}

fn refuse_form(context: &Context<'_>, column: &Column, cell: &Cell) -> Option<Finding> {
    if cell.text.chars().nth(MAX_CELL).is_some() {
        let problem = Problem::CellTooLong { most: MAX_CELL };
        return Some(context.finding(Reason::CELL_TOO_LONG, "cell-too-long", &problem));
    }
    let error_value = cell.form == Form::Error
        || ["#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#N/A", "#NUM!", "#NULL!"]
            .contains(&cell.text.trim());
    let formula = match cell.form {
        Form::Formula => true,
        // A negative number is none; a text in a number's column is judged as a number.
        Form::Text if column.cell_type.is_number() => cell.text.trim_start().starts_with('='),
        Form::Text => is_formula(&cell.text),
        Form::TypedText | Form::Number | Form::Date | Form::Error => false,
    };
    (error_value || formula).then(|| {
        let problem = if error_value { Problem::ErrorValue } else { Problem::Formula };
        context.finding(Reason::FORMULA_CELL, "formula-cell", &problem)
    })
}

/// Says whether a returned text is a formula that was never guarded.
///
/// A dash or a plus followed by a space is an ordinary way to begin a quotation, and no spreadsheet
/// keeps it as a formula.
fn is_formula(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some('=' | '@' | '\t' | '\r' | '\0') => true,
        Some('+' | '-') => chars.next().is_some_and(|c| !c.is_whitespace()),
        _ => false,
    }
}

fn key(context: &Context<'_>, column: &Column, issued: &str, text: &str) -> Judged {
    if same(text, issued) {
        let value = match read_date(issued) {
            Date::Read(date) if column.cell_type == CellType::Date => Value::Date(date),
            _ => Value::Text(issued.to_owned()),
        };
        return Judged::Good(value);
    }
    let (reason, code, problem) = if text.is_empty() {
        (Reason::MISSING_REQUIRED_METADATA, "key-altered", Problem::IssuedGone { issued })
    } else {
        let (code, problem) = key_damage(column, issued, text);
        (Reason::KEY_ALTERED, code, problem)
    };
    let finding = context.finding(reason, code, &problem);
    Judged::Refused(finding.with_repair(Some(issued.to_owned())))
}

/// Says whether a cell is as issued; a spreadsheet may write line breaks in its own way.
fn same(text: &str, issued: &str) -> bool {
    text == issued.trim() || text.replace("\r\n", "\n") == issued.trim().replace("\r\n", "\n")
}

fn key_damage<'i>(column: &Column, issued: &'i str, text: &str) -> (&'static str, Problem<'i>) {
    if column.cell_type == CellType::Date
        && let (Date::Read(day), Date::Wrong { damage, readings }) =
            (read_date(issued), read_date(text))
        && readings.contains(&day)
    {
        return (damage.code(), Problem::KeyDate { damage, issued });
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(issued)
        && digits(text)
        && issued.trim_start_matches('0') == text.trim_start_matches('0')
    {
        return ("leading-zero-lost", Problem::LeadingZerosLost { issued });
    }
    if let Number::Wrong { damage: NumberDamage::Scientific, .. } = read_number(text, '.', false) {
        return (NumberDamage::Scientific.code(), Problem::KeyScientific { issued });
    }
    if text.to_lowercase() == issued.to_lowercase() {
        return ("key-altered", Problem::KeyCase { issued });
    }
    ("key-altered", Problem::KeyChanged { issued })
}

fn context_cell(context: &Context<'_>, column: &Column, issued: &str, text: &str) -> Judged {
    let value = Value::Text(issued.to_owned());
    if same(text, issued) {
        return Judged::Good(value);
    }
    if text.is_empty() && column.required {
        let problem = Problem::IssuedGone { issued };
        let reason = Reason::MISSING_REQUIRED_METADATA;
        let finding = context.finding(reason, "readonly-changed", &problem);
        return Judged::Refused(finding.with_repair(Some(issued.to_owned())));
    }
    let counted = matches!(column.fill, Some(Fill::KpisCoveredTotal | Fill::MetricRowsTotal));
    let finding = if context.stale || counted && text.parse::<u64>().is_ok() {
        let problem = Problem::IssuedAtAnotherTime { now: issued };
        context.finding(Reason::PACKET_STALE, "packet-stale", &problem)
    } else {
        let problem = Problem::ReadOnlyChanged { issued };
        context
            .finding(Reason::READONLY_CHANGED, "readonly-changed", &problem)
            .with_repair(Some(issued.to_owned()))
    };
    Judged::Noted(value, finding)
}

fn capture(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    if is_blank(text) {
        return if column.required {
            Judged::Refused(blank(context, column))
        } else {
            Judged::Good(Value::Blank)
        };
    }
    match column.cell_type {
        CellType::Integer | CellType::Decimal => number(context, column, text, cell),
        CellType::Date => date(context, column, text),
        CellType::Url => url(context, text),
        CellType::Text => self::text(context, column, text),
    }
}

fn blank(context: &Context<'_>, column: &Column) -> Finding {
    let (reason, code, problem) = if column.name == context.template.evidence_date() {
        (Reason::INVALID_EVIDENCE_DATE, "evidence-missing", Problem::EvidenceDateMissing)
    } else if column.name == context.template.evidence_quote() {
        (Reason::SHORT_EVIDENCE_QUOTE, "evidence-missing", Problem::EvidenceQuoteMissing)
    } else if column.cell_type.is_number() {
        (Reason::INVALID_NUMERIC, "constraint-error", Problem::NumberMissing)
    } else {
        (Reason::MISSING_REQUIRED_METADATA, "constraint-error", Problem::CellMissing)
    };
    context.finding(reason, code, &problem)
}

fn number(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    let reason = Reason::INVALID_NUMERIC;
    if cell.form == Form::Date {
        return Judged::Refused(context.finding(reason, "number-as-date", &Problem::NumberAsDate));
    }
    // A typed cell has no locale: its text is written with a point.
    let mark = if cell.form == Form::Number { '.' } else { context.decimal_mark };
    match read_number(text, mark, column.cell_type == CellType::Integer) {
        Number::Read(number) => bounds(context, column, number)
            .map_or(Judged::Good(Value::Number(number)), Judged::Refused),
        Number::Blank => Judged::Refused(blank(context, column)),
        Number::Wrong { damage, repair } => {
            let problem = Problem::Number { damage, unit: column.unit.as_deref(), mark };
            let repair = repair.map(|number| number.to_string().replace('.', &mark.to_string()));
            let finding = context.finding(reason, damage.code(), &problem);
            Judged::Refused(finding.with_repair(repair))
        }
    }
}

fn bounds(context: &Context<'_>, column: &Column, number: Decimal) -> Option<Finding> {
    let below =
        column.minimum.as_ref().filter(|b| number < b.limit || b.exclusive && number == b.limit);
    let above =
        column.maximum.as_ref().filter(|b| number > b.limit || b.exclusive && number == b.limit);
    let (bound, greater) = below.map(|b| (b, true)).or_else(|| above.map(|b| (b, false)))?;
    let problem = Problem::OutOfBounds { greater, exclusive: bound.exclusive, limit: bound.limit };
    let reason = Reason::of_template(&bound.reason, bound.priority);
    Some(context.finding(reason, "constraint-error", &problem))
}

fn date(context: &Context<'_>, column: &Column, text: &str) -> Judged {
    let evidence = column.name == context.template.evidence_date();
    let reason = if evidence { Reason::INVALID_EVIDENCE_DATE } else { Reason::INVALID_DATE };
    let possible =
        |date: &&NaiveDate| !evidence || context.as_of.is_none_or(|as_of| **date <= as_of);
    match read_date(text) {
        Date::Read(date) if possible(&&date) => Judged::Good(Value::Date(date)),
        Date::Read(_) => {
            Judged::Refused(context.finding(reason, "constraint-error", &Problem::FutureEvidence))
        }
        Date::Blank => Judged::Refused(blank(context, column)),
        Date::Wrong { damage, readings } => {
            let repair = match readings.iter().filter(possible).collect::<Vec<_>>()[..] {
                [one] => Some(one.to_string()),
                _ => None,
            };
            let finding = context.finding(reason, damage.code(), &Problem::Date { damage });
            Judged::Refused(finding.with_repair(repair))
        }
    }
}

fn url(context: &Context<'_>, text: &str) -> Judged {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace) {
        return Judged::Good(Value::Text(text.to_owned()));
    }
    let reason = Reason::MISSING_REQUIRED_METADATA;
    Judged::Refused(context.finding(reason, "type-error", &Problem::NoAddress))
}

fn text(context: &Context<'_>, column: &Column, text: &str) -> Judged {
    // What a reader writes for a letter that it could not read; a quotation must not keep it.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        let reason = Reason::INVALID_ENCODING;
        return Judged::Refused(context.finding(reason, "encoding-error", &Problem::LettersLost));
    }
    let length = text.chars().filter(|c| !is_invisible(*c)).count();
    if let Some(least) = column.min_length.filter(|least| length < *least) {
        let quote = column.name == context.template.evidence_quote();
        let reason = if quote { Reason::SHORT_EVIDENCE_QUOTE } else { Reason::VALUE_NOT_ALLOWED };
        let problem = Problem::TextTooShort { length, least };
        return Judged::Refused(context.finding(reason, "constraint-error", &problem));
    }
    if !column.one_of.is_empty() && !column.one_of.iter().any(|allowed| allowed == text) {
        let folded = text.to_lowercase();
        let repair = column.one_of.iter().find(|allowed| allowed.to_lowercase() == folded).cloned();
        let problem = Problem::NotAllowed { allowed: &column.one_of };
        let finding = context.finding(Reason::VALUE_NOT_ALLOWED, "constraint-error", &problem);
        return Judged::Refused(finding.with_repair(repair));
    }
    Judged::Good(Value::Text(text.to_owned()))
}

/// Says whether a text shows nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}
