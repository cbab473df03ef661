//! The laws of the queue, held against a model that does everything the slow way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use kpi_gap_queue::{
    BurnDown, BurnDownError, Difference, GapOptions, GapPolicy, GapQueue, GapRow, GapStatus,
    InMemoryCatalogue, InMemoryMetrics, Kpi, Metric, MetricScope, Movement, PairRef, RunPoint,
    Source, ValueChoice, metric_key,
    testing::{metric_store_conformance, sample_metrics},
};
use proptest::{prelude::*, sample::subsequence};

const SOURCES: [&str; 5] = ["s:a", "s:b", "s:c", "s:d", "s:not-seeded"];
const KPIS: [&str; 4] = ["k:1", "k:2", "k:3", "k:4"];

fn dates() -> [Option<NaiveDate>; 3] {
    [None, NaiveDate::from_ymd_opt(2024, 12, 31), NaiveDate::from_ymd_opt(2025, 12, 31)]
}

pub(crate) fn catalogues() -> impl Strategy<Value = InMemoryCatalogue> {
    let owed = || prop::option::of(subsequence(KPIS.to_vec(), 0..=4).prop_shuffle());
    (
        subsequence(SOURCES.to_vec(), 0..=5).prop_shuffle(),
        prop::collection::vec(owed(), 4),
        Just(KPIS.to_vec()).prop_shuffle(),
    )
        .prop_map(|(expected, owed, kpis)| InMemoryCatalogue {
            expected_sources: expected.into_iter().map(str::to_owned).collect(),
            sources: SOURCES[..4]
                .iter()
                .zip(owed)
                .map(|(&id, owed)| {
                    let mut source = Source::new(id);
                    source.expected_kpis =
                        owed.map(|owed| owed.into_iter().map(str::to_owned).collect());
                    source
                })
                .collect(),
            kpis: kpis.into_iter().map(|id| Kpi::new(id, format!("label of {id}"))).collect(),
        })
}

pub(crate) fn metrics() -> impl Strategy<Value = Vec<Metric>> {
    let text = || prop::sample::select(vec!["", " ", "x"]);
    let metric = (
        prop::sample::select([SOURCES.as_slice(), &["s:nobody"]].concat()),
        prop::sample::select([KPIS.as_slice(), &["k:unknown"]].concat()),
        prop::sample::select(dates().to_vec()),
        prop::sample::select(vec!["", "quarter", "year"]),
        prop::sample::select(vec!["", "own-1", "own-2"]),
        (text(), text(), text()),
    )
        .prop_map(|(source, kpi, date, granularity, key, (record, on, quote))| Metric {
            source_id: source.into(),
            kpi_id: kpi.into(),
            period_date: date,
            period_granularity: granularity.into(),
            metric_key: key.into(),
            value: "1".into(),
            source_record_pk: record.into(),
            evidence_date: on.into(),
            evidence_quote: quote.into(),
            ..Metric::default()
        });
    prop::collection::vec(metric, 0..60)
}

pub(crate) fn scopes() -> impl Strategy<Value = Vec<MetricScope>> {
    let scope = (
        prop::sample::select(dates().to_vec()),
        prop::sample::select(vec![None, Some("quarter"), Some("year")]),
    )
        .prop_map(|(date, granularity)| MetricScope::new(date, granularity));
    prop::collection::vec(scope, 1..4)
}

fn options() -> impl Strategy<Value = GapOptions> {
    (0..12_usize, any::<bool>(), any::<bool>(), 1..40_usize, any::<bool>()).prop_map(
        |(queue_limit, include_ready, latest, pairs_per_batch, flat)| {
            let mut policy = GapPolicy::default();
            if latest {
                policy.value_choice = ValueChoice::LatestPeriod;
            }
            if flat {
                policy.missing_metric.priority = policy.missing_evidence.priority;
            }
            GapOptions::default()
                .with_queue_limit(queue_limit)
                .with_ready(include_ready)
                .with_policy(policy)
                .with_pairs_per_batch(pairs_per_batch)
        },
    )
}

/// A row of the model: the sort key, then the status and the key of the value that counts.
type ModelRow = ((i64, String, String, Option<NaiveDate>, String), GapStatus, String);

/// Classifies pair by pair with plain loops and sorts at the end.
fn model(
    catalogue: &InMemoryCatalogue,
    metrics: &[Metric],
    scopes: &[MetricScope],
    policy: &GapPolicy,
) -> Vec<ModelRow> {
    let mut scopes = scopes.to_vec();
    scopes.sort();
    scopes.dedup();
    let mut rows = Vec::new();
    for source_id in &catalogue.expected_sources {
        let source = catalogue.sources.iter().find(|source| source.source_id == *source_id);
        for kpi in &catalogue.kpis {
            let owed = source.and_then(|source| source.expected_kpis.as_ref());
            if owed.is_some_and(|owed| !owed.contains(&kpi.kpi_id)) {
                continue;
            }
            for scope in &scopes {
                let best = metrics
                    .iter()
                    .filter(|m| m.source_id == *source_id && m.kpi_id == kpi.kpi_id)
                    .filter(|m| scope.holds(m.period_date, &m.period_granularity))
                    .map(|m| {
                        let record = !m.source_record_pk.trim().is_empty();
                        let evidence = !m.evidence_date.trim().is_empty()
                            && !m.evidence_quote.trim().is_empty();
                        let status = match (record, evidence) {
                            (false, _) => GapStatus::MissingSourceRecord,
                            (true, false) => GapStatus::MissingEvidence,
                            (true, true) => GapStatus::Ready,
                        };
                        ((status, evidence), m)
                    })
                    .min_by(|(a_rank, a), (b_rank, b)| {
                        let chain = b_rank.cmp(a_rank);
                        let period = b.period_date.cmp(&a.period_date);
                        match policy.value_choice {
                            ValueChoice::LatestPeriod => period.then(chain),
                            _ => chain.then(period),
                        }
                        .then_with(|| a.period_granularity.cmp(&b.period_granularity))
                        .then_with(|| a.metric_key.cmp(&b.metric_key))
                    });
                let status = match (source, best) {
                    (None, _) => GapStatus::MissingSource,
                    (Some(_), None) => GapStatus::MissingMetric,
                    (Some(_), Some(((status, _), _))) => status,
                };
                let sort = (
                    -i64::from(policy.rule(status).priority),
                    source_id.clone(),
                    kpi.kpi_id.clone(),
                    scope.period_date(),
                    scope.period_granularity().unwrap_or_default().to_owned(),
                );
                rows.push((sort, status, best.map(|(_, m)| m.key()).unwrap_or_default()));
            }
        }
    }
    rows.sort();
    rows
}

fn build(
    catalogue: &InMemoryCatalogue,
    metrics: &[Metric],
    scopes: &[MetricScope],
    options: &GapOptions,
) -> GapQueue {
    let store: InMemoryMetrics = metrics.iter().cloned().collect();
    GapQueue::build(catalogue, &store, scopes, options.clone()).unwrap()
}

fn rows(queue: &GapQueue) -> Vec<GapRow<'static>> {
    queue.rows().map(GapRow::into_owned).collect()
}

proptest! {
    // A catalogue at random may leave no pair open.
    #![proptest_config(ProptestConfig { max_global_rejects: 1 << 20, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_is_that_of_the_model(
        catalogue in catalogues(), metrics in metrics(), scopes in scopes(), options in options(),
    ) {
        let queue = build(&catalogue, &metrics, &scopes, &options);
        let all = model(&catalogue, &metrics, &scopes, &options.policy);

        let totals = queue.totals();
        prop_assert_eq!(totals.expected_pairs_total, all.len() as u64);
        for status in GapStatus::ALL {
            let of_status = all.iter().filter(|(_, s, _)| *s == status).count();
            prop_assert_eq!(totals.of(status), of_status as u64);
        }
        let limit = if options.queue_limit == 0 { usize::MAX } else { options.queue_limit };
        let expected: Vec<_> = all
            .into_iter()
            .filter(|(_, status, _)| status.is_actionable() || options.include_ready)
            .take(limit)
            .collect();
        let found: Vec<ModelRow> = rows(&queue)
            .into_iter()
            .map(|row| {
                let date = (!row.period_date.is_empty()).then(|| row.period_date.parse().unwrap());
                let sort = (
                    -i64::from(row.priority),
                    row.source_id.into_owned(),
                    row.kpi_id.into_owned(),
                    date,
                    row.period_granularity.into_owned(),
                );
                (sort, row.status, row.metric_key.into_owned())
            })
            .collect();
        prop_assert_eq!(totals.queue_rows_total, found.len() as u64);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_order_of_values_sources_and_scopes_and_any_batch_gives_the_same_report(
        catalogue in catalogues(),
        (metrics, shuffled) in metrics().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        (scopes, turned) in scopes().prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
        options in options(),
        pairs_per_batch in 1..40_usize,
    ) {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let one = build(&catalogue, &metrics, &scopes, &options);
        let mut other_catalogue = catalogue.clone();
        other_catalogue.expected_sources.reverse();
        other_catalogue.sources.reverse();
        other_catalogue.kpis.reverse();
        let options = options.with_pairs_per_batch(pairs_per_batch);
        let other = build(&other_catalogue, &shuffled, &turned, &options);
        prop_assert_eq!(one.report(at), other.report(at));
        prop_assert_eq!(one.values_unexpected_total(), other.values_unexpected_total());
    }

    #[test]
    fn each_pair_has_one_key_and_the_key_that_its_value_would_have(
        catalogue in catalogues(), metrics in metrics(), scopes in scopes(),
    ) {
        let options = GapOptions::default().with_ready(true);
        let queue = build(&catalogue, &metrics, &scopes, &options);
        let mut keys = BTreeSet::new();
        for row in rows(&queue) {
            let date: Option<NaiveDate> = row.period_date.parse().ok();
            let key = metric_key(&row.kpi_id, &row.source_id, date, &row.period_granularity);
            prop_assert!(!key.ends_with('|'));
            prop_assert_eq!(&row.metric_key_expected, &key);
            prop_assert_eq!(row.metric_exists, !row.metric_key.is_empty());
            prop_assert!(keys.insert(row.queue_key.into_owned()));
        }
    }

    #[test]
    fn a_value_with_its_whole_chain_takes_exactly_its_pair_out_of_the_queue(
        catalogue in catalogues(), metrics in metrics(), at in any::<prop::sample::Index>(),
    ) {
        let scope = MetricScope::period(dates()[2].unwrap(), "year");
        let before = build(&catalogue, &metrics, std::slice::from_ref(&scope), &GapOptions::default());
        let open: Vec<_> =
            rows(&before).into_iter().filter(|row| row.status != GapStatus::MissingSource).collect();
        prop_assume!(!open.is_empty());
        let filled = at.get(&open);
        let mut metrics = metrics;
        metrics.push(Metric {
            source_id: filled.source_id.to_string(),
            kpi_id: filled.kpi_id.to_string(),
            period_date: scope.period_date(),
            period_granularity: "year".into(),
            value: "1".into(),
            source_record_pk: "record".into(),
            evidence_date: "2026-01-01".into(),
            evidence_quote: "a quote".into(),
            ..Metric::default()
        });
        let after = build(&catalogue, &metrics, &[scope], &GapOptions::default());
        let left: Vec<_> = rows(&before).into_iter().filter(|row| row.queue_key != filled.queue_key).collect();
        prop_assert_eq!(rows(&after), left);
    }
}

proptest! {
    #[test]
    fn what_changed_between_two_runs_is_told_pair_by_pair_and_adds_up(
        before in (catalogues(), metrics(), scopes()),
        after in (catalogues(), metrics(), scopes()),
    ) {
        let queue = |(catalogue, metrics, scopes): &(_, Vec<_>, Vec<_>)| {
            build(catalogue, metrics, scopes, &GapOptions::default())
        };
        let (before, after) = (queue(&before), queue(&after));
        let keyed = |queue: &GapQueue| -> BTreeMap<_, _> {
            let key = |pair: PairRef<'_>| {
                let granularity = pair.period_granularity.map(str::to_owned);
                (pair.source_id.to_owned(), pair.kpi_id.to_owned(), pair.period_date, granularity)
            };
            queue.pairs().map(|pair| (key(pair), pair.status)).collect()
        };
        let (old, new) = (keyed(&before), keyed(&after));
        prop_assert_eq!(old.len() as u64, before.totals().expected_pairs_total);

        let mut changes = BTreeMap::new();
        let difference = Difference::between(before.pairs(), after.pairs(), |change| {
            let pair = change.pair;
            let granularity = pair.period_granularity.map(str::to_owned);
            let key =
                (pair.source_id.to_owned(), pair.kpi_id.to_owned(), pair.period_date, granularity);
            changes.insert(key, (change.movement, change.from, change.to));
        })
        .unwrap();
        for key in old.keys().chain(new.keys()) {
            let (from, to) = (old.get(key).copied(), new.get(key).copied());
            let is_gap = |status: Option<GapStatus>| status.is_some_and(GapStatus::is_actionable);
            let movement = match (is_gap(from), is_gap(to)) {
                (false, true) => Some(Movement::Opened),
                (true, false) => Some(Movement::Closed),
                (true, true) if from < to => Some(Movement::MovedOn),
                (true, true) if from > to => Some(Movement::Regressed),
                _ => None,
            };
            prop_assert_eq!(changes.get(key).copied(), movement.map(|m| (m, from, to)));
        }
        prop_assert_eq!(difference.gaps_before_total, before.totals().actionable_pairs_total);
        prop_assert_eq!(difference.gaps_after_total, after.totals().actionable_pairs_total);
        prop_assert_eq!(
            difference.gaps_before_total + difference.opened_total,
            difference.gaps_after_total + difference.closed_total
        );
        let told = difference.opened_total + difference.closed_total
            + difference.moved_on_total + difference.regressed_total;
        prop_assert_eq!(told, changes.len() as u64);

        let at = |day: u32| format!("2026-01-{day:02}T00:00:00Z").parse().unwrap();
        let mut burn_down = BurnDown::new();
        let gaps_total = difference.gaps_before_total;
        burn_down.push(RunPoint { at: at(1), gaps_total, opened_total: 0, closed_total: 0 }).unwrap();
        burn_down.push(RunPoint::after(at(2), &difference)).unwrap();
        let fell = difference.gaps_before_total as f64 - difference.gaps_after_total as f64;
        prop_assert_eq!(burn_down.fall_by_day(14), vec![fell]);
    }
}

#[test]
fn a_run_in_the_wrong_order_or_a_series_that_does_not_add_up_is_refused() {
    let pair = |source_id| PairRef {
        source_id,
        kpi_id: "k",
        period_date: None,
        period_granularity: None,
        status: GapStatus::MissingMetric,
    };
    let refused = Difference::between([pair("b"), pair("a")], [], |_| ()).unwrap_err();
    assert_eq!((refused.run, refused.source_id.as_str()), ("before", "a"));
    assert!(Difference::between([], [pair("a"), pair("a")], |_| ()).is_err());

    let mut burn_down = BurnDown::new();
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let first = RunPoint { at, gaps_total: 3, opened_total: 0, closed_total: 0 };
    burn_down.push(first).unwrap();
    assert!(matches!(burn_down.push(first), Err(BurnDownError::NotLater { .. })));
    let later = RunPoint { at: at + chrono::TimeDelta::days(1), ..first };
    let torn = burn_down.push(RunPoint { closed_total: 1, ..later });
    assert!(matches!(torn, Err(BurnDownError::DoesNotAddUp { .. })));
    assert_eq!(burn_down.push(later), Ok(()));
    assert_eq!((burn_down.net_per_day(), burn_down.fall_by_day(14)), (Some(0.0), vec![0.0]));
    // Half a day later five more: the last whole day holds half of the rise and half a day without one.
    let at = later.at + chrono::TimeDelta::hours(12);
    burn_down.push(RunPoint { at, gaps_total: 8, opened_total: 5, closed_total: 0 }).unwrap();
    assert_eq!(burn_down.fall_by_day(14), [-5.0]);
    let at = at + chrono::TimeDelta::days(2);
    burn_down.push(RunPoint { at, gaps_total: 0, opened_total: 0, closed_total: 8 }).unwrap();
    assert_eq!(burn_down.fall_by_day(14), [4.0, 4.0, -5.0]);
    assert_eq!(burn_down.fall_by_day(2), [4.0, 4.0]);
}

#[test]
fn values_in_memory_keep_the_laws_of_a_store() {
    metric_store_conformance(|values| values.iter().cloned().collect::<InMemoryMetrics>());
    assert!(!sample_metrics().is_empty());
}
