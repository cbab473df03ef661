//! The values that count, kept small: names once, keys only where they are not made of their parts.

use std::num::NonZeroU32;

use chrono::NaiveDate;

use super::{
    choice::{Candidate, ChosenBy, Counted},
    names::Granularities,
};
use crate::{policy::ValueChoice, scope::metric_key};

/// The value that counts for a pair, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CountedValue {
    /// The key of the value.
    pub metric_key: String,
    /// The date that stands for the period, such as 2025-12-31.
    pub period_date: Option<NaiveDate>,
    /// The length of its period.
    pub period_granularity: String,
    /// How many values the pair has in the scope.
    pub values_total: u32,
    /// Why this one counts.
    pub chosen_by: ChosenBy,
}

/// One value that counts for a pair that has a row.
#[derive(Debug, Clone, Copy)]
struct Held {
    pair: u32,
    values_total: u32,
    period_date: Option<NaiveDate>,
    granularity: u32,
    /// The place of the key in `own_keys`, counted from 1.
    own_key: Option<NonZeroU32>,
    chosen_by: ChosenBy,
}

/// The values behind the rows that have one, ascending by pair.
#[derive(Debug, Default)]
pub(super) struct CountedValues {
    held: Vec<Held>,
    own_keys: Vec<Box<str>>,
    pub(super) granularities: Granularities,
}

impl CountedValues {
    /// Keeps the value of a pair that comes after all that are kept.
    pub(super) fn push(&mut self, pair: usize, counted: Counted, choice: ValueChoice) {
        let chosen_by = counted.chosen_by(choice);
        let Candidate { period_date, granularity, own_key, .. } = counted.candidate;
        let own_key = own_key.map(|key| {
            self.own_keys.push(key);
            u32::try_from(self.own_keys.len())
                .ok()
                .and_then(NonZeroU32::new)
                .expect("there are no more keys than pairs, and one was just added")
        });
        let values_total = counted.values;
        let pair = number(pair);
        self.held.push(Held { pair, values_total, period_date, granularity, own_key, chosen_by });
    }

    fn find(&self, pair: usize) -> Option<&Held> {
        let at = self.held.binary_search_by_key(&number(pair), |held| held.pair).ok()?;
        Some(&self.held[at])
    }

    /// Returns the key of the value of a pair.
    pub(super) fn metric_key(&self, pair: usize, kpi_id: &str, source_id: &str) -> Option<String> {
        let held = self.find(pair)?;
        if let Some(at) = held.own_key {
            return Some(self.own_keys[at.get() as usize - 1].to_string());
        }
        let granularity = self.granularities.text(held.granularity);
        Some(metric_key(kpi_id, source_id, held.period_date, granularity))
    }

    /// Returns the value of a pair.
    pub(super) fn get(&self, pair: usize, kpi_id: &str, source_id: &str) -> Option<CountedValue> {
        let held = self.find(pair)?;
        Some(CountedValue {
            metric_key: self.metric_key(pair, kpi_id, source_id)?,
            period_date: held.period_date,
            period_granularity: self.granularities.text(held.granularity).to_owned(),
            values_total: held.values_total,
            chosen_by: held.chosen_by,
        })
    }
}

fn number(pair: usize) -> u32 {
    u32::try_from(pair).expect("a layout has no more pairs than 32 bits number")
}
