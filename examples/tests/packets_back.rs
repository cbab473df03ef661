//! Packets back in, from the outside: filled in, checked, loaded, corrected and undone.
#![allow(clippy::unwrap_used, reason = "a test fails where a value is not there")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::runner::{Run, run, runner};

const PERIOD: [&str; 4] = ["--period-date", "2025-12-31", "--period-granularity", "year"];

/// A folder with the packets of the sample catalogue.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        assert_eq!(desk.export().code, 0);
        desk
    }

    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = runner(name);
        command.current_dir(self.0.path()).args(PERIOD);
        command
    }

    pub(crate) fn run(&self, name: &str, flags: &[&str]) -> Run {
        run(self.command(name).args(flags))
    }

    /// Runs without the desk's own period.
    pub(crate) fn run_plain(&self, name: &str, flags: &[&str]) -> Run {
        run(runner(name).current_dir(self.0.path()).args(flags))
    }

    fn export(&self) -> Run {
        let metrics: &[&str] =
            if self.path("metrics.csv").exists() { &["--metrics", "metrics.csv"] } else { &[] };
        let flags = ["--out-dir", "packets", "--queue-json-out", "queue.json"];
        self.run("export_packets", &[&flags[..], metrics].concat())
    }

    pub(crate) fn check(&self, flags: &[&str]) -> Run {
        let own = ["--packets-dir", "packets", "--json", "report.json"];
        self.run("check_packets", &[&own[..], flags].concat())
    }

    pub(crate) fn load(&self, flags: &[&str]) -> Run {
        let own = ["--packets-dir", "packets", "--metrics", "metrics.csv", "--json", "report.json"];
        self.run("load_packets", &[&own[..], flags].concat())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub(crate) fn packets(&self) -> Vec<PathBuf> {
        let entries =
            fs::read_dir(self.path("packets")).unwrap().map(|entry| entry.unwrap().path());
        let mut packets: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|e| e == "csv")).collect();
        packets.sort();
        packets
    }

    /// Fills one packet in, as a person would.
    pub(crate) fn fill(&self, at: usize, upheld: &str) {
        let path = &self.packets()[at];
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = reader.headers().unwrap().clone();
        let mut row: Vec<String> =
            reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
        for (column, value) in [
            ("evidence_date", "2026-02-01"),
            ("evidence_quote", "En 2025 se presentaron 1200 recursos."),
            ("recurso_presentado_count", "1200"),
            ("recurso_estimado_count", upheld),
            ("anulaciones_formales_count", "60"),
            ("resolution_delay_p90_days", "182.5"),
        ] {
            value.clone_into(&mut row[header.iter().position(|label| label == column).unwrap()]);
        }
        let mut writer = csv::Writer::from_path(path).unwrap();
        writer.write_record(&header).unwrap();
        writer.write_record(&row).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn fill_all(&self) {
        (0..4).for_each(|at| self.fill(at, "300"));
    }

    fn gaps(&self) -> (u64, u64) {
        assert_eq!(self.export().code, 0);
        let totals = &self.json("queue.json")["totals"];
        (
            totals["queue_rows_total"].as_u64().unwrap(),
            totals["pairs_ready_total"].as_u64().unwrap(),
        )
    }

    fn values(&self) -> usize {
        fs::read_to_string(self.path("metrics.csv")).map_or(0, |text| text.lines().count() - 1)
    }
}

#[test]
fn filled_packets_load_and_the_gap_queue_shrinks_by_exactly_the_loaded_pairs() {
    let desk = Desk::new();
    assert_eq!(desk.gaps(), (12, 0));
    desk.fill_all();
    let check = desk.check(&["--strict-ready"]);
    assert_eq!(check.code, 0, "{check:?}");
    assert_eq!(desk.json("report.json")["status"], "ok");

    let dry = desk.load(&["--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert_eq!(desk.json("report.json")["load"]["inserted_total"], 12);
    assert!(!desk.path("metrics.csv").exists());

    let load = desk.load(&[]);
    assert_eq!(load.code, 0, "{load:?}");
    assert_eq!(desk.json("report.json")["load"]["inserted_total"], 12);
    assert_eq!(desk.values(), 12);
    assert_eq!(desk.gaps(), (0, 12));

    let before = fs::read(desk.path("metrics.csv")).unwrap();
    let again = desk.load(&[]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(desk.json("report.json")["load"]["unchanged_total"], 12);
    assert_eq!(fs::read(desk.path("metrics.csv")).unwrap(), before);
}

#[test]
fn one_packet_that_is_not_ready_keeps_all_out_and_the_valid_ones_load_when_asked() {
    let desk = Desk::new();
    for at in 0..3 {
        desk.fill(at, "300");
    }
    let strict = desk.load(&[]);
    assert_eq!(strict.code, 1, "{strict:?}");
    assert!(strict.stderr.contains("1 of 4 packets are not ready"), "{strict:?}");
    assert!(!desk.path("metrics.csv").exists());

    let valid = desk.load(&["--accept-valid"]);
    assert_eq!(valid.code, 5, "{valid:?}");
    let report = desk.json("report.json");
    assert_eq!(report["left_out"][0]["status"], "empty_packet");
    assert_eq!(desk.gaps(), (3, 9));
}

#[test]
fn a_correction_is_loaded_and_undone() {
    let desk = Desk::new();
    desk.fill_all();
    assert_eq!(desk.load(&["--loaded-by", "ana"]).code, 0);
    let before = fs::read(desk.path("metrics.csv")).unwrap();
    desk.fill(1, "301");
    let correction = desk.load(&["--loaded-by", "ana"]);
    assert_eq!(correction.code, 0, "{correction:?}");
    let report = desk.json("report.json");
    assert_eq!(report["load"]["corrected_total"], 1);
    assert_eq!(report["load"]["unchanged_total"], 11);
    let id = report["load"]["load_id"].as_str().unwrap().to_owned();
    let undone = desk.load(&["--undo", &id]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(fs::read(desk.path("metrics.csv")).unwrap(), before);
    let twice = desk.load(&["--undo", &id]);
    assert_eq!(twice.code, 4, "{twice:?}");
    assert!(twice.stderr.contains("nothing to undo"), "{twice:?}");
}

#[test]
fn a_wrong_cell_is_told_with_file_row_column_value_and_remedy() {
    let desk = Desk::new();
    desk.fill_all();
    desk.fill(2, "1,201");
    fs::remove_file(&desk.packets()[0]).unwrap();
    let check = desk.check(&["--fix-queue-csv-out", "fix.csv"]);
    assert_eq!(check.code, 5, "{check:?}");
    let said = "es-sanctions-teac-resolutions__2025-12-31__year.csv: invalid_row\n  \
                H2 recurso_estimado_count `1,201` [locale-number]\n";
    assert!(check.stdout.contains(said) && check.stdout.contains("(1201)"), "{}", check.stdout);
    let report = desk.json("report.json");
    assert_eq!(report["fix_queue"][0]["status"], "missing_packet_file");
    assert_eq!(report["fix_queue"][0]["priority"], 100);
    assert_eq!(report["fix_queue"][1]["reason"], "invalid_numeric");
    assert_eq!(fs::read_to_string(desk.path("fix.csv")).unwrap().lines().count(), 3);
    assert_eq!(desk.check(&["--strict-ready"]).code, 1);
}

#[test]
fn what_is_not_there_is_told_with_a_remedy() {
    let desk = Desk::new();
    let gone = desk.run("check_packets", &["--packets-dir", "gone"]);
    assert_eq!(gone.code, 4, "{gone:?}");
    assert!(gone.stderr.contains("gone"), "{gone:?}");
    desk.fill_all();
    let nowhere = desk.run("load_packets", &["--packets-dir", "packets"]);
    assert_eq!(nowhere.code, 4, "{nowhere:?}");
    assert!(nowhere.stderr.contains("--metrics"), "{nowhere:?}");
}

#[test]
fn a_wrong_packet_goes_back_with_its_reasons_and_its_repair_is_accepted() {
    let desk = Desk::new();
    desk.fill_all();
    desk.fill(2, "1,100");
    let check = desk.check(&["--errors-dir", "errors", "--repaired-dir", "repaired"]);
    assert_eq!(check.code, 5, "{check:?}");
    let name = "es-sanctions-teac-resolutions__2025-12-31__year";
    let errors =
        fs::read_to_string(desk.path("errors").join(format!("{name}__errors.csv"))).unwrap();
    assert!(errors.contains("what_to_do") && errors.contains("\"1,100\""), "{errors}");
    let repaired = desk.path("repaired").join(format!("{name}.csv"));
    fs::copy(repaired, &desk.packets()[2]).unwrap();
    assert_eq!(desk.check(&["--strict-ready"]).code, 0);
}

#[test]
fn packets_go_out_as_workbooks_for_another_template_and_are_read_back() {
    let desk = Desk::empty();
    let catalog = r#"{"expected_sources": ["01059"], "sources": [{"source_id": "01059", "label": "Vitoria"}],
        "kpis": [{"kpi_id": "kpi:water_loss_rate", "label": "Water lost", "formula": ""}]}"#;
    fs::write(desk.path("catalog.json"), catalog).unwrap();
    let template =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../raw-packets/templates/municipal-survey.json");
    let flags = ["--catalog", "catalog.json", "--template", template, "--form", "xlsx-es"];
    let export = desk.run("export_packets", &[&flags[..], &["--out-dir", "packets"]].concat());
    assert_eq!(export.code, 0, "{export:?}");
    assert!(desk.path("packets/01059__2025-12-31__year.xlsx").is_file());
    let check = desk.check(&flags);
    assert_eq!(check.code, 0, "{check:?}");
    assert_eq!(desk.json("report.json")["totals"]["packets_by_status"]["empty_packet"], 1);

    fs::write(desk.path("template.json"), "{\n\"name\": 1}").unwrap();
    let broken = desk.run("export_packets", &["--template", "template.json", "--out-dir", "none"]);
    assert_eq!(broken.code, 4, "{broken:?}");
    assert!(broken.stderr.contains("template.json: line 2"), "{broken:?}");
}
