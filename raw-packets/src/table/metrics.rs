//! `metrics.csv`: the values that are held.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read;

use chrono::NaiveDate;
use kpi_gap_queue::{Metric, ReportNames};
use serde::Serialize;

use super::{ColumnMap, RefusedRow, Row, TableError, TableReader, TableReport, TableSchema};
use crate::value::unguard;

/// The values of a table, row by row.
///
/// The columns are `sanction_source_id` (as the policy names it), `kpi_id`, `period_date`,
/// `period_granularity`, `value`, `source_record_pk`, `evidence_date`, `evidence_quote`, and, where they are
/// there, `metric_key`, `numerator` and `denominator`. Only the two ids have to be there. A row without a value
/// is passed over and counted. Refused are, beside what [`TableReader`] refuses, a blank id or one with a bar, a
/// date that is not `YYYY-MM-DD`, a number that is not a plain decimal, and the metric key of an earlier row. In a
/// file with semicolons, as office programs write it where the comma marks the decimals, `0,5` is `0.5`; `1,500`
/// could mean two numbers and is refused.
/// Memory stays at some 32 bytes a row.
///
/// ```
/// use raw_packets::table::{ColumnMap, MetricRows};
///
/// let file = "kpi_id;sanction_source_id;value\nkpi:a;es:town;0,5\nkpi:b;es:town;1,500\n";
/// let names = kpi_gap_queue::GapPolicy::default().names;
/// let mut rows = MetricRows::new("metrics.csv", file.as_bytes(), &names, &ColumnMap::default())?;
/// let (line, metric) = rows.next_metric()?.expect("the first row holds a value");
/// assert_eq!((line, metric.key().as_str(), metric.value.as_str()), (2, "kpi:a|es:town", "0.5"));
/// assert!(rows.next_metric()?.is_none());
/// assert_eq!(rows.finish().table.rows_refused_total, 1);
/// # Ok::<(), raw_packets::table::TableError>(())
/// ```
#[derive(Debug)]
pub struct MetricRows {
    table: TableReader,
    lines: HashMap<u128, u64>,
    without_value: u64,
    /// Whether a comma may stand before the decimals: where it separates no cells.
    decimal_comma: bool,
}

/// The rows of a table of values, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct MetricTotals {
    /// What became of the rows and columns.
    #[serde(flatten)]
    pub table: TableReport,
    /// The rows that hold no value: their pair stays without one.
    pub rows_without_value_total: u64,
}

/// What may stand in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Date,
    Decimal,
    Text,
    Quote,
}

const COLUMNS: [(&str, Kind); 11] = [
    // The policy names this one.
    ("", Kind::Id),
    ("kpi_id", Kind::Id),
    ("period_date", Kind::Date),
    ("period_granularity", Kind::Text),
    ("value", Kind::Decimal),
    ("source_record_pk", Kind::Text),
    ("evidence_date", Kind::Date),
    ("evidence_quote", Kind::Quote),
    ("metric_key", Kind::Text),
    ("numerator", Kind::Decimal),
    ("denominator", Kind::Decimal),
];

impl TableSchema {
    /// Returns the columns of `metrics.csv`, the source as a policy names it.
    #[must_use]
    pub fn metrics(names: &ReportNames) -> Self {
        let columns =
            COLUMNS.map(|(name, _)| if name.is_empty() { &names.source_id } else { name });
        Self::new("metrics", columns).needs([names.source_id.as_str()]).needs(["kpi_id"]).accepts([
            "metric_key",
            "numerator",
            "denominator",
        ])
    }
}

impl MetricRows {
    /// Begins a table and reads its header.
    ///
    /// # Errors
    ///
    /// Those of [`TableReader::new`].
    pub fn new(
        name: impl Into<String>,
        file: impl Read + Send + 'static,
        names: &ReportNames,
        map: &ColumnMap,
    ) -> Result<Self, TableError> {
        let table = TableReader::new(name, file, &TableSchema::metrics(names), map)?;
        let decimal_comma = table.report().separator == "semicolon";
        Ok(Self { table, lines: HashMap::new(), without_value: 0, decimal_comma })
    }

    /// Hands every refused row to `each`, as [`TableReader::on_refused`] does.
    pub fn on_refused(&mut self, each: impl FnMut(&RefusedRow) + Send + 'static) {
        self.table.on_refused(each);
    }

    /// Returns the next value with the line on which its row begins.
    ///
    /// # Errors
    ///
    /// Only an error of the disk.
    pub fn next_metric(&mut self) -> Result<Option<(u64, Metric)>, TableError> {
        loop {
            let Some(row) = self.table.next_row()? else { return Ok(None) };
            let line = row.line();
            let refused = match read(row, self.decimal_comma) {
                Ok(metric) if metric.value.is_empty() => {
                    self.without_value += 1;
                    continue;
                }
                Ok(metric) => match self.lines.insert(fingerprint(&metric.key()), line) {
                    None => return Ok(Some((line, metric))),
                    Some(first) => {
                        self.lines.insert(fingerprint(&metric.key()), first);
                        let why = format!("line {first} has the same metric key; keep one of them");
                        RefusedRow::new(line, "metric_key", why)
                    }
                },
                Err((column, why)) => RefusedRow::new(line, column, why),
            };
            self.table.refuse(refused);
        }
    }

    /// Ends the table and sums it up.
    #[must_use]
    pub fn finish(self) -> MetricTotals {
        let rows_without_value_total = self.without_value;
        MetricTotals { table: self.table.finish(), rows_without_value_total }
    }
}

fn read(row: Row<'_>, decimal_comma: bool) -> Result<Metric, (&'static str, &'static str)> {
    let mut cells = row.cells().zip(COLUMNS).map(|(text, (column, kind))| {
        let point = (kind == Kind::Decimal && decimal_comma).then(|| with_point(text.trim())).flatten();
        let trimmed = point.as_deref().unwrap_or(text.trim());
        let wrong = |why| Err((if column.is_empty() { "sanction_source_id" } else { column }, why));
        match kind {
            Kind::Id if trimmed.is_empty() => wrong("the id is blank; give the id"),
            Kind::Id if trimmed.contains('|') => {
                wrong("an id cannot hold a bar; write the id of the catalogue")
            }
            Kind::Date if !trimmed.is_empty() && date(trimmed).is_none() => {
                wrong("this is not a date; write it as YYYY-MM-DD, such as 2025-12-31")
            }
            Kind::Decimal if !trimmed.is_empty() && !is_decimal(trimmed) => wrong(
                "this is no plain decimal number; write digits with a point, such as 0.25, without separators or exponent",
            ),
            Kind::Quote => Ok(unguard(text).into_owned()),
            Kind::Decimal | Kind::Date => Ok(trimmed.to_owned()),
            // As a store of values writes what a spreadsheet would take for a formula.
            _ => Ok(unguard(trimmed).into_owned()),
        }
    });
    let mut next = || cells.next().expect("the schema has these columns");
    Ok(Metric {
        source_id: next()?,
        kpi_id: next()?,
        period_date: date(&next()?),
        period_granularity: next()?,
        value: next()?,
        source_record_pk: next()?,
        evidence_date: next()?,
        evidence_quote: next()?,
        metric_key: next()?,
        numerator: next()?,
        denominator: next()?,
    })
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

/// Reads `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped { text.parse().ok() } else { None }
}

/// Puts a point in the place of a decimal comma; nothing where there is none, or where it may mark thousands.
fn with_point(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let digits = whole.trim_start_matches(['-', '+']);
    let thousands = fraction.len() == 3 && digits.len() <= 3 && !digits.starts_with('0');
    let point = format!("{whole}.{fraction}");
    (!thousands && is_decimal(&point)).then_some(point)
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
        for (text, point) in
            [("0,25", "0.25"), ("-182,5", "-182.5"), ("0,250", "0.250"), ("1234,567", "1234.567")]
        {
            assert_eq!(with_point(text).as_deref(), Some(point));
        }
        for two_readings_or_none in ["1,500", "12,000", "1,2,3", "1.234,5", ",5", "5", "5,"] {
            assert_eq!(with_point(two_readings_or_none), None, "{two_readings_or_none}");
        }
        assert!(date("2025-02-28").is_some());
        for bad in ["2025-02-29", "28/02/2025", "2025-2-28", "20250228", "+2025-02-2", "46082"] {
            assert!(date(bad).is_none(), "{bad}");
        }
    }
}
