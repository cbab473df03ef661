//! Due dates, ages and owners.

use kpi_gap_queue::{
    GapOptions, GapQueue, InMemoryMetrics, MetricScope, OwnerShare, files::read_catalogue,
};

const CATALOGUE: &str = r#"{
  "expected_sources": ["s:annual", "s:monthly", "s:silent", "s:unknown"],
  "sources": [
    {"source_id": "s:annual", "owner": "ana", "publication_frequency": "year", "publication_delay_days": 60},
    {"source_id": "s:monthly", "publication_frequency": "month", "expected_kpis": ["k:1"]},
    {"source_id": "s:silent"}
  ],
  "kpis": [{"kpi_id": "k:1", "owner": "kim"}, {"kpi_id": "k:2"}]
}"#;

fn queue(scopes: &[MetricScope]) -> GapQueue {
    let catalogue = read_catalogue("catalog.json", CATALOGUE.as_bytes()).unwrap().catalogue;
    GapQueue::build(&catalogue, &InMemoryMetrics::new(), scopes, GapOptions::default()).unwrap()
}

#[test]
fn a_gap_is_due_when_the_edition_that_covers_its_period_is_out() {
    let year = MetricScope::period("2024-12-31".parse().unwrap(), "year");
    let may = MetricScope::period("2024-05-01".parse().unwrap(), "month");
    let queue = queue(&[year.clone(), may.clone(), MetricScope::all_time()]);
    let today = "2025-03-11".parse().unwrap();
    let timing = |source, scope: &MetricScope| {
        queue.timing(source, scope, today).map(|t| (t.due_on.to_string(), t.age_days))
    };
    assert_eq!(timing("s:annual", &year), Some(("2025-03-01".into(), 10)));
    assert_eq!(timing("s:annual", &may), Some(("2025-03-01".into(), 10)));
    assert_eq!(timing("s:monthly", &may), Some(("2024-05-31".into(), 284)));
    assert_eq!(timing("s:monthly", &MetricScope::all_time()), Some(("2025-02-28".into(), 11)));
    assert_eq!(timing("s:silent", &year), None);
    assert_eq!(timing("s:unknown", &year), None);
}

#[test]
fn pairs_belong_to_the_owner_of_their_source_or_else_of_their_kpi() {
    let year = MetricScope::period("2024-12-31".parse().unwrap(), "year");
    let queue = queue(&[year]);
    assert_eq!(queue.owner("s:annual", "k:1"), Some("ana"));
    assert_eq!(queue.owner("s:unknown", "k:1"), Some("kim"));
    assert_eq!(queue.owner("s:silent", "k:2"), None);

    let today = "2025-03-11".parse().unwrap();
    let shares = queue.owners(today);
    let summed: Vec<_> = shares
        .iter()
        .map(|share: &OwnerShare| {
            (
                share.owner.as_deref(),
                share.actionable_pairs_total,
                share.ageing.overdue_total(),
                share.ageing.without_due_date_total,
            )
        })
        .collect();
    assert_eq!(summed, [(None, 2, 0, 2), (Some("ana"), 2, 2, 0), (Some("kim"), 3, 1, 2)]);
    let pairs: u64 = shares.iter().map(|share| share.expected_pairs_total).sum();
    assert_eq!(pairs, queue.totals().expected_pairs_total);
    let ageing = queue.ageing(today);
    assert_eq!(ageing.oldest_due_on, Some("2024-12-31".parse().unwrap()));
    assert_eq!(ageing.overdue_31_to_90_days_total, 1);
}

#[test]
fn a_frequency_that_is_none_is_told_with_its_place() {
    for (json, says) in [
        (r#"{"sources": [{"source_id": "s", "publication_frequency": "often"}]}"#, "half_year"),
        (r#"{"sources": [{"source_id": "s", "publication_delay_days": 3}]}"#, "add"),
        (
            r#"{"sources": [{"source_id": "s", "publication_frequency": "day", "publication_delay_days": -1}]}"#,
            "whole number",
        ),
    ] {
        let problem = read_catalogue("catalog.json", json.as_bytes()).unwrap_err();
        assert!(problem.column.contains("sources[0].publication"), "{problem}");
        assert!(problem.remedy.contains(says), "{problem}");
    }
}
