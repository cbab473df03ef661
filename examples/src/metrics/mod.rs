//! Where KPI values live: a CSV file, or nowhere yet.

mod csv_file;

use kpi_gap_queue::{MetricQuery, MetricRef, MetricStore, StoreError};

pub use self::csv_file::{CsvMetrics, Reading};
use crate::cli::{Console, Exit};

/// The values that a run works on.
#[derive(Debug)]
pub enum Values {
    /// No values yet.
    Nothing,
    /// The values of a CSV file.
    Csv(CsvMetrics),
}

impl Values {
    /// Tells on stderr how the reading went, and returns what the exit code must say of it.
    pub fn tell(&self, console: &Console) -> Exit {
        match self {
            Self::Nothing => Exit::Done,
            Self::Csv(csv) => {
                csv.reading().tell(console);
                csv.reading().exit()
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
        }
    }
}
