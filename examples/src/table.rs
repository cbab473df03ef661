//! Tables for people: text to the left, figures to the right.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Lays out a table; columns beyond the first hold figures and are set to the right.
///
/// ```
/// let shown = reference_runners::table::figures(["reason", "leads"], [["NO_CANDIDATES".to_owned(), "7".to_owned()]]);
/// assert!(shown.contains("NO_CANDIDATES"));
/// ```
pub fn figures<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header)
        .add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Writes a count with a comma between thousands.
///
/// ```
/// assert_eq!(reference_runners::table::count(1_234_567), "1,234,567");
/// ```
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a share in per cent, with one decimal; nothing of nothing is a dash.
///
/// ```
/// assert_eq!(reference_runners::table::share(1, 8), "12.5 %");
/// assert_eq!(reference_runners::table::share(0, 0), "–");
/// ```
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}
