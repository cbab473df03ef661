//! Finds the scopes that hold a value without walking through all of them.

use chrono::NaiveDate;

use crate::{metric::MetricRef, scope::MetricScope};

/// Looks a value up under each of the four forms that a scope can have.
pub(super) struct ScopeFinder<'a> {
    scopes: &'a [MetricScope],
    forms: Vec<Form>,
}

/// Which parts a scope gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    date: bool,
    granularity: bool,
}

impl<'a> ScopeFinder<'a> {
    /// Takes scopes in ascending order.
    pub(super) fn new(scopes: &'a [MetricScope]) -> Self {
        let mut forms = Vec::new();
        for scope in scopes {
            let (date, granularity) = scope.parts();
            let form = Form { date: date.is_some(), granularity: granularity.is_some() };
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        Self { scopes, forms }
    }

    /// Calls with the place of each scope that holds the value.
    pub(super) fn each(&self, metric: &MetricRef<'_>, mut found: impl FnMut(usize)) {
        let granularity =
            Some(metric.period_granularity).filter(|granularity| !granularity.is_empty());
        for form in &self.forms {
            let date: Option<NaiveDate> = metric.period_date.filter(|_| form.date);
            let granularity = granularity.filter(|_| form.granularity);
            // A value without the part that the form gives lies in no scope of this form.
            if date.is_some() != form.date || granularity.is_some() != form.granularity {
                continue;
            }
            if let Ok(at) =
                self.scopes.binary_search_by(|scope| scope.parts().cmp(&(date, granularity)))
            {
                found(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_exactly_the_scopes_that_hold_the_value() {
        let dates: [Option<NaiveDate>; 3] =
            [None, Some("2024-01-31".parse().unwrap()), Some("2025-01-31".parse().unwrap())];
        let granularities = [None, Some("month"), Some("year")];
        let mut scopes: Vec<MetricScope> = dates
            .iter()
            .flat_map(|&date| granularities.map(|granularity| MetricScope::new(date, granularity)))
            .collect();
        scopes.sort();
        let finder = ScopeFinder::new(&scopes);
        for period_date in dates {
            for period_granularity in ["", "month", "year", "day"] {
                let metric = MetricRef { period_date, period_granularity, ..MetricRef::default() };
                let mut found = Vec::new();
                finder.each(&metric, |at| found.push(at));
                found.sort_unstable();
                let held: Vec<usize> = (0..scopes.len())
                    .filter(|&at| scopes[at].holds(period_date, period_granularity))
                    .collect();
                assert_eq!(found, held);
            }
        }
    }
}
