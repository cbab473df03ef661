//! The names of granularities, once each, and keys of values that are not made of their parts.

use std::collections::HashMap;

use crate::{metric::MetricRef, scope::push_metric_key};

/// Gives each granularity a number.
#[derive(Debug, Default)]
pub(super) struct Granularities {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    last: u32,
}

impl Granularities {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        // A store pushes one granularity many times over.
        if self.texts.get(self.last as usize).is_some_and(|last| **last == *text) {
            return self.last;
        }
        if let Some(&number) = self.numbers.get(text) {
            self.last = number;
        } else {
            self.last = u32::try_from(self.texts.len())
                .expect("four thousand million names do not fit into memory");
            self.texts.push(text.into());
            self.numbers.insert(text.into(), self.last);
        }
        self.last
    }

    pub(super) fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }
}

/// Returns the key of a value where it is not the one that its parts make.
pub(super) fn own_key(metric: &MetricRef<'_>, buffer: &mut String) -> Option<Box<str>> {
    if metric.metric_key.is_empty() {
        return None;
    }
    buffer.clear();
    push_metric_key(
        buffer,
        metric.kpi_id,
        metric.source_id,
        metric.period_date,
        metric.period_granularity,
    );
    (metric.metric_key != buffer.as_str()).then(|| metric.metric_key.into())
}
