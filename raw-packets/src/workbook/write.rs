//! Writes a packet as a workbook that a person cannot easily break.

use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationRule, DocProperties, ExcelDateTime, Format, Formula, Note,
    Workbook, Worksheet, XlsxError,
};

use super::{AUTHOR, FORMS, HIDDEN, INSTRUCTIONS, MarkedSheet, SHEET};
use crate::read::FORM_LABELS;
use crate::template::{Bound, CellType, Column, Language, Role, Template};
use crate::value::escape_hidden;

/// How wide a column is at least and at most, in characters.
const WIDTH: std::ops::RangeInclusive<usize> = 12..=60;

/// Writes rows under their labels, captured and marked cells open and everything else locked.
///
/// The same input gives the same bytes. Cells that are marked are red and say why in a note. A sheet
/// whose header is wrong, or that has rows too many, is not protected: its lines have to be changed.
pub(crate) fn packet_workbook(
    template: &Template,
    sheet: &MarkedSheet<'_>,
    packet_id: &str,
    language: Language,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // A fixed day, since a library reads no clock and the same packet is to have the same bytes.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let title = template.title().get(language);
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&epoch));
    let packet = workbook.add_worksheet();
    packet.set_name(SHEET)?;
    write_packet(packet, template, sheet, language)?;
    if let ([row], true) = (sheet.rows.as_slice(), sheet.upright) {
        write_form(workbook.add_worksheet(), template, row, language)?;
    }
    write_instructions(workbook.add_worksheet(), template, language)?;
    let hidden = workbook.add_worksheet();
    hidden.set_name(HIDDEN)?.set_very_hidden(true).protect();
    hidden.write_string(0, 0, "packet_id")?.write_string(0, 1, packet_id)?;
    hidden.write_string(1, 0, "template")?.write_string(1, 1, template.name())?;
    hidden.write_string(2, 0, "version")?.write_number(2, 1, template.version())?;
    workbook.save_to_buffer()
}

fn write_packet(
    worksheet: &mut Worksheet,
    template: &Template,
    sheet: &MarkedSheet<'_>,
    language: Language,
) -> Result<(), XlsxError> {
    let header = Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E1F2));
    let rows = u32::try_from(sheet.rows.len()).expect("a check keeps at most a thousand rows");
    for (at, label) in sheet.labels.iter().enumerate() {
        let position = position(at);
        let column = template.position(label).map(|at| &template.columns()[at]);
        if let Some(problem) = sheet.marks.get(&(0, at)) {
            let wrong = header.clone().set_background_color(WRONG).set_unlocked();
            worksheet.write_string_with_format(0, position, *label, &wrong)?;
            worksheet.insert_note(0, position, &note(problem))?;
        } else {
            worksheet.write_string_with_format(0, position, *label, &header)?;
            if let Some(column) = column.filter(|column| !column.title.is_empty()) {
                worksheet.insert_note(0, position, &note(column.title.get(language)))?;
            }
        }
        let cells = sheet.rows.iter().map(|row| row[at].chars().count());
        let width = cells.chain([label.chars().count()]).max().unwrap_or_default() + 2;
        #[expect(clippy::cast_precision_loss, reason = "at most 60")]
        worksheet.set_column_width(position, width.clamp(*WIDTH.start(), *WIDTH.end()) as f64)?;
        for (row, number) in sheet.rows.iter().zip(1_u32..) {
            let problem = sheet.marks.get(&(number as usize, at));
            let format = format(column, problem.is_some());
            let cell = shown(column, &row[at], language);
            write_cell(worksheet, (number, position), column, cell, &format)?;
            if let Some(problem) = problem {
                worksheet.insert_note(number, position, &note(problem))?;
            }
        }
        if let Some(column) = column.filter(|column| column.role == Role::Capture)
            && let Some(validation) = validation(column, language)?
        {
            worksheet.add_data_validation(1, position, rows.max(1), position, &validation)?;
        }
    }
    worksheet.set_freeze_panes(1, 0)?;
    let header_wrong = sheet.marks.keys().any(|(row, _)| *row == 0);
    if sheet.locked && !header_wrong {
        worksheet.protect();
    }
    Ok(())
}

/// How a wrong cell is shown.
const WRONG: Color = Color::RGB(0x00FF_C7CE);

fn note(text: &str) -> Note {
    Note::new(text.chars().take(2_000).collect::<String>())
        .set_author(AUTHOR)
        .add_author_prefix(false)
}

fn position(at: usize) -> u16 {
    u16::try_from(at).expect("a template has fewer columns than a sheet, as its validation says")
}

fn format(column: Option<&Column>, marked: bool) -> Format {
    let format = match column.map(|column| column.cell_type) {
        Some(CellType::Integer) => Format::new().set_num_format("0"),
        Some(CellType::Decimal) => Format::new(),
        Some(CellType::Date) => Format::new().set_num_format("yyyy-mm-dd"),
        // A quotation is longer than its column is wide.
        Some(CellType::Text) if column.is_some_and(|c| c.role == Role::Capture) => {
            Format::new().set_num_format("@").set_text_wrap()
        }
        Some(CellType::Text | CellType::Url) | None => Format::new().set_num_format("@"),
    };
    match (column.map(|column| column.role), marked) {
        // What is to be corrected must be open, a key, too.
        (_, true) => format.set_unlocked().set_background_color(WRONG),
        (Some(Role::Capture), false) => {
            format.set_unlocked().set_background_color(Color::RGB(0x00FF_F2CC))
        }
        (None, false) => format.set_unlocked(),
        (Some(_), false) => format,
    }
}

/// Gives what a cell shows: a choice as it is called in the workbook's language, so that its drop-down knows it.
fn shown<'c>(column: Option<&'c Column>, cell: &'c str, language: Language) -> &'c str {
    let choice = column.and_then(|column| column.choice(cell));
    choice.map_or(cell, |choice| choice.label.get(language))
}

/// Writes a cell typed where it is what its column holds, as text where it is not.
fn write_cell(
    sheet: &mut Worksheet,
    (row, position): (u32, u16),
    column: Option<&Column>,
    cell: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if cell.is_empty() {
        sheet.write_blank(row, position, format)?;
        return Ok(());
    }
    if column.is_some_and(|column| column.cell_type.is_number())
        && let Ok(number) = cell.parse::<f64>()
        // Only what a binary number gives back as written.
        && number.to_string() == cell
    {
        sheet.write_number_with_format(row, position, number, format)?;
        return Ok(());
    }
    // Keys stay texts: a date that is compared letter by letter must not be reformatted.
    if column.is_some_and(|c| c.cell_type == CellType::Date && c.role == Role::Capture)
        && cell.len() == 10
        && let Ok(date) = ExcelDateTime::parse_from_str(cell)
    {
        sheet.write_datetime_with_format(row, position, &date, format)?;
        return Ok(());
    }
    let text = Format::new().set_num_format("@").merge(format);
    sheet.write_string_with_format(row, position, &*escape_hidden(cell), &text)?;
    Ok(())
}

/// Writes the packet's one row as fields below each other: what it is called, its value, what it means.
fn write_form(
    sheet: &mut Worksheet,
    template: &Template,
    cells: &[String],
    language: Language,
) -> Result<(), XlsxError> {
    let of = language as usize;
    let bold = Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E1F2));
    sheet.set_name(FORMS[of])?;
    for (at, (label, width)) in (0..).zip(FORM_LABELS[of].iter().zip([32, 60, 60])) {
        sheet.write_string_with_format(0, at, *label, &bold)?.set_column_width(at, width)?;
    }
    let wrapped = Format::new().set_text_wrap();
    for ((column, cell), row) in template.columns().iter().zip(cells).zip(1_u32..) {
        sheet.write_string(row, 0, &column.name)?;
        let cell = shown(Some(column), cell, language);
        write_cell(sheet, (row, 1), Some(column), cell, &format(Some(column), false))?;
        let unit = column.unit.as_ref().map(|unit| format!(" ({})", unit.get(language)));
        let means = format!("{}{}", column.title.get(language), unit.unwrap_or_default());
        sheet.write_string_with_format(row, 2, &means, &wrapped)?;
        if column.role == Role::Capture
            && let Some(validation) = validation(column, language)?
        {
            sheet.add_data_validation(row, 1, row, 1, &validation)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.protect();
    Ok(())
}

fn validation(column: &Column, language: Language) -> Result<Option<DataValidation>, XlsxError> {
    let validation = match column.cell_type {
        CellType::Integer | CellType::Decimal => {
            let (title, message) = number_error(column, language);
            number_rule(column).set_error_title(title)?.set_error_message(message)?
        }
        CellType::Date => {
            let (first, last) =
                (ExcelDateTime::from_ymd(1900, 1, 1)?, ExcelDateTime::from_ymd(2199, 12, 31)?);
            DataValidation::new().allow_date(DataValidationRule::Between(first, last))
        }
        CellType::Text if !column.one_of.is_empty() => {
            // A list beyond the limit of a drop-down is checked on return alone.
            let words: Vec<&str> =
                column.one_of.iter().map(|choice| choice.label.get(language)).collect();
            match DataValidation::new().allow_list_strings(&words) {
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
    let unit =
        column.unit.as_ref().map(|unit| format!(" ({})", unit.get(language))).unwrap_or_default();
    let validation = validation
        .set_input_title(cut(&column.name, 32))?
        .set_input_message(cut(&format!("{title}{unit}"), 255))?;
    Ok(Some(validation))
}

/// Says what a number has to be where the spreadsheet refuses it.
fn number_error(column: &Column, language: Language) -> (&'static str, &'static str) {
    match (language, column.cell_type) {
        (Language::En, CellType::Integer) => (
            "Whole number",
            "Write a whole number with digits alone, without marks of thousands, units or words.",
        ),
        (Language::En, _) => {
            ("Number", "Write a number alone, without marks of thousands, units or words.")
        }
        (Language::Es, CellType::Integer) => (
            "Número entero",
            "Escriba un número entero, solo con cifras: sin puntos de miles, unidades ni palabras.",
        ),
        (Language::Es, _) => {
            ("Número", "Escriba solo un número, sin puntos de miles, unidades ni palabras.")
        }
    }
}

fn number_rule(column: &Column) -> DataValidation {
    if column.cell_type == CellType::Integer {
        return whole_number_rule(column);
    }
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

/// Makes the rule of a whole number; limits are formulas, for the plain ones end at two thousand million.
fn whole_number_rule(column: &Column) -> DataValidation {
    let limit = |bound: &Option<Bound>| {
        bound.as_ref().map(|b| (Formula::new(format!("={}", b.limit)), b.exclusive))
    };
    let least = || Formula::new("=-1000000000000000");
    let most = || Formula::new("=1000000000000000");
    let rule = match (limit(&column.minimum), limit(&column.maximum)) {
        (Some((least, false)), Some((most, false))) => DataValidationRule::Between(least, most),
        (Some((least, true)), _) => DataValidationRule::GreaterThan(least),
        (Some((least, false)), _) => DataValidationRule::GreaterThanOrEqualTo(least),
        (None, Some((most, true))) => DataValidationRule::LessThan(most),
        (None, Some((most, false))) => DataValidationRule::LessThanOrEqualTo(most),
        (None, None) => DataValidationRule::Between(least(), most()),
    };
    DataValidation::new().allow_whole_number_formula(rule)
}

fn write_instructions(
    sheet: &mut Worksheet,
    template: &Template,
    language: Language,
) -> Result<(), XlsxError> {
    let (name, required, unit) = match language {
        Language::En => (INSTRUCTIONS[0], "required", "unit"),
        Language::Es => (INSTRUCTIONS[1], "obligatorio", "unidad"),
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
        sheet.write_string(row, 2, column.unit.as_ref().map_or("", |unit| unit.get(language)))?;
        sheet.write_string(row, 3, if column.required { "✓" } else { "" })?;
    }
    sheet.protect();
    Ok(())
}
