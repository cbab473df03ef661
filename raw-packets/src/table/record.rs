//! One row as its cells: where it ends, and what stands in it.

use std::io;

use memchr::{memchr, memchr3};

use super::lines::{Line, Lines, Seen};

/// Why a row cannot be split into cells.
pub(super) const UNCLOSED: &str =
    "a quote is not closed, or a quote inside a quoted value is not doubled; correct the quotes";
pub(super) const STRAY_CR: &str =
    "a carriage return stands inside the line; put the value into quotes or remove it";
pub(super) const NUL: &str = "the text holds a NUL or half a character; export it again as UTF-8";
pub(super) const TOO_LONG: &str =
    "the row is too long to be a row; check the line breaks and quotes";

/// What stands where a row should begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The end of the file.
    End,
    /// A row of so many bytes and lines; its cells are split.
    Row { bytes: usize, lines: u64 },
    /// So many bytes and lines that are no row; the trouble shows only `until` bytes further on.
    Broken { why: &'static str, bytes: usize, lines: u64, until: usize },
    /// A line that does not end within the limit.
    TooLong,
}

/// The cells of one row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The unquoted text, where the cells do not lie in the file as they are.
    own: Option<Vec<u8>>,
    /// Where each cell begins and ends, in `own` or in the window.
    places: Vec<(usize, usize)>,
    stray_quote: bool,
    padded: bool,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes the blanks around unquoted cells for the layout of the file from now on.
    pub(super) fn set_padded(&mut self) {
        self.padded = true;
    }

    /// Says whether a quote stands inside a cell that is not quoted.
    pub(super) fn has_stray_quote(&self) -> bool {
        self.stray_quote
    }

    /// Returns a cell; the window is that of the lines that the row was split from.
    pub(super) fn get<'a>(&'a self, window: &'a [u8], at: usize) -> &'a [u8] {
        let text = self.own.as_deref().unwrap_or(window);
        self.places.get(at).map_or(&[], |&(begin, end)| &text[begin..end])
    }

    /// Replaces every cell by its decoding.
    pub(super) fn decode(
        &mut self,
        window: &[u8],
        decode: impl Fn(&[u8]) -> Option<String>,
    ) -> bool {
        let mut text = String::new();
        let mut places = Vec::with_capacity(self.places.len());
        for at in 0..self.places.len() {
            let begin = text.len();
            let Some(cell) = decode(self.get(window, at)) else { return false };
            text.push_str(&cell);
            places.push((begin, text.len()));
        }
        self.own = Some(text.into_bytes());
        self.places = places;
        true
    }

    /// Splits the row that begins where the window does.
    pub(super) fn split(&mut self, lines: &mut Lines, separator: u8) -> io::Result<Found> {
        self.places.clear();
        self.stray_quote = false;
        let first = match lines.line(0)? {
            Seen::Line(line) => line,
            Seen::End => return Ok(Found::End),
            Seen::TooLong => return Ok(Found::TooLong),
        };
        let content = &lines.window()[first.begin..first.end];
        if memchr3(b'"', b'\r', 0, content).is_some() {
            return self.split_quoted(lines, separator, first);
        }
        self.own = None;
        let mut begin = 0;
        for (at, byte) in content.iter().enumerate() {
            if *byte == separator {
                self.places.push((begin, at));
                begin = at + 1;
            }
        }
        self.places.push((begin, content.len()));
        if self.padded {
            for (begin, end) in &mut self.places {
                let (before, cell) = unpadded(&content[*begin..*end]);
                *begin += before;
                *end = *begin + cell.len();
            }
        }
        Ok(Found::Row { bytes: first.next, lines: 1 })
    }

    fn split_quoted(&mut self, lines: &mut Lines, separator: u8, first: Line) -> io::Result<Found> {
        let mut own = self.own.take().unwrap_or_default();
        own.clear();
        let mut line = first;
        let mut count = 1;
        let mut at = first.begin;
        // What follows the line of an open quote is read again, line by line.
        let unclosed = |until| Found::Broken { why: UNCLOSED, bytes: first.next, lines: 1, until };
        let broken = |why, end, lines| Found::Broken { why, bytes: end, lines, until: end };
        loop {
            let begin = own.len();
            let window = lines.window();
            let blanks = window[at..line.end]
                .iter()
                .take_while(|byte| matches!(**byte, b' ' | b'\t') && **byte != separator)
                .count();
            if window.get(at + blanks) == Some(&b'"') && at + blanks < line.end {
                at += blanks + 1;
                // Reads to the quote that closes the cell, over as many lines as it takes.
                loop {
                    let window = lines.window();
                    let Some(quote) = memchr(b'"', &window[at..line.end]).map(|found| at + found)
                    else {
                        own.extend_from_slice(&window[at..line.next]);
                        line = match lines.line(line.next)? {
                            Seen::Line(next) => next,
                            Seen::End => return Ok(unclosed(line.next)),
                            Seen::TooLong => return Ok(unclosed(usize::MAX)),
                        };
                        count += 1;
                        at = line.begin;
                        continue;
                    };
                    own.extend_from_slice(&window[at..quote]);
                    if quote + 1 < line.end && window[quote + 1] == b'"' {
                        own.push(b'"');
                        at = quote + 2;
                        continue;
                    }
                    at = quote + 1;
                    break;
                }
                let window = lines.window();
                while at < line.end && window[at] != separator && matches!(window[at], b' ' | b'\t')
                {
                    at += 1;
                }
                if at < line.end && window[at] != separator {
                    return Ok(unclosed(line.next));
                }
            } else {
                let rest = &window[at..line.end];
                let cell = &rest[..memchr(separator, rest).unwrap_or(rest.len())];
                if memchr(b'\r', cell).is_some() {
                    return Ok(broken(STRAY_CR, line.next, count));
                }
                self.stray_quote |= memchr(b'"', cell).is_some();
                own.extend_from_slice(if self.padded { unpadded(cell).1 } else { cell });
                at += cell.len();
            }
            self.places.push((begin, own.len()));
            if at >= line.end {
                break;
            }
            at += 1;
        }
        if memchr(0, &own).is_some() {
            return Ok(broken(NUL, line.next, count));
        }
        self.own = Some(own);
        Ok(Found::Row { bytes: line.next, lines: count })
    }
}

/// Returns a cell without the blanks around it, and how many stand before it.
fn unpadded(cell: &[u8]) -> (usize, &[u8]) {
    let is_pad = |byte: &u8| matches!(byte, b' ' | b'\t');
    let begin = cell.iter().position(|byte| !is_pad(byte)).unwrap_or(cell.len());
    let end = cell.iter().rposition(|byte| !is_pad(byte)).map_or(begin, |last| last + 1);
    (begin, &cell[begin..end])
}
