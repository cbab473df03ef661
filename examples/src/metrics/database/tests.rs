use kpi_gap_queue::Metric;
use kpi_gap_queue::testing::metric_store_conformance;
use raw_packets::testing::{metric_sink_conformance, sample_load, sample_stamp};
use recovery_queue::testing::PostgresServer;

use diesel::prelude::*;
use raw_packets::{Effect, KpiRow, MetricSink as _, Run};

use super::*;

fn sqlite(folder: &tempfile::TempDir, name: usize) -> DatabaseMetrics {
    let path = folder.path().join(format!("{name}.sqlite"));
    DatabaseMetrics::open(&DatabaseUrl::Sqlite(path.into())).unwrap()
}

/// Writes values as a service may, which need not have what a load has.
fn insert(metrics: &DatabaseMetrics, values: &[Metric]) {
    let rows: Vec<RawRow> = values
        .iter()
        .map(|value| {
            let mut raw: RawRow =
                KpiRow::COLUMNS.map(|name| (name.to_owned(), String::new())).into();
            let date = value.period_date.map(|date| date.to_string()).unwrap_or_default();
            for (column, text) in [
                ("metric_key", value.key()),
                ("sanction_source_id", value.source_id.clone()),
                ("kpi_id", value.kpi_id.clone()),
                ("period_date", date),
                ("period_granularity", value.period_granularity.clone()),
                ("value", value.value.clone()),
                ("source_record_pk", value.source_record_pk.clone()),
                ("evidence_date", value.evidence_date.clone()),
                ("evidence_quote", value.evidence_quote.clone()),
            ] {
                raw.insert(column.to_owned(), text);
            }
            raw
        })
        .collect();
    metrics.database.borrow_mut().replace_values(&rows, &[]).unwrap();
}

#[test]
fn a_table_of_values_keeps_the_laws_of_a_store_and_of_a_sink() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = 0;
    let mut next = || {
        made += 1;
        sqlite(&folder, made)
    };
    metric_store_conformance(|values| {
        let metrics = next();
        insert(&metrics, values);
        metrics
    });
    metric_sink_conformance(next);
}

#[test]
fn a_table_on_postgres_keeps_the_same_laws() {
    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(why) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: the values on PostgreSQL: {why}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            return;
        }
    };
    let name = format!("metric_values_{}", std::process::id());
    let mut admin = PgConnection::establish(server.url()).unwrap();
    let mut run = |sql: String| diesel::sql_query(sql).execute(&mut admin).unwrap();
    run(format!("CREATE DATABASE {name}"));
    let (server_url, _) = server.url().rsplit_once('/').unwrap();
    let url = DatabaseUrl::parse(&format!("{server_url}/{name}")).unwrap();
    let next = || {
        let metrics = DatabaseMetrics::open(&url).unwrap();
        let empty = "TRUNCATE metric_values, metric_history, metric_left_out";
        metrics.database.borrow_mut().execute(empty).unwrap();
        metrics
    };
    metric_store_conformance(|values| {
        let metrics = next();
        insert(&metrics, values);
        metrics
    });
    metric_sink_conformance(next);
    run(format!("DROP DATABASE {name}"));
}

#[test]
fn an_undoing_brings_back_a_row_that_had_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let mut metrics = sqlite(&folder, 1);
    let load = sample_load(&[("kpi:a", 12)]);
    let row = &load.rows()[0];
    let bare = Metric {
        source_id: row.sanction_source_id.clone(),
        kpi_id: row.kpi_id.clone(),
        period_date: Some(row.period_date),
        period_granularity: row.period_granularity.clone(),
        value: "0.5".into(),
        ..Metric::default()
    };
    insert(&metrics, &[bare]);
    let before = metrics.database.borrow_mut().values(&[&row.metric_key]).unwrap();
    let receipt = metrics.load(&load, Run::Commit).unwrap();
    assert_eq!(receipt.count(Effect::Corrected), 1);
    metrics.undo(load.id(), &sample_stamp()).unwrap();
    let after = metrics.database.borrow_mut().values(&[&row.metric_key]).unwrap();
    assert_eq!(after, before);
}
