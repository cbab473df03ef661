//! Where KPI values live: in a CSV file, in a table of the service's own, or nowhere yet.
//!
//! [`Values`] is a metric store and a metric sink at once, so that a run reads and loads the same place.

mod database;

use kpi_gap_queue::{MetricQuery, MetricRef, MetricStore, StoreError};
use raw_packets::{
    CsvMetrics, HistoryEntry, InMemorySink, LeftOutRecord, Load, LoadId, LoadReceipt, LoadStamp,
    MetricSink, Run, SinkError, UndoReceipt,
};

pub use self::database::DatabaseMetrics;
use crate::cli::{Console, Exit};
use crate::tables;

/// The values that a run works on.
#[derive(Debug)]
pub enum Values {
    /// No values yet; a load into them only tells what it would do.
    Nothing,
    /// The values of a CSV file.
    Csv(Box<CsvMetrics>),
    /// The values of a database.
    Database(Box<DatabaseMetrics>),
}

impl Values {
    /// Tells on stderr how the reading went, and returns what the exit code must say of it.
    #[must_use]
    pub fn tell(&self, console: &Console) -> Exit {
        match self {
            Self::Nothing | Self::Database(_) => Exit::Done,
            Self::Csv(csv) => {
                let reading = csv.reading();
                tables::tell(&reading.table, console);
                let rows = reading.rows_without_value_total;
                if rows > 0 {
                    let file = csv.path().display();
                    console
                        .warn(format_args!("{file}: {rows} rows hold no value and count as none"));
                }
                tables::exit(&reading.table)
            }
        }
    }
}

impl MetricStore for Values {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        match self {
            Self::Nothing => Ok(()),
            Self::Csv(csv) => csv.push_metrics(query, sink),
            Self::Database(database) => database.push_metrics(query, sink),
        }
    }
}

fn nowhere() -> SinkError {
    SinkError::store("there is no place to load into; give --metrics or --database-url")
}

impl MetricSink for Values {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        match self {
            Self::Nothing if run == Run::Dry => InMemorySink::new().load(load, run),
            Self::Nothing => Err(nowhere()),
            Self::Csv(csv) => csv.load(load, run),
            Self::Database(database) => database.load(load, run),
        }
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        match self {
            Self::Nothing => Err(nowhere()),
            Self::Csv(csv) => csv.undo(load_id, stamp),
            Self::Database(database) => database.undo(load_id, stamp),
        }
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::Csv(csv) => csv.history(metric_key),
            Self::Database(database) => database.history(metric_key),
        }
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::Csv(csv) => csv.left_out(),
            Self::Database(database) => database.left_out(),
        }
    }
}
