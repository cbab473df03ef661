//! Values in a CSV file: the laws of a sink, what stays of the file, and loads that were cut off.

use std::path::{Path, PathBuf};

use raw_packets::testing::{metric_sink_conformance, sample_load, sample_stamp};
use raw_packets::{CsvMetrics, CsvOptions, CsvStoreError, Effect, MetricSink as _, Run, SinkError};

const KEY: &str = "kpi:a|es:sample|2024-01-01|year";

fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn a_file_of_values_keeps_the_laws_of_a_sink() {
    let mut folders = Vec::new();
    metric_sink_conformance(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        folders.push(folder);
        CsvMetrics::open_or_begin(&path, CsvOptions::default()).unwrap()
    });
}

#[test]
fn a_load_keeps_unknown_columns_and_broken_rows_and_an_undoing_brings_the_row_back_as_it_was() {
    let before = "colour,kpi_id,sanction_source_id,period_date,period_granularity,value\n\
        red,kpi:a,es:sample,2024-01-01,year,0.5\n\
        blue,kpi:b,es:sample,01/01/2024,year,7\n\
        green\n";
    let (_folder, path) = file(before);
    let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
    let load = sample_load(&[("kpi:a", 12), ("kpi:c", 3)]);
    let receipt = values.load(&load, Run::Commit).unwrap();
    assert_eq!(receipt.effects[KEY], Effect::Corrected);
    assert_eq!(receipt.count(Effect::Inserted), 1);

    let after = std::fs::read_to_string(&path).unwrap();
    assert!(after.contains("red,kpi:a,es:sample,2024-01-01,year,0.12,"), "{after}");
    assert!(after.contains("blue,kpi:b,es:sample,01/01/2024,year,7"), "{after}");
    assert!(after.contains("\ngreen,,,"), "{after}");
    let again = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
    assert_eq!(again.reading().table.rows_refused_total, 2);
    assert_eq!(again.reading().table.columns_ignored, ["colour"]);

    let undone = values.undo(load.id(), &sample_stamp()).unwrap();
    assert_eq!((undone.restored.len(), undone.removed.len()), (1, 1));
    let back = std::fs::read_to_string(&path).unwrap();
    assert!(back.contains("red,kpi:a,es:sample,2024-01-01,year,0.5,"), "{back}");
    assert!(!back.contains("kpi:c"), "{back}");
}

#[test]
fn a_file_that_was_changed_meanwhile_is_not_overwritten() {
    let (_folder, path) = file("sanction_source_id,kpi_id\n");
    let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
    std::fs::write(&path, "sanction_source_id,kpi_id,value\ns,k,1\n").unwrap();
    let refused = values.load(&sample_load(&[("kpi:a", 12)]), Run::Commit).unwrap_err();
    let said = std::error::Error::source(&refused).unwrap().to_string();
    assert!(said.contains("changed since it was read"), "{said}");
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("s,k,1\n"));
}

#[test]
fn an_error_tells_each_thing_once() {
    use std::io::Error as IoError;
    let broken = serde_json::from_str::<u8>("x").unwrap_err();
    let path = PathBuf::from("metrics.csv.history.jsonl");
    let history = CsvStoreError::History { path: path.clone(), line: 3, source: broken };
    let told = crate::support::told(&history);
    assert!(told.contains("line 3 is no entry of the history: expected value"), "{told}");
    for action in ["read", "write"] {
        let io =
            CsvStoreError::Io { action, path: path.clone(), source: IoError::other("no disk") };
        let told = crate::support::told(&SinkError::store(io));
        assert!(told.starts_with("the store failed: metrics.csv.history.jsonl: "), "{told}");
        assert!(told.ends_with(": no disk"), "{told}");
    }
    let (_folder, csv) = file("sanction_source_id,kpi_id\n");
    std::fs::write(csv.with_file_name("metrics.csv.history.jsonl"), "no line of ours\n").unwrap();
    let mut values = CsvMetrics::open(&csv, CsvOptions::default()).unwrap();
    let told = crate::support::told(&values.left_out().unwrap_err());
    assert!(told.contains("line 1 is no entry of the history: expected"), "{told}");
    let told = crate::support::told(
        &CsvMetrics::open(csv.parent().unwrap(), CsvOptions::default()).unwrap_err(),
    );
    assert!(told.contains("directory"), "{told}");
}

/// Makes the last line of a history one that was written before the values were replaced.
fn make_pending(csv: &Path) {
    let history = csv.with_file_name("metrics.csv.history.jsonl");
    let text = std::fs::read_to_string(&history).unwrap();
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let last = last.replacen("\"entries\"", "\"pending\":true,\"entries\"", 1);
    std::fs::write(&history, format!("{before}\n{last}\n").trim_start()).unwrap();
}

#[test]
fn a_load_that_was_cut_off_before_the_values_were_replaced_never_happened() {
    let (_folder, path) = file("sanction_source_id,kpi_id\n");
    let before = std::fs::read(&path).unwrap();
    let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
    let load = sample_load(&[("kpi:a", 12)]);
    values.load(&load, Run::Commit).unwrap();
    // What lies there when the rename of the values never came; once as it was, once changed by hand.
    for by_hand in ["", "es:other,kpi:z\n"] {
        make_pending(&path);
        std::fs::write(&path, [before.as_slice(), by_hand.as_bytes()].concat()).unwrap();
        let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
        assert_eq!(values.history(KEY).unwrap(), []);
        assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Inserted), 1);
        assert_eq!(values.history(KEY).unwrap().len(), 1, "the same load is not there twice");
    }
}

#[test]
fn a_load_that_was_cut_off_after_the_values_were_replaced_happened_once() {
    let (_folder, path) = file("sanction_source_id,kpi_id\n");
    let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
    let load = sample_load(&[("kpi:a", 12)]);
    values.load(&load, Run::Commit).unwrap();
    for by_hand in ["", "es:other,kpi:z,\n"] {
        make_pending(&path);
        let now = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, now + by_hand).unwrap();
        let mut values = CsvMetrics::open(&path, CsvOptions::default()).unwrap();
        assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Unchanged), 1);
        assert_eq!(values.history(KEY).unwrap().len(), 1);
    }
}
