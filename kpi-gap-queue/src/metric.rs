//! What is held: the values behind the pairs, pushed by a metric store.

use std::{collections::HashMap, fmt, rc::Rc, sync::Arc};

use chrono::NaiveDate;

use crate::{
    error::StoreError,
    scope::{MetricScope, metric_key},
};

/// One value of a metric store, borrowed for one call.
///
/// Text that is not known is blank. A value whose `metric_key` is blank has the key that
/// [`metric_key`] makes of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MetricRef<'a> {
    /// The source that published the value.
    pub source_id: &'a str,
    /// The KPI.
    pub kpi_id: &'a str,
    /// The date that stands for the period, such as 2025-12-31.
    pub period_date: Option<NaiveDate>,
    /// The length of the period, such as `year`.
    pub period_granularity: &'a str,
    /// The key of the value.
    pub metric_key: &'a str,
    /// The key of the source record behind the value.
    pub source_record_pk: &'a str,
    /// When the evidence was published.
    pub evidence_date: &'a str,
    /// The words of the publication.
    pub evidence_quote: &'a str,
}

impl MetricRef<'_> {
    /// Tells whether the value names its source record.
    #[must_use]
    pub fn source_record_present(&self) -> bool {
        !is_blank(self.source_record_pk)
    }

    /// Tells whether evidence date and evidence quote are both given.
    #[must_use]
    pub fn evidence_present(&self) -> bool {
        !is_blank(self.evidence_date) && !is_blank(self.evidence_quote)
    }
}

/// Tells whether a text has nothing that a reader could see.
fn is_blank(text: &str) -> bool {
    // Spreadsheets and web pages leave zero-width characters behind, which `trim` keeps.
    text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}'))
}

/// A query for the values of some sources in some scopes.
#[derive(Debug, Clone, Copy)]
pub struct MetricQuery<'a> {
    sources: &'a [&'a str],
    scopes: &'a [MetricScope],
}

impl<'a> MetricQuery<'a> {
    /// Makes a query.
    #[must_use]
    pub const fn new(sources: &'a [&'a str], scopes: &'a [MetricScope]) -> Self {
        Self { sources, scopes }
    }

    /// Returns the ids of the sources, each once, in ascending order.
    #[must_use]
    pub const fn sources(&self) -> &'a [&'a str] {
        self.sources
    }

    /// Returns the scopes, each once, in ascending order; a value may lie in several.
    #[must_use]
    pub const fn scopes(&self) -> &'a [MetricScope] {
        self.scopes
    }
}

/// A store of values that pushes those that a query asks for.
///
/// A store has to push every value of the sources that lies in at least one of the scopes, each
/// once, in any order. It may push others too, which are left aside: filtering by source alone is
/// correct, filtering by scope as well is faster.
///
/// The push form needs no list of the values in memory and no iterator that outlives a database
/// statement. Closures become a store by [`from_fn`].
pub trait MetricStore {
    /// Pushes the values that the query asks for to the sink.
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: MetricStore + ?Sized> MetricStore for $pointer {
            fn push_metrics(
                &self,
                query: MetricQuery<'_>,
                sink: &mut dyn FnMut(MetricRef<'_>),
            ) -> Result<(), StoreError> {
                (**self).push_metrics(query, sink)
            }
        }
    )*};
}
forward!(&M, Box<M>, Rc<M>, Arc<M>);

/// Makes a metric store of a closure.
///
/// ```
/// use kpi_gap_queue::{MetricQuery, MetricRef, MetricStore, from_fn};
///
/// let store = from_fn(|query, sink| {
///     for &source_id in query.sources() {
///         sink(MetricRef { source_id, kpi_id: "kpi:waiting_days", ..MetricRef::default() });
///     }
///     Ok(())
/// });
/// let mut seen = 0;
/// store.push_metrics(MetricQuery::new(&["es:town"], &[]), &mut |_| seen += 1)?;
/// assert_eq!(seen, 1);
/// # Ok::<(), kpi_gap_queue::StoreError>(())
/// ```
pub fn from_fn<F>(push: F) -> FromFn<F>
where
    F: Fn(MetricQuery<'_>, &mut dyn FnMut(MetricRef<'_>)) -> Result<(), StoreError>,
{
    FromFn(push)
}

/// A metric store made of a closure by [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFn<F>(F);

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn")
    }
}

impl<F> MetricStore for FromFn<F>
where
    F: Fn(MetricQuery<'_>, &mut dyn FnMut(MetricRef<'_>)) -> Result<(), StoreError>,
{
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        (self.0)(query, sink)
    }
}

/// One value with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metric {
    /// The source that published the value.
    pub source_id: String,
    /// The KPI.
    pub kpi_id: String,
    /// The date that stands for the period, such as 2025-12-31.
    pub period_date: Option<NaiveDate>,
    /// The length of the period, such as `year`.
    pub period_granularity: String,
    /// The key of the value; blank where it is made of the parts.
    pub metric_key: String,
    /// The value, as a decimal number in text, so that no digit is lost.
    pub value: String,
    /// What the value was divided from; blank where it is no rate or not known.
    pub numerator: String,
    /// What the value was divided by; blank where it is no rate or not known.
    pub denominator: String,
    /// The key of the source record behind the value.
    pub source_record_pk: String,
    /// When the evidence was published.
    pub evidence_date: String,
    /// The words of the publication.
    pub evidence_quote: String,
}

impl Metric {
    /// Returns the key of the value, made of its parts where it has none of its own.
    #[must_use]
    pub fn key(&self) -> String {
        if self.metric_key.is_empty() {
            metric_key(&self.kpi_id, &self.source_id, self.period_date, &self.period_granularity)
        } else {
            self.metric_key.clone()
        }
    }

    /// Lends the parts that a gap queue looks at.
    #[must_use]
    pub fn as_ref(&self) -> MetricRef<'_> {
        MetricRef {
            source_id: &self.source_id,
            kpi_id: &self.kpi_id,
            period_date: self.period_date,
            period_granularity: &self.period_granularity,
            metric_key: &self.metric_key,
            source_record_pk: &self.source_record_pk,
            evidence_date: &self.evidence_date,
            evidence_quote: &self.evidence_quote,
        }
    }
}

/// A metric store in memory.
#[derive(Debug, Clone, Default)]
pub struct InMemoryMetrics {
    by_source: HashMap<String, Vec<Metric>>,
}

impl InMemoryMetrics {
    /// Makes a store that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn push(&mut self, metric: Metric) {
        match self.by_source.get_mut(&metric.source_id) {
            Some(metrics) => metrics.push(metric),
            None => {
                self.by_source.insert(metric.source_id.clone(), vec![metric]);
            }
        }
    }

    /// Returns how many values are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_source.values().map(Vec::len).sum()
    }

    /// Tells whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }
}

impl Extend<Metric> for InMemoryMetrics {
    fn extend<I: IntoIterator<Item = Metric>>(&mut self, metrics: I) {
        for metric in metrics {
            self.push(metric);
        }
    }
}

impl FromIterator<Metric> for InMemoryMetrics {
    fn from_iter<I: IntoIterator<Item = Metric>>(metrics: I) -> Self {
        let mut store = Self::new();
        store.extend(metrics);
        store
    }
}

impl MetricStore for InMemoryMetrics {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        for &source_id in query.sources() {
            for metric in self.by_source.get(source_id).into_iter().flatten() {
                sink(metric.as_ref());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_of_invisible_characters_is_blank() {
        let seen = MetricRef { evidence_date: "2025-01-01", ..MetricRef::default() };
        for quote in ["", "  ", "\u{a0}", "\u{200b}\u{feff}", "\t\n"] {
            assert!(!MetricRef { evidence_quote: quote, ..seen }.evidence_present());
        }
        assert!(MetricRef { evidence_quote: "x", ..seen }.evidence_present());
    }
}
