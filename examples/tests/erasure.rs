//! Whoever is forgotten is nowhere in the database: all of it is looked through, tables of the server's own included.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::corrections::sql;
use crate::review_crashes::ask;
use crate::reviews::{BY, done, fill, on_each, packets, rows, step};
use crate::stall::is_sqlite;

/// Keys and values of one lead and of the two persons who may be meant by it; nobody else has any of them.
const PLANTED: [&str; 9] = [
    "LEAD-PLANTED",
    "PERSON-PLANTED-A",
    "PERSON-PLANTED-B",
    "987654399",
    "zacarias.plantado@correo.pe",
    "Plantado",
    "ZPL-991",
    "45678912",
    "CLAIM-PLANTED",
];

fn plant(folder: &Path, url: &str) {
    let mut leads =
        String::from("id,lead_created_at,phone,email,first_name,last_name,plate,document\n");
    let mut persons = String::from("person_key,phone,email,full_name,document\n");
    for other in 0..12 {
        let _ = writeln!(leads, "L-{other},2026-01-05T10:00:00Z,98765{other:04},,Ana,Soto,,");
        let _ = writeln!(persons, "P-{other},+5198765{other:04},,Ana Soto,");
    }
    leads += "LEAD-PLANTED,2026-01-05T10:00:00Z,987654399,zacarias.plantado@correo.pe,Zacarias,Plantado,ZPL-991,\n";
    persons +=
        "PERSON-PLANTED-A,+51987654399,zacarias.plantado@correo.pe,Zacarias Plantado,45678912\n";
    persons +=
        "PERSON-PLANTED-B,+51987654399,zacarias.plantado@correo.pe,Zacarias Plantado Hijo,\n";
    let claims = "claim_id,person_key,source_pk\nCLAIM-PLANTED,PERSON-PLANTED-B,L-11\n";
    for (name, text) in [("leads.csv", &*leads), ("persons.csv", &*persons), ("claims.csv", claims)]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--claims", "claims.csv"];
    for _ in 0..2 {
        let cycle = step(folder, url, "recovery_cycle", &files);
        assert!(cycle.code <= 1, "{cycle:?}");
    }
    // A person decides, undoes it, and decides again: the history has all of it.
    done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review", "--full"]);
    let packet = packets(&folder.join("review")).remove(0);
    assert_eq!(rows(&packet).len(), 1, "one lead alone cannot be decided");
    let link = vec![("decision", "link"), ("person_key", "PERSON-PLANTED-A"), BY];
    fill(&packet, &BTreeMap::from([("LEAD-PLANTED", link)]));
    let loaded = done(folder, url, "load_review", &["review"]);
    let load = loaded["receipt"]["load"].as_str().unwrap();
    done(folder, url, "load_review", &["--undo", load]);
    done(folder, url, "load_review", &["review"]);
    let moved = ["link", "move", "LEAD-PLANTED", "PERSON-PLANTED-B", "--why", "seen on paper"];
    done(folder, url, "queue_admin", &moved);
    if !is_sqlite(url) {
        // The server's statistics hold values, too.
        sql(url, "ANALYZE");
    }
}

/// Packs the database, as the page on erasure says, and returns which of the planted values are left, and where.
fn found(url: &str) -> Vec<String> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        sql(url, "VACUUM");
        sql(url, "PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = fs::read(path).unwrap();
        assert_eq!(fs::metadata(format!("{path}-wal")).map_or(0, |wal| wal.len()), 0);
        return within("every page of the file", &bytes);
    }
    let mut found = Vec::new();
    // In this order: analysing leaves the former samples behind, as rows that are gone.
    sql(url, "ANALYZE");
    sql(url, "VACUUM FULL");
    sql(url, "CHECKPOINT");
    // Every row of every table of every schema, the server's own included.
    let tables = ask(
        url,
        "SELECT string_agg(format('%I.%I', n.nspname, c.relname), E'\\n') AS told FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 'p')",
    );
    assert!(tables.lines().count() > 90 && tables.contains("pg_catalog.pg_statistic"), "{tables}");
    for table in tables.lines() {
        let text = ask(
            url,
            &format!(
                "SELECT coalesce(string_agg(CAST(t AS TEXT), E'\\n'), '') AS told FROM {table} t"
            ),
        );
        found.extend(within(table, text.as_bytes()));
    }
    // Indexes and what no query shows: the bytes of the database's files.
    let folder = ask(
        url,
        "SELECT current_setting('data_directory') || '/base/' || oid AS told FROM pg_database \
         WHERE datname = current_database()",
    );
    match fs::read_dir(&folder) {
        Ok(files) => {
            for file in files {
                let path = file.unwrap().path();
                // A file may go while it is looked at.
                let bytes = fs::read(&path).unwrap_or_default();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let Ok(node) = name.split('_').next().unwrap_or_default().parse::<u32>() else {
                    continue;
                };
                let of = format!(
                    "SELECT coalesce((SELECT CAST(relname AS TEXT) FROM pg_class \
                         WHERE pg_relation_filenode(oid) = {node}), 'no relation') AS told"
                );
                let hits = within(&format!("the file {name}"), &bytes);
                found.extend(hits.into_iter().map(|hit| format!("{hit} of {}", ask(url, &of))));
            }
        }
        Err(error) => {
            let said = format!("LEFT OUT: the files of the server: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        }
    }
    found
}

fn within(place: &str, bytes: &[u8]) -> Vec<String> {
    let holds = |value: &&&str| bytes.windows(value.len()).any(|part| part == value.as_bytes());
    PLANTED.iter().filter(holds).map(|value| format!("{value} in {place}")).collect()
}

#[test]
fn whoever_is_forgotten_is_nowhere_in_the_whole_database() {
    on_each(|url| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        plant(folder, url);
        let before = found(url);
        for value in PLANTED {
            assert!(before.iter().any(|told| told.starts_with(value)), "{value}: {before:?}");
        }
        let days = || {
            let guard = ["--only", "ledger_balance", "--allow-inconclusive"];
            done(folder, url, "verify_guardrails", &guard)["checks"][0]["verdict"].clone()
        };
        let balanced = days();
        for forget in [
            ["lead", "forget", "LEAD-PLANTED"],
            ["person", "forget", "PERSON-PLANTED-A"],
            ["person", "forget", "PERSON-PLANTED-B"],
        ] {
            done(folder, url, "queue_admin", &[&forget[..], &["--why", "request 17"]].concat());
        }
        // The claim of another lead stays, with an id that is nobody's key.
        let left = found(url);
        let left: Vec<_> = left.iter().filter(|told| !told.starts_with("CLAIM-")).collect();
        assert!(left.is_empty(), "{left:#?}");
        assert_eq!(days(), balanced);
        let others = done(folder, url, "queue_admin", &["lead", "show", "L-1"]);
        assert_eq!(others["person_key"], "P-1", "others stay");
    });
}
