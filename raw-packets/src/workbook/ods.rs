//! What an `OpenDocument` says of a sheet beside its cells: hidden rows, comments and percentages
//! (ODF 1.3, part 3).

use std::io::Cursor;

use quick_xml::events::{BytesStart, Event};

use super::beside::{Beside, part};
use super::xml::{add_text, attribute, each};
use super::{AUTHOR, MAX_COLUMNS};
use crate::read::{MAX_ROWS, column_letters};

/// Reads what stands beside the cells of a sheet; nothing where the parts are not as they should be, for
/// the cells themselves are read by another parser, which says what is wrong with them.
pub(super) fn beside(bytes: &[u8], sheet: &str) -> Beside {
    let xml = zip::ZipArchive::new(Cursor::new(bytes))
        .ok()
        .and_then(|mut archive| part(&mut archive, "content.xml"));
    let mut walk = Walk { sheet, ..Walk::default() };
    each(&xml.unwrap_or_default(), |event| walk.step(event));
    walk.beside
}

/// A walk through the cells of a sheet, which may stand for several each.
#[derive(Default)]
struct Walk<'s> {
    sheet: &'s str,
    /// Whether the walk is in the sheet.
    inside: bool,
    /// The row and the column that come next, counted from 0.
    next: (u64, usize),
    /// Where the cell is in which the walk is.
    cell: String,
    comment: Option<Comment>,
    beside: Beside,
}

/// A comment that is being read.
#[derive(Default)]
struct Comment {
    says: String,
    author: String,
    /// The element whose text comes next.
    element: String,
}

impl Walk<'_> {
    fn step(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.local_name();
                match name.as_ref() {
                    "table" => {
                        self.inside = attribute(tag, "name").as_deref() == Some(self.sheet);
                        self.next = (0, 0);
                    }
                    "table-row" if self.inside => self.row(tag),
                    "table-cell" | "covered-table-cell" if self.inside => self.cell(tag),
                    "annotation" if self.inside => self.comment = Some(Comment::default()),
                    element => {
                        if let Some(comment) = &mut self.comment {
                            element.clone_into(&mut comment.element);
                        }
                    }
                }
            }
            Event::Text(_) | Event::GeneralRef(_) => {
                if let Some(comment) = &mut self.comment {
                    match comment.element.as_str() {
                        "creator" => add_text(event, &mut comment.author),
                        "date" | "date-string" | "creator-initials" => {}
                        _ => add_text(event, &mut comment.says),
                    }
                }
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                "table" => self.inside = false,
                "p" => {
                    if let Some(comment) = &mut self.comment {
                        comment.says.push(' ');
                    }
                }
                "annotation" => {
                    let comment = self.comment.take().filter(|comment| comment.author != AUTHOR);
                    let told = comment.map(|comment| (self.cell.clone(), comment.says));
                    self.beside.comments.extend(told);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn row(&mut self, tag: &BytesStart<'_>) {
        let rows = repeated(tag, "number-rows-repeated");
        let (first, _) = self.next;
        self.next = (first + rows, 0);
        let hidden = attribute(tag, "visibility").is_some_and(|shown| shown != "visible");
        if hidden {
            let rows = rows.min(MAX_ROWS as u64);
            self.beside.hidden.extend(first + 1..=first + rows);
        }
    }

    fn cell(&mut self, tag: &BytesStart<'_>) {
        let columns = usize::try_from(repeated(tag, "number-columns-repeated"));
        let (row, first) = self.next;
        let end = first.saturating_add(columns.unwrap_or(MAX_COLUMNS)).min(MAX_COLUMNS);
        self.next.1 = end;
        // The row that comes next, counted from 0, has the number of this one, counted from 1.
        let mut cells =
            (first..end).map(|column| format!("{}{row}", column_letters(column))).peekable();
        self.cell = cells.peek().cloned().unwrap_or_default();
        if attribute(tag, "value-type").as_deref() == Some("percentage") {
            self.beside.percentages.extend(cells);
        }
    }
}

fn repeated(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_stands_beside_the_cells_is_found_by_row_and_column() {
        let content = r#"<office:document-content>
            <table:table table:name="packet">
              <table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>
              <table:table-row table:visibility="filter">
                <table:table-cell table:number-columns-repeated="2"/>
                <table:table-cell office:value-type="percentage" office:value="0.25">
                  <office:annotation><dc:creator>Ana</dc:creator><dc:date>2025-03-31T10:00:00</dc:date>
                    <text:p>dato &amp;</text:p><text:p>provisional</text:p></office:annotation>
                  <text:p>25%</text:p></table:table-cell>
              </table:table-row>
            </table:table>
            <table:table table:name="other">
              <table:table-row table:visibility="collapse"><table:table-cell/></table:table-row>
            </table:table></office:document-content>"#;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let mut found = beside(&bytes, "packet");
        let (cell, says) = found.comments.pop().unwrap();
        let says: Vec<&str> = says.split_whitespace().collect();
        assert_eq!((cell.as_str(), says.join(" ").as_str()), ("C3", "dato & provisional"));
        let percentages = ["C3".to_owned()].into();
        assert_eq!(found, Beside { hidden: [3].into(), percentages, ..Beside::default() });
    }
}
