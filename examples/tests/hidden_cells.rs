//! Keys and labels that a spreadsheet would run, or that hide something: no file that a person opens holds them as they
//! are, and what is read back of it is what was written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::reviews::{BY, done, fill, packets, step};

/// Keys of leads: a formula, a hidden turn of direction, a character without width before a formula, and one that looks
/// escaped already.
const LEADS: [&str; 4] = ["=1+L1", "L\u{202e}2", "\u{200b}@L3", "L⟨U+202E⟩4"];
const PERSONS: [&str; 2] = ["@P\u{fffe}1", "-P2"];

/// Reads a CSV file and holds that no cell of it is dangerous.
fn safe(path: &Path) -> Vec<Vec<String>> {
    let bytes = fs::read(path).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes));
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{}: {cell}", path.display());
        let hides = |c: char| "\u{202e}\u{200b}\u{fffe}\u{2066}".contains(c);
        assert!(!cell.contains(hides), "{}: {cell:?}", path.display());
    }
    rows
}

#[test]
fn leads_and_persons_with_such_keys_go_out_and_come_back() {
    crate::reviews::on_each(|url| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut leads = String::from("id,lead_created_at,phone\n");
        for lead in LEADS {
            let _ = writeln!(leads, "{lead},2026-01-05T10:00:00Z,987654321");
        }
        leads += "=bad,never,1\n";
        let mut persons = String::from("person_key,phone,full_name\n");
        for (person, name) in PERSONS.iter().zip(["=Ana\u{202e}", "+Luz"]) {
            let _ = writeln!(persons, "{person},+51987654321,{name}");
        }
        fs::write(folder.join("leads.csv"), leads).unwrap();
        fs::write(folder.join("persons.csv"), persons).unwrap();
        let files =
            ["--leads", "leads.csv", "--persons", "persons.csv", "--refused", "refused.csv"];
        let run =
            step(folder, url, "recovery_cycle", &[&files[..], &["--decisions", "d.csv"]].concat());
        assert!([1, 5].contains(&run.code), "{run:?}");
        assert_eq!(safe(&folder.join("d.csv")).len(), 1 + LEADS.len());
        assert_eq!(safe(&folder.join("refused.csv")).len(), 2);
        let checked = step(folder, url, "verify_guardrails", &["--work-list", "work.csv"]);
        assert!(checked.code <= 3, "{checked:?}");
        assert_eq!(safe(&folder.join("work.csv")).len(), 1 + LEADS.len());

        // Given out, decided by what the packet shows, and taken back.
        done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review", "--full"]);
        let packet = packets(&folder.join("review")).remove(0);
        let rows = safe(&packet);
        let at = |column: &str| rows[0].iter().position(|name| name == column).unwrap();
        let shown: Vec<&str> = rows[1..].iter().map(|row| row[at("lead")].as_str()).collect();
        assert_eq!(shown.len(), LEADS.len(), "{rows:?}");
        let candidates = [at("candidate_1"), at("candidate_2")];
        let mut shown_of = candidates.map(|at| rows[1][at].as_str());
        shown_of.sort_unstable();
        assert_eq!(shown_of, ["'-P2", "'@P⟨U+FFFE⟩1"], "{rows:?}");
        let person = shown_of[1];
        let link = vec![("decision", "link"), ("person_key", person), BY];
        fill(&packet, &shown.iter().map(|lead| (*lead, link.clone())).collect::<BTreeMap<_, _>>());
        let loaded = done(folder, url, "load_review", &["review"]);
        assert_eq!(loaded["receipt"]["linked"], 4, "{loaded}");
        for lead in LEADS {
            let shown = done(folder, url, "queue_admin", &["lead", "show", "--", lead]);
            assert_eq!(
                (&shown["source_pk"], &shown["person_key"]),
                (&lead.into(), &PERSONS[0].into())
            );
        }
        // Read back as labelled truth.
        done(folder, url, "review_report", &["--truth", "truth.csv"]);
        safe(&folder.join("truth.csv"));
        let judged = ["--leads", "leads.csv", "--persons", "persons.csv", "--truth", "truth.csv"];
        step(folder, url, "evaluate_matching", &judged);
        let told = crate::reviews::json(folder);
        assert_eq!(told["truth_without_lead_total"], 0, "{told}");
        // The one that no run could take.
        assert_eq!(told["leads_without_truth_total"], 1, "{told}");
    });
}

#[test]
fn packets_and_values_of_sources_with_such_names_go_out_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let source = "=es:\u{202e}town";
    let catalogue = serde_json::json!({
        "expected_sources": [source],
        "sources": [{ "source_id": source, "label": "+Town\u{200b}hall", "organismo": "@Org\u{fffe}",
            "source_url": "https://town.example/", "expected_metrics": ["recurso_presentado_count"] }],
        "kpis": [
            { "kpi_id": "kpi:recurso_estimation_rate", "label": "=Rate\u{2066}" },
            { "kpi_id": "kpi:formal_annulment_rate", "label": "Annulled" },
            { "kpi_id": "kpi:resolution_delay_p90_days", "label": "Delay" },
        ],
    });
    fs::write(folder.join("catalog.json"), catalogue.to_string()).unwrap();
    let base =
        ["--catalog", "catalog.json", "--metrics", "metrics.csv", "--period-date", "2025-12-31"];
    let run = |name: &str, more: &[&str]| {
        crate::runner::run(
            crate::runner::runner(name)
                .current_dir(folder)
                .args(base)
                .args(["--period-granularity", "year"])
                .args(more),
        )
    };
    fs::write(folder.join("metrics.csv"), "sanction_source_id,kpi_id,value\n").unwrap();
    for form in ["plain", "xlsx-es"] {
        let out = format!("packets-{form}");
        let export = ["--out-dir", &out, "--form", form, "--queue-csv-out", "queue.csv"];
        let exported = run("export_packets", &export);
        assert_eq!(exported.code, 0, "{exported:?}");
        assert_eq!(safe(&folder.join("queue.csv")).len(), 4, "{form}");
    }
    // A workbook as it was issued is the packet of its source: no key is taken for altered.
    let checked = run("check_packets", &["--packets-dir", "packets-xlsx-es", "--json", "r.json"]);
    let told: Value = serde_json::from_slice(&fs::read(folder.join("r.json")).unwrap()).unwrap();
    assert!(checked.stdout.contains("empty_packet"), "{checked:?} {told}");
    let packet = packets(&folder.join("packets-plain")).remove(0);
    let mut rows = safe(&packet);
    let header = rows[0].clone();
    for (column, value) in [
        ("evidence_date", "2026-02-01"),
        ("evidence_quote", "'=En 2025 se presentaron\u{202e} 1200 recursos."),
        ("recurso_presentado_count", "1200"),
        ("recurso_estimado_count", "300"),
        ("anulaciones_formales_count", "60"),
        ("resolution_delay_p90_days", "182.5"),
    ] {
        value.clone_into(&mut rows[1][header.iter().position(|name| name == column).unwrap()]);
    }
    let mut writer = csv::Writer::from_path(&packet).unwrap();
    for row in &rows {
        writer.write_record(row).unwrap();
    }
    writer.flush().unwrap();
    let load = ["--packets-dir", "packets-plain", "--json", "r.json"];
    let loaded = run("load_packets", &load);
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert!(loaded.stdout.contains("3 values inserted"), "{loaded:?}");
    let values = safe(&folder.join("metrics.csv"));
    assert_eq!(values.len(), 4, "{values:?}");
    let again = run("load_packets", &load);
    assert!(again.stdout.contains("0 values inserted, 0 corrected, 3 unchanged"), "{again:?}");
    let left = run("export_packets", &["--out-dir", "left", "--queue-json-out", "queue.json"]);
    assert_eq!(left.code, 0, "{left:?}");
    let queue: Value =
        serde_json::from_slice(&fs::read(folder.join("queue.json")).unwrap()).unwrap();
    assert_eq!(queue["totals"]["pairs_ready_total"], 3, "the values are found again: {queue}");
}
