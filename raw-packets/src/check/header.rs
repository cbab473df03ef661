//! The header of a returned packet against the template's columns.

use crate::finding::{Finding, Problem, shortened};
use crate::read::{Sheet, column_letters};
use crate::template::{Labels, Language, Template};
use crate::value::is_blank;

/// The column that says what is wrong, behind the others, by language.
const REASONS: [(Language, &str); 2] = [(Language::En, "what_to_do"), (Language::Es, "que_hacer")];

/// Returns the label of the column that says what is wrong.
pub(crate) fn reasons_label(language: Language) -> &'static str {
    REASONS.iter().find(|(of, _)| *of == language).map_or(REASONS[0].1, |(_, label)| label)
}

/// Says whether a label is that of the reasons of an earlier error sheet.
pub(super) fn is_reasons_label(label: &str) -> bool {
    REASONS.iter().any(|(_, reasons)| label == *reasons)
}

/// Where each column of the template stands in the sheet.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    /// By the template's position, the position in the sheet; `None` where the column is missing.
    pub(super) positions: Vec<Option<usize>>,
}

impl Columns {
    /// Finds the columns of a template by their labels, the issued ones before others that can only mean
    /// them.
    pub(super) fn new(sheet: &Sheet, labels: &Labels, template: &Template) -> Self {
        let mut positions = vec![None; template.columns().len()];
        for exact in [true, false] {
            for (at, label) in sheet.header.iter().enumerate() {
                if let Some(known) = labels.find(label).filter(|known| known.exact == exact) {
                    let taken = positions.contains(&Some(at));
                    let place: &mut Option<usize> = &mut positions[known.column];
                    // Of two the first counts; the other is told.
                    if !taken && place.is_none() {
                        *place = Some(at);
                    }
                }
            }
        }
        Self { positions }
    }
}

/// Finds everything that is wrong or odd with a header.
pub(super) fn judge_header(
    language: Language,
    sheet: &Sheet,
    labels: &Labels,
    template: &Template,
    columns: &Columns,
) -> Vec<Finding> {
    let finding = |at, problem| finding(language, sheet, at, &problem);
    let whole =
        |problem: &Problem<'_>| Finding::new(language, problem).at_row(sheet.header_row.max(1));
    let mut findings = Vec::new();
    let names = template.columns().iter().map(|column| column.name.as_str());
    let missing: Vec<&str> = (names.clone().zip(&columns.positions))
        .filter(|(_, position)| position.is_none())
        .map(|(name, _)| name)
        .collect();
    if !missing.is_empty() {
        let mut told = whole(&Problem::LabelsMissing { columns: missing.clone() });
        told.column = Some(missing[0].to_owned());
        findings.push(told);
    }
    let mut renamed = Vec::new();
    for (name, position) in names.zip(&columns.positions) {
        let label = position.map(|at| sheet.header[at].as_str());
        if let Some(label) = label.filter(|label| *label != name) {
            renamed.push(format!("`{}` → `{name}`", shortened(label, 22)));
        }
    }
    if !renamed.is_empty() {
        let more = renamed.len().saturating_sub(1);
        renamed.truncate(1);
        let more = if more > 0 { format!(", … (+{more})") } else { String::new() };
        findings.push(whole(&Problem::LabelRenamed { labels: renamed.join(", ") + &more }));
    }
    let mut extra: Vec<usize> = Vec::new();
    for (at, label) in sheet.header.iter().enumerate() {
        if columns.positions.contains(&Some(at)) {
            continue;
        }
        if labels.find(label).is_some() {
            findings.push(finding(at, Problem::LabelTwice));
            continue;
        }
        let filled =
            || sheet.rows.iter().any(|row| row.cells.get(at).is_some_and(|c| !is_blank(&c.text)));
        let ours = is_reasons_label(label);
        if (!label.is_empty() || filled()) && !ours {
            extra.push(at);
        }
    }
    if let Some(first) = extra.first() {
        let labels = extra.iter().map(|at| match shortened(&sheet.header[*at], 14) {
            label if label.is_empty() => column_letters(*at),
            label => label,
        });
        findings.push(finding(*first, Problem::LabelsExtra { labels: labels.collect() }));
    }
    let in_order: Vec<usize> = columns.positions.iter().flatten().copied().collect();
    if !in_order.is_sorted() {
        let mut order: Vec<usize> = in_order.clone();
        order.sort_unstable();
        let first = in_order.iter().zip(&order).find(|(is, should)| is != should);
        let at = first.map_or(0, |(_, should)| *should);
        findings.push(finding(at, Problem::LabelsMoved));
    }
    findings
}

fn finding(language: Language, sheet: &Sheet, at: usize, problem: &Problem<'_>) -> Finding {
    let label = &sheet.header[at];
    let mut finding = Finding::new(language, problem).at_row(sheet.header_row).with_value(label);
    finding.column = Some(label.clone());
    finding.cell = Some(format!("{}{}", column_letters(at), sheet.header_row));
    finding
}
