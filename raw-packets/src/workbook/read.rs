//! Reads a packet from a workbook, within limits.

use std::io::{self, Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetVisible, Xlsx, open_workbook_from_rs};

use super::{HIDDEN, SHEET};
use crate::read::{Cell, Form, MAX_ROWS, Oddity, Sheet, SheetRow, Unreadable};

/// How many bytes a workbook may unpack to; a packet unpacks to a few ten thousand.
const MAX_UNPACKED: u64 = 64 << 20;

/// How many files a workbook may consist of.
const MAX_PARTS: usize = 1_000;

/// How many columns are read.
const MAX_COLUMNS: usize = 1_024;

/// Reads the packet's sheet: the one of that name, else one whose name begins so, else the first that is
/// visible.
pub(crate) fn read_workbook(bytes: &[u8]) -> Sheet {
    let unreadable = |why| Sheet {
        decimal_mark: '.',
        oddities: vec![Oddity::Unreadable(why)],
        ..Sheet::default()
    };
    if let Err(problem) = check_size(bytes) {
        return unreadable(problem);
    }
    // The parser of workbooks is not ours: a panic in it is a file that cannot be read, too.
    match catch_unwind(AssertUnwindSafe(|| parse(bytes))) {
        Ok(Ok(sheet)) => sheet,
        Ok(Err(problem)) => unreadable(damaged(&problem)),
        Err(_) => unreadable(damaged(&"")),
    }
}

/// Unpacks every part once, counting: what a workbook declares of its size need not be true.
fn check_size(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MAX_PARTS {
        return Err(Unreadable::TooManyParts { parts: archive.len() });
    }
    let mut left = MAX_UNPACKED;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|error| damaged(&error))?;
        let unpacked =
            io::copy(&mut part.take(left + 1), &mut io::sink()).map_err(|error| damaged(&error))?;
        left = left.checked_sub(unpacked).ok_or(Unreadable::TooLarge { limit: MAX_UNPACKED })?;
    }
    Ok(())
}

fn damaged(problem: &dyn std::fmt::Display) -> Unreadable {
    Unreadable::Damaged { problem: problem.to_string() }
}

fn parse(bytes: &[u8]) -> Result<Sheet, calamine::XlsxError> {
    let mut workbook: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes))?;
    let sheets = workbook.sheets_metadata();
    let visible = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible;
    let chosen = sheets.iter().find(|sheet| sheet.name == SHEET);
    // Numbers adds the table's name to the sheet's.
    let alike = |sheet: &&calamine::Sheet| visible(sheet) && sheet.name.starts_with(SHEET);
    let chosen = chosen.or_else(|| sheets.iter().find(alike));
    let chosen = chosen.or_else(|| sheets.iter().find(visible)).map(|sheet| sheet.name.clone());
    let hidden = sheets.iter().any(|sheet| sheet.name == HIDDEN);
    let mut sheet = Sheet { decimal_mark: '.', ..Sheet::default() };
    let Some(name) = chosen else {
        sheet.oddities.push(Oddity::Empty);
        return Ok(sheet);
    };
    // Cell by cell, never as a rectangle: one cell in the last corner would make it as large as can be.
    let mut reader = workbook.worksheet_cells_reader(&name)?;
    let mut row: Option<SheetRow> = None;
    while let Some(cell) = reader.next_cell_with_formula()? {
        let (number, column) = (u64::from(cell.pos.0) + 1, cell.pos.1 as usize);
        if row.as_ref().is_some_and(|row| row.number != number) {
            push(&mut sheet, row.take());
        }
        if column >= MAX_COLUMNS {
            continue;
        }
        let row = row.get_or_insert_with(|| SheetRow { number, cells: Vec::new() });
        if row.cells.len() <= column {
            row.cells.resize_with(column + 1, || Cell::text(""));
        }
        row.cells[column] = read_cell(&cell.value, cell.formula);
    }
    push(&mut sheet, row);
    drop(reader);
    if sheet.header.is_empty() {
        sheet.oddities.push(Oddity::Empty);
    }
    if hidden {
        let mut reader = workbook.worksheet_cells_reader(HIDDEN)?;
        while let Some(cell) = reader.next_cell()? {
            if cell.get_position() == (0, 1) {
                sheet.packet_id = Some(read_cell(cell.get_value(), None).text);
                break;
            }
        }
    }
    Ok(sheet)
}

/// Adds a row: the first is the header, and rows of formats without any text are none.
fn push(sheet: &mut Sheet, row: Option<SheetRow>) {
    let Some(row) = row else { return };
    if sheet.header.is_empty() {
        if !row.is_blank() {
            sheet.header_row = row.number;
            sheet.header = row.cells.into_iter().map(|cell| cell.text.trim().to_owned()).collect();
        }
    } else if sheet.rows.len() < MAX_ROWS {
        sheet.rows.push(row);
    } else if !row.is_blank() {
        sheet.rows_beyond += 1;
    }
}

fn read_cell(value: &DataRef<'_>, formula: Option<String>) -> Cell {
    if let Some(formula) = formula.filter(|formula| !formula.is_empty()) {
        return Cell { text: format!("={formula}"), form: Form::Formula };
    }
    let (text, form) = match value {
        DataRef::Empty => (String::new(), Form::TypedText),
        DataRef::String(text) | DataRef::DurationIso(text) => (text.clone(), Form::TypedText),
        DataRef::SharedString(text) => ((*text).to_owned(), Form::TypedText),
        DataRef::Bool(value) => (value.to_string().to_uppercase(), Form::TypedText),
        DataRef::Int(number) => (number.to_string(), Form::Number),
        DataRef::Float(number) => (number.to_string(), Form::Number),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            let day = format!("{year:04}-{month:02}-{day:02}");
            let time = format!(" {hour:02}:{minute:02}:{second:02}");
            let midnight = (hour, minute, second) == (0, 0, 0);
            (if midnight { day } else { day + &time }, Form::Date)
        }
        DataRef::DateTime(duration) => (duration.as_f64().to_string(), Form::TypedText),
        DataRef::DateTimeIso(text) => (text.trim_end_matches("T00:00:00").to_owned(), Form::Date),
        DataRef::Error(error) => (error.to_string(), Form::Error),
    };
    Cell { text, form }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::MarkedSheet;
    use crate::template::{Language, Template};
    use crate::workbook::packet_workbook;

    fn sample() -> Vec<u8> {
        let template = Template::official_review();
        let cells: Vec<String> = template.columns().iter().map(|_| "12".to_owned()).collect();
        let sheet = MarkedSheet::issued(&template, &cells);
        packet_workbook(&template, &sheet, "id", Language::En).unwrap()
    }

    #[test]
    fn a_workbook_that_unpacks_without_end_is_refused() {
        use std::io::Write as _;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let zeros = vec![0_u8; 1 << 20];
        for _ in 0..65 {
            writer.write_all(&zeros).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        assert!(bytes.len() < 1 << 20);
        let why = Unreadable::TooLarge { limit: MAX_UNPACKED };
        assert_eq!(read_workbook(&bytes).oddities, [Oddity::Unreadable(why)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_damage_makes_the_reader_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = sample();
            let index = at.index(bytes.len());
            bytes[index] = byte;
            let _ = read_workbook(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            let _ = read_workbook(&bytes);
        }
    }
}
