//! The queue as CSV and JSON.

use std::borrow::Cow;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::{queue::GapQueue, row::Cell};

/// Writes the rows of a queue as CSV with a header, one row in memory at a time.
///
/// ```
/// use kpi_gap_queue::{GapOptions, GapQueue, InMemoryCatalogue, InMemoryMetrics, Kpi, MetricScope};
/// use kpi_gap_queue::files::write_queue_csv;
///
/// let catalogue = InMemoryCatalogue {
///     expected_sources: vec!["es:town".into()],
///     kpis: vec![Kpi::new("kpi:days", "Days, waited")],
///     ..InMemoryCatalogue::default()
/// };
/// let scopes = [MetricScope::all_time()];
/// let queue =
///     GapQueue::build(&catalogue, &InMemoryMetrics::new(), &scopes, GapOptions::default())?;
/// let mut csv = Vec::new();
/// write_queue_csv(&queue, &mut csv)?;
/// let csv = String::from_utf8(csv)?;
/// assert!(csv.starts_with("queue_key,sanction_source_id,kpi_id,kpi_label,"));
/// assert!(csv.contains("\nes:town|kpi:days|all|all,es:town,kpi:days,\"Days, waited\","));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_queue_csv(queue: &GapQueue, out: impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(queue.options().policy.names.columns())?;
    for row in queue.rows() {
        for cell in row.cells() {
            match cell {
                Cell::Text(text) => csv.write_field(&*shown(text))?,
                Cell::Flag(flag) => csv.write_field(if flag { "true" } else { "false" })?,
                Cell::Number(number) => csv.write_field(number.to_string())?,
            }
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

/// Writes a text as a cell that a person opens: a spreadsheet takes it for no formula (OWASP, CSV injection), and what
/// cannot be seen is shown as `⟨U+202E⟩` (Unicode Technical Report 36).
fn shown(text: &str) -> Cow<'_, str> {
    let mut cell = Cow::Borrowed(text);
    if text.contains(is_hidden) {
        let show = |c: char| match c {
            _ if is_hidden(c) => format!("⟨U+{:04X}⟩", u32::from(c)),
            _ => c.to_string(),
        };
        cell = text.chars().map(show).collect::<String>().into();
    }
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell = format!("'{cell}").into();
    }
    cell
}

fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        // The last two code points of every plane are no characters.
        _ => c.is_control() || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// Writes the report of a queue as JSON, one row in memory at a time; what cannot be seen is escaped.
pub fn write_queue_json(
    queue: &GapQueue,
    generated_at: DateTime<Utc>,
    mut out: impl Write,
) -> io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(&mut out, Escaping::default());
    queue.streamed_report(generated_at).serialize(&mut json)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Indented JSON in which what cannot be seen is escaped; each reader gives it back as it was.
#[derive(Default)]
struct Escaping(PrettyFormatter<'static>);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut seen = 0;
        for (at, hidden) in text.match_indices(is_hidden) {
            out.write_all(&text.as_bytes()[seen..at])?;
            for unit in hidden.encode_utf16() {
                write!(out, "\\u{unit:04x}")?;
            }
            seen = at + hidden.len();
        }
        out.write_all(&text.as_bytes()[seen..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}
