//! Which column of a file is which column of the table.

use super::columns::ColumnMap;
use super::error::TableError;
use super::names::{likely, may_be_told, suggestion};
use super::report::TableReport;
use super::schema::TableSchema;
use crate::value::{is_blank, label_key};

/// The separators that are tried, each with its name.
pub(super) const SEPARATORS: [(u8, &str); 4] =
    [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab"), (b'|', "bar")];

/// The names that a file may use for each column of a table.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    schema: &'a TableSchema,
    names: Vec<Vec<String>>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(schema: &'a TableSchema, map: &ColumnMap) -> Self {
        let names = schema.columns().iter().map(|column| map.names(schema.name(), column));
        Self { schema, names: names.collect() }
    }

    /// Returns the column of the table that a cell of the header names.
    fn column(&self, cell: &str) -> Option<usize> {
        let name = label_key(cell);
        self.names.iter().position(|names| !name.is_empty() && names.contains(&name))
    }

    /// Says whether a header is taken whatever it names.
    pub(super) fn needs_nothing(&self) -> bool {
        self.schema.needed().is_empty()
    }

    /// Counts the columns of the table that a header names.
    pub(super) fn recognised<'t>(&self, cells: impl Iterator<Item = &'t str>) -> usize {
        cells.filter(|cell| self.column(cell).is_some()).count()
    }

    /// Finds each column's place in a header, and tells in `report` what else is there and what is not.
    pub(super) fn places(
        &self,
        cells: &[String],
        line: u64,
        further: Option<u64>,
        report: &mut TableReport,
    ) -> Result<Vec<Option<usize>>, TableError> {
        let file = || report.file.clone().into_boxed_str();
        if cells.iter().filter(|cell| !is_blank(cell)).all(|cell| is_in_foreign_quotes(cell)) {
            return Err(TableError::BrokenHeader { file: file(), line, problem: FOREIGN_QUOTES });
        }
        let mut places = vec![None; self.names.len()];
        let found: Vec<_> = cells.iter().map(|cell| self.column(cell)).collect();
        for (at, column) in found.iter().enumerate() {
            let Some(column) = *column else { continue };
            if let Some(first) = places[column].replace(at) {
                return Err(TableError::DuplicateColumn {
                    file: file(),
                    line,
                    column: self.schema.columns()[column].as_str().into(),
                    first: first + 1,
                    second: at + 1,
                });
            }
        }
        let named = cells.iter().filter(|cell| !is_blank(cell)).count();
        let credible = 2 * found.iter().flatten().count() >= named;
        let (mut hints, mut doubled) = (Vec::new(), Vec::new());
        for (at, cell) in cells.iter().enumerate() {
            if found[at].is_some() {
                continue;
            }
            if is_blank(cell) {
                // At the end of the header such a column is none.
                if cells[at..].iter().any(|cell| !is_blank(cell)) {
                    report.columns_ignored.push(format!("column {} (it has no name)", at + 1));
                }
                continue;
            }
            let name = cell.trim();
            let key = label_key(name);
            // In a row that may be no header a word may be a person's.
            let hint = suggestion(&key).or_else(|| likely(&key).filter(|_| credible));
            if let Some((column, place)) =
                hint.and_then(|column| self.schema.place(column).map(|place| (column, place)))
            {
                let list = if places[place].is_none() { &mut hints } else { &mut doubled };
                list.push((name.to_owned(), column.to_owned()));
            }
            let told = may_be_told(name, credible);
            let place = || format!("column {} (its name is not shown: it may be a value)", at + 1);
            report.columns_ignored.push(if told { name.to_owned() } else { place() });
        }
        for group in self.schema.needed() {
            let has = |column: &String| {
                self.schema.place(column).is_some_and(|place| places[place].is_some())
            };
            if !group.iter().any(has) {
                let wanted: Vec<_> = group.iter().map(|column| format!("`{column}`")).collect();
                let hints = hints.iter().map(|(name, column)| {
                    format!("; `{name}` looks like `{column}`: write {column} = \"{name}\" in the map of columns")
                });
                let further = further.map(|line| {
                    format!("; line {line} looks like the header: delete what stands above it")
                });
                let whole = cells.len() == 1 && cells[0].contains([',', ';', '\t', '|']);
                let whole = whole.then(|| {
                    "; the whole line stands in one pair of quotes: take these quotes away"
                        .to_owned()
                });
                return Err(TableError::MissingColumn {
                    file: file(),
                    line,
                    wanted: wanted.join(" or ").into(),
                    found: format!(
                        "{} separated by the {}",
                        counted(cells.len()),
                        report.separator
                    )
                    .into(),
                    hint: hints.chain(whole).chain(further).collect::<String>().into(),
                    columns: self.schema.columns().join(",").into(),
                });
            }
        }
        report.columns_suggested = hints;
        report.columns_doubled = doubled;
        let missing = self.schema.columns().iter().zip(&places);
        report.columns_missing = missing
            .filter(|(column, place)| place.is_none() && self.schema.is_expected(column))
            .map(|(column, _)| column.clone())
            .collect();
        Ok(places)
    }
}

const FOREIGN_QUOTES: &str = "the names stand in quotes that CSV does not know, so that values would be cut wrongly; quote by \" alone";

/// Says whether a name stands in quotes that are none in CSV: `'id'`, `“id”`.
fn is_in_foreign_quotes(name: &str) -> bool {
    const QUOTES: [char; 9] = ['\'', '‘', '’', '“', '”', '„', '«', '»', '´'];
    let name = name.trim();
    name.chars().count() > 2 && name.starts_with(QUOTES) && name.ends_with(QUOTES)
}

fn counted(columns: usize) -> String {
    if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") }
}
