//! How the gaps stand, told by one runner.

use std::fs;

use crate::runner::{Run, run, runner};

const SCOPES: [&str; 4] =
    ["--period-date", "2024-12-31,2025-12-31", "--period-granularity", "year"];

fn report(folder: &std::path::Path, more: &[&str]) -> Run {
    run(runner("gap_report").current_dir(folder).args(SCOPES).args(more))
}

#[test]
fn the_gaps_of_several_scopes_are_told_as_text_json_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let told = report(folder.path(), &["--json", "found.json", "--page", "gaps.html"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.starts_with("gaps: degraded\n"), "{}", told.stdout);
    assert!(told.stdout.contains("2024-12-31"), "{}", told.stdout);
    let found = fs::read(folder.path().join("found.json")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
    assert_eq!(found["scopes"].as_array().unwrap().len(), 2);
    assert_eq!(found["scopes"][0]["pairs_by_status"][1], serde_json::json!(["missing_metric", 12]));
    assert_eq!(found["ageing"]["without_due_date_total"], 24);
    assert!(found.get("progress").is_none());
    let page = fs::read_to_string(folder.path().join("gaps.html")).unwrap();
    assert!(page.contains("0 of 24 pairs ready, 24 to act on") && page.contains("<svg"), "{page}");
    assert!(!page.contains("<script") && !page.contains("http"), "the page stands alone");
}

#[test]
fn a_file_of_runs_gives_the_difference_and_the_burn_down() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(report(folder.path(), &["--runs", "runs.jsonl"]).code, 0);
    let metrics = "sanction_source_id,kpi_id,period_date,period_granularity,value,source_record_pk,\
                   evidence_date,evidence_quote\n\
                   es:sanctions:teac_resolutions,kpi:formal_annulment_rate,2024-12-31,year,0.1,r,\
                   2025-03-31,A sentence that proves it\n";
    fs::write(folder.path().join("metrics.csv"), metrics).unwrap();
    let kept = ["--runs", "runs.jsonl", "--metrics", "metrics.csv", "--page", "gaps.html"];
    let told = report(folder.path(), &kept);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.contains("since the last run: 0 opened"), "{}", told.stdout);
    assert!(
        told.stdout.contains("1 closed") && told.stdout.contains("burn-down:"),
        "{}",
        told.stdout
    );
    let page = fs::read_to_string(folder.path().join("gaps.html")).unwrap();
    assert!(page.contains("Since the last run") && page.contains("polyline"), "{page}");
}

#[test]
fn an_unknown_granularity_is_warned_of_with_those_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = runner("gap_report");
    command.current_dir(folder.path());
    let told = run(command.args(["--period-date", "2024-12-31", "--period-granularity", "quater"]));
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("`quater`; known are: year"), "{}", told.stderr);
}
