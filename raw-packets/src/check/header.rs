//! The header of a returned packet against the template's columns.

use std::collections::HashMap;

use super::problem::Problem;
use crate::finding::{Finding, Reason};
use crate::read::{Sheet, column_letters};
use crate::template::{Language, Template};

/// Says where each column of the template stands in the sheet.
pub(super) struct Columns {
    /// By the template's position, the position in the sheet, under its label or one that was made of it;
    /// `None` where the column is missing.
    pub(super) positions: Vec<Option<usize>>,
}

/// Finds the template's columns in the header, and everything that is wrong or odd with it.
pub(super) fn read_header(
    language: Language,
    sheet: &Sheet,
    template: &Template,
) -> (Columns, Vec<Finding>) {
    let finding = |at, reason, code, problem| finding(language, sheet, at, reason, code, &problem);
    let mut findings = Vec::new();
    let mut by_label: HashMap<&str, usize> = HashMap::new();
    for (at, label) in sheet.header.iter().enumerate() {
        if !label.is_empty() && by_label.insert(label, at).is_some() {
            let (reason, problem) = (Reason::INVALID_HEADERS, Problem::LabelTwice);
            findings.push(finding(at, reason, "duplicate-label", problem));
        }
    }
    let columns = template.columns();
    let mut positions: Vec<Option<usize>> =
        columns.iter().map(|column| by_label.get(column.name.as_str()).copied()).collect();
    let known = |label: &str| template.position(label).is_some();

    let mut renamed = Vec::new();
    for (column, position) in columns.iter().zip(&mut positions).filter(|(_, at)| at.is_none()) {
        let like = |label: &&String| !known(label) && folded(label) == column.name;
        let found = sheet.header.iter().position(|label| like(&label));
        let column = column.name.as_str();
        if let Some(at) = found.filter(|at| !renamed.contains(at)) {
            renamed.push(at);
            *position = Some(at);
            let (reason, problem) = (Reason::INVALID_HEADERS, Problem::LabelRenamed { column });
            let finding = finding(at, reason, "incorrect-label", problem);
            findings.push(finding.with_repair(Some(column.to_owned())));
        } else {
            let problem = Problem::LabelMissing { column };
            let reason = Reason::INVALID_HEADERS;
            let mut missing = Finding::new(language, reason, "missing-label", &problem)
                .at_row(sheet.header_row.max(1));
            missing.column = Some(column.to_owned());
            findings.push(missing);
        }
    }
    for (at, label) in sheet.header.iter().enumerate() {
        let has_cells = || {
            sheet
                .rows
                .iter()
                .any(|row| row.cells.get(at).is_some_and(|c| !c.text.trim().is_empty()))
        };
        if label.is_empty() && !has_cells() || known(label) || renamed.contains(&at) {
            continue;
        }
        let code = if label.is_empty() { "blank-label" } else { "extra-label" };
        findings.push(finding(at, Reason::COLUMNS_MOVED, code, Problem::LabelExtra));
    }
    let in_order: Vec<usize> = positions.iter().flatten().copied().collect();
    if !in_order.is_sorted() {
        let mut order: Vec<usize> = in_order.clone();
        order.sort_unstable();
        let first = in_order.iter().zip(&order).find(|(is, should)| is != should);
        let at = first.map_or(0, |(_, should)| *should);
        let (reason, problem) = (Reason::COLUMNS_MOVED, Problem::LabelsMoved);
        findings.push(finding(at, reason, "incorrect-label", problem));
    }
    (Columns { positions }, findings)
}

fn finding(
    language: Language,
    sheet: &Sheet,
    at: usize,
    reason: Reason,
    code: &'static str,
    problem: &Problem<'_>,
) -> Finding {
    let label = &sheet.header[at];
    let mut finding =
        Finding::new(language, reason, code, problem).at_row(sheet.header_row).with_value(label);
    finding.column = Some(label.clone());
    finding.cell = Some(format!("{}{}", column_letters(at), sheet.header_row));
    finding
}

/// Returns a label as a column name would be written: lower case, one `_` for each gap.
fn folded(label: &str) -> String {
    crate::slug::slug(label).replace('-', "_")
}
