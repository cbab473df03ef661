//! One cell against its column.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::date::{Date, read_date};
use super::number::{Number, read_number};
use crate::finding::{Finding, Reason};
use crate::guard::unguard;
use crate::read::{Cell, Form, MAX_CELL};
use crate::template::{CellType, Column, Fill, Role, Template};

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
}

/// Judges a cell of a column, issued as `issued`.
pub(super) fn read_cell(
    context: &Context<'_>,
    column: &Column,
    issued: &str,
    cell: &Cell,
) -> Judged {
    if let Some(finding) = refuse_form(column, cell) {
        return Judged::Refused(finding);
    }
    let guarded = cell.form == Form::Text && !column.cell_type.is_number();
    let text = if guarded { unguard(&cell.text) } else { &cell.text };
    let text = text.trim();
    match column.role {
        Role::Key if !issued.is_empty() => key(column, issued, text),
        Role::Context => context_cell(column, issued, text),
        Role::Key | Role::Capture => capture(context, column, text, cell),
    }
}

fn refuse_form(column: &Column, cell: &Cell) -> Option<Finding> {
    if cell.text.chars().nth(MAX_CELL).is_some() {
        let message = format!("the cell holds more than {MAX_CELL} characters");
        let remedy = "shorten it to what proves the figures";
        return Some(Finding::new(Reason::CELL_TOO_LONG, "cell-too-long", message, remedy));
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
        let message = if error_value {
            "the cell holds the error of a formula"
        } else {
            "the cell holds a formula, or a text that a spreadsheet takes for one"
        };
        let remedy = "write the value itself; put an apostrophe before a text that starts so";
        Finding::new(Reason::FORMULA_CELL, "formula-cell", message, remedy)
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

fn key(column: &Column, issued: &str, text: &str) -> Judged {
    if same(text, issued) {
        let value = match read_date(issued) {
            Date::Read(date) if column.cell_type == CellType::Date => Value::Date(date),
            _ => Value::Text(issued.to_owned()),
        };
        return Judged::Good(value);
    }
    if text.is_empty() {
        let message = format!("the issued `{issued}` is gone");
        let remedy = format!("write `{issued}` again");
        return Judged::Refused(
            Finding::new(Reason::MISSING_REQUIRED_METADATA, "key-altered", message, remedy)
                .with_repair(Some(issued.to_owned())),
        );
    }
    let (code, message) = key_damage(column, issued, text);
    let remedy = format!("write `{issued}` again");
    Judged::Refused(
        Finding::new(Reason::KEY_ALTERED, code, message, remedy)
            .with_repair(Some(issued.to_owned())),
    )
}

/// Says whether a cell is as issued; a spreadsheet may write line breaks in its own way.
fn same(text: &str, issued: &str) -> bool {
    text == issued.trim() || text.replace("\r\n", "\n") == issued.trim().replace("\r\n", "\n")
}

fn key_damage(column: &Column, issued: &str, text: &str) -> (&'static str, String) {
    if column.cell_type == CellType::Date
        && let (Date::Read(day), Date::Wrong { code, message, readings }) =
            (read_date(issued), read_date(text))
        && readings.contains(&day)
    {
        return (code, format!("{message}; `{issued}` was issued"));
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits(issued)
        && digits(text)
        && issued.trim_start_matches('0') == text.trim_start_matches('0')
    {
        return ("leading-zero-lost", format!("leading zeros were lost; `{issued}` was issued"));
    }
    if let Number::Wrong { code: code @ "scientific-notation", message, .. } =
        read_number(text, '.', false)
    {
        return (code, format!("{message}; `{issued}` was issued"));
    }
    if text.to_lowercase() == issued.to_lowercase() {
        return ("key-altered", format!("the case of letters changed; `{issued}` was issued"));
    }
    (
        "key-altered",
        format!("a cell that says which row this is was changed; `{issued}` was issued"),
    )
}

fn context_cell(column: &Column, issued: &str, text: &str) -> Judged {
    let value = Value::Text(issued.to_owned());
    if same(text, issued) {
        return Judged::Good(value);
    }
    if text.is_empty() && column.required {
        let message = format!("the issued `{issued}` is gone");
        let remedy = format!("write `{issued}` again");
        return Judged::Refused(
            Finding::new(Reason::MISSING_REQUIRED_METADATA, "readonly-changed", message, remedy)
                .with_repair(Some(issued.to_owned())),
        );
    }
    let counted = matches!(column.fill, Some(Fill::KpisCoveredTotal | Fill::MetricRowsTotal));
    let finding = if counted && text.parse::<u64>().is_ok() {
        let message = format!("the packet was issued at another time; now it says `{issued}`");
        let remedy = "nothing needs to be done, if the packet is the latest one that was issued";
        Finding::new(Reason::PACKET_STALE, "packet-stale", message, remedy)
    } else {
        let message = format!("a cell for reading only was changed from `{issued}`");
        let remedy = "nothing needs to be done: the change is ignored";
        Finding::new(Reason::READONLY_CHANGED, "readonly-changed", message, remedy)
            .with_repair(Some(issued.to_owned()))
    };
    Judged::Noted(value, finding)
}

fn capture(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    if is_blank(text) {
        return if column.required {
            Judged::Refused(blank(context.template, column))
        } else {
            Judged::Good(Value::Blank)
        };
    }
    match column.cell_type {
        CellType::Integer | CellType::Decimal => number(context, column, text, cell),
        CellType::Date => date(context, column, text),
        CellType::Url => url(text),
        CellType::Text => self::text(context.template, column, text),
    }
}

fn blank(template: &Template, column: &Column) -> Finding {
    let evidence = "write it down from the publication that proves the figures";
    if column.name == template.evidence_date() {
        let message = "the date of the evidence is missing";
        Finding::new(Reason::INVALID_EVIDENCE_DATE, "evidence-missing", message, evidence)
    } else if column.name == template.evidence_quote() {
        let message = "the quoted evidence is missing";
        Finding::new(Reason::SHORT_EVIDENCE_QUOTE, "evidence-missing", message, evidence)
    } else if column.cell_type.is_number() {
        let remedy = "write the number that was published";
        Finding::new(Reason::INVALID_NUMERIC, "constraint-error", "a number is missing", remedy)
    } else {
        let remedy = "fill it in";
        let message = "a required cell is blank";
        Finding::new(Reason::MISSING_REQUIRED_METADATA, "constraint-error", message, remedy)
    }
}

fn number(context: &Context<'_>, column: &Column, text: &str, cell: &Cell) -> Judged {
    if cell.form == Form::Date {
        let message = "the spreadsheet turned the number into a date";
        let remedy = "format the cell as a number, and write the number again";
        return Judged::Refused(Finding::new(
            Reason::INVALID_NUMERIC,
            "number-as-date",
            message,
            remedy,
        ));
    }
    // A typed cell has no locale: its text is written with a point.
    let mark = if cell.form == Form::Number { '.' } else { context.decimal_mark };
    match read_number(text, mark, column.cell_type == CellType::Integer) {
        Number::Read(number) => {
            bounds(column, number).map_or(Judged::Good(Value::Number(number)), Judged::Refused)
        }
        Number::Blank => Judged::Refused(blank(context.template, column)),
        Number::Wrong { code, message, repair } => {
            let unit = column.unit.as_deref().map(|unit| format!(" of {unit}")).unwrap_or_default();
            let remedy = format!("write only the number{unit}, with digits and one `{mark}`");
            let repair = repair.map(|number| number.to_string().replace('.', &mark.to_string()));
            Judged::Refused(
                Finding::new(Reason::INVALID_NUMERIC, code, message, remedy).with_repair(repair),
            )
        }
    }
}

fn bounds(column: &Column, number: Decimal) -> Option<Finding> {
    let below =
        column.minimum.as_ref().filter(|b| number < b.limit || b.exclusive && number == b.limit);
    let above =
        column.maximum.as_ref().filter(|b| number > b.limit || b.exclusive && number == b.limit);
    let (bound, side) = below.map(|b| (b, "greater")).or_else(|| above.map(|b| (b, "less")))?;
    let or_equal = if bound.exclusive { "" } else { " or equal" };
    let message = format!("the number must be {side} than{or_equal} {}", bound.limit);
    let reason = Reason::of_template(&bound.reason, bound.priority);
    Some(Finding::new(reason, "constraint-error", message, "compare it with the publication"))
}

fn date(context: &Context<'_>, column: &Column, text: &str) -> Judged {
    let evidence = column.name == context.template.evidence_date();
    let reason = if evidence { Reason::INVALID_EVIDENCE_DATE } else { Reason::INVALID_DATE };
    let remedy = "write the day as YYYY-MM-DD, such as 2025-03-31";
    let possible =
        |date: &&NaiveDate| !evidence || context.as_of.is_none_or(|as_of| **date <= as_of);
    match read_date(text) {
        Date::Read(date) if possible(&&date) => Judged::Good(Value::Date(date)),
        Date::Read(_) => {
            let message = "evidence cannot be dated in the future";
            Judged::Refused(Finding::new(reason, "constraint-error", message, remedy))
        }
        Date::Blank => Judged::Refused(blank(context.template, column)),
        Date::Wrong { code, message, readings } => {
            let repair = match readings.iter().filter(possible).collect::<Vec<_>>()[..] {
                [one] => Some(one.to_string()),
                _ => None,
            };
            Judged::Refused(Finding::new(reason, code, message, remedy).with_repair(repair))
        }
    }
}

fn url(text: &str) -> Judged {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.and_then(|rest| rest.split(['/', '?', '#']).next());
    if host.is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace) {
        return Judged::Good(Value::Text(text.to_owned()));
    }
    let message = "this is no address of a page";
    let remedy = "copy the address from the browser; it starts with https://";
    Judged::Refused(Finding::new(Reason::MISSING_REQUIRED_METADATA, "type-error", message, remedy))
}

fn text(template: &Template, column: &Column, text: &str) -> Judged {
    let length = text.chars().filter(|c| !is_invisible(*c)).count();
    if let Some(least) = column.min_length.filter(|least| length < *least) {
        let message = format!("the text has {length} characters; at least {least} are needed");
        let remedy = "quote the whole sentence of the publication";
        let quote = column.name == template.evidence_quote();
        let reason = if quote { Reason::SHORT_EVIDENCE_QUOTE } else { Reason::VALUE_NOT_ALLOWED };
        return Judged::Refused(Finding::new(reason, "constraint-error", message, remedy));
    }
    if !column.one_of.is_empty() && !column.one_of.iter().any(|allowed| allowed == text) {
        let remedy = format!("use one of: {}", column.one_of.join(", "));
        let message = "this is none of the allowed texts";
        let folded = text.to_lowercase();
        let repair = column.one_of.iter().find(|allowed| allowed.to_lowercase() == folded).cloned();
        return Judged::Refused(
            Finding::new(Reason::VALUE_NOT_ALLOWED, "constraint-error", message, remedy)
                .with_repair(repair),
        );
    }
    Judged::Good(Value::Text(text.to_owned()))
}

/// Says whether a text shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}
