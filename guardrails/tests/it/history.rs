use guardrails::clock::StoppedClock;
use guardrails::facts::{Offender, Scope};
use guardrails::history::{History, file};
use guardrails::recovery::{InMemoryFacts, Invariant};
use guardrails::{Suite, SuiteReport, Verdict};
use proptest::prelude::*;

/// A report of `drain` on the n-th minute; the verdict is chosen by the leaks and the population.
fn report(minute: i64, verdict: Verdict) -> SuiteReport {
    let (population, leaks) = match verdict {
        Verdict::Pass => (10, vec![]),
        Verdict::Fail => (10, vec![Offender::new("L", "leak")]),
        _ => (0, vec![]),
    };
    let at = chrono::DateTime::from_timestamp(minute * 60, 0).unwrap();
    let facts = InMemoryFacts::new(minute.to_string(), at).with_offenders(
        Invariant::MATCHED_NOT_IN_BACKLOG,
        population,
        leaks,
    );
    Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock)
}

fn history(verdicts: &[Verdict]) -> History {
    let mut history = History::default();
    for (minute, verdict) in (0_i64..).zip(verdicts) {
        history.push(&report(minute, *verdict));
    }
    history
}

#[test]
fn a_first_run_without_history_has_no_baseline_and_no_regression() {
    let history = History::default();
    assert!(history.baseline("recovery", "drain").is_none());
    assert!(history.regressions(&report(1, Verdict::Fail)).is_empty());
    assert!(history.trend("recovery", "drain").is_empty());
}

#[test]
fn a_regression_is_told_in_every_form_that_people_and_programs_read() {
    use guardrails::format::{TextStyle, json, markdown, read_json, text};
    let past = history(&[Verdict::Pass, Verdict::Fail]);
    let now = report(9, Verdict::Fail).compared_with(&past);
    let baseline = now.checks[0].baseline.clone().unwrap();
    assert_eq!((baseline.snapshot_id.as_str(), baseline.numerator), ("0", 0), "the last pass");
    let words = "regression: it passed on 1970-01-01 00:00 UTC (0 of 10)";
    assert!(text(&now, TextStyle::default()).contains(words));
    assert!(markdown(&now).contains(words));
    let read = read_json(&json(&now).unwrap()).unwrap();
    assert_eq!(read, now);
    #[cfg(feature = "junit")]
    assert!(guardrails::format::junit(&now).unwrap().contains(words));
    #[cfg(feature = "html")]
    assert!(guardrails::page::Page::new("P", now).html().contains(words));
    let passed = report(9, Verdict::Pass).compared_with(&past);
    assert_eq!(passed.checks[0].baseline, None);
}

#[test]
fn a_history_on_disk_appends_trims_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    assert!(file::read(&path).unwrap().records().is_empty());
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::Fail];
    for (minute, verdict) in (0_i64..).zip(verdicts) {
        file::append(&path, &report(minute, verdict)).unwrap();
    }
    assert_eq!(file::read(&path).unwrap(), history(&verdicts));
    assert_eq!(file::trim(&path, 1).unwrap(), 2);
    let left = file::read(&path).unwrap();
    let snapshots: Vec<_> = left.records().iter().map(|r| r.snapshot_id.as_str()).collect();
    assert_eq!(snapshots, ["0", "3"], "the baseline and the latest stay");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_line_that_a_stopped_writer_left_unfinished_is_dropped_and_nothing_is_glued_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    file::append(&path, &report(1, Verdict::Pass)).unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
        let complete = usize::from(cut == whole.len() - 1);
        assert_eq!(file::read(&path).unwrap().records().len(), 1 + complete);
        file::append(&path, &report(2, Verdict::Fail)).unwrap();
        assert_eq!(file::read(&path).unwrap().records().len(), 2 + complete, "cut at {cut}");
    }
}

#[test]
fn a_broken_line_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, format!("{}nonsense\n", history(&[Verdict::Pass]).to_lines())).unwrap();
    let error = file::read(&path).unwrap_err();
    assert!(error.to_string().contains("history.jsonl"), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("line 2, column 2 is not the record"), "{source}");
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let verdict = prop::sample::select(vec![Verdict::Pass, Verdict::Fail, Verdict::Inconclusive]);
    prop::collection::vec(verdict, 0..12)
}

proptest! {
    #[test]
    fn the_baseline_is_the_last_pass_and_trimming_loses_neither_it_nor_the_latest(
        verdicts in verdicts(), keep in 0_usize..6,
    ) {
        let mut trimmed = history(&verdicts);
        let whole = trimmed.clone();
        let last_pass = verdicts.iter().rposition(|v| *v == Verdict::Pass).map(|i| i.to_string());
        let baseline = |h: &History| {
            h.baseline("recovery", "drain").map(|(record, _)| record.snapshot_id.clone())
        };
        prop_assert_eq!(baseline(&whole), last_pass.clone());
        let removed = trimmed.trim(keep);
        prop_assert_eq!(removed + trimmed.records().len(), verdicts.len());
        prop_assert!(trimmed.records().len() <= keep.max(1) + 1);
        prop_assert_eq!(baseline(&trimmed), last_pass);
        prop_assert_eq!(trimmed.records().last(), whole.records().last());
        prop_assert_eq!(trimmed.trim(keep), 0);
    }

    #[test]
    fn a_history_reads_back_what_it_wrote(verdicts in verdicts()) {
        let history = history(&verdicts);
        prop_assert_eq!(History::from_lines(&history.to_lines()).unwrap(), history);
    }
}

/// A report of some rows alone, under the name of the full suite.
fn of_some(minute: i64, leaks: Vec<Offender>) -> SuiteReport {
    let at = chrono::DateTime::from_timestamp(minute * 60, 0).unwrap();
    let facts = InMemoryFacts::new(minute.to_string(), at)
        .with_scope(Scope::Touched(1_234))
        .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 3, leaks);
    Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock)
}

#[test]
fn a_report_of_some_rows_says_so_in_every_form() {
    use guardrails::format::{
        TextStyle, json, markdown, openlineage_facet, openmetrics, read_json, sarif, text,
    };
    let report = of_some(1, vec![]);
    let words = "touched: 1,234 rows that changed or were settled were looked at; the full suite looks at all";
    assert!(text(&report, TextStyle::default().width(200)).contains(words));
    assert!(markdown(&report).contains(words));
    assert!(json(&report).unwrap().contains("\"touched\": 1234"));
    assert_eq!(read_json(&json(&report).unwrap()).unwrap(), report);
    assert!(sarif(&report).unwrap().contains("\"touched\": 1234"));
    assert_eq!(openlineage_facet(&report, "urn:x").0["scope"]["touched"], 1_234);
    assert!(openmetrics(&report).contains("guardrail_touched_rows{suite=\"recovery\"} 1234\n"));
    #[cfg(feature = "junit")]
    assert!(guardrails::format::junit(&report).unwrap().contains(words));
    #[cfg(feature = "html")]
    assert!(guardrails::page::Page::new("P", report).html().contains(&words[1..]));
    // Of all rows none of them says a word of it.
    let whole = crate::history::report(1, Verdict::Pass);
    assert!(!text(&whole, TextStyle::default()).contains("touched"));
    assert!(!json(&whole).unwrap().contains("scope") && !openmetrics(&whole).contains("touched"));
}

#[test]
fn a_report_of_some_rows_is_no_part_of_the_full_suites_history() {
    let mut history = history(&[Verdict::Pass, Verdict::Fail]);
    history.push(&of_some(5, vec![]));
    let (baseline, _) = history.baseline("recovery", "drain").unwrap();
    assert_eq!(baseline.snapshot_id, "0", "what some rows came to is no baseline");
    assert_eq!(history.trend("recovery", "drain").len(), 2);
    // Nor are some rows compared with all.
    assert!(history.regressions(&of_some(6, vec![Offender::new("L", "leak")])).is_empty());
    let read = History::from_lines(&history.to_lines()).unwrap();
    assert_eq!(read, history, "the scope is kept");
    // To trim keeps the latest of both.
    history.push(&of_some(7, vec![]));
    history.trim(1);
    let kept: Vec<&str> = history.records().iter().map(|r| r.snapshot_id.as_str()).collect();
    assert_eq!(kept, ["0", "1", "7"]);
}
