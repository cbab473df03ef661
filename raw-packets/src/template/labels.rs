//! The labels by which a column is known in a returned header.

use std::collections::{BTreeSet, HashMap};

use super::Template;
use crate::value::label_key;

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
    /// By what tells a label from others; `None` where two columns could be meant.
    keys: HashMap<String, Option<usize>>,
    names: HashMap<String, usize>,
    columns: usize,
    /// How many bytes a label may have: no other text is looked at letter by letter.
    longest: usize,
}

impl Labels {
    pub(crate) fn new(template: &Template) -> Self {
        let texts = template
            .columns()
            .iter()
            .flat_map(|column| [&column.name, &column.title.en, &column.title.es].map(String::len));
        let mut labels = Self {
            keys: HashMap::new(),
            names: HashMap::new(),
            columns: template.columns().len(),
            // Room for accents that stand apart, spaces and a remark.
            longest: 100 + 3 * texts.max().unwrap_or_default(),
        };
        for (at, column) in template.columns().iter().enumerate() {
            labels.names.insert(column.name.clone(), at);
        }
        for (at, column) in template.columns().iter().enumerate() {
            for text in [&column.name, &column.title.en, &column.title.es] {
                let keys: BTreeSet<_> = [text, without_brackets(text)].map(label_key).into();
                for key in keys.into_iter().filter(|key| !key.is_empty()) {
                    let of = labels.keys.entry(key).or_insert(Some(at));
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
        if label.len() > self.longest {
            return None;
        }
        let found = |label: &str| self.keys.get(&label_key(label)).copied();
        // People note units and forms behind a label.
        let shorter = without_brackets(label);
        let column =
            found(label).or_else(|| if shorter == label { None } else { found(shorter) })??;
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

/// Takes what stands in brackets off the end of a label, as in `Fuente (no cambiar)`.
fn without_brackets(label: &str) -> &str {
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, ')' | ']');
    let label = label.trim_end_matches(is_mark);
    let open = match label.chars().next_back() {
        Some(')') => '(',
        Some(']') => '[',
        _ => return label,
    };
    label.rsplit_once(open).map_or(label, |(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_however_people_write_it() {
        let template = Template::official_review();
        let labels = Labels::new(&template);
        for (label, name) in [
            ("evidence_date", "evidence_date"),
            ("EVIDENCE DATE", "evidence_date"),
            ("evidenceDate", "evidence_date"),
            ("evidence_date (YYYY-MM-DD)", "evidence_date"),
            ("Evidence\ndate *", "evidence_date"),
            ("evidence_date (obligatorio) *", "evidence_date"),
            ("Fecha de la publicación, AAAA-MM-DD", "evidence_date"),
            ("Fuente", "sanction_source_id"),
            ("fuente (NO CAMBIAR)", "sanction_source_id"),
            ("resolution_delay_p90_days [días]", "resolution_delay_p90_days"),
        ] {
            let known = labels.find(label).unwrap_or_else(|| panic!("{label}"));
            assert_eq!(template.columns()[known.column].name, name, "{label}");
            assert_eq!(known.exact, label == name, "{label}");
        }
        for label in ["", "date", "(date)", "evidence", "evidence_date_2"] {
            assert_eq!(labels.find(label), None, "{label}");
        }
    }
}
