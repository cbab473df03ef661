//! What failed leads gave that could not be read, for the operator's page: it stands in the evidence of their decisions.

use std::collections::BTreeMap;

use guardrails::SuiteReport;
use guardrails::facts::{FactsResult, Offender, Query, Tables};
use guardrails::page::{Body, Section, Table};
use identity_matching::{Field, UnusableReason};

use super::leads;
use crate::lead;

/// Up to how many of the leads that failed last are looked at.
const LOOKED_AT: usize = 5_000;

/// Values of failed leads that gave no key or a doubtful one, by field and reason.
#[derive(Clone, Debug, Default)]
pub(super) struct UnusableOfFailed {
    rows: BTreeMap<(Field, UnusableReason), Counted>,
    /// How many leads were looked at, of how many that gave such a value.
    looked_at: usize,
    leads: u64,
}

#[derive(Clone, Debug, Default)]
struct Counted {
    values: u64,
    /// The lead that failed last with one.
    lead: String,
}

impl UnusableOfFailed {
    /// Reads the evidence of the leads that failed last.
    pub(super) fn read(facts: &impl Tables, queue: &str) -> FactsResult<Self> {
        let sql = format!(
            "SELECT source_pk, evidence FROM {queue} \
             WHERE status = 'failed' AND evidence LIKE $1 ORDER BY since DESC, source_pk"
        );
        let found = facts.query(&Query::new(sql).bind("%\"unusable\":[{%"), LOOKED_AT)?;
        let mut read = Self { leads: found.total, ..Self::default() };
        for Offender { key, reason, .. } in found.listed {
            read.looked_at += 1;
            // Evidence of another matcher than ours says nothing of values.
            let unusable = lead::evidence(&reason).map(|evidence| evidence.unusable);
            for value in unusable.unwrap_or_default() {
                let counted = read.rows.entry((value.source.field, value.reason)).or_default();
                counted.values += 1;
                if counted.lead.is_empty() {
                    counted.lead.clone_from(&key);
                }
            }
        }
        Ok(read)
    }
}

impl Section for UnusableOfFailed {
    fn heading(&self) -> &'static str {
        "Values that were not understood"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let caption = if (self.looked_at as u64) < self.leads {
            format!("Of the {} leads of {} that failed last with one", self.looked_at, self.leads)
        } else {
            format!("Of the {} failed leads that gave one", self.leads)
        };
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.values));
        let head = ["Such as", "Field", "Reason", "Values", "What to do"];
        let table = Table::new(caption, head).numbers(3..4);
        let table = rows.into_iter().fold(table, |table, ((field, reason), counted)| {
            let cells = [
                &counted.lead,
                field.as_str(),
                reason.code(),
                &counted.values.to_string(),
                reason.remedy(),
            ];
            table.linked_row(&leads::address(&counted.lead), cells)
        });
        Body::default().table(&table)
    }
}
