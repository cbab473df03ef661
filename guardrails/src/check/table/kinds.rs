//! What each kind of rule means, apart from its statement.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::rule::{ColumnType, RuleError, RuleKind, TableRule};
use super::sql::identifier;
use crate::facts::{Dialect, Offender, Offenders};
use crate::words::count_of;
use crate::{CheckError, Finding};

impl TableRule {
    /// Takes a rule whose names are identifiers and which some row count, list or age could break and keep.
    pub(super) fn validate(&self) -> Result<(), RuleError> {
        identifier("table", &self.table)?;
        for column in self.columns().iter().chain(&self.key) {
            identifier("column", column)?;
        }
        let kind = self.kind.word();
        for (key, taken) in [
            ("key", self.key.is_none() || self.kind.names_rows()),
            ("where", self.filter.is_none() || self.kind.reads_rows()),
        ] {
            if !taken {
                return Err(RuleError::NotTaken { kind, key });
            }
        }
        let one_of = |list, length: usize| match length {
            0 => Err(RuleError::Empty { list }),
            _ => Ok(()),
        };
        match &self.kind {
            RuleKind::Missing { .. } => Ok(()),
            RuleKind::Unique { columns } => one_of("columns", columns.len()),
            RuleKind::AcceptedValues { values, .. } => one_of("values", values.len()),
            RuleKind::Relationships { to, .. } => {
                let (table, column) =
                    to.rsplit_once('.').ok_or_else(|| RuleError::To { to: to.clone() })?;
                identifier("table", table).and_then(|()| identifier("column", column))
            }
            RuleKind::Freshness { max_age, .. } => age(max_age).map(drop),
            RuleKind::RowCount { min, max } => match (min, max) {
                (None | Some(0), None) => Err(RuleError::Bounds),
                (Some(min), Some(max)) if min > max => Err(RuleError::Bounds),
                _ => Ok(()),
            },
            RuleKind::Schema { columns, .. } => {
                one_of("columns", columns.len())?;
                columns.keys().try_for_each(|column| identifier("column", column))
            }
        }
    }

    /// The columns whose values the rule is about.
    fn columns(&self) -> &[String] {
        match &self.kind {
            RuleKind::Unique { columns } => columns,
            RuleKind::Missing { column }
            | RuleKind::AcceptedValues { column, .. }
            | RuleKind::Relationships { column, .. }
            | RuleKind::Freshness { column, .. } => std::slice::from_ref(column),
            RuleKind::RowCount { .. } | RuleKind::Schema { .. } => &[],
        }
    }

    /// The one column that the rule is about, where it is one.
    pub(super) fn column(&self) -> Option<&str> {
        match self.columns() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The texts but the condition, for their variables.
    #[cfg(feature = "toml")]
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let of_kind: Vec<&mut String> = match &mut self.kind {
            RuleKind::Missing { column } => vec![column],
            RuleKind::Unique { columns } => columns.iter_mut().collect(),
            RuleKind::AcceptedValues { column, values } => {
                std::iter::once(column).chain(values).collect()
            }
            RuleKind::Relationships { column, to: other }
            | RuleKind::Freshness { column, max_age: other } => vec![column, other],
            RuleKind::RowCount { .. } | RuleKind::Schema { .. } => Vec::new(),
        };
        std::iter::once(&mut self.table).chain(self.key.as_mut()).chain(of_kind)
    }

    /// The rule as a suite file writes it.
    pub(super) fn declaration(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(map)) => Some(map),
            _ => None,
        }
    }

    /// The most offenders that the rule can count.
    pub(super) fn at_most(&self) -> Option<u64> {
        match &self.kind {
            RuleKind::Freshness { .. } => Some(1),
            RuleKind::Schema { columns, exact: false } => Some(columns.len() as u64),
            RuleKind::RowCount { min: Some(min), max: None } => Some(*min),
            _ => None,
        }
    }

    /// What holds when the rule is kept, as one clause.
    pub(super) fn in_words(&self) -> String {
        let table = &self.table;
        match &self.kind {
            RuleKind::Missing { column } => format!("no `{column}` of `{table}` is missing"),
            RuleKind::Unique { columns } => {
                format!("`{}` is unique in `{table}`", columns.join(", "))
            }
            RuleKind::AcceptedValues { column, values } => {
                format!("every `{column}` of `{table}` is one of {}", values.join(", "))
            }
            RuleKind::Relationships { column, to } => {
                format!("every `{column}` of `{table}` stands in `{to}`")
            }
            RuleKind::Freshness { column, max_age } => {
                format!("the newest `{column}` of `{table}` is no older than {max_age}")
            }
            RuleKind::RowCount { min, max } => match (min, max) {
                (Some(min), Some(max)) => format!("`{table}` has {min} to {max} rows"),
                (Some(min), None) => format!("`{table}` has at least {}", count_of(*min, "row")),
                (None, Some(max)) => format!("`{table}` has at most {}", count_of(*max, "row")),
                (None, None) => format!("`{table}` has rows"),
            },
            RuleKind::Schema { columns, exact } => format!(
                "`{table}` has {}{}, each of its type",
                if *exact { "just the columns " } else { "the columns " },
                columns.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

impl RuleKind {
    /// What the rule counts.
    pub(super) fn noun(&self) -> &'static str {
        if matches!(self, Self::Unique { .. }) { "values" } else { "rows" }
    }

    /// What an offender does, behind its table's name.
    pub(super) fn fault(&self) -> String {
        match self {
            Self::Missing { column } => format!("lack `{column}`"),
            Self::Unique { columns } => {
                format!("stand in several rows (`{}`)", columns.join(", "))
            }
            Self::AcceptedValues { column, .. } => format!("have another `{column}`"),
            Self::Relationships { column, to } => {
                format!("name a `{column}` that is not in `{to}`")
            }
            Self::Freshness { .. } | Self::RowCount { .. } | Self::Schema { .. } => {
                "break the rule".to_owned()
            }
        }
    }
}

/// Reads an age such as `90m`, `24h` or `7d`.
fn age(text: &str) -> Result<TimeDelta, RuleError> {
    let refused = || RuleError::Age { age: text.to_owned() };
    let trimmed = text.trim();
    let unit = trimmed.chars().last().ok_or_else(refused)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refused()),
    };
    let number: i64 =
        trimmed.strip_suffix(unit).and_then(|n| n.trim().parse().ok()).ok_or_else(refused)?;
    let whole = number.checked_mul(seconds).and_then(TimeDelta::try_seconds);
    whole.filter(|age| *age > TimeDelta::zero()).ok_or_else(refused)
}

/// A time: on PostgreSQL seconds since 1970, on SQLite text with or without a zone.
fn moment(text: &str, dialect: Dialect) -> Option<DateTime<Utc>> {
    if dialect == Dialect::Postgres {
        let (whole, _) = text.split_once('.')?;
        return DateTime::from_timestamp(whole.parse().ok()?, 0);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Some(time.to_utc());
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return Some(time.and_utc());
        }
    }
    Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc())
}

fn no_times(table: &str, column: &str) -> CheckError {
    CheckError::broken(format!(
        "`{column}` of `{table}` holds no times: freshness needs a time or a date"
    ))
}

/// Refuses a column whose declared type is that of no time; a column that is not there is the query's to name.
pub(super) fn check_times(
    table: &str,
    column: &str,
    columns: &[Offender],
) -> Result<(), CheckError> {
    let declared = columns.iter().find(|held| held.key == column);
    match declared.map(|held| held.reason.as_str()) {
        Some(kind) if kind != "date" && !kind.starts_with("timestamp") => {
            Err(no_times(table, column))
        }
        _ => Ok(()),
    }
}

pub(super) fn freshness(
    table: &str,
    column: &str,
    max_age: &str,
    newest: &str,
    dialect: Dialect,
    as_of: DateTime<Utc>,
) -> Result<Finding, CheckError> {
    let limit = age(max_age).map_err(|error| CheckError::broken(error.to_string()))?;
    if newest.is_empty() {
        let none = format!("times stand in `{column}` of `{table}`");
        return Ok(Finding::counted(Offenders::none_of(0), none));
    }
    let Some(at) = moment(newest, dialect) else { return Err(no_times(table, column)) };
    let since = as_of - at;
    let stale = since > limit;
    let mut found = Offenders::counted(u64::from(stale), 1);
    if stale {
        found.listed.push(Offender::new(table, format!("nothing newer than {}", at.to_rfc3339())));
    }
    let words = format!(
        "the newest `{column}` of `{table}` is {} old, of at most {max_age}",
        in_words(since.max(TimeDelta::zero()))
    );
    Ok(Finding::counted(found, "").words(words).figure("age_seconds", since.num_seconds()))
}

fn in_words(age: TimeDelta) -> String {
    match age.num_minutes() {
        minutes if minutes < 120 => count_of(minutes, "minute"),
        minutes if minutes < 48 * 60 => count_of(minutes / 60, "hour"),
        minutes => count_of(minutes / 1_440, "day"),
    }
}

pub(super) fn row_count(table: &str, min: Option<u64>, max: Option<u64>, rows: u64) -> Finding {
    let few = min.map_or(0, |min| min.saturating_sub(rows));
    let many = max.map_or(0, |max| rows.saturating_sub(max));
    let (found, more) = if few > 0 {
        (Offenders::counted(few, min.unwrap_or(few)), format!(", {few} too few"))
    } else if many > 0 {
        (Offenders::counted(many, rows), format!(", {many} too many"))
    } else {
        (Offenders::none_of(rows.max(1)), String::new())
    };
    Finding::counted(found, "")
        .words(format!("`{table}` has {}{more}", count_of(rows, "row")))
        .figure("rows", rows)
}

pub(super) fn schema(
    table: &str,
    expected: &BTreeMap<String, ColumnType>,
    exact: bool,
    found: &[Offender],
    list: usize,
) -> Finding {
    let mut faults = Vec::new();
    for (column, kind) in expected {
        match found.iter().find(|held| held.key == *column) {
            None if found.is_empty() => {
                faults.push(Offender::new(column, format!("there is no table `{table}`")));
            }
            None => faults.push(Offender::new(column, "missing")),
            Some(held) if !kind.is(&held.reason) => {
                let declared = if held.reason.is_empty() { "no type" } else { &held.reason };
                faults.push(Offender::new(column, format!("is {declared}, not {}", kind.word())));
            }
            Some(_) => {}
        }
    }
    let mut population = expected.len() as u64;
    if exact {
        for held in found.iter().filter(|held| !expected.contains_key(&held.key)) {
            population += 1;
            faults.push(Offender::new(&held.key, "not expected"));
        }
    }
    let what = format!("columns of `{table}` are not as expected");
    Finding::counted(Offenders::of(faults, Some(population), list), what)
}

impl ColumnType {
    fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }

    /// Says whether a type that a database declares is this one; SQLite keeps times and truth as text or numbers.
    fn is(self, declared: &str) -> bool {
        let declared = declared.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        let integer = has(&["int", "serial"]) && !has(&["interval", "point"]);
        let text = has(&["char", "text", "clob", "uuid"]);
        match self {
            Self::Any => true,
            Self::Text => text,
            Self::Integer => integer,
            Self::Number => has(&["numeric", "decimal", "real", "double", "float"]),
            Self::Boolean => has(&["bool"]) || declared == "integer",
            Self::Date => declared == "date" || declared == "text",
            Self::Timestamp => has(&["timestamp", "datetime"]) || declared == "text" || integer,
        }
    }
}
