//! The five tables of people and values, written as programs of all kinds write them, through the runners.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use tempfile::TempDir;

use crate::runner::{Run, run, runner};

const TABLES: [(&str, &str); 5] = [
    (
        "leads",
        "id;lead_created_at;phone;email;last_name\n\
         L1;2026-01-01T00:00:00Z;987654321;ana@correo.pe;Núñez\n\
         L2;2026-01-02T00:00:00Z;987654322;;Peña\n\
         L3;2026-01-03T00:00:00Z;912345678;;Díaz\n",
    ),
    (
        "persons",
        "person_key;phone;email;full_name\n\
         P1;+51987654321;ana@correo.pe;Ana Núñez\n\
         P2;+51987654322;;José Peña\n",
    ),
    ("claims", "claim_id;person_key;source_pk\nC1;;L3\nC2;Núñez;\n"),
    ("truth", "source_pk;person_key\nL1;P1\nL2;Peña\nL3;\n"),
    (
        "metrics",
        "sanction_source_id;kpi_id;period_date;value\n\
         es:sanctions:tear_resolutions;kpi:recurso_estimation_rate;2025-12-31;0.25\n\
         es:sanctions:teac_resolutions;kpi:recurso_estimation_rate;2025-12-31;0.5\n",
    ),
];

/// A folder with the five tables.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, table) in TABLES {
            fs::write(folder.path().join(format!("{name}.csv")), table).unwrap();
        }
        Self(folder)
    }

    /// Runs what reads a table, and gives its exit code, what it found out and what it said.
    fn reads(&self, table: &str) -> (Run, String) {
        let place = |name: &str| self.0.path().join(name);
        let (name, args): (_, &[&str]) = match table {
            "truth" => ("evaluate_matching", &["--truth", "truth.csv"]),
            "metrics" => {
                ("export_packets", &["--metrics", "metrics.csv", "--period-date", "2025-12-31"])
            }
            _ => (
                "recovery_cycle",
                &[
                    "--claims",
                    "claims.csv",
                    "--decisions",
                    "found.csv",
                    "--database-url",
                    "queue.sqlite",
                ],
            ),
        };
        let mut command = runner(name);
        command.current_dir(self.0.path()).args(args).args(["--refused", "refused.csv"]);
        match table {
            "metrics" => command.args(["--queue-csv-out", "found.csv"]),
            _ => {
                command.args(["--leads", "leads.csv", "--persons", "persons.csv", "--region", "PE"])
            }
        };
        let done = run(&mut command);
        let found = match table {
            "truth" => done.stdout.clone(),
            _ => fs::read_to_string(place("found.csv")).unwrap_or_default(),
        };
        (done, found)
    }

    fn refused(&self) -> String {
        fs::read_to_string(self.0.path().join("refused.csv")).unwrap_or_default()
    }
}

fn read(table: &str, bytes: &[u8]) -> (Run, String, String) {
    let desk = Desk::new();
    fs::write(desk.0.path().join(format!("{table}.csv")), bytes).unwrap();
    let (run, found) = desk.reads(table);
    (run, found, desk.refused())
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Draws a table as `MySQL` does.
fn drawn(table: &str) -> String {
    let rule = format!("{}+\n", "+------".repeat(table.lines().next().unwrap().split(';').count()));
    let rows = table.lines().map(|row| format!("| {} |\n", row.replace(';', " | ")));
    let mut rows: Vec<String> = rows.collect();
    rows.insert(1, rule.clone());
    format!("{rule}{}{rule}(3 rows affected)\n", rows.concat())
}

#[test]
fn every_table_is_read_as_programs_write_it() {
    for (name, table) in TABLES {
        let (plain, found, refused) = read(name, table.as_bytes());
        assert!(plain.code == 0 && found.contains('\n'), "{name}: {plain:?}");
        assert_eq!(refused.lines().count(), 1, "{name}: {refused}");
        let commas = table.replace(';', ",");
        for bytes in [
            format!("\u{feff}{commas}").replace('\n', "\r\n").into_bytes(),
            utf16(&table.replace(';', "\t").replace('\n', "\r\n")),
            utf16(&format!("#TYPE System.Data.DataRow\r\n{}", commas.replace('\n', "\r\n"))),
            format!("sep=;\r\n{table}").into_bytes(),
            table.replace('\n', "\r").into_bytes(),
            format!("\n;;\n{}", table.replace('\n', "\n\n;\n")).into_bytes(),
            drawn(table).into_bytes(),
            table.replace(';', " ; ").into_bytes(),
        ] {
            let (run, again, _) = read(name, &bytes);
            let form = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!((run.code, &again), (0, &found), "{name}: {form}\n{run:?}");
        }
        // What Excel calls CSV in Spain and Peru: read, told, and said by the exit code where it was a guess.
        let ansi: Vec<u8> = table.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let (run, again, _) = read(name, &ansi);
        let guessed = !table.is_ascii();
        assert_eq!((run.code, &again), (if guessed { 5 } else { 0 }, &found), "{name}: {run:?}");
        assert_eq!(run.stderr.contains("read as Windows-1252"), guessed, "{name}: {run:?}");
    }
}

#[test]
fn every_table_that_is_none_is_refused_by_its_name_and_leaves_nothing() {
    for (name, table) in TABLES {
        let (header, rows) = table.split_once('\n').unwrap();
        let twice = format!("{header};{header}\n");
        let quotes = format!("'{}'\n", header.replace(';', "';'"));
        for (bytes, said) in [
            (&b""[..], "the file is empty"),
            (b"\xef\xbb\xbf\r\n", "the file is empty"),
            (b"\x1f\x8b\x08\0\0\0", "compressed file (gzip"),
            (b"PK\x03\x04\x14\0", "workbook"),
            (b"[\n {\"id\": 1}]", "JSON"),
            (rows.as_bytes(), "line 1: the header has no column"),
            (twice.as_bytes(), "stands there twice"),
            (quotes.as_bytes(), "quotes that CSV does not know"),
            (&[0; 2_000], "line 1"),
        ] {
            let (run, found, _) = read(name, bytes);
            assert_eq!((run.code, found.as_str()), (4, ""), "{name}, {said}: {run:?}");
            let told = &run.stderr;
            assert!(told.contains(said) && told.contains(&format!("{name}.csv")), "{told}");
            assert!(told.contains("what to do") && !told.contains("987654"), "{told}");
        }
    }
}

#[test]
fn every_row_that_is_none_is_refused_by_its_line_and_the_rest_is_read() {
    for (name, table) in TABLES {
        let (_, found, _) = read(name, table.as_bytes());
        let (header, rows) = table.split_once('\n').unwrap();
        let first = rows.lines().next().unwrap();
        for wrong in [
            header.to_owned(),
            format!("\"{first}\""),
            format!("\"{first}"),
            format!("\0{first}"),
            format!("{first};x"),
        ] {
            let (run, again, refused) = read(name, format!("{table}{wrong}\n").as_bytes());
            assert_eq!((run.code, &again), (5, &found), "{name}: {wrong}\n{run:?}");
            let line = table.lines().count() + 1;
            assert_eq!(refused.lines().count(), 2, "{refused}");
            assert!(refused.contains(&format!("{name}.csv,{line},")), "{refused}");
            let said = format!("{refused}{}", run.stderr);
            assert!(!said.contains("987654") && !said.contains("ana@"), "{said}");
        }
    }
}
