//! Reads a packet from a workbook of any kind, within limits.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{
    Data, Ods, Range, Reader as _, SheetType, SheetVisible, Xls, Xlsb, Xlsx, open_workbook_from_rs,
};

use super::{HIDDEN, INSTRUCTIONS, MAX_COLUMNS, SHEET, ods, parts};
use crate::read::{
    Builder, Cell, Form, Kind, Oddity, Remark, Sheet, SheetRow, Unreadable, laid_out,
};
use crate::template::Labels;
use crate::value::is_blank;

/// How many bytes a workbook may unpack to; a packet unpacks to a few ten thousand.
const MAX_UNPACKED: u64 = 64 << 20;

/// How many files a workbook may consist of.
const MAX_PARTS: usize = 1_000;

/// How many characters of a sheet that is not read are shown.
const SHOWN: usize = 60;

/// Reads the packet's sheet: the one of that name, else one whose name begins so, else the first that is
/// visible; `is_filled` says whether somebody worked in a sheet, by which a copy is preferred to a blank
/// original.
pub(crate) fn read_workbook(
    bytes: &[u8],
    kind: Kind,
    labels: &Labels,
    is_filled: impl Fn(&Sheet) -> bool,
) -> Sheet {
    let unreadable = |why| Sheet {
        decimal_mark: '.',
        oddities: vec![Oddity::Unreadable(why)],
        ..Sheet::default()
    };
    if kind != Kind::Xls
        && let Err(problem) = check_size(bytes)
    {
        return unreadable(problem);
    }
    // The parser of workbooks is not ours: a panic in it is a file that cannot be read, too.
    match catch_unwind(AssertUnwindSafe(|| parse(bytes, kind, labels, is_filled))) {
        Ok(Ok(sheet)) => sheet,
        Ok(Err(problem)) if problem.contains("assword") => unreadable(Unreadable::Password),
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

type Bytes<'b> = Cursor<&'b [u8]>;

/// A workbook of any kind.
enum Book<'b> {
    Xlsx(Xlsx<Bytes<'b>>, &'b [u8]),
    Xlsb(Xlsb<Bytes<'b>>),
    Xls(Xls<Bytes<'b>>),
    Ods(Ods<Bytes<'b>>, &'b [u8]),
}

fn parse(
    bytes: &[u8],
    kind: Kind,
    labels: &Labels,
    is_filled: impl Fn(&Sheet) -> bool,
) -> Result<Sheet, String> {
    let mut book = Book::open(bytes, kind)?;
    let sheets: Vec<_> =
        book.sheets().into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let visible = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible;
    let chosen = sheets.iter().find(|sheet| sheet.name.to_lowercase() == SHEET);
    // Numbers adds the table's name to the sheet's.
    let alike =
        |sheet: &&calamine::Sheet| visible(sheet) && sheet.name.to_lowercase().starts_with(SHEET);
    let chosen = chosen.or_else(|| sheets.iter().find(alike));
    let chosen = chosen.or_else(|| sheets.iter().find(visible)).map(|sheet| sheet.name.clone());
    let Some(mut name) = chosen else {
        let oddities = vec![Oddity::Empty];
        return Ok(Sheet { decimal_mark: '.', oddities, ..Sheet::default() });
    };
    let mut sheet = book.read(&name, labels)?;
    let mut others = Vec::new();
    for other in &sheets {
        let ours =
            other.name == HIDDEN || INSTRUCTIONS.contains(&other.name.to_lowercase().as_str());
        if other.name != name && !ours {
            others.push((other.name.clone(), book.read(&other.name, labels)?));
        }
    }
    let is_packet = |sheet: &Sheet| labels.are_enough(sheet.header.iter().map(String::as_str));
    if !is_packet(&sheet) {
        match others.iter_mut().find(|(_, other)| is_packet(other)) {
            Some((other_name, other)) => {
                std::mem::swap(&mut sheet, other);
                std::mem::swap(&mut name, other_name);
            }
            None => sheet = laid_out(sheet, labels, false),
        }
    }
    // A copy of the sheet that is filled in counts before the blank original.
    let filled: Vec<usize> = (0..others.len())
        .filter(|at| is_packet(&others[*at].1) && is_filled(&others[*at].1))
        .collect();
    if let [at] = filled[..]
        && !is_filled(&sheet)
    {
        let (read, other) = others.remove(at);
        let remark = Remark::Chosen { read: read.clone(), unfilled: name };
        sheet = other;
        sheet.remarks.push(remark);
        name = read;
    }
    for (other_name, other) in others {
        if is_packet(&other) && is_filled(&other) && is_filled(&sheet) {
            if !says_the_same(&sheet, &other, labels) {
                sheet.remarks.push(Remark::Rival { name: other_name, read: name.clone() });
            }
            continue;
        }
        let texts = other
            .header
            .iter()
            .chain(other.rows.iter().flat_map(|row| row.cells.iter().map(|cell| &cell.text)));
        let texts: Vec<&str> =
            texts.map(|text| text.trim()).filter(|text| !is_blank(text)).take(20).collect();
        let blank_copy = is_packet(&other) && !is_filled(&other);
        if !texts.is_empty() && !blank_copy {
            let says: String = texts.join(" | ").chars().take(SHOWN).collect();
            sheet.remarks.push(Remark::Sheet { name: other_name, says });
        }
    }
    book.beside(&name, &mut sheet);
    if sheets.iter().any(|sheet| sheet.name == HIDDEN) {
        sheet.packet_id = book.packet_id()?;
    }
    Ok(sheet)
}

/// Says whether two sheets hold the same values under the same columns.
fn says_the_same(one: &Sheet, other: &Sheet, labels: &Labels) -> bool {
    let values = |sheet: &Sheet| -> Option<BTreeMap<usize, String>> {
        let [row] = sheet.rows.as_slice() else { return None };
        let cells = sheet.header.iter().zip(&row.cells).filter(|(_, cell)| !is_blank(&cell.text));
        let value = |(label, cell): (&String, &Cell)| {
            Some((labels.find(label)?.column, crate::value::trim(&cell.text).to_owned()))
        };
        Some(cells.filter_map(value).collect())
    };
    values(one).is_some_and(|one| Some(one) == values(other))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl<'b> Book<'b> {
    fn open(bytes: &'b [u8], kind: Kind) -> Result<Self, String> {
        let reader = Cursor::new(bytes);
        match kind {
            Kind::Xlsb => open_workbook_from_rs(reader).map(Self::Xlsb).map_err(text),
            Kind::Xls => open_workbook_from_rs(reader).map(Self::Xls).map_err(text),
            Kind::Ods => {
                open_workbook_from_rs(reader).map(|book| Self::Ods(book, bytes)).map_err(text)
            }
            _ => open_workbook_from_rs(reader).map(|book| Self::Xlsx(book, bytes)).map_err(text),
        }
    }

    fn sheets(&self) -> Vec<calamine::Sheet> {
        match self {
            Self::Xlsx(book, _) => book.sheets_metadata().to_vec(),
            Self::Xlsb(book) => book.sheets_metadata().to_vec(),
            Self::Xls(book) => book.sheets_metadata().to_vec(),
            Self::Ods(book, _) => book.sheets_metadata().to_vec(),
        }
    }

    fn read(&mut self, name: &str, labels: &Labels) -> Result<Sheet, String> {
        let mut rows = Rows::new(labels);
        match self {
            Self::Xlsx(book, _) => {
                let since_1904 = book.has_1904_epoch();
                // Cell by cell, never as a rectangle: one cell in the last corner would make it as large
                // as can be.
                let mut reader = book.worksheet_cells_reader(name).map_err(text)?;
                while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(text)? {
                    let formula = cell.formula.map(|formula| formula_text(&formula));
                    rows.push(cell.pos, read_cell(&Data::from(cell.value), formula, since_1904));
                }
            }
            Self::Xlsb(book) => {
                let since_1904 = book.has_1904_epoch();
                let mut formulas = std::collections::HashMap::new();
                let mut reader = book.worksheet_cells_reader(name).map_err(text)?;
                while let Some(cell) = reader.next_formula().map_err(text)? {
                    formulas.insert(cell.get_position(), cell.get_value().clone());
                }
                drop(reader);
                let mut reader = book.worksheet_cells_reader(name).map_err(text)?;
                while let Some(cell) = reader.next_cell().map_err(text)? {
                    let formula = formulas.remove(&cell.get_position());
                    let value = Data::from(cell.get_value().clone());
                    rows.push(cell.get_position(), read_cell(&value, formula, since_1904));
                }
            }
            Self::Xls(book) => {
                let since_1904 = book.has_1904_epoch();
                let formulas = book.worksheet_formula(name).map_err(text)?;
                rows.range(&book.worksheet_range(name).map_err(text)?, &formulas, since_1904);
            }
            Self::Ods(book, _) => {
                let formulas = book.worksheet_formula(name).map_err(text)?;
                rows.range(&book.worksheet_range(name).map_err(text)?, &formulas, false);
            }
        }
        Ok(rows.finish())
    }

    /// Adds what stands beside the cells of the sheet that was read.
    fn beside(&self, name: &str, sheet: &mut Sheet) {
        let beside = match self {
            Self::Xlsx(_, bytes) => parts::beside(bytes, name),
            Self::Ods(_, bytes) => ods::beside(bytes, name),
            Self::Xlsb(_) | Self::Xls(_) => return,
        };
        for row in &mut sheet.rows {
            // Of an upright form, each value has a row of its own.
            let own = [row.number];
            let shown = if sheet.upright.is_empty() { &own[..] } else { &sheet.upright };
            let hidden = shown.iter().filter(|row| beside.hidden.contains(row));
            sheet.remarks.extend(hidden.map(|row| Remark::Hidden { row: *row }));
            for (at, cell) in row.cells.iter_mut().enumerate() {
                let name = match sheet.upright.get(at) {
                    Some(field) => format!("B{field}"),
                    None => format!("{}{}", crate::read::column_letters(at), row.number),
                };
                if beside.computed.contains(&name) {
                    cell.form = Form::Formula;
                } else if let Form::Number { .. } = cell.form
                    && beside.percentages.contains(&name)
                {
                    cell.form = Form::Percentage;
                }
            }
        }
        for (cell, says) in beside.comments {
            let letters = cell.trim_end_matches(|c: char| c.is_ascii_digit());
            let column = letters.bytes().try_fold(0_usize, |column, letter| {
                let digit = usize::from(letter.wrapping_sub(b'A')) + 1;
                (digit <= 26 && column < MAX_COLUMNS).then(|| column * 26 + digit)
            });
            let row = cell[letters.len()..].parse();
            if let (Some(column @ 1..), Ok(row)) = (column, row) {
                let says: String = says.split_whitespace().collect::<Vec<_>>().join(" ");
                let says = says.chars().take(SHOWN).collect();
                sheet.remarks.push(Remark::Comment { row, column: column - 1, says });
            }
        }
    }

    /// Reads the id that the hidden sheet keeps in its first row.
    fn packet_id(&mut self) -> Result<Option<String>, String> {
        let found = match self {
            Self::Xlsx(book, _) => book.worksheet_range(HIDDEN).map_err(text)?,
            Self::Xlsb(book) => book.worksheet_range(HIDDEN).map_err(text)?,
            Self::Xls(book) => book.worksheet_range(HIDDEN).map_err(text)?,
            Self::Ods(book, _) => book.worksheet_range(HIDDEN).map_err(text)?,
        };
        let id = found.get_value((0, 1)).map(ToString::to_string);
        Ok(id.filter(|id| !id.is_empty()))
    }
}

/// Puts cells together to rows.
struct Rows<'l> {
    builder: Builder<'l>,
    row: Option<SheetRow>,
}

impl<'l> Rows<'l> {
    fn new(labels: &'l Labels) -> Self {
        let sheet = Sheet { decimal_mark: '.', ..Sheet::default() };
        Self { builder: Builder::new(labels, sheet), row: None }
    }

    fn push(&mut self, (row, column): (u32, u32), cell: Cell) {
        let (number, column) = (u64::from(row) + 1, column as usize);
        if self.row.as_ref().is_some_and(|row| row.number != number)
            && let Some(row) = self.row.take()
        {
            self.builder.push(row);
        }
        if column >= MAX_COLUMNS {
            return;
        }
        let row = self.row.get_or_insert_with(|| SheetRow { number, cells: Vec::new() });
        if row.cells.len() <= column {
            row.cells
                .resize_with(column + 1, || Cell { text: String::new(), form: Form::TypedText });
        }
        row.cells[column] = cell;
    }

    fn range(&mut self, cells: &Range<Data>, formulas: &Range<String>, since_1904: bool) {
        let Some((top, left)) = cells.start() else { return };
        for (row, column, value) in cells.used_cells() {
            let at = (top + index(row), left + index(column));
            let formula = formulas.get_value(at).filter(|formula| !formula.is_empty()).cloned();
            self.push(at, read_cell(value, formula, since_1904));
        }
    }

    fn finish(mut self) -> Sheet {
        if let Some(row) = self.row.take() {
            self.builder.push(row);
        }
        self.builder.finish()
    }
}

/// Returns an index of a sheet, which has at most a million rows.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Returns what a formula says; one that is shared with another cell says nothing by itself.
fn formula_text(formula: &calamine::XlsxFormulaMetadata) -> String {
    use calamine::XlsxFormulaMetadata::{Normal, Shared};
    match formula {
        Normal { formula } => formula.clone(),
        Shared { formula, .. } if !formula.is_empty() => formula.clone(),
        _ => "…".to_owned(),
    }
}

/// Reads a cell; a formula without any text is none, as some writers leave one beside a value.
fn read_cell(value: &Data, formula: Option<String>, since_1904: bool) -> Cell {
    if let Some(formula) = formula.filter(|formula| !formula.is_empty()) {
        // An OpenDocument names the language of its formulas in front.
        let formula = formula.strip_prefix("of:=").unwrap_or(&formula);
        return Cell { text: format!("={formula}"), form: Form::Formula };
    }
    let (text, form) = match value {
        Data::Empty => (String::new(), Form::TypedText),
        Data::String(text) => (text.clone(), Form::TypedText),
        Data::DurationIso(text) => (text.clone(), Form::Date),
        Data::Bool(value) => (value.to_string().to_uppercase(), Form::TypedText),
        Data::Int(number) => (number.to_string(), Form::Number { since_1904 }),
        Data::Float(number) => (number.to_string(), Form::Number { since_1904 }),
        Data::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            let day = format!("{year:04}-{month:02}-{day:02}");
            let time = format!(" {hour:02}:{minute:02}:{second:02}");
            let midnight = (hour, minute, second) == (0, 0, 0);
            let text = match date.as_f64() {
                // A part of a day is a time, which has no date.
                part if part < 1.0 => time.trim_start().to_owned(),
                _ if midnight => day,
                _ => day + &time,
            };
            (text, Form::Date)
        }
        Data::DateTime(duration) => (clock(duration.as_f64()), Form::Date),
        Data::DateTimeIso(text) => (without_midnight(text).to_owned(), Form::Date),
        Data::Error(error) => (error.to_string(), Form::Error),
    };
    Cell { text, form }
}

/// Writes a number of days as hours, minutes and seconds, as a format such as `[h]:mm` shows it.
fn clock(days: f64) -> String {
    let seconds = (days.abs() * 86_400.0).round();
    let sign = if days < 0.0 { "-" } else { "" };
    let (hours, rest) = ((seconds / 3_600.0).floor(), seconds % 3_600.0);
    format!("{sign}{hours:02}:{:02}:{:02}", (rest / 60.0).floor(), rest % 60.0)
}

/// Takes the midnight off that a day without a time is written with, and the day off that stands for none.
fn without_midnight(text: &str) -> &str {
    match text.split_once('T') {
        Some(("1899-12-30", time)) => time,
        Some((day, time)) if time.chars().all(|c| matches!(c, '0' | ':' | '.' | 'Z')) => day,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::{Language, Template};
    use crate::workbook::{MarkedSheet, packet_workbook};

    fn sample() -> Vec<u8> {
        let template = Template::official_review();
        let cells: Vec<String> = template.columns().iter().map(|_| "12".to_owned()).collect();
        let sheet = MarkedSheet::issued(&template, &cells);
        packet_workbook(&template, &sheet, "id", Language::En).unwrap()
    }

    fn read(bytes: &[u8]) -> Sheet {
        let labels = Labels::new(&Template::official_review());
        read_workbook(bytes, Kind::Xlsx, &labels, |_| false)
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
        assert_eq!(read(&bytes).oddities, [Oddity::Unreadable(why)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_damage_makes_the_reader_panic(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = sample();
            let index = at.index(bytes.len());
            bytes[index] = byte;
            let _ = read(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            let _ = read(&bytes);
        }
    }
}
