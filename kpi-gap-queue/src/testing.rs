//! The conformance suite of [`MetricStore`]: what any store has to do, ours and a user's alike.

use chrono::NaiveDate;

use crate::{
    metric::{Metric, MetricQuery, MetricStore},
    scope::MetricScope,
};

/// Runs every law of [`MetricStore`] on stores that `store_of` fills with the values it is given.
///
/// ```
/// use kpi_gap_queue::{InMemoryMetrics, testing::metric_store_conformance};
///
/// metric_store_conformance(|values| values.iter().cloned().collect::<InMemoryMetrics>());
/// ```
///
/// # Panics
///
/// Where the store breaks a law; the message says which.
pub fn metric_store_conformance<S: MetricStore>(mut store_of: impl FnMut(&[Metric]) -> S) {
    an_empty_store_pushes_nothing(&store_of(&[]));
    let values = sample_metrics();
    let store = store_of(&values);
    every_value_asked_for_is_pushed_once_and_whole(&store, &values);
    a_query_without_sources_or_scopes_is_answered(&store);
    many_sources_fit_into_one_query(&store, &values);
}

/// Returns values that a store is likely to stumble over: ids that differ in case or script alone,
/// blank parts, quotes, line breaks, several periods for one pair.
///
/// # Panics
///
/// Never: the fixed dates exist.
#[must_use]
pub fn sample_metrics() -> Vec<Metric> {
    let date = |year| NaiveDate::from_ymd_opt(year, 12, 31).expect("a day that exists");
    let metric = |source: &str, kpi: &str, year: Option<i32>, granularity: &str| Metric {
        source_id: source.to_owned(),
        kpi_id: kpi.to_owned(),
        period_date: year.map(date),
        period_granularity: granularity.to_owned(),
        value: "0.25".to_owned(),
        numerator: "1".to_owned(),
        denominator: "4".to_owned(),
        source_record_pk: format!("record:{source}"),
        evidence_date: "2026-02-01".to_owned(),
        evidence_quote: "\"One\" of four;\nsaid 'so', ñandú 100 %".to_owned(),
        ..Metric::default()
    };
    let mut values = vec![
        metric("es:a", "kpi:x", Some(2024), "year"),
        metric("es:a", "kpi:x", Some(2025), "year"),
        metric("es:a", "kpi:x", Some(2025), "quarter"),
        metric("es:a", "kpi:x", None, ""),
        metric("es:a", "kpi:x", None, "year"),
        metric("es:a", "kpi:x", Some(2025), ""),
        metric("es:A", "kpi:x", Some(2025), "year"),
        metric("es:a", "kpi:X", Some(2025), "year"),
        metric("es:á", "kpi:x", Some(2025), "year"),
        metric("es:%_'\\", "kpi:x", Some(2025), "year"),
    ];
    let blank = Metric {
        source_record_pk: String::new(),
        evidence_date: String::new(),
        evidence_quote: String::new(),
        ..metric("es:b", "kpi:x", Some(2025), "year")
    };
    values.push(Metric { metric_key: "a key of its own".to_owned(), ..blank.clone() });
    values.push(Metric { kpi_id: "kpi:y".to_owned(), ..blank });
    values
}

/// What a store has to say of a value, keys written out.
type Said = (String, String, Option<NaiveDate>, String, String, String, String, String);

fn said_of(metric: &Metric) -> Said {
    (
        metric.source_id.clone(),
        metric.kpi_id.clone(),
        metric.period_date,
        metric.period_granularity.clone(),
        metric.key(),
        metric.source_record_pk.clone(),
        metric.evidence_date.clone(),
        metric.evidence_quote.clone(),
    )
}

/// Asks a store and keeps what it has to push, sorted; what it may push beside that is left out.
fn ask(store: &impl MetricStore, sources: &[&str], scopes: &[MetricScope]) -> Vec<Said> {
    let mut said = Vec::new();
    store
        .push_metrics(MetricQuery::new(sources, scopes), &mut |value| {
            let asked = sources.contains(&value.source_id)
                && scopes
                    .iter()
                    .any(|scope| scope.holds(value.period_date, value.period_granularity));
            if asked {
                said.push(said_of(&Metric {
                    source_id: value.source_id.to_owned(),
                    kpi_id: value.kpi_id.to_owned(),
                    period_date: value.period_date,
                    period_granularity: value.period_granularity.to_owned(),
                    metric_key: value.metric_key.to_owned(),
                    source_record_pk: value.source_record_pk.to_owned(),
                    evidence_date: value.evidence_date.to_owned(),
                    evidence_quote: value.evidence_quote.to_owned(),
                    ..Metric::default()
                }));
            }
        })
        .expect("a query is answered");
    said.sort();
    said
}

fn expected(values: &[Metric], sources: &[&str], scopes: &[MetricScope]) -> Vec<Said> {
    let asked = |metric: &&Metric| {
        sources.contains(&metric.source_id.as_str())
            && scopes.iter().any(|s| s.holds(metric.period_date, &metric.period_granularity))
    };
    let mut expected: Vec<_> = values.iter().filter(asked).map(said_of).collect();
    expected.sort();
    expected
}

fn an_empty_store_pushes_nothing(store: &impl MetricStore) {
    assert_eq!(ask(store, &["es:a"], &[MetricScope::all_time()]), [], "an empty store is empty");
}

fn every_value_asked_for_is_pushed_once_and_whole(store: &impl MetricStore, values: &[Metric]) {
    let date = NaiveDate::from_ymd_opt(2025, 12, 31);
    let scopes = [
        MetricScope::all_time(),
        MetricScope::new(None, Some("year")),
        MetricScope::new(date, None),
        MetricScope::new(date, Some("year")),
    ];
    let sources = ["es:%_'\\", "es:A", "es:a", "es:b", "es:nobody", "es:á"];
    for from in 0..scopes.len() {
        for to in from + 1..=scopes.len() {
            let scopes = &scopes[from..to];
            for sources in [&sources[..], &sources[1..3], &sources[4..5]] {
                let said = ask(store, sources, scopes);
                assert_eq!(said, expected(values, sources, scopes), "{sources:?} in {scopes:?}");
                assert_eq!(said, ask(store, sources, scopes), "asked again, it says the same");
            }
        }
    }
}

fn a_query_without_sources_or_scopes_is_answered(store: &impl MetricStore) {
    assert_eq!(ask(store, &[], &[MetricScope::all_time()]), [], "no source, no value");
    assert_eq!(ask(store, &["es:a"], &[]), [], "no scope, no value");
}

fn many_sources_fit_into_one_query(store: &impl MetricStore, values: &[Metric]) {
    // More than a database binds in one statement.
    let mut ids: Vec<String> = (0..70_000).map(|at| format!("es:many:{at}")).collect();
    ids.push("es:a".to_owned());
    ids.sort();
    let sources: Vec<&str> = ids.iter().map(String::as_str).collect();
    let scopes = [MetricScope::all_time()];
    let said = ask(store, &sources, &scopes);
    assert_eq!(said, expected(values, &["es:a"], &scopes), "a large batch is answered");
}
