//! Runs of the packet runners one after another: what changed, what stayed out, what a crash leaves.
#![allow(clippy::unwrap_used, reason = "a test fails where a value is not there")]

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::packets_back::Desk;

#[test]
fn several_periods_give_a_packet_for_each_and_one_period_keeps_the_contracts_keys() {
    let desk = Desk::empty();
    let export = desk.run(
        "export_packets",
        &[
            &["--period-date", "2024-12-31,2023-12-31", "--period-granularity", "quarter"][..],
            &["--out-dir", "packets", "--queue-json-out", "queue.json", "--json", "found.json"],
        ]
        .concat(),
    );
    // The desk asks for the year 2025 itself: three dates and two granularities.
    assert_eq!(export.code, 0, "{export:?}");
    assert_eq!(desk.packets().len(), 24);
    let queue = desk.json("queue.json");
    assert_eq!(queue["totals"]["expected_pairs_total"], 72);
    assert_eq!(queue["metric_scope"]["label"], "several");
    let rows = queue["queue_rows"].as_array().unwrap();
    let periods = |row: &Value| (row["period_date"].clone(), row["period_granularity"].clone());
    assert_eq!(periods(&rows[0]), (json!("2023-12-31"), json!("quarter")));
    assert_eq!(periods(&rows[5]), (json!("2025-12-31"), json!("year")));
    assert_eq!(desk.json("found.json")["sources"].as_array().unwrap().len(), 24);
}

#[test]
fn a_packet_of_one_of_several_periods_counts_the_values_of_its_own_and_is_not_stale_alone() {
    let desk = Desk::empty();
    fs::write(
        desk.path("metrics.csv"),
        "sanction_source_id,kpi_id,period_date,period_granularity,value\n\
         es:sanctions:teac_resolutions,kpi:formal_annulment_rate,2024-12-31,year,0.1\n",
    )
    .unwrap();
    let both = ["--period-date", "2024-12-31", "--out-dir", "packets", "--metrics", "metrics.csv"];
    assert_eq!(desk.run("export_packets", &both).code, 0);
    let count = |year: &str| {
        let name = format!("es-sanctions-teac-resolutions__{year}-12-31__year.csv");
        let text = fs::read_to_string(desk.path("packets").join(name)).unwrap();
        text.trim_end().rsplit(',').next().unwrap().to_owned()
    };
    assert_eq!((count("2024"), count("2025")), ("1".to_owned(), "0".to_owned()));
    let alone = desk.check(&["--metrics", "metrics.csv"]);
    assert_eq!(alone.code, 5, "packets of the other period are unknown here: {alone:?}");
    assert!(!alone.stderr.contains("packet_stale"), "{alone:?}");
}

#[test]
fn a_file_of_runs_tells_what_changed_and_how_the_gaps_go_down() {
    let desk = Desk::new();
    let export = |json: &str| {
        let metrics: &[&str] =
            if desk.path("metrics.csv").exists() { &["--metrics", "metrics.csv"] } else { &[] };
        let flags = ["--out-dir", "packets", "--runs", "runs.jsonl", "--json", json];
        desk.run("export_packets", &[&flags[..], metrics].concat())
    };
    let first = export("first.json");
    assert_eq!(first.code, 0, "{first:?}");
    let progress = &desk.json("first.json")["progress"];
    assert_eq!(progress["difference"], Value::Null);
    assert_eq!(progress["burn_down"]["points"][0]["gaps_total"], 12);

    for at in 0..3 {
        desk.fill(at, "300");
    }
    assert_eq!(desk.load(&["--accept-valid"]).code, 5);
    let second = export("second.json");
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.stdout.contains("0 opened (0 of them again), 9 closed"), "{second:?}");
    assert!(second.stdout.contains("burn-down:"), "{second:?}");
    let progress = desk.json("second.json")["progress"].clone();
    assert_eq!(progress["difference"]["closed_total"], 9);
    assert_eq!(progress["difference"]["gaps_after_total"], 3);
    assert_eq!(progress["changes"].as_array().unwrap().len(), 9);
    assert_eq!(progress["changes"][0]["from"], "missing_metric");
    assert_eq!(progress["changes"][0]["to"], "ready");
    // Runs of one minute promise nothing.
    assert!(progress["days_to_drain"].is_null());
    assert_eq!(progress["time_to_drain"], "unknown: no day is over yet");
    assert_eq!(fs::read_to_string(desk.path("runs.jsonl")).unwrap().lines().count(), 3);

    let other = desk.run(
        "export_packets",
        &["--period-date", "2024-12-31", "--out-dir", "other", "--runs", "runs.jsonl"],
    );
    assert_eq!(other.code, 4, "{other:?}");
    assert!(other.stderr.contains("keep a file of runs for each choice of periods"), "{other:?}");
    let text = fs::read_to_string(desk.path("runs.jsonl")).unwrap();
    fs::write(desk.path("runs.jsonl"), text.replacen("\"version\":1", "\"version\":2", 1)).unwrap();
    let newer = export("third.json");
    assert_eq!(newer.code, 4, "{newer:?}");
    assert!(newer.stderr.contains("runs.jsonl: line 1"), "{newer:?}");
}

#[test]
fn a_user_sees_what_each_source_owes_since_when_whose_it_is_and_which_value_counts() {
    let desk = Desk::empty();
    let catalog = r#"{"sources": [
        {"source_id": "es:a", "owner": "Ana", "expected_kpis": ["kpi:x"],
         "publication_frequency": "year", "publication_delay_days": 30},
        {"source_id": "es:b"}],
        "kpis": [
            {"kpi_id": "kpi:x", "owner": "Xus", "formula": "recurso_presentado_count"},
            {"kpi_id": "kpi:y", "owner": "Yago", "formula": "recurso_estimado_count"}]}"#;
    fs::write(desk.path("catalog.json"), catalog).unwrap();
    fs::write(
        desk.path("metrics.csv"),
        "sanction_source_id,kpi_id,period_date,period_granularity,value\n\
         es:a,kpi:x,2025-12-31,year,1\nes:a,kpi:x,2025-12-31,quarter,2\n",
    )
    .unwrap();
    let flags = ["--catalog", "catalog.json", "--metrics", "metrics.csv", "--out-dir", "packets"];
    let export = desk.run_plain(
        "export_packets",
        &[&flags[..], &["--json", "found.json", "--period-date", "2025-12-31"]].concat(),
    );
    assert_eq!(export.code, 0, "{export:?}");
    let found = desk.json("found.json");
    assert_eq!(found["sources"][0]["kpis_expected"], json!(["kpi:x"]));
    assert_eq!(found["sources"][0]["owner"], "Ana");
    assert_eq!(found["sources"][0]["due_on"], "2026-01-30");
    assert_eq!(found["sources"][1]["kpis_expected"], json!(["kpi:x", "kpi:y"]));
    assert_eq!(found["sources"][1]["due_on"], Value::Null);
    let owners: Vec<_> =
        found["owners"].as_array().unwrap().iter().map(|share| &share["owner"]).collect();
    assert_eq!(owners, ["Ana", "Xus", "Yago"]);
    let chosen = &found["values_chosen"][0];
    assert_eq!((&chosen["values_total"], &chosen["chosen_by"]), (&json!(2), &json!("first_key")));
    assert_eq!(chosen["metric_key"], "kpi:x|es:a|2025-12-31|quarter");
    assert!(export.stdout.contains("Ana: 1 of 1 pairs to act on"), "{export:?}");
    assert!(export.stdout.contains("1 pairs hold several values"), "{export:?}");
}

#[test]
fn a_failed_queue_ends_with_1_also_where_packets_are_asked_for() {
    let desk = Desk::empty();
    fs::write(desk.path("catalog.json"), "{}").unwrap();
    fs::create_dir(desk.path("packets")).unwrap();
    for runner in ["export_packets", "check_packets"] {
        let flags = ["--catalog", "catalog.json", "--out-dir", "packets", "--strict-actionable"];
        let run = desk.run(runner, &flags);
        assert_eq!(run.code, 1, "{runner}: {run:?}");
    }
}

#[test]
fn findings_are_said_in_the_language_chosen() {
    let desk = Desk::new();
    desk.fill(0, "1,100");
    let check = desk.check(&["--language", "es", "--errors-dir", "errors"]);
    assert_eq!(check.code, 5, "{check:?}");
    let finding = &desk.json("report.json")["fix_queue"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["code"] == "locale-number")
        .unwrap()
        .clone();
    assert_eq!(
        finding["message"],
        "este número lleva marcas de miles o decimales que no son las del archivo"
    );
    let told = "→ escriba solo el número, con cifras y como mucho una `.`";
    assert!(check.stdout.contains(told), "{check:?}");
    assert!(check.stdout.lines().all(|line| line.chars().count() < 100), "{check:?}");
    let unknown = desk.check(&["--language", "fr"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert!(unknown.stderr.contains("use en or es"), "{unknown:?}");
}

#[test]
fn what_a_partial_load_leaves_out_is_kept_and_listed() {
    let desk = Desk::new();
    for at in 0..3 {
        desk.fill(at, if at == 2 { "many" } else { "300" });
    }
    for _ in 0..2 {
        assert_eq!(desk.load(&["--accept-valid", "--loaded-by", "ana"]).code, 5);
    }
    let check = desk.check(&["--metrics", "metrics.csv"]);
    assert_eq!(check.code, 5, "{check:?}");
    let records = desk.json("report.json")["left_out_earlier"].clone();
    assert_eq!(records.as_array().unwrap().len(), 1, "the same load is told once: {records}");
    assert_eq!(records[0]["by"], "ana");
    let packets = records[0]["packets"].as_array().unwrap();
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[0]["reasons"], json!(["invalid_numeric"]));
    assert_eq!(packets[1]["status"], "empty_packet");
}

#[test]
fn a_load_that_is_killed_anywhere_leaves_a_history_without_gaps_or_doubles() {
    let desk = Desk::new();
    desk.fill_all();
    assert_eq!(desk.load(&[]).code, 0);
    for round in 0..16_u32 {
        (0..4).for_each(|at| desk.fill(at, &(301 + round).to_string()));
        let mut child = desk
            .command("load_packets")
            .args(["--packets-dir", "packets", "--metrics", "metrics.csv", "--quiet"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Further into the run each time, without a clock.
        for _ in 0..round * 300_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if round % 3 == 0 {
            let path = desk.path("metrics.csv");
            let text = fs::read_to_string(&path).unwrap();
            let by_hand = format!("{text}es:by-hand:{round},kpi:z{}\n", ",".repeat(15));
            fs::write(path, by_hand).unwrap();
        }
        if round % 2 == 0 {
            let load = desk.load(&[]);
            assert_eq!(load.code, 0, "{load:?}");
        }
    }
    assert_eq!(desk.load(&[]).code, 0);
    let history = fs::read_to_string(desk.path("metrics.csv.history.jsonl")).unwrap();
    let mut newest: BTreeMap<String, Value> = BTreeMap::new();
    for line in history.lines() {
        let batch: Value = serde_json::from_str(line).unwrap();
        assert_eq!(batch["pending"], Value::Null, "every change came to pass");
        for entry in batch["entries"].as_array().unwrap() {
            let key = entry["new"]["metric_key"].as_str().unwrap().to_owned();
            let before = newest.insert(key, entry["new"].clone()).unwrap_or_default();
            assert_eq!(entry["old"]["value"], before["value"], "each goes on from the one before");
            assert_ne!(entry["old"]["value"], entry["new"]["value"], "no change is there twice");
        }
    }
    assert_eq!(newest.len(), 12);
}
