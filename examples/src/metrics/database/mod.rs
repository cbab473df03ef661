//! The values in a table of the service's own: a metric store and a metric sink on Diesel.
//!
//! One set of statements serves `SQLite` and PostgreSQL, for lists travel as one JSON array. Numbers lie in the
//! table as text, so that no digit is lost.

mod sink;
mod statements;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use diesel::prelude::*;
use diesel::sql_types::Text;
use kpi_gap_queue::{MetricQuery, MetricRef, MetricStore, StoreError};
use recovery_queue::DatabaseUrl;

use crate::cli::Failure;
use crate::service::Database;

/// Text by column.
type RawRow = std::collections::BTreeMap<String, String>;

/// Holds the values of a database.
#[derive(Debug)]
pub struct DatabaseMetrics {
    /// Reading asks a connection to change, too, while a store is only lent.
    database: RefCell<Database>,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    metric_key: String,
    #[diesel(sql_type = Text)]
    sanction_source_id: String,
    #[diesel(sql_type = Text)]
    kpi_id: String,
    #[diesel(sql_type = Text)]
    period_date: String,
    #[diesel(sql_type = Text)]
    period_granularity: String,
    #[diesel(sql_type = Text)]
    source_record_pk: String,
    #[diesel(sql_type = Text)]
    evidence_date: String,
    #[diesel(sql_type = Text)]
    evidence_quote: String,
}

impl DatabaseMetrics {
    /// Opens the database and makes its tables where they are missing.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn open(url: &DatabaseUrl) -> Result<Self, Failure> {
        Ok(Self { database: RefCell::new(Database::open(url)?) })
    }

    /// Opens the database to read; gives nothing where it has no table of values.
    ///
    /// # Errors
    ///
    /// As [`Database::open_to_read`].
    pub fn open_to_read(url: &DatabaseUrl) -> Result<Option<Self>, Failure> {
        // A file that is yet to be holds no values, and is not made by looking.
        if matches!(url, DatabaseUrl::Sqlite(path) if !path.exists()) {
            return Ok(None);
        }
        let mut database = Database::open_to_read(url)?;
        let held = database.has_table("metric_values")?;
        Ok(held.then(|| Self { database: RefCell::new(database) }))
    }
}

impl MetricStore for DatabaseMetrics {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        let cannot = |failure: Failure| {
            StoreError::new("the table of values cannot be read", failure.to_string())
        };
        let mut database = self.database.borrow_mut();
        let sources = database.json_texts();
        let sql = format!(
            "SELECT metric_key, sanction_source_id, kpi_id, period_date, period_granularity,
                    source_record_pk, evidence_date, evidence_quote
             FROM metric_values WHERE sanction_source_id IN {sources}"
        );
        let values: Vec<Value> = database.load_json(sql, &query.sources()).map_err(cannot)?;
        for value in &values {
            sink(MetricRef {
                source_id: &value.sanction_source_id,
                kpi_id: &value.kpi_id,
                period_date: value.period_date.parse().ok(),
                period_granularity: &value.period_granularity,
                metric_key: &value.metric_key,
                source_record_pk: &value.source_record_pk,
                evidence_date: &value.evidence_date,
                evidence_quote: &value.evidence_quote,
            });
        }
        Ok(())
    }
}
