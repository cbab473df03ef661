//! `metrics.csv`: the values that are held.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Read,
};

use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder};

use super::problem::FileProblem;
use crate::{metric::Metric, policy::ReportNames};

/// Sums up what a table of values held.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct MetricsSummary {
    /// The columns that nobody reads.
    pub columns_ignored: Vec<String>,
    /// The columns that are missing and were read as blank.
    pub columns_missing: Vec<String>,
    /// The rows below the header, blank ones left out.
    pub rows_read_total: u64,
    /// The rows among them that hold no value: their pair stays without one.
    pub rows_without_value_total: u64,
    /// The rows among them that were refused.
    pub rows_refused_total: u64,
}

/// What may stand in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Date,
    Decimal,
    Text,
}

const SOURCE: usize = 0;
const KPI: usize = 1;
const DATE: usize = 2;
const GRANULARITY: usize = 3;
const VALUE: usize = 4;
const RECORD: usize = 5;
const EVIDENCE_DATE: usize = 6;
const QUOTE: usize = 7;
const KEY: usize = 8;
const NUMERATOR: usize = 9;
const DENOMINATOR: usize = 10;

fn columns(names: &ReportNames) -> [(&str, Kind); 11] {
    [
        (&names.source_id, Kind::Id),
        ("kpi_id", Kind::Id),
        ("period_date", Kind::Date),
        ("period_granularity", Kind::Text),
        ("value", Kind::Decimal),
        ("source_record_pk", Kind::Text),
        ("evidence_date", Kind::Date),
        ("evidence_quote", Kind::Text),
        ("metric_key", Kind::Text),
        ("numerator", Kind::Decimal),
        ("denominator", Kind::Decimal),
    ]
}

/// Reads a table of values, row by row, from a CSV file that is called `file`.
///
/// The columns are `sanction_source_id` (as the policy names it), `kpi_id`, `period_date`,
/// `period_granularity`, `value`, `source_record_pk`, `evidence_date`, `evidence_quote`, and, where
/// they are there, `metric_key`, `numerator` and `denominator`, in any order. Only the two ids have
/// to be there; another column that is missing reads as blank, an unknown one is left aside, and the
/// summary names both. A row without a value is passed over and counted.
///
/// Each value is pushed to `held` with the line on which its row begins.
///
/// A row that is broken is pushed to `refused` and does not stop the rest: another number of fields
/// than the header, no UTF-8, a blank id, a date that is not `YYYY-MM-DD`, a number that is not a
/// plain decimal, or the metric key of an earlier row. Memory stays at some 32 bytes a row.
///
/// Fails when the file cannot be read or its header is wrong.
pub fn read_metrics(
    file: &str,
    reader: impl Read,
    names: &ReportNames,
    mut held: impl FnMut(u64, Metric),
    mut refused: impl FnMut(FileProblem),
) -> Result<MetricsSummary, FileProblem> {
    let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(reader);
    let mut record = ByteRecord::new();
    let mut summary = MetricsSummary::default();
    let mut next = |record: &mut ByteRecord| {
        rows.read_byte_record(record).map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            FileProblem::new(
                (file, line),
                "1",
                "",
                format!("the file cannot be read: {error}"),
                "check the file and try again",
            )
        })
    };
    let header = if next(&mut record)? { record.clone() } else { ByteRecord::new() };
    let header = Header::new(file, &header, &columns(names), &mut summary)?;

    let mut lines: HashMap<u128, u64> = HashMap::new();
    while next(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        summary.rows_read_total += 1;
        match header.read(line, &record) {
            Ok(metric) if metric.value.is_empty() => summary.rows_without_value_total += 1,
            Ok(metric) => {
                let key = metric.key();
                if let Some(first) = lines.get(&fingerprint(&key)) {
                    summary.rows_refused_total += 1;
                    refused(FileProblem::new(
                        (file, line),
                        "`metric_key`",
                        &key,
                        format!("line {first} has the same metric key"),
                        "keep one of them",
                    ));
                } else {
                    lines.insert(fingerprint(&key), line);
                    held(line, metric);
                }
            }
            Err(problem) => {
                summary.rows_refused_total += 1;
                refused(problem);
            }
        }
    }
    Ok(summary)
}

/// Stands for a key in 128 bits; two keys of one file share one with a chance far below that of a
/// faulty disk.
fn fingerprint(key: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, key).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// Where each column stands.
struct Header<'a> {
    file: &'a str,
    columns: [(&'a str, Kind); 11],
    places: [Option<usize>; 11],
    width: usize,
}

impl<'a> Header<'a> {
    fn new(
        file: &'a str,
        record: &ByteRecord,
        columns: &[(&'a str, Kind); 11],
        summary: &mut MetricsSummary,
    ) -> Result<Self, FileProblem> {
        let names: Vec<String> = record
            .iter()
            .map(|name| {
                let name = String::from_utf8_lossy(name);
                name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
            })
            .collect();
        let wrong = |column: &str, problem: String| {
            let all: Vec<&str> = columns[..8].iter().map(|&(name, _)| name).collect();
            let remedy = format!("the first line has to name the columns: {}", all.join(","));
            FileProblem::new((file, 1), format!("`{column}`"), &names.join(","), problem, remedy)
        };
        let mut places = [None; 11];
        for (place, &(column, kind)) in places.iter_mut().zip(columns) {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == column);
            *place = found.next().map(|(at, _)| at);
            if found.next().is_some() {
                return Err(wrong(column, format!("the header names `{column}` twice")));
            }
            if place.is_none() && kind == Kind::Id {
                return Err(wrong(column, format!("the header has no column `{column}`")));
            }
        }
        // The last three are accepted, not expected.
        summary.columns_missing =
            (0..8).filter(|&at| places[at].is_none()).map(|at| columns[at].0.to_owned()).collect();
        summary.columns_ignored = names
            .iter()
            .filter(|name| columns.iter().all(|(column, _)| column != name))
            .cloned()
            .collect();
        Ok(Self { file, columns: *columns, places, width: names.len() })
    }

    fn read(&self, line: u64, record: &ByteRecord) -> Result<Metric, FileProblem> {
        let here = (self.file, line);
        if record.len() != self.width {
            return Err(FileProblem::new(
                here,
                record.len().min(self.width).to_string(),
                "",
                format!("the row has {} fields, the header {}", record.len(), self.width),
                "check the commas and quotes of the row",
            ));
        }
        let text = |at: usize| -> Result<String, FileProblem> {
            let (column, kind) = self.columns[at];
            let bytes = self.places[at].and_then(|place| record.get(place)).unwrap_or_default();
            let wrong = |problem: &str, remedy: &str| {
                let value = String::from_utf8_lossy(bytes);
                FileProblem::new(here, format!("`{column}`"), &value, problem, remedy)
            };
            let text = std::str::from_utf8(bytes)
                .map_err(|_| wrong("the text is not UTF-8", "save the file as UTF-8"))?;
            let trimmed = text.trim();
            match kind {
                Kind::Id if trimmed.is_empty() => Err(wrong("the id is blank", "give the id")),
                Kind::Id if trimmed.contains('|') => {
                    Err(wrong("an id cannot hold a bar `|`", "write the id of the catalogue"))
                }
                Kind::Date if !trimmed.is_empty() && date(trimmed).is_none() => {
                    Err(wrong("this is no date", "write it as YYYY-MM-DD, such as 2025-12-31"))
                }
                Kind::Decimal if !trimmed.is_empty() && !is_decimal(trimmed) => Err(wrong(
                    "this is no plain decimal number",
                    "write digits with a point, such as 0.25, without separators or exponent",
                )),
                Kind::Text if at == QUOTE => Ok(text.to_owned()),
                _ => Ok(trimmed.to_owned()),
            }
        };
        Ok(Metric {
            source_id: text(SOURCE)?,
            kpi_id: text(KPI)?,
            period_date: date(&text(DATE)?),
            period_granularity: text(GRANULARITY)?,
            value: text(VALUE)?,
            source_record_pk: text(RECORD)?,
            evidence_date: text(EVIDENCE_DATE)?,
            evidence_quote: text(QUOTE)?,
            metric_key: text(KEY)?,
            numerator: text(NUMERATOR)?,
            denominator: text(DENOMINATOR)?,
        })
    }
}

/// Reads `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped { text.parse().ok() } else { None }
}

/// Tells whether a text is an optional sign, digits, and perhaps a point with digits on both sides.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    match unsigned.split_once('.') {
        None => digits(unsigned),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimals_and_iso_dates_are_read() {
        for good in ["0", "-1", "+2.50", "00.1", "123456789012345678901234567890.5"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "-", ".5", "5.", "1,5", "1e3", "NaN", "1 000", "1.2.3", "０"] {
            assert!(!is_decimal(bad), "{bad}");
        }
        assert!(date("2025-02-28").is_some());
        for bad in ["2025-02-29", "28/02/2025", "2025-2-28", "20250228", "+2025-02-2", "46082"] {
            assert!(date(bad).is_none(), "{bad}");
        }
    }
}
