//! Writes a packet as a workbook that a person cannot easily break.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationRule, DocProperties, ExcelDateTime, Format, Note,
    Workbook, Worksheet, XlsxError,
};

use super::{HIDDEN, SHEET};
use crate::template::{Bound, CellType, Column, Language, Role, Template};

/// How wide a column is at least and at most, in characters.
const WIDTH: std::ops::RangeInclusive<usize> = 12..=60;

/// A cell to point at, by its column, with what is wrong.
type Marked = (usize, String);

/// Writes one row under the header, its captured cells open and everything else locked.
///
/// The same input gives the same bytes. Cells that are `marked` are red and say why in a note.
pub(crate) fn packet_workbook(
    template: &Template,
    cells: &[String],
    packet_id: &str,
    language: Language,
    marked: &[Marked],
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // A fixed day, since a library reads no clock and the same packet is to have the same bytes.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let title = template.title().get(language);
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&epoch));
    let packet = workbook.add_worksheet();
    packet.set_name(SHEET)?;
    write_packet(packet, template, cells, language, marked)?;
    write_instructions(workbook.add_worksheet(), template, language)?;
    let hidden = workbook.add_worksheet();
    hidden.set_name(HIDDEN)?.set_very_hidden(true).protect();
    hidden.write_string(0, 0, "packet_id")?.write_string(0, 1, packet_id)?;
    hidden.write_string(1, 0, "template")?.write_string(1, 1, template.name())?;
    hidden.write_string(2, 0, "version")?.write_number(2, 1, template.version())?;
    workbook.save_to_buffer()
}

fn write_packet(
    sheet: &mut Worksheet,
    template: &Template,
    cells: &[String],
    language: Language,
    marked: &[Marked],
) -> Result<(), XlsxError> {
    let header = Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E1F2));
    for (at, column) in template.columns().iter().enumerate() {
        let position = position(at);
        let cell = cells.get(at).map_or("", String::as_str);
        sheet.write_string_with_format(0, position, &column.name, &header)?;
        if !column.title.is_empty() {
            let note = Note::new(column.title.get(language)).add_author_prefix(false);
            sheet.insert_note(0, position, &note)?;
        }
        let width = column.name.chars().count().max(cell.chars().count()) + 2;
        #[expect(clippy::cast_precision_loss, reason = "at most 60")]
        sheet.set_column_width(position, width.clamp(*WIDTH.start(), *WIDTH.end()) as f64)?;
        let problem = marked.iter().find(|(marked, _)| *marked == at).map(|(_, problem)| problem);
        write_cell(sheet, position, column, cell, &format(column, problem.is_some()))?;
        if let Some(problem) = problem {
            let text: String = problem.chars().take(2_000).collect();
            sheet.insert_note(1, position, &Note::new(text).add_author_prefix(false))?;
        }
        if column.role == Role::Capture
            && let Some(validation) = validation(column, language)?
        {
            sheet.add_data_validation(1, position, 1, position, &validation)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?.protect();
    Ok(())
}

fn position(at: usize) -> u16 {
    u16::try_from(at).expect("a template has fewer columns than a sheet, as its validation says")
}

fn format(column: &Column, marked: bool) -> Format {
    let format = match column.cell_type {
        CellType::Integer => Format::new().set_num_format("0"),
        CellType::Decimal => Format::new(),
        CellType::Date => Format::new().set_num_format("yyyy-mm-dd"),
        CellType::Text | CellType::Url => Format::new().set_num_format("@"),
    };
    match (column.role, marked) {
        (Role::Capture, false) => {
            format.set_unlocked().set_background_color(Color::RGB(0x00FF_F2CC))
        }
        (Role::Capture, true) => {
            format.set_unlocked().set_background_color(Color::RGB(0x00FF_C7CE))
        }
        (_, true) => format.set_background_color(Color::RGB(0x00FF_C7CE)),
        (_, false) => format,
    }
}

/// Writes a cell typed where it is what its column holds, as text where it is not.
fn write_cell(
    sheet: &mut Worksheet,
    position: u16,
    column: &Column,
    cell: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if cell.is_empty() {
        sheet.write_blank(1, position, format)?;
        return Ok(());
    }
    if column.cell_type.is_number()
        && let Ok(number) = cell.parse::<f64>()
        // Only what a binary number gives back as written.
        && number.to_string() == cell
    {
        sheet.write_number_with_format(1, position, number, format)?;
        return Ok(());
    }
    // Keys stay texts: a date that is compared letter by letter must not be reformatted.
    if column.cell_type == CellType::Date
        && column.role == Role::Capture
        && cell.len() == 10
        && let Ok(date) = ExcelDateTime::parse_from_str(cell)
    {
        sheet.write_datetime_with_format(1, position, &date, format)?;
        return Ok(());
    }
    let text = Format::new().set_num_format("@").merge(format);
    sheet.write_string_with_format(1, position, cell, &text)?;
    Ok(())
}

fn validation(column: &Column, language: Language) -> Result<Option<DataValidation>, XlsxError> {
    let validation = match column.cell_type {
        CellType::Integer | CellType::Decimal => number_rule(column),
        CellType::Date => {
            let (first, last) =
                (ExcelDateTime::from_ymd(1900, 1, 1)?, ExcelDateTime::from_ymd(2199, 12, 31)?);
            DataValidation::new().allow_date(DataValidationRule::Between(first, last))
        }
        CellType::Text if !column.one_of.is_empty() => {
            // A list beyond the limit of a drop-down is checked on return alone.
            match DataValidation::new().allow_list_strings(&column.one_of) {
                Ok(list) => list,
                Err(XlsxError::DataValidationError(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        CellType::Text => match column.min_length.and_then(|least| u32::try_from(least).ok()) {
            Some(least) => DataValidation::new()
                .allow_text_length(DataValidationRule::GreaterThanOrEqualTo(least)),
            None => return Ok(None),
        },
        CellType::Url => return Ok(None),
    };
    let cut = |text: &str, limit| text.chars().take(limit).collect::<String>();
    let title = column.title.get(language);
    let unit = column.unit.as_deref().map(|unit| format!(" ({unit})")).unwrap_or_default();
    let validation = validation
        .set_input_title(cut(&column.name, 32))?
        .set_input_message(cut(&format!("{title}{unit}"), 255))?;
    Ok(Some(validation))
}

fn number_rule(column: &Column) -> DataValidation {
    let limit = |bound: &Option<Bound>| {
        bound.as_ref().and_then(|b| b.limit.to_f64().map(|limit| (limit, b.exclusive)))
    };
    // A rule holds one side; the other is checked on return.
    let rule = match (limit(&column.minimum), limit(&column.maximum)) {
        (Some((least, false)), Some((most, false))) => DataValidationRule::Between(least, most),
        (Some((least, true)), _) => DataValidationRule::GreaterThan(least),
        (Some((least, false)), _) => DataValidationRule::GreaterThanOrEqualTo(least),
        (None, Some((most, true))) => DataValidationRule::LessThan(most),
        (None, Some((most, false))) => DataValidationRule::LessThanOrEqualTo(most),
        (None, None) => DataValidationRule::Between(-1e15, 1e15),
    };
    DataValidation::new().allow_decimal_number(rule)
}

fn write_instructions(
    sheet: &mut Worksheet,
    template: &Template,
    language: Language,
) -> Result<(), XlsxError> {
    let (name, required, unit) = match language {
        Language::En => ("instructions", "required", "unit"),
        Language::Es => ("instrucciones", "obligatorio", "unidad"),
    };
    let bold = Format::new().set_bold();
    sheet.set_name(name)?.set_column_width(0, 32)?.set_column_width(1, 60)?;
    sheet.write_string_with_format(0, 0, template.title().get(language), &bold)?;
    sheet.write_string(1, 0, template.instructions().get(language))?;
    sheet.write_string_with_format(3, 2, unit, &bold)?;
    sheet.write_string_with_format(3, 3, required, &bold)?;
    let captured = template.columns().iter().filter(|column| column.role == Role::Capture);
    for (row, column) in (4_u32..).zip(captured) {
        sheet.write_string(row, 0, &column.name)?;
        sheet.write_string(row, 1, column.title.get(language))?;
        sheet.write_string(row, 2, column.unit.as_deref().unwrap_or_default())?;
        sheet.write_string(row, 3, if column.required { "✓" } else { "" })?;
    }
    sheet.protect();
    Ok(())
}
