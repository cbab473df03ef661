//! Errors and what services share between threads are `Send`, `Sync` and `'static`, which is checked as this compiles.

use std::error::Error;

fn error<E: Error + Send + Sync + 'static>() {}
fn shared<T: Send + Sync + 'static>() {}
fn sent<T: Send + 'static>() {}

#[test]
fn errors_cross_threads() {
    error::<guardrails::CheckError>();
    error::<guardrails::ConfigError>();
    error::<guardrails::DeclareError>();
    error::<guardrails::RuleError>();
    error::<guardrails::ThresholdError>();
    error::<guardrails::facts::FactsError>();
    error::<guardrails::format::FormatError>();
    error::<guardrails::history::HistoryError>();
    error::<guardrails::history::file::HistoryFileError>();
    error::<identity_matching::ConditionError>();
    error::<identity_matching::KindCodeError>();
    error::<identity_matching::MatchError>();
    error::<identity_matching::OptionsError>();
    error::<identity_matching::OwnKindError>();
    error::<identity_matching::PolicyError>();
    error::<identity_matching::RuleNameError>();
    error::<identity_matching::index::FileError>();
    error::<identity_matching::index::IndexError>();
    error::<identity_matching::index::joined::JoinError>();
    error::<identity_matching::index::joined::StampError>();
    error::<kpi_gap_queue::BurnDownError>();
    error::<kpi_gap_queue::ConfigError>();
    error::<kpi_gap_queue::GapError>();
    error::<kpi_gap_queue::StoreError>();
    error::<kpi_gap_queue::files::FileProblem>();
    error::<kpi_gap_queue::files::RunHistoryError>();
    error::<raw_packets::CsvStoreError>();
    error::<raw_packets::EvaluateError>();
    error::<raw_packets::FormulaError>();
    error::<raw_packets::PlanError>();
    error::<raw_packets::SinkError>();
    error::<raw_packets::TemplateError>();
    error::<raw_packets::edge::EdgeError>();
    error::<raw_packets::table::ColumnMapError>();
    error::<raw_packets::table::TableError>();
    error::<recovery_queue::ConfigError>();
    error::<recovery_queue::KeyError>();
    error::<recovery_queue::ResolveError>();
    error::<recovery_queue::StoreError>();
}

#[test]
fn what_a_service_keeps_crosses_threads() {
    shared::<guardrails::SuiteReport>();
    shared::<identity_matching::DeterministicMatcher<identity_matching::index::InMemoryIndex>>();
    shared::<identity_matching::Normaliser>();
    shared::<identity_matching::Policy>();
    shared::<kpi_gap_queue::GapQueue>();
    shared::<kpi_gap_queue::GapReport>();
    shared::<raw_packets::PacketPlan>();
    shared::<raw_packets::Template>();
    shared::<recovery_queue::DatabaseUrl>();
    shared::<recovery_queue::RecoverOptions>();
    sent::<recovery_queue::SqlStore>();
}
