#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod cells;
mod check;
mod correct;
#[cfg(feature = "csv-store")]
mod csv_store;
mod digest;
pub mod edge;
mod encoding;
mod finding;
mod formula;
mod in_memory;
#[cfg(feature = "kpi-gap-queue")]
mod kpi_gap_queue;
mod load;
mod metric_table;
mod package;
mod plan;
mod profile;
mod read;
mod report;
mod request;
mod sink;
mod slug;
mod summary;
pub mod table;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;
#[cfg(feature = "xlsx")]
mod workbook;

pub use self::check::{
    Accept, CheckOptions, CheckedPacket, CheckedPlan, CheckedRowFile, CheckedRows, NotReady,
    ReturnedFile, RowAnswer,
};
#[cfg(feature = "csv-store")]
pub use self::csv_store::{CsvMetrics, CsvOptions, CsvStoreError};
pub use self::finding::{Code, Finding, PacketStatus, Reason, Severity};
pub use self::formula::{EvaluateError, Formula, FormulaError, KpiValue};
pub use self::in_memory::InMemorySink;
pub use self::load::{KpiRow, LeftOut, Load, LoadId, LoadStamp, Provenance};
pub use self::metric_table::{MetricChange, MetricChanges, MetricTable, load_into, undo_in};
pub use self::package::PackageFile;
pub use self::plan::{
    Packet, PacketKey, PacketOptions, PacketPlan, PlanCounts, PlanError, RowPacket, RowPlan,
};
pub use self::profile::{CsvProfile, PacketForm, UnknownProfile, packet_csv};
pub use self::read::NotRead;
pub use self::report::{FixItem, ReadinessReport, ReadinessTotals, fix_queue_csv};
pub use self::request::{
    Gap, GapQueueFacts, GapStatus, InMemoryRequest, MetricScope, OwnedGap, PacketRequest,
    RunStatus, ScopeFacts, SourceFacts, UnknownGapStatus,
};
pub use self::sink::{
    Act, Effect, HistoryEntry, LeftOutRecord, LoadReceipt, MetricSink, Run, SinkError, UndoReceipt,
};
pub use self::slug::slug;
pub use self::summary::{PacketPreview, PacketSummary, SummaryChecks};
pub use self::template::{
    Bound, CellType, Choice, Column, Fill, KpiRule, Language, Role, RowRule, Template,
    TemplateBuilder, TemplateError, Text, UnknownLanguage,
};
