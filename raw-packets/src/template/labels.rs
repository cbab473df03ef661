//! The labels by which a column is known in a returned header.

use std::collections::HashMap;

use super::Template;
use crate::value::folded;

/// How a label names its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The position of the column in the template.
    pub(crate) column: usize,
    /// Whether the label is the issued one, letter by letter.
    pub(crate) exact: bool,
}

/// The names of a template's columns, and their titles in every language, however they are written.
#[derive(Debug)]
pub(crate) struct Labels {
    /// By folded text; `None` where two columns could be meant.
    folded: HashMap<String, Option<usize>>,
    names: HashMap<String, usize>,
    columns: usize,
}

impl Labels {
    pub(crate) fn new(template: &Template) -> Self {
        let mut labels = Self {
            folded: HashMap::new(),
            names: HashMap::new(),
            columns: template.columns().len(),
        };
        for (at, column) in template.columns().iter().enumerate() {
            labels.names.insert(column.name.clone(), at);
        }
        for (at, column) in template.columns().iter().enumerate() {
            for text in [&column.name, &column.title.en, &column.title.es] {
                let text = folded(text);
                if !text.is_empty() {
                    let of = labels.folded.entry(text).or_insert(Some(at));
                    if *of != Some(at) {
                        *of = None;
                    }
                }
            }
        }
        labels
    }

    /// Finds the column that a label can only mean.
    pub(crate) fn find(&self, label: &str) -> Option<Known> {
        if let Some(&column) = self.names.get(label) {
            return Some(Known { column, exact: true });
        }
        let column = (*self.folded.get(&folded(label))?)?;
        Some(Known { column, exact: false })
    }

    /// Says whether these labels are those of a packet: at least half of the template's are there.
    pub(crate) fn are_enough<'l>(&self, labels: impl Iterator<Item = &'l str>) -> bool {
        let mut found: Vec<usize> =
            labels.filter_map(|label| Some(self.find(label)?.column)).collect();
        found.sort_unstable();
        found.dedup();
        found.len() * 2 >= self.columns
    }
}
