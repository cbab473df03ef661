//! The data loop from the outside: gaps out as packets, packets back in as values.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::runner::{Run, run, runner};

/// A folder of its own for one run, with the files that it reads and writes.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs `export_packets` with every output in the folder.
    fn export(&self, flags: &[&str]) -> Run {
        let mut command = runner("export_packets");
        command
            .current_dir(self.0.path())
            .args(["--out-dir", "packets", "--summary-out", "summary.json"])
            .args(["--queue-csv-out", "queue.csv", "--queue-json-out", "queue.json"])
            .args(flags);
        run(&mut command)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn packets(&self) -> Vec<String> {
        names(&self.path("packets")).into_iter().filter(|name| name.contains("__")).collect()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| {
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

/// Says that a run could not be carried out, and that nothing at all was written.
fn refused(folder: &Folder, run: &Run, before: &[String], says: &[&str]) {
    assert_eq!(run.code, 4, "{run:?}");
    for said in says {
        assert!(run.stderr.contains(said), "`{said}` is not in: {}", run.stderr);
    }
    assert_eq!(names(folder.0.path()), before, "{run:?}");
}

#[test]
fn the_sample_catalogue_without_values_gives_twelve_rows_and_four_packets() {
    let folder = Folder::new();
    let run = folder.export(&["--period-date", "2025-12-31", "--period-granularity", "year"]);
    assert_eq!(run.code, 0, "{run:?}");

    let summary = folder.json("summary.json");
    assert_eq!(summary["status"], "ok");
    assert_eq!(summary["queue_report_status"], "degraded");
    assert_eq!(summary["default_source_id"], "boe_api_legal");
    let totals = &summary["totals"];
    assert_eq!(totals["queue_rows_seen_total"], 12);
    assert_eq!(totals["sources_actionable_total"], 4);
    assert_eq!(totals["packets_emitted_total"], 4);
    assert_eq!(totals["sources_skipped_missing_template_total"], 0);
    let preview = summary["packets_preview"].as_array().unwrap();
    assert_eq!(preview.len(), 4);
    assert!(preview.iter().all(|packet| packet["kpis_missing_total"] == 3));

    assert_eq!(
        folder.packets(),
        [
            "es-sanctions-contencioso-sentencias__2025-12-31__year.csv",
            "es-sanctions-defensor-pueblo-quejas__2025-12-31__year.csv",
            "es-sanctions-teac-resolutions__2025-12-31__year.csv",
            "es-sanctions-tear-resolutions__2025-12-31__year.csv",
        ]
    );
    let queue = folder.json("queue.json");
    assert_eq!(queue["status"], "degraded");
    assert_eq!(queue["queue_rows"].as_array().unwrap().len(), 12);
    assert_eq!(queue["totals"], summary["queue_totals"]);
    assert_eq!(queue["metric_scope"]["label"], "period");
}

#[test]
fn the_queue_is_written_with_the_columns_and_keys_of_the_contract_in_their_order() {
    const COLUMNS: &str = "queue_key,sanction_source_id,kpi_id,kpi_label,period_date,\
        period_granularity,label,organismo,source_url,metric_exists,source_record_present,\
        evidence_present,metric_key,metric_key_expected,status,priority,next_action";
    let folder = Folder::new();
    assert_eq!(folder.export(&[]).code, 0);

    let csv = fs::read_to_string(folder.path("queue.csv")).unwrap();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    assert_eq!(
        lines.next(),
        Some(
            "es:sanctions:contencioso_sentencias|kpi:formal_annulment_rate|all|all,\
             es:sanctions:contencioso_sentencias,kpi:formal_annulment_rate,Formal annulment rate,,,\
             Contentious-administrative judgments,Poder Judicial,https://www.poderjudicial.es/,\
             false,false,false,,kpi:formal_annulment_rate|es:sanctions:contencioso_sentencias,\
             missing_metric,90,ingest_official_review_kpi_metric"
        )
    );
    assert_eq!(lines.count(), 11);

    let json = fs::read_to_string(folder.path("queue.json")).unwrap();
    let mut rest = json.as_str();
    for key in [
        "generated_at",
        "status",
        "metric_scope",
        "include_ready",
        "totals",
        "official_review_sources_expected_total",
        "official_review_sources_seeded_total",
        "official_review_kpis_expected_total",
        "expected_pairs_total",
        "pairs_ready_total",
        "pairs_missing_source_total",
        "pairs_missing_metric_total",
        "pairs_missing_source_record_total",
        "pairs_missing_evidence_total",
        "actionable_pairs_total",
        "queue_rows_total",
        "coverage",
        "pairs_ready_pct",
        "pairs_missing_metric_pct",
        "pairs_missing_source_record_pct",
        "pairs_missing_evidence_pct",
        "checks",
        "sources_seeded",
        "kpis_defined",
        "pairs_complete",
        "queue_visible",
        "queue_empty",
        "queue_rows",
    ]
    .into_iter()
    .chain(COLUMNS.split(','))
    {
        let key = format!("\"{key}\":");
        let at = rest.find(&key).unwrap_or_else(|| panic!("{key} is not there, in its order"));
        rest = &rest[at + key.len()..];
    }
}

#[test]
fn an_empty_catalogue_fails_with_exit_1_and_says_so_in_every_report() {
    for content in ["{}", r#"{"expected_sources": [], "sources": [], "kpis": []}"#] {
        let folder = Folder::new();
        folder.write("catalog.json", content);
        let run = folder.export(&["--catalog", "catalog.json"]);
        assert_eq!(run.code, 1, "{run:?}");
        assert_eq!(folder.json("summary.json")["status"], "failed");
        assert_eq!(folder.json("summary.json")["checks"]["gap_queue_not_failed"], false);
        assert_eq!(folder.json("queue.json")["status"], "failed");
        assert_eq!(folder.packets(), Vec::<String>::new());
    }
}

#[test]
fn values_take_their_pairs_out_of_the_packets_and_the_statuses_choose_what_is_asked_for() {
    const VALUES: &str = "sanction_source_id,kpi_id,period_date,period_granularity,value,\
        source_record_pk,evidence_date,evidence_quote\n\
        es:sanctions:teac_resolutions,kpi:recurso_estimation_rate,2025-12-31,year,0.4,rec,2026-02-01,As published in the yearbook.\n\
        es:sanctions:teac_resolutions,kpi:formal_annulment_rate,2025-12-31,year,0.1,rec,,\n\
        es:sanctions:tear_resolutions,kpi:formal_annulment_rate,2025-12-31,year,0.1,,,\n";
    let folder = Folder::new();
    folder.write("metrics.csv", VALUES);
    let period = ["--metrics", "metrics.csv", "--period-date", "2025-12-31"];

    let run = folder.export(&period);
    assert_eq!(run.code, 0, "{run:?}");
    let totals = &folder.json("queue.json")["totals"];
    assert_eq!(totals["pairs_ready_total"], 1);
    assert_eq!(totals["pairs_missing_evidence_total"], 1);
    assert_eq!(totals["pairs_missing_source_record_total"], 1);
    assert_eq!(totals["pairs_missing_metric_total"], 9);
    assert_eq!(totals["queue_rows_total"], 11);

    let backfill =
        [&period[..], &["--statuses", "missing_evidence,missing_source_record"]].concat();
    let run = folder.export(&[&backfill[..], &["--include-ready"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let summary = folder.json("summary.json");
    assert_eq!(summary["packets_emitted_total"], 2);
    assert_eq!(summary["include_ready"], true);
    assert_eq!(summary["totals"]["queue_rows_seen_total"], 12);
    assert_eq!(
        summary["totals"]["rows_skipped_by_status"],
        serde_json::json!({"missing_metric": 9, "ready": 1})
    );
    assert_eq!(folder.json("queue.json")["queue_rows"][11]["status"], "ready");
}

#[test]
fn a_limit_cuts_the_rows_and_a_source_that_is_not_in_the_catalogue_is_counted_as_skipped() {
    let folder = Folder::new();
    let run = folder.export(&["--queue-limit", "4"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(folder.json("summary.json")["packets_emitted_total"], 2);
    assert_eq!(folder.json("queue.json")["totals"]["actionable_pairs_total"], 12);
    assert_eq!(folder.json("queue.json")["totals"]["queue_rows_total"], 4);

    let folder = Folder::new();
    let catalogue = r#"{"expected_sources": ["es:a", "es:b"], "sources": [{"source_id": "es:a"}],
        "kpis": [{"kpi_id": "kpi:formal_annulment_rate"}]}"#;
    folder.write("catalog.json", catalogue);
    let statuses = ["--catalog", "catalog.json", "--statuses", "missing_metric,missing_source"];
    let run = folder.export(&statuses);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("not in the catalogue"), "{run:?}");
    let summary = folder.json("summary.json");
    assert_eq!(summary["status"], "degraded");
    assert_eq!(summary["totals"]["sources_skipped_missing_template_total"], 1);
    assert_eq!(summary["packets_emitted_total"], 1);
}

#[test]
fn strict_actionable_ends_with_4_only_when_no_packet_is_emitted() {
    let folder = Folder::new();
    assert_eq!(folder.export(&["--strict-actionable"]).code, 0);
    let run = folder.export(&["--strict-actionable", "--statuses", "missing_evidence"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(folder.json("summary.json")["packets_emitted_total"], 0);
    assert_eq!(folder.export(&["--statuses", "missing_evidence"]).code, 0);
}

#[test]
fn a_broken_row_of_values_is_told_by_line_and_the_rest_is_used() {
    let folder = Folder::new();
    folder.write(
        "metrics.csv",
        "sanction_source_id,kpi_id,period_date,value,colour\n\
         es:sanctions:teac_resolutions,kpi:formal_annulment_rate,2025-12-31,\"0,1\",\n\
         es:sanctions:teac_resolutions,kpi:recurso_estimation_rate,2025-12-31,0.1,\n",
    );
    let run = folder.export(&["--metrics", "metrics.csv"]);
    assert_eq!(run.code, 5, "{run:?}");
    assert!(run.stderr.contains("metrics.csv: line 2, column `value`"), "{run:?}");
    assert!(run.stderr.contains("colour"), "{run:?}");
    assert_eq!(folder.json("queue.json")["totals"]["pairs_missing_source_record_total"], 1);
    assert_eq!(folder.packets().len(), 4);
}

#[test]
fn bad_input_is_told_with_file_line_and_remedy_and_leaves_nothing_behind() {
    for (name, content, says) in [
        ("catalog.json", "{\"kpis\": [\n {\"kpi_id\": }]}", &["line 2", "correct the JSON"][..]),
        (
            "catalog.json",
            "{\"sources\": [{\"source_id\": \"a\"},\n {\"source_id\": \"a\"}]}",
            &["line 2", "`a`", "there twice", "keep one"],
        ),
        ("metrics.csv", "source,kpi\n", &["line 1", "sanction_source_id"]),
        ("metrics.csv", "", &["line 1", "first line must name the columns"]),
    ] {
        let folder = Folder::new();
        folder.write(name, content);
        let flag = if name == "catalog.json" { "--catalog" } else { "--metrics" };
        let run = folder.export(&[flag, name]);
        refused(&folder, &run, &[name.to_owned()], &[&[name], says].concat());
    }
    for flags in [["--catalog", "gone.json"], ["--metrics", "gone.csv"]] {
        let folder = Folder::new();
        let run = folder.export(&flags);
        refused(&folder, &run, &[], &[flags[1], "cannot be read", "check the path"]);
    }
    for flags in
        [["--statuses", "missing"], ["--period-date", "31/12/2025"], ["--queue-limit", "many"]]
    {
        let folder = Folder::new();
        let run = folder.export(&flags);
        refused(&folder, &run, &[], &[flags[0], flags[1]]);
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_told_and_nothing_is_half_written() {
    let folder = Folder::new();
    folder.write("packets", "a file stands where the folder should be");
    let run = folder.export(&[]);
    refused(&folder, &run, &["packets".to_owned()], &["packets", "cannot write", "check"]);
}

#[test]
fn data_goes_to_stdout_and_a_quiet_run_says_nothing_else() {
    let folder = Folder::new();
    let run = folder.export(&["--json", "-", "--quiet"]);
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(summary["packets_emitted_total"], 4);
    assert_eq!(summary["ageing"]["without_due_date_total"], 12);
    assert_eq!(summary["owners"][0]["actionable_pairs_total"], 12);
    assert_eq!(run.stderr, "");
}

/// Fills every packet of the folder in, as a person would.
fn fill(folder: &Folder) {
    for name in folder.packets() {
        let path = folder.path("packets").join(name);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let header = reader.headers().unwrap().clone();
        let issued = reader.records().next().unwrap().unwrap();
        let row: Vec<&str> = header
            .iter()
            .zip(&issued)
            .map(|(column, cell)| match column {
                "evidence_date" => "2026-02-01",
                "evidence_quote" => "In 2025 there were 1200 appeals.",
                "recurso_presentado_count" => "1200",
                "recurso_estimado_count" => "300",
                "anulaciones_formales_count" => "60",
                "resolution_delay_p90_days" => "182.5",
                _ => cell,
            })
            .collect();
        let mut writer = csv::Writer::from_path(&path).unwrap();
        writer.write_record(&header).unwrap();
        writer.write_record(row).unwrap();
        writer.flush().unwrap();
    }
}

#[test]
fn with_a_database_alone_the_values_live_in_a_table_and_the_loop_closes() {
    const PERIOD: [&str; 4] = ["--period-date", "2025-12-31", "--period-granularity", "year"];
    let folder = Folder::new();
    let database = [&["--database-url", "values.sqlite"][..], &PERIOD].concat();
    assert_eq!(folder.export(&database).code, 0);
    assert_eq!(folder.json("queue.json")["totals"]["pairs_missing_metric_total"], 12);
    fill(&folder);

    let load = |flags: &[&str]| {
        let mut command = runner("load_packets");
        command.current_dir(folder.0.path()).args(["--packets-dir", "packets"]);
        run(command.args(["--json", "load.json"]).args(&database).args(flags))
    };
    assert_eq!(load(&["--dry-run"]).code, 0);
    assert_eq!(folder.export(&database).code, 0);
    assert_eq!(folder.json("queue.json")["totals"]["pairs_ready_total"], 0, "a dry run is dry");

    let loaded = load(&[]);
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(folder.json("load.json")["load"]["inserted_total"], 12);
    let after = folder.export(&database);
    assert_eq!(after.code, 0, "{after:?}");
    let queue = folder.json("queue.json");
    assert_eq!(
        (&queue["status"], &queue["totals"]["pairs_ready_total"]),
        (&"ok".into(), &12.into())
    );

    assert_eq!(load(&[]).code, 0);
    assert_eq!(folder.json("load.json")["load"]["unchanged_total"], 12);
}
