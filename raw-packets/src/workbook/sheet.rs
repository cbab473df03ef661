//! A sheet to write: labels, rows and what is said of their cells.

use std::collections::BTreeMap;

use crate::template::Template;

/// A sheet to write.
#[derive(Debug)]
pub(crate) struct MarkedSheet<'a> {
    pub(crate) labels: Vec<&'a str>,
    pub(crate) rows: Vec<&'a [String]>,
    /// By row, 0 being the header, and column.
    pub(crate) marks: BTreeMap<(usize, usize), String>,
    /// Whether the row is shown as an upright form, too.
    pub(crate) upright: bool,
    /// Whether what is not to be filled in is locked.
    pub(crate) locked: bool,
}

impl<'a> MarkedSheet<'a> {
    /// Makes the sheet of a packet with these cells, one per column of the template.
    pub(crate) fn issued(template: &'a Template, cells: &'a [String]) -> Self {
        Self {
            labels: template.columns().iter().map(|column| column.name.as_str()).collect(),
            rows: vec![cells],
            marks: BTreeMap::new(),
            upright: true,
            locked: true,
        }
    }

    /// Makes the sheet of a packet of rows as issued; one row alone is shown upright, too.
    pub(crate) fn of_rows(template: &'a Template, rows: &'a [Vec<String>]) -> Self {
        Self {
            labels: template.columns().iter().map(|column| column.name.as_str()).collect(),
            rows: rows.iter().map(Vec::as_slice).collect(),
            marks: BTreeMap::new(),
            upright: rows.len() == 1,
            locked: true,
        }
    }
}
