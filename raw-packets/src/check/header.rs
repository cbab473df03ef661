//! The header of a returned packet against the template's columns.

use std::collections::HashMap;

use crate::finding::{Finding, Reason};
use crate::read::{Sheet, column_letters};
use crate::template::Template;

/// Says where each column of the template stands in the sheet.
pub(super) struct Columns {
    /// By the template's position, the position in the sheet; `None` where the column is missing.
    pub(super) positions: Vec<Option<usize>>,
}

/// Finds the template's columns in the header, and everything that is wrong or odd with it.
pub(super) fn read_header(sheet: &Sheet, template: &Template) -> (Columns, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut by_label: HashMap<&str, usize> = HashMap::new();
    for (at, label) in sheet.header.iter().enumerate() {
        if !label.is_empty() && by_label.insert(label, at).is_some() {
            findings.push(finding(
                sheet,
                at,
                Reason::INVALID_HEADERS,
                "duplicate-label",
                "this column is there twice",
                "keep the issued one and delete the other",
            ));
        }
    }
    let columns = template.columns();
    let positions: Vec<Option<usize>> =
        columns.iter().map(|column| by_label.get(column.name.as_str()).copied()).collect();
    let known = |label: &str| template.position(label).is_some();

    let mut renamed = Vec::new();
    for (column, _) in columns.iter().zip(&positions).filter(|(_, at)| at.is_none()) {
        let like = |label: &&String| !known(label) && folded(label) == column.name;
        let found = sheet.header.iter().position(|label| like(&label));
        if let Some(at) = found {
            renamed.push(at);
            let message = format!("the column `{}` was renamed", column.name);
            let remedy = format!("write `{}` in the header again", column.name);
            findings.push(
                finding(sheet, at, Reason::INVALID_HEADERS, "incorrect-label", message, remedy)
                    .with_repair(Some(column.name.clone())),
            );
        } else {
            let message = format!("the column `{}` is missing", column.name);
            let remedy = "put it back with its content, or start again from the issued packet";
            let mut missing =
                Finding::new(Reason::INVALID_HEADERS, "missing-label", message, remedy)
                    .at_row(sheet.header_row.max(1));
            missing.column = Some(column.name.clone());
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
        let message = "this column was not issued, and is not read";
        let remedy = "delete it, or leave it for yourself";
        findings.push(finding(sheet, at, Reason::COLUMNS_MOVED, code, message, remedy));
    }
    let in_order: Vec<usize> = positions.iter().flatten().copied().collect();
    if !in_order.is_sorted() {
        let mut order: Vec<usize> = in_order.clone();
        order.sort_unstable();
        let first = in_order.iter().zip(&order).find(|(is, should)| is != should);
        let at = first.map_or(0, |(_, should)| *should);
        let message = "columns stand in another order than issued; they were read by their names";
        let remedy = "nothing needs to be done";
        findings.push(finding(
            sheet,
            at,
            Reason::COLUMNS_MOVED,
            "incorrect-label",
            message,
            remedy,
        ));
    }
    (Columns { positions }, findings)
}

fn finding(
    sheet: &Sheet,
    at: usize,
    reason: Reason,
    code: &'static str,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> Finding {
    let label = &sheet.header[at];
    let mut finding =
        Finding::new(reason, code, message, remedy).at_row(sheet.header_row).with_value(label);
    finding.column = Some(label.clone());
    finding.cell = Some(format!("{}{}", column_letters(at), sheet.header_row));
    finding
}

/// Returns a label as a column name would be written: lower case, one `_` for each gap.
fn folded(label: &str) -> String {
    crate::slug::slug(label).replace('-', "_")
}
