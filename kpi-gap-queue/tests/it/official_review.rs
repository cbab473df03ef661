//! The catalogue of the first use: four sources, three KPIs.

use kpi_gap_queue::{
    GapOptions, GapQueue, GapStatus, InMemoryCatalogue, InMemoryMetrics, Kpi, Metric, MetricScope,
    Source,
};

const SOURCES: [&str; 4] = ["s:contencioso", "s:defensor", "s:teac", "s:tear"];
const KPIS: [&str; 3] = ["kpi:annulment", "kpi:delay", "kpi:estimation"];

fn catalogue() -> InMemoryCatalogue {
    InMemoryCatalogue {
        expected_sources: SOURCES.map(str::to_owned).into(),
        sources: SOURCES.map(Source::new).into(),
        kpis: KPIS.map(|id| Kpi::new(id, id)).into(),
    }
}

fn year() -> MetricScope {
    MetricScope::period("2025-12-31".parse().unwrap(), "year")
}

fn value(source: &str, kpi: &str, record: &str, date: &str, quote: &str) -> Metric {
    Metric {
        source_id: source.into(),
        kpi_id: kpi.into(),
        period_date: year().period_date(),
        period_granularity: "year".into(),
        value: "1".into(),
        source_record_pk: record.into(),
        evidence_date: date.into(),
        evidence_quote: quote.into(),
        ..Metric::default()
    }
}

fn build(metrics: &InMemoryMetrics, options: GapOptions) -> GapQueue {
    GapQueue::build(&catalogue(), metrics, &[year()], options).unwrap()
}

#[test]
fn without_values_all_twelve_pairs_are_missing_and_the_queue_is_degraded() {
    let queue = build(&InMemoryMetrics::new(), GapOptions::default());
    let report = queue.report("2026-01-02T03:04:05Z".parse().unwrap());
    let json = serde_json::to_value(&report).unwrap();

    assert_eq!(report.rows.len(), 12);
    assert!(report.rows.iter().all(|row| row.status == GapStatus::MissingMetric));
    assert_eq!(json["status"], "degraded");
    assert_eq!(json["generated_at"], "2026-01-02T03:04:05Z");
    assert_eq!(
        json["metric_scope"],
        serde_json::json!({
            "period_date": "2025-12-31", "period_granularity": "year", "label": "period"
        })
    );
    assert_eq!(json["totals"]["official_review_sources_seeded_total"], 4);
    assert_eq!(json["totals"]["actionable_pairs_total"], 12);
    assert_eq!(json["coverage"]["pairs_missing_metric_pct"], 1.0);
    assert_eq!(
        json["queue_rows"][0]["metric_key_expected"],
        "kpi:annulment|s:contencioso|2025-12-31|year"
    );
    let streamed = queue.streamed_report(report.generated_at);
    assert_eq!(serde_json::to_string(&streamed).unwrap(), serde_json::to_string(&report).unwrap());
}

#[test]
fn each_missing_link_has_its_status_priority_and_next_action() {
    let metrics: InMemoryMetrics = [
        value("s:teac", "kpi:annulment", "", "2025-01-01", "a quote of the source"),
        value("s:teac", "kpi:delay", "rec", "2025-01-01", " "),
        value("s:teac", "kpi:estimation", "rec", "2025-01-01", "a quote of the source"),
    ]
    .into_iter()
    .collect();
    let queue = build(&metrics, GapOptions::default().with_ready(true));
    let rows: Vec<_> = queue
        .rows()
        .filter(|row| row.source_id == "s:teac")
        .map(|row| {
            (row.kpi_id.into_owned(), row.status, row.priority, row.next_action.into_owned())
        })
        .collect();
    let row = |kpi: &str, status, priority, action: &str| {
        (kpi.to_owned(), status, priority, action.to_owned())
    };
    assert_eq!(
        rows,
        [
            row(
                "kpi:annulment",
                GapStatus::MissingSourceRecord,
                70,
                "backfill_source_record_pk_for_official_review_metric"
            ),
            row(
                "kpi:delay",
                GapStatus::MissingEvidence,
                60,
                "backfill_evidence_date_quote_for_official_review_metric"
            ),
            row("kpi:estimation", GapStatus::Ready, 10, "monitor_refresh"),
        ]
    );
    assert_eq!(queue.totals().pairs_ready_total, 1);
    assert_eq!(queue.totals().queue_rows_total, 12);
}

#[test]
fn the_limit_cuts_the_rows_and_never_the_totals() {
    let queue = build(&InMemoryMetrics::new(), GapOptions::default().with_queue_limit(5));
    assert_eq!(queue.rows().count(), 5);
    assert_eq!(queue.totals().queue_rows_total, 5);
    assert_eq!(queue.totals().actionable_pairs_total, 12);
}

/// Compares with a file that was looked at; `UPDATE_GOLDEN=1` writes it anew.
fn compare(name: &str, actual: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    assert!(golden == actual, "{name} differs; look at it, then run with UPDATE_GOLDEN=1");
}

#[test]
fn the_queue_is_written_as_it_was_looked_at() {
    let values: InMemoryMetrics = [
        value("s:teac", "kpi:delay", "rec", "2026-02-01", "As published."),
        value("s:teac", "kpi:annulment", "rec", "", ""),
        value("s:tear", "kpi:delay", "", "", ""),
    ]
    .into_iter()
    .collect();
    let options = GapOptions::default().with_ready(true);
    let queue = build(&values, options);
    let mut csv = Vec::new();
    kpi_gap_queue::files::write_queue_csv(&queue, &mut csv).unwrap();
    compare("queue.csv", &csv);
    let mut json = Vec::new();
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    kpi_gap_queue::files::write_queue_json(&queue, at, &mut json).unwrap();
    compare("queue.json", &json);
}

#[test]
fn what_cannot_be_seen_is_escaped_in_json_and_read_back() {
    let label = "Days\u{202e}, \u{e0001}late";
    let catalogue = InMemoryCatalogue {
        expected_sources: vec!["s:town".into()],
        kpis: vec![Kpi::new("kpi:days", label)],
        ..InMemoryCatalogue::default()
    };
    let scopes = [MetricScope::all_time()];
    let queue =
        GapQueue::build(&catalogue, &InMemoryMetrics::new(), &scopes, GapOptions::default());
    let (queue, at) = (queue.unwrap(), "2026-01-02T03:04:05Z".parse().unwrap());
    let mut json = Vec::new();
    kpi_gap_queue::files::write_queue_json(&queue, at, &mut json).unwrap();
    let text = String::from_utf8(json).unwrap();
    assert!(text.contains(r#""Days\u202e, \udb40\udc01late""#), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read, serde_json::to_value(queue.report(at)).unwrap());
}
