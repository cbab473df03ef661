//! Rows that fell apart at the delimiter: a decimal comma in a comma file, a text without its quotes.
//!
//! Where joining neighbouring cells makes keys and context fit again, the row is judged joined, and the one
//! cell in which it fell apart is named instead of every cell behind it.

use super::cell::{Judged, read_cell};
use super::row::RowCheck;
use crate::finding::{Finding, Problem};
use crate::read::{Cell, SheetRow};
use crate::template::{CellType, Fill, Role};
use crate::value::{Number, NumberDamage, NumberStyle, is_blank, read_number};

/// How many cells too many a row may have.
const MOST: usize = 12;

/// How many ways to join cells are tried.
const WAYS: usize = 256;

/// A row whose cells stand in their columns again.
pub(super) struct Straightened {
    /// The row, each cell joined that fell apart; a number has the mark of the file.
    pub(super) row: SheetRow,
    /// What is said of the cells that fell apart.
    pub(super) findings: Vec<Finding>,
}

/// What a row that has cells too many is.
pub(super) enum Fell {
    /// Nothing fell apart.
    Not,
    /// There is one way to join its cells.
    Joined(Straightened),
    /// There are several, so that nobody can say what was meant; the finding says so.
    Unclear(Finding),
}

/// Joins the cells of a row that fell apart at the delimiter.
pub(super) fn straighten(check: &RowCheck<'_>, row: &SheetRow, delimiter: u8) -> Fell {
    let runs_on = |cell: &Cell| cell.text.contains(char::from(delimiter));
    if check.context.odd_quotes && row.cells.len() < check.width && row.cells.iter().any(runs_on) {
        let finding = Finding::new(check.context.language, &Problem::QuoteLeftOpen);
        return Fell::Unclear(finding.at_row(row.number));
    }
    let used = row.cells.iter().rposition(|cell| !is_blank(&cell.text)).map_or(0, |at| at + 1);
    let surplus = used.saturating_sub(check.width);
    if surplus == 0 || surplus > MOST || check.is_own(row) && fits_context(check, row) {
        return Fell::Not;
    }
    let mut ways = Ways {
        check,
        cells: &row.cells[..used],
        delimiter: char::from(delimiter),
        found: Vec::new(),
    };
    ways.place(&mut Vec::new(), 0, surplus);
    let judged = ways.found.iter().map(|way| {
        let joined = ways.join(row.number, way);
        let mut findings = Vec::new();
        let _ = check.check(&joined.row, &mut findings);
        (findings.iter().filter(|finding| finding.is_error()).count(), joined)
    });
    let mut judged: Vec<_> = judged.collect();
    let Some(least) = judged.iter().map(|(errors, _)| *errors).min() else { return Fell::Not };
    judged.retain(|(errors, _)| *errors == least);
    match judged.pop() {
        Some((_, joined)) if judged.is_empty() => Fell::Joined(joined),
        _ => {
            let problem = Problem::RowFellApart { surplus };
            let finding = Finding::new(check.context.language, &problem);
            Fell::Unclear(finding.at_row(row.number))
        }
    }
}

/// Says whether a cell can be what stood behind a comma in a text: a number that stands alone is one of the
/// figures, and no part of a quotation.
fn is_part_of_text(cell: &Cell) -> bool {
    cell.text.starts_with(char::is_whitespace)
        || !cell.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// Says whether the cells for reading only are as issued, so that none of them moved.
fn fits_context(check: &RowCheck<'_>, row: &SheetRow) -> bool {
    check.context.template.columns().iter().enumerate().all(|(at, column)| {
        column.role != Role::Context
            || column.fill.as_ref().is_some_and(Fill::is_counter)
            || check.cell(row, at).is_none_or(|cell| is_as_issued(check, at, cell))
    })
}

fn is_as_issued(check: &RowCheck<'_>, at: usize, cell: &Cell) -> bool {
    let column = &check.context.template.columns()[at];
    let issued = &check.issued[at];
    match read_cell(&check.context, column, issued, cell) {
        Judged::Good(_) => true,
        Judged::Noted(..) => column.role == Role::Key,
        Judged::Refused(_) | Judged::Foreign(_) | Judged::Told => false,
    }
}

/// The ways to join the cells of a row.
struct Ways<'c, 'a> {
    check: &'c RowCheck<'a>,
    cells: &'c [Cell],
    delimiter: char,
    /// For each way, how many cells each column of the sheet takes.
    found: Vec<Vec<usize>>,
}

impl Ways<'_, '_> {
    /// Gives the column of the sheet that comes next its cells, and goes on with the rest.
    fn place(&mut self, taken: &mut Vec<usize>, from: usize, surplus: usize) {
        if self.found.len() == WAYS {
            return;
        }
        let position = taken.len();
        if position == self.check.width {
            if surplus == 0 {
                self.found.push(taken.clone());
            }
            return;
        }
        for more in 0..=surplus {
            let Some(cells) = self.cells.get(from..=from + more) else { break };
            if self.fits(position, cells) {
                taken.push(more + 1);
                self.place(taken, from + more + 1, surplus - more);
                taken.pop();
            }
        }
    }

    fn joined(&self, cells: &[Cell]) -> String {
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        texts.join(&self.delimiter.to_string())
    }

    /// Says whether these cells can be the one cell of a column.
    fn fits(&self, position: usize, cells: &[Cell]) -> bool {
        let Some(at) = self.column(position) else { return cells.len() == 1 };
        let column = &self.check.context.template.columns()[at];
        let issued = &self.check.issued[at];
        match column.role {
            Role::Context if column.fill.as_ref().is_some_and(Fill::is_counter) => cells.len() == 1,
            Role::Key | Role::Context if !issued.is_empty() => {
                is_as_issued(self.check, at, &Cell::text(self.joined(cells)))
            }
            Role::Context => cells.len() == 1 && is_blank(&cells[0].text),
            _ if cells.len() == 1 => true,
            _ => match column.cell_type {
                CellType::Text | CellType::Url => cells[1..].iter().all(is_part_of_text),
                CellType::Date => false,
                CellType::Integer | CellType::Decimal => self.number(at, cells).is_some(),
            },
        }
    }

    /// Returns the template's column that stands in a column of the sheet.
    fn column(&self, position: usize) -> Option<usize> {
        self.check.columns.positions.iter().position(|at| *at == Some(position))
    }

    /// Reads the number that fell apart, where it is one and there is one reading.
    fn number(&self, at: usize, cells: &[Cell]) -> Option<String> {
        let whole = self.check.context.template.columns()[at].cell_type == CellType::Integer;
        let text = self.joined(cells);
        if cells.iter().any(|cell| is_blank(&cell.text)) {
            return None;
        }
        match read_number(&text, NumberStyle { mark: '.', whole }) {
            Number::Wrong { damage: NumberDamage::Locale | NumberDamage::Ambiguous, readings } => {
                match readings[..] {
                    [one] => Some(one.value.to_string()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Makes the row of a way to join.
    fn join(&self, number: u64, way: &[usize]) -> Straightened {
        let language = self.check.context.language;
        let mut row = SheetRow { number, cells: Vec::with_capacity(way.len()) };
        let mut told: Vec<(usize, String, Option<String>)> = Vec::new();
        let mut from = 0;
        for (position, taken) in way.iter().enumerate() {
            let cells = &self.cells[from..from + taken];
            from += taken;
            let (Some(at), true) = (self.column(position), *taken > 1) else {
                row.cells.push(cells[0].clone());
                continue;
            };
            let text = self.joined(cells);
            let number = self
                .number(at, cells)
                .filter(|_| self.check.context.template.columns()[at].cell_type.is_number());
            row.cells.push(Cell::text(number.clone().unwrap_or_else(|| text.clone())));
            told.push((at, text, number));
        }
        let findings = told.into_iter().map(|(at, text, number)| {
            let problem = match &number {
                Some(meant) => Problem::CommaInNumber { number: &text, meant },
                None => Problem::CommaInText,
            };
            let finding = self.check.locate(Finding::new(language, &problem), &row, at);
            let repair = number.unwrap_or_else(|| text.clone());
            finding.with_value(&text).with_repair(Some(repair))
        });
        let findings = findings.collect();
        Straightened { row, findings }
    }
}
