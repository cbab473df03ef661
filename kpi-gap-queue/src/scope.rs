//! The scope of a run: one period, or all time.

use std::fmt;

use chrono::NaiveDate;

/// Selects the values that a run looks at: those of one period, or all of them.
///
/// A part that is left out selects every value of it. A blank granularity is the same as none.
///
/// ```
/// use kpi_gap_queue::MetricScope;
///
/// let year = MetricScope::period("2025-12-31".parse()?, "year");
/// assert_eq!(year.label(), "period");
/// assert_eq!(year.to_string(), "2025-12-31 year");
/// assert_eq!(MetricScope::all_time().label(), "all_time");
/// assert_eq!(MetricScope::new(None, Some(" ")), MetricScope::all_time());
/// # Ok::<(), chrono::ParseError>(())
/// ```
// The order of the fields is the order of the queue: period date, then granularity, blank first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MetricScope {
    period_date: Option<NaiveDate>,
    period_granularity: Option<String>,
}

impl MetricScope {
    /// Makes a scope of the parts that are given.
    #[must_use]
    pub fn new(period_date: Option<NaiveDate>, period_granularity: Option<&str>) -> Self {
        let period_granularity =
            period_granularity.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Self { period_date, period_granularity }
    }

    /// Makes the scope of one period.
    #[must_use]
    pub fn period(date: NaiveDate, granularity: &str) -> Self {
        Self::new(Some(date), Some(granularity))
    }

    /// Makes the scope that holds every value.
    #[must_use]
    pub const fn all_time() -> Self {
        Self { period_date: None, period_granularity: None }
    }

    /// Returns the date that stands for the period, such as 2025-12-31.
    #[must_use]
    pub const fn period_date(&self) -> Option<NaiveDate> {
        self.period_date
    }

    /// Returns the granularity.
    #[must_use]
    pub fn period_granularity(&self) -> Option<&str> {
        self.period_granularity.as_deref()
    }

    /// Returns `period` when either part is given, else `all_time`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        if self.period_date.is_some() || self.period_granularity.is_some() {
            "period"
        } else {
            "all_time"
        }
    }

    /// Tells whether a value of this period lies in the scope.
    #[must_use]
    pub fn holds(&self, period_date: Option<NaiveDate>, period_granularity: &str) -> bool {
        self.period_date.is_none_or(|date| period_date == Some(date))
            && self.period_granularity().is_none_or(|granularity| granularity == period_granularity)
    }

    pub(crate) fn parts(&self) -> (Option<NaiveDate>, Option<&str>) {
        (self.period_date, self.period_granularity())
    }
}

impl fmt::Display for MetricScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (None, None) => f.write_str("all time"),
            (Some(date), None) => write!(f, "{date}"),
            (None, Some(granularity)) => write!(f, "every {granularity}"),
            (Some(date), Some(granularity)) => write!(f, "{date} {granularity}"),
        }
    }
}

/// Joins the parts of a metric key: KPI, source, period and granularity, without trailing bars.
///
/// ```
/// use kpi_gap_queue::metric_key;
///
/// let date = Some("2025-12-31".parse()?);
/// assert_eq!(metric_key("kpi:rate", "es:src", date, "year"), "kpi:rate|es:src|2025-12-31|year");
/// assert_eq!(metric_key("kpi:rate", "es:src", None, ""), "kpi:rate|es:src");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[must_use]
pub fn metric_key(
    kpi_id: &str,
    source_id: &str,
    period_date: Option<NaiveDate>,
    period_granularity: &str,
) -> String {
    let mut key = String::with_capacity(kpi_id.len() + source_id.len() + 20);
    push_metric_key(&mut key, kpi_id, source_id, period_date, period_granularity);
    key
}

/// Appends what [`metric_key`] makes.
pub(crate) fn push_metric_key(
    key: &mut String,
    kpi_id: &str,
    source_id: &str,
    period_date: Option<NaiveDate>,
    period_granularity: &str,
) {
    key.push_str(kpi_id);
    key.push('|');
    key.push_str(source_id);
    if period_date.is_some() || !period_granularity.is_empty() {
        key.push('|');
        push_date(key, period_date);
    }
    if !period_granularity.is_empty() {
        key.push('|');
        key.push_str(period_granularity);
    }
}

/// Appends the date as `YYYY-MM-DD`; nothing where there is none.
pub(crate) fn push_date(text: &mut String, date: Option<NaiveDate>) {
    use chrono::Datelike as _;
    use fmt::Write as _;

    if let Some(date) = date {
        write!(text, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
            .expect("writing to a String does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_left_out_holds_every_value_of_it() {
        let date: NaiveDate = "2024-06-30".parse().unwrap();
        let scope = MetricScope::new(Some(date), None);
        assert!(scope.holds(Some(date), "year"));
        assert!(scope.holds(Some(date), ""));
        assert!(!scope.holds(None, "year"));
        assert!(MetricScope::all_time().holds(None, ""));
        assert!(!MetricScope::new(None, Some("month")).holds(Some(date), "year"));
    }

    #[test]
    fn a_metric_key_keeps_the_place_of_a_blank_date() {
        assert_eq!(metric_key("k", "s", None, "year"), "k|s||year");
    }
}
