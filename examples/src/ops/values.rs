//! What leads and persons gave that could not be read, for the operator's page.
//!
//! How many there are of failed leads stands in the evidence of their decisions, which holds no value: examples are read
//! where the leads are kept, and masked. Names of types and repeated values are what the last run counted.

use std::collections::BTreeMap;

use guardrails::SuiteReport;
use guardrails::facts::{FactsResult, Offender, Query, Tables};
use guardrails::page::{Body, Section, Table};
use identity_matching::{Field, Record, UnusableReason, ValueSource};

use super::leads;
use crate::cli::Failure;
use crate::lead;
use crate::service::Database;
use crate::unusable::{KeptReport, ValueSection, masked};

/// Up to how many of the leads that failed last are looked at.
const LOOKED_AT: usize = 5_000;

/// Values that gave no key or a doubtful one, by field and reason, and what else the last run found odd.
#[derive(Clone, Debug, Default)]
pub(super) struct OddValues {
    rows: BTreeMap<(Field, UnusableReason), Counted>,
    /// How many failed leads were looked at, of how many that gave such a value.
    looked_at: usize,
    leads: u64,
    /// What the last runs counted of leads and of persons.
    kept: Vec<KeptReport>,
}

#[derive(Clone, Debug)]
struct Counted {
    values: u64,
    /// The lead that failed last with one, and which of its values it is.
    lead: String,
    source: ValueSource,
    /// The value, masked, where the lead still has it.
    example: String,
}

impl OddValues {
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
                let place = (value.source.field, value.reason);
                let counted = read.rows.entry(place).or_insert_with(|| Counted {
                    values: 0,
                    lead: key.clone(),
                    source: value.source,
                    example: String::new(),
                });
                counted.values += 1;
            }
        }
        Ok(read)
    }

    /// Adds an example of each from the leads themselves, and what the last runs counted.
    pub(super) fn look_up(&mut self, service: &mut Database) -> Result<(), Failure> {
        let keys: Vec<&str> = self.rows.values().map(|counted| counted.lead.as_str()).collect();
        let leads = service.subjects(&keys)?;
        for counted in self.rows.values_mut() {
            let lead = leads.get(&counted.lead);
            let value = lead.and_then(|lead| written(lead, counted.source));
            counted.example =
                value.map(|text| masked(counted.source.field, text)).unwrap_or_default();
        }
        self.kept = KeptReport::read(service)?;
        Ok(())
    }
}

/// Returns the value of a record that a finding is about.
fn written(record: &Record, source: ValueSource) -> Option<&str> {
    let at = usize::from(source.position);
    match source.field {
        Field::PHONE => record.phones.get(at).map(String::as_str),
        Field::DOCUMENT => record.documents.get(at).map(|document| document.number.as_str()),
        Field::EMAIL => record.emails.get(at).map(String::as_str),
        Field::Name => record.name.as_deref(),
        Field::Plate => record.plate.as_deref(),
        Field::BirthDate => record.birth_date.as_deref(),
        Field::Identifier(kind) => {
            let mut own = record.own.iter().filter(|own| own.kind == kind);
            own.nth(at).map(|own| own.value.as_str())
        }
        _ => None,
    }
}

impl Section for OddValues {
    fn heading(&self) -> &'static str {
        ValueSection::HEADING
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let caption = if (self.looked_at as u64) < self.leads {
            format!("Of the {} leads of {} that failed last with one", self.looked_at, self.leads)
        } else {
            format!("Of the {} failed leads that gave one", self.leads)
        };
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, counted)| std::cmp::Reverse(counted.values));
        let head = ["Lead", "Field", "Reason", "Values", "Such as", "What to do"];
        let table = Table::new(caption, head).numbers(3..4);
        let table = rows.into_iter().fold(table, |table, ((field, reason), counted)| {
            let cells = [
                &counted.lead,
                field.as_str(),
                reason.code(),
                &counted.values.to_string(),
                &counted.example,
                reason.remedy(),
            ];
            table.linked_row(&leads::address(&counted.lead), cells)
        });
        let body = Body::default().table(&table);
        self.kept.iter().fold(body, |body, kept| kept.show(body))
    }
}
