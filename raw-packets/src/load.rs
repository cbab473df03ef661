//! What a checked plan becomes: KPI rows with their provenance, ready for one transaction.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use data_encoding::HEXLOWER;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One value of one KPI for one source and period, with the evidence that it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KpiRow {
    /// `kpi|source|period|granularity`, which identifies the value in every store.
    pub metric_key: String,
    /// The source that published it.
    pub sanction_source_id: String,
    /// The KPI.
    pub kpi_id: String,
    /// The date that stands for the period, such as 2025-12-31.
    pub period_date: NaiveDate,
    /// The period's granularity.
    pub period_granularity: String,
    /// The value.
    pub value: Decimal,
    /// The exact dividend of a quotient.
    pub numerator: Option<Decimal>,
    /// The exact divisor of a quotient.
    pub denominator: Option<Decimal>,
    /// The source record behind the value.
    pub source_record_pk: String,
    /// The date of the evidence.
    pub evidence_date: NaiveDate,
    /// The sentence that proves the figures.
    pub evidence_quote: String,
    /// Where the evidence was published.
    pub source_url: String,
    /// How the value came in.
    pub provenance: Provenance,
}

/// The origin of a value: row and file, who loaded it and when.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Provenance {
    /// The packet's file name.
    pub packet: String,
    /// The row in the file, the header being row 1.
    pub row: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Who loaded it.
    pub loaded_by: String,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
}

impl KpiRow {
    /// Returns `kpi|source|period|granularity`.
    #[must_use]
    pub fn key_of(kpi: &str, source: &str, period: NaiveDate, granularity: &str) -> String {
        format!("{kpi}|{source}|{period}|{granularity}")
    }

    /// Says whether both rows state the same fact, whichever load brought them: the same value on
    /// the same evidence.
    #[must_use]
    pub fn states_the_same(&self, other: &Self) -> bool {
        self.metric_key == other.metric_key
            && self.value == other.value
            && self.numerator == other.numerator
            && self.denominator == other.denominator
            && self.source_record_pk == other.source_record_pk
            && self.evidence_date == other.evidence_date
            && self.evidence_quote == other.evidence_quote
    }
}

/// Who acts, and when. The caller gives both: the library reads no clock.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LoadStamp {
    /// Who acts: a person or a job.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl LoadStamp {
    /// Makes a stamp.
    #[must_use]
    pub fn new(by: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { by: by.into(), at }
    }
}

/// The id of a load, made of its content: the same facts from the same files have the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LoadId(String);

impl LoadId {
    /// Takes an id as it was written down earlier, such as one given to undo a load.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A packet that a partial load leaves out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The packet's file name.
    pub packet: String,
    /// The packet's status.
    pub status: String,
    /// The reasons found in it, without repeats.
    pub reasons: Vec<String>,
}

/// Rows that passed every check, for one transaction of a
/// [`MetricSink`](crate::MetricSink).
///
/// There is no public way to make one but
/// [`CheckedPlan::load`](crate::CheckedPlan::load): what was not checked cannot be loaded.
///
/// ```compile_fail
/// use raw_packets::Load;
///
/// # fn forge(id: raw_packets::LoadId, stamp: raw_packets::LoadStamp) {
/// let load = Load { id, rows: vec![], left_out: vec![], stamp };
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Load {
    id: LoadId,
    stamp: LoadStamp,
    rows: Vec<KpiRow>,
    left_out: Vec<LeftOut>,
}

impl Load {
    /// Makes a load; `rows` are unique by metric key.
    pub(crate) fn new(mut rows: Vec<KpiRow>, left_out: Vec<LeftOut>, stamp: LoadStamp) -> Self {
        rows.sort_unstable_by(|a, b| a.metric_key.cmp(&b.metric_key));
        let mut hash = Sha256::new();
        for row in &rows {
            // Lengths go in front, so that no two lists of facts hash alike.
            for part in [
                row.metric_key.as_str(),
                &row.value.to_string(),
                &row.source_record_pk,
                &row.evidence_date.to_string(),
                &row.evidence_quote,
                &row.provenance.sha256,
            ] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        let mut id = HEXLOWER.encode(&hash.finalize());
        id.truncate(16);
        Self { id: LoadId(format!("load-{id}")), stamp, rows, left_out }
    }

    /// Returns the load's id.
    #[must_use]
    pub fn id(&self) -> &LoadId {
        &self.id
    }

    /// Returns who loads, and when.
    #[must_use]
    pub fn stamp(&self) -> &LoadStamp {
        &self.stamp
    }

    /// Returns the rows, sorted by metric key, each key once.
    #[must_use]
    pub fn rows(&self) -> &[KpiRow] {
        &self.rows
    }

    /// Returns the packets that stay out; empty unless valid ones alone were asked for.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
