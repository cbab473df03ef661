//! The laws of a template, checked before one exists.

use std::collections::{BTreeMap, BTreeSet};

use super::column::{CellType, Column, Fill, Role};
use super::draft::{Draft, RowRule};
use crate::value::folded;

/// The most columns of a template.
const MAX_COLUMNS: usize = 1_000;

/// The most characters of a name or a text for people.
const MAX_TEXT: usize = 2_000;

/// The reason why a template is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The text is not the JSON of a template.
    #[error("line {line}, column {column}: {problem}")]
    Json {
        /// The line of the JSON text, counted from 1.
        line: usize,
        /// The column of that line, counted from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A name that must say something is blank.
    #[error("`{field}` is blank; give it a value")]
    Blank {
        /// The field of the template.
        field: &'static str,
    },
    /// Two columns or two KPIs have one name.
    #[error("`{name}` is there twice; names of columns and KPIs are unique")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A column name that would not survive a header line.
    #[error("the column name `{name}` is not in lower snake case")]
    ColumnName {
        /// The name.
        name: String,
    },
    /// Something refers to a column that is not there, or not of the needed kind.
    #[error("{what} refers to the column `{column}`, which is not {needed}")]
    WrongColumn {
        /// What refers to the column.
        what: String,
        /// The column's name.
        column: String,
        /// What the column has to be.
        needed: &'static str,
    },
    /// No key column carries what identifies a row.
    #[error("no key column is filled with `{fill}`; a row could not be told from another")]
    MissingKey {
        /// The missing fill.
        fill: &'static str,
    },
    /// A template of rows has no key column.
    #[error("no column has the role `key`; a row could not be told from another")]
    NoKey,
    /// A constraint stands on a column of another type.
    #[error("the column `{column}` cannot have `{constraint}`")]
    Constraint {
        /// The column's name.
        column: String,
        /// The constraint.
        constraint: &'static str,
    },
    /// A text that a column allows is blank, or means two choices.
    #[error(
        "the column `{column}` cannot allow `{word}`: it is blank or means two choices; give each its own words"
    )]
    Choice {
        /// The column's name.
        column: String,
        /// The text.
        word: String,
    },
    /// A name or a text for people is too long for a cell.
    #[error("the text `{start}…` has {length} characters; at most {MAX_TEXT} are possible")]
    TextTooLong {
        /// How the text starts.
        start: String,
        /// The length of the text.
        length: usize,
    },
    /// There are more columns than a sheet can sensibly have.
    #[error("the template has {columns} columns; at most {MAX_COLUMNS} are possible")]
    TooManyColumns {
        /// The number of columns.
        columns: usize,
    },
    /// A KPI keeps more decimals than an exact decimal has.
    #[error("the KPI `{kpi_id}` keeps {decimals} decimals; at most 20 are possible")]
    Decimals {
        /// The KPI's id.
        kpi_id: String,
        /// The decimals asked for.
        decimals: u32,
    },
}

pub(super) fn validate(draft: &Draft) -> Result<(), TemplateError> {
    if draft.is_of_rows() {
        return of_rows(draft);
    }
    for (field, value) in [
        ("name", &draft.name),
        ("record_prefix", &draft.record_prefix),
        ("default_source_id", &draft.default_source_id),
        ("default_granularity", &draft.default_granularity),
    ] {
        if value.trim().is_empty() {
            return Err(TemplateError::Blank { field });
        }
    }
    texts(draft)?;
    columns(draft)?;
    keys(draft)?;
    references(draft)
}

/// Checks a template of rows, whose key columns may be any.
fn of_rows(draft: &Draft) -> Result<(), TemplateError> {
    if draft.name.trim().is_empty() {
        return Err(TemplateError::Blank { field: "name" });
    }
    texts(draft)?;
    columns(draft)?;
    if !draft.columns.iter().any(|column| column.role == Role::Key) {
        return Err(TemplateError::NoKey);
    }
    rules(draft)
}

fn texts(draft: &Draft) -> Result<(), TemplateError> {
    let columns = draft.columns.iter().flat_map(|column| {
        let unit = column.unit.iter().flat_map(|unit| [&unit.en, &unit.es]);
        let choices = column.one_of.iter();
        let choices =
            choices.flat_map(|choice| [&choice.value, &choice.label.en, &choice.label.es]);
        let own = [&column.name, &column.title.en, &column.title.es];
        own.into_iter().chain(unit).chain(choices)
    });
    let own = [&draft.name, &draft.title.en, &draft.title.es];
    let told = [&draft.instructions.en, &draft.instructions.es];
    for text in own.into_iter().chain(told).chain(columns) {
        let length = text.chars().count();
        if length > MAX_TEXT {
            let start = text.chars().take(40).collect();
            return Err(TemplateError::TextTooLong { start, length });
        }
    }
    Ok(())
}

fn columns(draft: &Draft) -> Result<(), TemplateError> {
    if draft.columns.len() > MAX_COLUMNS {
        return Err(TemplateError::TooManyColumns { columns: draft.columns.len() });
    }
    let mut names = BTreeSet::new();
    for column in &draft.columns {
        let name = column.name.as_str();
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !starts_well || !name.chars().all(snake) {
            return Err(TemplateError::ColumnName { name: name.to_owned() });
        }
        if !names.insert(name) {
            return Err(TemplateError::Duplicate { name: name.to_owned() });
        }
        let number = column.cell_type.is_number();
        let text = column.cell_type == CellType::Text;
        for (is_there, fits, constraint) in [
            (column.minimum.is_some(), number, "minimum"),
            (column.maximum.is_some(), number, "maximum"),
            (column.unit.is_some(), number, "unit"),
            (column.min_length.is_some(), text, "min_length"),
            (!column.one_of.is_empty(), text, "one_of"),
        ] {
            if is_there && !fits {
                return Err(TemplateError::Constraint { column: name.to_owned(), constraint });
            }
        }
        choices(column)?;
    }
    Ok(())
}

/// Checks that each text that a column allows means one choice, however it is written.
fn choices(column: &Column) -> Result<(), TemplateError> {
    let mut meant = BTreeMap::new();
    for (at, choice) in column.one_of.iter().enumerate() {
        for word in choice.words() {
            let key = folded(word);
            if key.is_empty() || *meant.entry(key).or_insert(at) != at {
                let (column, word) = (column.name.clone(), word.to_owned());
                return Err(TemplateError::Choice { column, word });
            }
        }
    }
    Ok(())
}

fn keys(draft: &Draft) -> Result<(), TemplateError> {
    for (fill, name) in [
        (Fill::Source, "source"),
        (Fill::PeriodDate, "period_date"),
        (Fill::PeriodGranularity, "period_granularity"),
        (Fill::SourceRecordId, "source_record_id"),
    ] {
        let mut keys = draft.columns.iter().filter(|column| column.role == Role::Key);
        if !keys.any(|column| column.fill.as_ref() == Some(&fill)) {
            return Err(TemplateError::MissingKey { fill: name });
        }
    }
    // A value without its period or its evidence could not be loaded, so neither may be left blank.
    for column in &draft.columns {
        let period = column.fill == Some(Fill::PeriodDate) && column.role == Role::Key;
        let evidence = [&draft.evidence_date, &draft.evidence_quote].contains(&&column.name);
        let wrong = |what: &str, needed| TemplateError::WrongColumn {
            what: what.to_owned(),
            column: column.name.clone(),
            needed,
        };
        if period && !(column.required && column.cell_type == CellType::Date) {
            return Err(wrong("the period", "a required date"));
        }
        if evidence && !column.required {
            return Err(wrong("the evidence", "required"));
        }
    }
    Ok(())
}

/// Checks that a column is captured and of a type.
fn captured(
    draft: &Draft,
    name: &str,
    what: &str,
    cell_type: fn(CellType) -> bool,
    needed: &'static str,
) -> Result<(), TemplateError> {
    let found = draft.columns.iter().find(|column| column.name == name);
    let fits = found.is_some_and(|c| c.role == Role::Capture && cell_type(c.cell_type));
    let (what, column) = (what.to_owned(), name.to_owned());
    fits.then_some(()).ok_or(TemplateError::WrongColumn { what, column, needed })
}

fn rules(draft: &Draft) -> Result<(), TemplateError> {
    let captured_of_any =
        |name: &String| captured(draft, name, "a rule", |_| true, "a captured column");
    for rule in &draft.rules {
        match rule {
            RowRule::RequiredWhenFilled { when, then } => {
                std::iter::once(when).chain(then).try_for_each(captured_of_any)?;
            }
            RowRule::RequiredWhenIs { column, is, then } => {
                std::iter::once(column).chain(then).try_for_each(captured_of_any)?;
                let of = draft.columns.iter().find(|known| known.name == *column);
                if is.is_empty()
                    || !of.is_some_and(|of| {
                        is.iter().all(|text| of.one_of.iter().any(|choice| choice.value == *text))
                    })
                {
                    return Err(TemplateError::WrongColumn {
                        what: "a rule".to_owned(),
                        column: column.clone(),
                        needed: "one whose `one_of` lists every text of `is`",
                    });
                }
            }
            RowRule::AtMost { column, of } => {
                captured(draft, column, "a rule", CellType::is_number, "a captured number")?;
                captured(draft, of, "a rule", CellType::is_number, "a captured number")?;
            }
        }
    }
    Ok(())
}

fn references(draft: &Draft) -> Result<(), TemplateError> {
    let date = |cell_type| cell_type == CellType::Date;
    let text = |cell_type| cell_type == CellType::Text;
    captured(draft, &draft.evidence_date, "evidence_date", date, "a captured date")?;
    captured(draft, &draft.evidence_quote, "evidence_quote", text, "a captured text")?;
    rules(draft)?;
    let mut kpis = BTreeSet::new();
    for kpi in &draft.kpis {
        if !kpis.insert(kpi.kpi_id.as_str()) {
            return Err(TemplateError::Duplicate { name: kpi.kpi_id.clone() });
        }
        if kpi.decimals > 20 {
            let kpi_id = kpi.kpi_id.clone();
            return Err(TemplateError::Decimals { kpi_id, decimals: kpi.decimals });
        }
        let what = format!("the formula of `{}`", kpi.kpi_id);
        for measure in kpi.formula.measures() {
            captured(draft, measure, &what, CellType::is_number, "a captured number")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Template;

    const SHIPPED: &str = include_str!("../../templates/official-review.json");

    fn refused(from: &str, to: &str) -> String {
        assert!(SHIPPED.contains(from), "{from}");
        SHIPPED.replacen(from, to, 1).parse::<Template>().unwrap_err().to_string()
    }

    #[test]
    fn the_official_review_has_the_columns_of_the_specification_in_their_order() {
        let names: Vec<_> =
            Template::official_review().columns().iter().map(|c| c.name.clone()).collect();
        assert_eq!(
            names.join(", "),
            "sanction_source_id, period_date, period_granularity, source_url, evidence_date, \
             evidence_quote, recurso_presentado_count, recurso_estimado_count, \
             anulaciones_formales_count, resolution_delay_p90_days, source_id, source_record_id, \
             source_label, organismo, expected_metrics, procedural_kpis_expected, \
             procedural_kpis_covered_total, procedural_metric_rows_total"
        );
    }

    #[test]
    fn a_template_written_and_read_again_is_the_same() {
        let template = Template::official_review();
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json.parse::<Template>().unwrap(), template);
    }

    #[test]
    fn an_unsound_template_is_refused_with_what_is_wrong() {
        for (from, to, says) in [
            ("\"organismo\", \"role\"", "\"source_label\", \"role\"", "there twice"),
            ("\"name\": \"source_url\"", "\"name\": \"Source URL\"", "lower snake case"),
            ("\"fill\": \"source_record_id\"", "\"fill\": \"source_label\"", "source_record_id"),
            ("recurso_estimado_count / ", "organismo / ", "a captured number"),
            ("\"evidence_date\": \"evidence_date\"", "\"evidence_date\": \"x\"", "a captured date"),
            (
                "\"type\": \"date\", \"required\": true, \"fill\"",
                "\"type\": \"text\", \"required\": true, \"fill\"",
                "a required date",
            ),
            ("\"type\": \"date\", \"required\": true,\n", "\"type\": \"date\",\n", "not required"),
            ("\"min_length\": 20", "\"unit\": \"m\"", "cannot have `unit`"),
            ("\"decimals\": 6", "\"decimals\": 60", "at most 20"),
            ("\"record_prefix\": \"official_review_raw\"", "\"record_prefix\": \" \"", "blank"),
            ("\"version\": 1", "\"version\": \"one\"", "line 3"),
            ("kpi:formal_annulment_rate", "kpi:recurso_estimation_rate", "there twice"),
        ] {
            assert!(refused(from, to).contains(says), "{from} -> {to}: {}", refused(from, to));
        }
    }
}
