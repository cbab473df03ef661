//! A drawing of a sheet in SVG: letters of columns, numbers of rows, a header and one row of cells.

use maud::{Markup, html};

use crate::read::column_letters;

/// A part of the drawn sheet, from left to right.
pub(super) enum Part<'a> {
    /// A column: its place from 0, its label and the cell below it.
    Column { at: usize, name: &'a str, cell: Cell },
    /// Columns that are left out.
    Gap,
}

/// The cell of a drawn column.
pub(super) enum Cell {
    /// Issued with a value, and to be left as it is.
    Given,
    /// To be filled in.
    Open,
    /// Filled in with an example.
    Filled(String),
}

const ROW: usize = 30;
const NUMBERS: usize = 28;
const COLUMN: usize = 168;
const GAP: usize = 26;
/// How many characters fit into a cell.
const FITTING: usize = 20;

const GREY: &str = "#e7e7e7";
const HEADER: &str = "#d9e1f2";
const YELLOW: &str = "#fff2cc";
const WHITE: &str = "#ffffff";

/// Draws a sheet; `title` tells what it shows to who cannot see it.
pub(super) fn picture(title: &str, parts: &[Part<'_>]) -> Markup {
    let width = NUMBERS + parts.iter().map(width_of).sum::<usize>();
    let height = 3 * ROW;
    let mut x = NUMBERS;
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label=(title) font-family="system-ui,sans-serif" font-size="13" {
            (boxed(0, 0, NUMBERS, GREY, ""))
            (boxed(0, ROW, NUMBERS, GREY, "1"))
            (boxed(0, 2 * ROW, NUMBERS, GREY, "2"))
            @for part in parts {
                @let left = x;
                @let wide = width_of(part);
                @let () = x += wide;
                @match part {
                    Part::Gap => {
                        @for y in [0, ROW, 2 * ROW] { (boxed(left, y, wide, WHITE, "…")) }
                    },
                    Part::Column { at, name, cell } => {
                        (boxed(left, 0, wide, GREY, &column_letters(*at)))
                        (boxed(left, ROW, wide, HEADER, name))
                        @match cell {
                            Cell::Given => (boxed(left, 2 * ROW, wide, GREY, "•••")),
                            Cell::Open => (boxed(left, 2 * ROW, wide, YELLOW, "")),
                            Cell::Filled(text) => (boxed(left, 2 * ROW, wide, YELLOW, text)),
                        }
                    },
                }
            }
        }
    }
}

fn width_of(part: &Part<'_>) -> usize {
    match part {
        Part::Column { .. } => COLUMN,
        Part::Gap => GAP,
    }
}

fn boxed(x: usize, y: usize, width: usize, colour: &str, text: &str) -> Markup {
    html! {
        rect x=(x) y=(y) width=(width) height=(ROW) fill=(colour) stroke="#8a8a8a" {}
        @if !text.is_empty() {
            text x=(x + 6) y=(y + 20) fill="#1b1b1b" { (cut(text)) }
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(FITTING) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
