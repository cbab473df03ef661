//! A series of runs in a file.

use chrono::{DateTime, TimeDelta, Utc};
use kpi_gap_queue::files::{RunHistory, RunHistoryError, SavedRun};
use kpi_gap_queue::{
    BurnDownError, Difference, GapOptions, GapQueue, InMemoryCatalogue, InMemoryMetrics, Kpi,
    MetricScope, Movement,
};
use proptest::prelude::*;

use crate::laws::{catalogues, metrics, scopes};

fn day(number: usize) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(i64::try_from(number).unwrap())
}

fn queue(scope: MetricScope) -> GapQueue {
    let catalogue = InMemoryCatalogue {
        expected_sources: vec!["s:a".into(), "s:b".into()],
        kpis: vec![Kpi::new("k:1", "")],
        ..InMemoryCatalogue::default()
    };
    GapQueue::build(&catalogue, &InMemoryMetrics::new(), &[scope], GapOptions::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_history_that_grew_line_by_line_is_read_as_the_same_and_tells_each_difference(
        runs in prop::collection::vec((catalogues(), metrics()), 1..5),
        scopes in scopes(),
    ) {
        let mut file = Vec::new();
        let mut before: Option<GapQueue> = None;
        for (number, (catalogue, values)) in runs.into_iter().enumerate() {
            let store: InMemoryMetrics = values.into_iter().collect();
            let now = GapQueue::build(&catalogue, &store, &scopes, GapOptions::default()).unwrap();
            let mut history = RunHistory::read("runs.jsonl", file.as_slice()).unwrap();
            let mut moves: Vec<Movement> = Vec::new();
            let told = history
                .push(SavedRun::new(&now, day(number)), |change| moves.push(change.movement))
                .unwrap();
            let expected = before.as_ref().map(|before| {
                Difference::between(before.pairs(), now.pairs(), |_| {}).unwrap()
            });
            prop_assert_eq!(&told, &expected);
            let changes = told.map_or(0, |told| {
                told.opened_total + told.closed_total + told.moved_on_total + told.regressed_total
            });
            prop_assert_eq!(moves.len() as u64, changes);
            history.write_last(&mut file).unwrap();
            prop_assert!(history.last().unwrap().pairs().eq(now.pairs()));
            prop_assert_eq!(&RunHistory::read("runs.jsonl", file.as_slice()).unwrap(), &history);
            prop_assert_eq!(history.burn_down().points().len(), number + 1);
            before = Some(now);
        }
    }

    #[test]
    fn no_change_of_a_byte_makes_the_reader_panic(at: prop::sample::Index, byte: u8) {
        let mut history = RunHistory::default();
        history.push(SavedRun::new(&queue(MetricScope::all_time()), day(0)), |_| {}).unwrap();
        let mut file = Vec::new();
        history.write_last(&mut file).unwrap();
        let at = at.index(file.len());
        file[at] = byte;
        if let Ok(read) = RunHistory::read("runs.jsonl", file.as_slice()) {
            read.last().map(|run| run.pairs().count());
        }
    }
}

#[test]
fn the_file_is_as_its_documentation_says() {
    let mut history = RunHistory::default();
    let year = MetricScope::period("2025-12-31".parse().unwrap(), "year");
    history.push(SavedRun::new(&queue(year), day(0)), |_| {}).unwrap();
    let mut file = Vec::new();
    history.write_last(&mut file).unwrap();
    assert_eq!(
        String::from_utf8(file).unwrap(),
        concat!(
            r#"{"format":"kpi-gap-queue runs","version":1}"#,
            "\n",
            r#"{"at":"1970-01-01T00:00:00Z","gaps_total":2,"opened_total":0,"closed_total":0,"#,
            r#""scopes":[{"period_date":"2025-12-31","period_granularity":"year"}],"#,
            r#""kpi_ids":["k:1"],"sources":[{"source_id":"s:a","kpis":[0],"statuses":"0"},"#,
            r#"{"source_id":"s:b","kpis":[0],"statuses":"0"}]}"#,
            "\n",
        )
    );
}

#[test]
fn another_version_damage_and_a_line_that_was_cut_off_are_told_by_line() {
    let heading = r#"{"format":"kpi-gap-queue runs","version":1}"#;
    let run = r#"{"at":"1970-01-01T00:00:00Z","gaps_total":1,"opened_total":0,"closed_total":0,"scopes":[{"period_date":null,"period_granularity":null}],"kpi_ids":["k"],"sources":[{"source_id":"s","kpis":[0],"statuses":"0"}]}"#;
    for (text, line, says) in [
        (heading.replace('1', "2"), 1, "of version 2, not kpi-gap-queue runs of version 1"),
        (heading.replace("runs", "rows"), 1, "read it with the program that wrote it"),
        ("[]".to_owned(), 1, "restore the file"),
        (format!("{heading}\n{}", &run[..100]), 2, "restore the file"),
        (format!("{heading}\n{}", run.replace("\"0\"", "\"5\"")), 2, "are not whole"),
        (format!("{heading}\n{}", run.replace("[0]", "[1]")), 2, "are not whole"),
        (format!("{heading}\n{}", run.replace("\"0\"", "\"4\"")), 2, "0 gaps, not 1"),
        (format!("{heading}\n{run}\n{run}"), 3, "not later"),
    ] {
        let problem = RunHistory::read("runs.jsonl", text.as_bytes()).unwrap_err();
        assert_eq!(problem.line, line, "{problem}");
        assert!(problem.to_string().contains(says), "{problem}");
    }
    assert_eq!(RunHistory::read("runs.jsonl", &b""[..]).unwrap(), RunHistory::default());
}

#[test]
fn a_run_over_other_periods_or_of_an_earlier_time_is_refused_and_changes_nothing() {
    let mut history = RunHistory::default();
    history.push(SavedRun::new(&queue(MetricScope::all_time()), day(1)), |_| {}).unwrap();
    let before = history.clone();
    let year = MetricScope::period("2025-12-31".parse().unwrap(), "year");
    let refused = history.push(SavedRun::new(&queue(year), day(2)), |_| {}).unwrap_err();
    assert!(matches!(refused, RunHistoryError::OtherScopes { .. }));
    assert!(refused.to_string().contains("all time, this one at 2025-12-31 year"), "{refused}");
    let early = SavedRun::new(&queue(MetricScope::all_time()), day(1));
    let refused = history.push(early, |_| {}).unwrap_err();
    assert!(matches!(refused, RunHistoryError::BurnDown(BurnDownError::NotLater { .. })));
    assert_eq!(history, before);
}
