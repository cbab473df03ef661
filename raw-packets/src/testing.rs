//! The conformance suite of a metric sink: what every implementation must do, ours and a user's.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::load::{KpiRow, LeftOut, Load, LoadId, LoadStamp, Provenance};
use crate::sink::{Act, Effect, MetricSink, Run, SinkError};

/// Runs every law of [`MetricSink`] against sinks that `new_sink` makes, each empty.
///
/// ```
/// raw_packets::testing::metric_sink_conformance(raw_packets::InMemorySink::new);
/// ```
///
/// # Panics
///
/// Where the sink breaks a law; the message says which.
pub fn metric_sink_conformance<S: MetricSink>(mut new_sink: impl FnMut() -> S) {
    a_load_is_idempotent(&mut new_sink());
    a_dry_run_tells_the_same_and_writes_nothing(&mut new_sink());
    a_correction_keeps_the_old_value(&mut new_sink());
    an_undone_load_leaves_the_state_before_it(&mut new_sink());
    an_undo_is_refused_where_a_later_load_wrote(&mut new_sink());
    what_a_load_leaves_out_is_recorded_once(&mut new_sink());
}

/// Makes a load for a test of a sink: one row per `(kpi, value)`, for one source and year.
///
/// # Panics
///
/// Never: the fixed dates exist.
#[must_use]
pub fn sample_load(values: &[(&str, i64)]) -> Load {
    sample_partial_load(values, &[])
}

/// Makes a load as [`sample_load`] does that leaves out these packets.
///
/// # Panics
///
/// Never: the fixed dates exist.
#[must_use]
pub fn sample_partial_load(values: &[(&str, i64)], left_out: &[&str]) -> Load {
    let date = |month| NaiveDate::from_ymd_opt(2024, month, 1).expect("a day that exists");
    let stamp = sample_stamp();
    let rows = values.iter().map(|(kpi, value)| KpiRow {
        metric_key: KpiRow::key_of(kpi, "es:sample", date(1), "year"),
        sanction_source_id: "es:sample".to_owned(),
        kpi_id: (*kpi).to_owned(),
        period_date: date(1),
        period_granularity: "year".to_owned(),
        value: Decimal::new(*value, 2),
        numerator: Some(Decimal::from(*value)),
        denominator: Some(Decimal::from(100)),
        source_record_pk: "official_review_raw:es-sample:2024-01-01:year".to_owned(),
        evidence_date: date(6),
        evidence_quote: "A quotation, \"with quotes\";\nand a second line: 12 of 100.".to_owned(),
        source_url: "https://example.org/report".to_owned(),
        provenance: Provenance {
            packet: "es-sample__2024-01-01__year.csv".to_owned(),
            row: 2,
            sha256: format!("{value:064x}"),
            loaded_by: stamp.by.clone(),
            loaded_at: stamp.at,
        },
    });
    let left_out = left_out.iter().map(|packet| LeftOut {
        packet: (*packet).to_owned(),
        status: "invalid_row".to_owned(),
        reasons: vec!["invalid_numeric".to_owned()],
    });
    Load::new(rows.collect(), left_out.collect(), stamp)
}

/// Returns a fixed stamp.
#[must_use]
pub fn sample_stamp() -> LoadStamp {
    LoadStamp::new("conformance", DateTime::<Utc>::UNIX_EPOCH)
}

fn commit(sink: &mut impl MetricSink, load: &Load) -> Vec<Effect> {
    let receipt = sink.load(load, Run::Commit).expect("a load succeeds");
    assert_eq!(&receipt.load_id, load.id(), "the receipt names the load");
    receipt.effects.into_values().collect()
}

fn length(sink: &mut impl MetricSink, load: &Load) -> usize {
    let of_key = |row: &KpiRow| sink.history(&row.metric_key).expect("the history is read").len();
    load.rows().iter().map(of_key).sum()
}

fn a_load_is_idempotent(sink: &mut impl MetricSink) {
    let load = sample_load(&[("kpi:a", 12), ("kpi:b", 34)]);
    assert_eq!(commit(sink, &load), [Effect::Inserted; 2], "a first load inserts");
    assert_eq!(commit(sink, &load), [Effect::Unchanged; 2], "a second load changes nothing");
    assert_eq!(length(sink, &load), 2, "a second load writes no history");
    let entry = &sink.history(&load.rows()[0].metric_key).expect("the history is read")[0];
    assert_eq!(entry.new.as_ref(), Some(&load.rows()[0]), "the row is kept whole");
    assert_eq!(entry.old, None, "there was no value before");
}

fn a_dry_run_tells_the_same_and_writes_nothing(sink: &mut impl MetricSink) {
    let load = sample_load(&[("kpi:a", 12)]);
    let dry = sink.load(&load, Run::Dry).expect("a dry run succeeds");
    assert_eq!(length(sink, &load), 0, "a dry run writes no history");
    let real = sink.load(&load, Run::Commit).expect("a load succeeds");
    assert_eq!(dry, real, "a dry run tells what the real run does");
}

fn a_correction_keeps_the_old_value(sink: &mut impl MetricSink) {
    let (first, second) = (sample_load(&[("kpi:a", 12)]), sample_load(&[("kpi:a", 13)]));
    commit(sink, &first);
    assert_eq!(commit(sink, &second), [Effect::Corrected], "another value is a correction");
    let history = sink.history(&first.rows()[0].metric_key).expect("the history is read");
    assert_eq!(history.len(), 2, "both changes are in the history");
    assert_eq!(history[1].old.as_ref(), Some(&first.rows()[0]), "the old value is kept");
    assert_eq!(history[1].new.as_ref(), Some(&second.rows()[0]), "the new value is kept");
}

fn an_undone_load_leaves_the_state_before_it(sink: &mut impl MetricSink) {
    let first = sample_load(&[("kpi:a", 12)]);
    let second = sample_load(&[("kpi:a", 13), ("kpi:b", 5)]);
    commit(sink, &first);
    commit(sink, &second);
    let undone = sink.undo(second.id(), &sample_stamp()).expect("the last load is undone");
    assert_eq!(undone.restored, [first.rows()[0].metric_key.clone()], "the correction is undone");
    assert_eq!(undone.removed, [second.rows()[1].metric_key.clone()], "the insertion is undone");
    assert_eq!(commit(sink, &first), [Effect::Unchanged], "the first value is back");
    let history = sink.history(&second.rows()[1].metric_key).expect("the history is read");
    assert_eq!(history.last().map(|entry| entry.act), Some(Act::Undo), "the undoing is recorded");
    let again = sink.undo(second.id(), &sample_stamp());
    assert!(matches!(again, Err(SinkError::NotFound { .. })), "a load is undone once");
    assert_eq!(
        commit(sink, &second),
        [Effect::Corrected, Effect::Inserted],
        "it may be loaded anew"
    );
    sink.undo(second.id(), &sample_stamp()).expect("and be undone anew");
}

fn an_undo_is_refused_where_a_later_load_wrote(sink: &mut impl MetricSink) {
    let first = sample_load(&[("kpi:a", 12), ("kpi:b", 5)]);
    let second = sample_load(&[("kpi:b", 6)]);
    commit(sink, &first);
    commit(sink, &second);
    let refused = sink.undo(first.id(), &sample_stamp());
    assert!(
        matches!(&refused, Err(SinkError::Superseded { by, .. }) if by == second.id()),
        "the later load is named: {refused:?}"
    );
    let dry = sink.load(&first, Run::Dry).expect("a dry run succeeds");
    assert_eq!(dry.count(Effect::Unchanged), 1, "nothing was undone");
    sink.undo(second.id(), &sample_stamp()).expect("the later load is undone");
    sink.undo(first.id(), &sample_stamp()).expect("then the earlier one");
    assert_eq!(commit(sink, &second), [Effect::Inserted], "no value is left");
    let unknown = sink.undo(&LoadId::new("load-unknown"), &sample_stamp());
    assert!(
        matches!(unknown, Err(SinkError::NotFound { .. })),
        "an unknown load is said to be one"
    );
}

fn what_a_load_leaves_out_is_recorded_once(sink: &mut impl MetricSink) {
    let whole = sample_load(&[("kpi:a", 12)]);
    commit(sink, &whole);
    let left_out = |sink: &mut dyn MetricSink| sink.left_out().expect("the records are read");
    assert_eq!(left_out(sink), [], "a whole load leaves nothing out");
    let partial = sample_partial_load(&[("kpi:b", 3)], &["one.csv", "two.csv"]);
    sink.load(&partial, Run::Dry).expect("a dry run succeeds");
    assert_eq!(left_out(sink), [], "a dry run records nothing");
    commit(sink, &partial);
    commit(sink, &partial);
    let found = left_out(sink);
    assert_eq!(found.len(), 1, "the same load is recorded once");
    assert_eq!(found[0].packets, partial.left_out(), "the packets are kept with their reasons");
    assert_eq!((&found[0].load_id, &found[0].by), (partial.id(), &partial.stamp().by));
    let nothing = sample_partial_load(&[], &["two.csv"]);
    sink.load(&nothing, Run::Commit).expect("a load of nothing succeeds");
    assert_eq!(left_out(sink).len(), 2, "a load that takes nothing in is recorded, too");
}
