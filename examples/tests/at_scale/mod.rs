//! Matching beyond one machine: `keys` and `decide` around joins that somebody else makes decide as one matcher in memory.

#[cfg(feature = "arrow")]
mod columnar;
mod decided;
mod engines;
#[cfg(feature = "parquet")]
mod parquet;
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use identity_matching::{
    Decision, DeterministicMatcher, Evidence, Field, Matcher, Outcome, Policy, Region, Rejections,
};
use reference_runners::own::OwnColumns;
use reference_runners::people;
use reference_runners::tables::Tables;
use tempfile::TempDir;

use crate::runner::{Run, run, runner};

const SECRET: &str = "000102030405060708090a0b0c0d0e0f";

/// What a policy says of loyalty cards beyond the default rules; a person may hold two.
const LOYALTY: &str = r#"{
    "own_kinds": [{"code": "loyalty", "columns": ["card", "second_card"], "lengths": [8, 8]}],
    "rule": {"name": "LOYALTY_EXACT", "require": ["loyalty exact"], "grant": "high"}
}"#;

/// Leads and persons of a size, with hubs, values that cannot be read, cards of an own kind, and persons of several rows.
struct Data(TempDir);

impl Data {
    fn new(leads: u32, persons: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::from(
            "person_key,phone,document,document_type,document_country,email,full_name,birth_date,plate,card,second_card\n",
        );
        for n in 0..persons {
            // One phone in twenty is a shop's, which many give as their own.
            let phone = if n % 20 == 0 { 900_000 + n % 60 } else { n };
            let _ = writeln!(
                text,
                "P{n},{},{:08},DNI,PE,user{n}@correo.pe,{},{},{},{},{}",
                mobile(phone),
                document(n),
                name(n),
                born(n),
                if n % 9 == 0 { format!("ABC-{:03}", n % 997) } else { String::new() },
                if n % 3 == 0 { card(n) } else { String::new() },
                // A card of the house, which the till gives whoever has none.
                if n % 6 == 0 { card(700_000 + n % 4) } else { String::new() },
            );
            if n % 50 == 0 {
                let _ = writeln!(text, "P{n},{},,,,second{n}@correo.pe,,,,,", mobile(n + 500_000));
            }
        }
        fs::write(folder.path().join("persons.csv"), text).unwrap();
        let mut text = String::from(
            "id,external_id,lead_created_at,phone,document,document_type,email,first_name,last_name,birth_date,card\n",
        );
        for n in 0..leads {
            let of = n.wrapping_mul(2_654_435_761) % (persons + persons / 3 + 1);
            let (phone, document, email) = match n % 10 {
                0 => (mobile(900_000 + n % 60), String::new(), String::new()),
                1 => (format!("cel: {} (casa)", mobile(of)), String::new(), String::new()),
                2 => (mobile(of), format!("{:08}", document(of + 1)), String::new()),
                3 => ("no tiene".to_owned(), String::new(), format!("USER{of}@correo.pe")),
                4 => (
                    mobile(of),
                    format!("{:08}", document(of)),
                    format!("user{}@correo.pe", of + 7),
                ),
                5 => ("12".to_owned(), "EN TRAMITE".to_owned(), String::new()),
                _ => (mobile(of), format!("{:08}", document(of)), format!("user{of}@correo.pe")),
            };
            let card = match (n % 10, n % 11) {
                (5, 0..6) | (_, 0 | 1) => card(of - of % 3),
                (_, 2) => card(700_000 + n % 4),
                (_, 3) => "2048".to_owned(),
                _ => String::new(),
            };
            let whose = if n % 7 == 0 { of + 3 } else { of };
            let names = name(whose);
            let (first, last) = names.split_once(' ').unwrap();
            let _ = writeln!(
                text,
                "{n},L{n},2026-01-0{},{phone},{document},{},{email},{first},{last},{},{card}",
                n % 9 + 1,
                if document.is_empty() { "" } else { "DNI" },
                if n % 4 == 0 { born(whose) } else { String::new() },
            );
        }
        fs::write(folder.path().join("leads.csv"), text).unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        let data = Self(folder);
        fs::write(data.path("policy.json"), policy(|_| {})).unwrap();
        data
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the flags of both scripts; the decisions go to `out`.
    fn flags(&self, out: &str) -> [OsString; 12] {
        let path = |name| self.path(name).into_os_string();
        [
            "--leads".into(),
            path("leads.csv"),
            "--persons".into(),
            path("persons.csv"),
            "--out".into(),
            path(out),
            "--secret-file".into(),
            path("secret"),
            "--policy".into(),
            path("policy.json"),
            "--programs".into(),
            programs().into_os_string(),
        ]
    }

    /// Decides every lead by a matcher that holds the population.
    fn in_memory(&self) -> BTreeMap<String, String> {
        let policy = people::read_policy(Some(&self.path("policy.json"))).unwrap();
        let normaliser = people::read_by(&policy, Region::parse("PE").unwrap()).unwrap();
        let own = OwnColumns::of(normaliser.options());
        let tables = Tables::default();
        let (index, ..) =
            people::read_persons(&tables, &self.path("persons.csv"), &normaliser).unwrap();
        let matcher = DeterministicMatcher::new(index, normaliser, policy).unwrap();
        let mut decided = BTreeMap::new();
        people::read_leads(&tables, &self.path("leads.csv"), &own, None, |keys, leads| {
            let decisions = matcher.decide(leads, &Rejections::default())?;
            decided.extend(keys.iter().cloned().zip(decisions.iter().map(read_back)));
            Ok(())
        })
        .unwrap();
        decided
    }

    /// Runs one of the two programs over files, under the secret.
    fn program(&self, name: &str, flags: &[&str], from: &Path, to: &str) -> Run {
        let mut command = runner(name);
        command.args(["--secret-file", self.path("secret").to_str().unwrap()]);
        if !flags.contains(&"--policy") {
            command.args(["--policy", self.path("policy.json").to_str().unwrap()]);
        }
        command.args(flags).stdin(Stdio::from(File::open(from).unwrap()));
        command.stdout(File::create(self.path(to)).unwrap());
        let done = run(&mut command);
        let stdout = fs::read(self.path(to)).unwrap();
        // What is no text is read from the file.
        Run { stdout: String::from_utf8(stdout).unwrap_or_default(), ..done }
    }

    fn keys(&self, of: &str) -> Vec<csv::StringRecord> {
        let done =
            self.program("keys", &["--of", of], &self.path(&format!("{of}.csv")), "rows.csv");
        assert_eq!(done.code, 0, "{}", done.stderr);
        rows(&done.stdout)
    }
}

/// Writes the default policy with a rule for loyalty cards and what a test changes.
fn policy(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut policy = serde_json::to_value(Policy::default()).unwrap();
    let mut more: serde_json::Value = serde_json::from_str(LOYALTY).unwrap();
    policy["own_kinds"] = more["own_kinds"].take();
    policy["precedence"].as_array_mut().unwrap().push("loyalty".into());
    policy["rules"].as_array_mut().unwrap().push(more["rule"].take());
    change(&mut policy);
    policy.to_string()
}

fn rows(text: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
}

fn mobile(n: u32) -> String {
    format!("9{:08}", (u64::from(n) * 7_919 + 12_345_017) % 100_000_000)
}

fn document(n: u32) -> u64 {
    (u64::from(n) * 104_729 + 1_000_003) % 90_000_000 + 10_000_000
}

fn card(n: u32) -> String {
    format!("{:08}", (u64::from(n) * 15_485_863 + 20_481_357) % 90_000_000 + 10_000_000)
}

fn born(n: u32) -> String {
    format!("19{:02}-{:02}-{:02}", 50 + n % 49, n % 12 + 1, n % 28 + 1)
}

fn name(n: u32) -> String {
    const GIVEN: [&str; 5] = ["Ana", "Luis", "Rosa", "Jorge", "Elena"];
    const SURNAMES: [&str; 7] = ["Rojas", "Quispe", "Paz", "Soto", "Mamani", "Torres", "Silva"];
    let pick = |list: &[&'static str], by: u32| list[(by as usize) % list.len()];
    format!("{} {} {}", pick(&GIVEN, n), pick(&SURNAMES, n / 5), pick(&SURNAMES, n / 35))
}

/// Writes a decision as the rows tell it, but for what a sealed key shows of a person: its mask is of the digest.
fn as_text(outcome: &Outcome, mut evidence: Evidence) -> String {
    for candidate in &mut evidence.candidates {
        for differs in &mut candidate.disagrees {
            if matches!(differs.kind, Field::Identifier(_)) {
                differs.person.clear();
            }
        }
    }
    let outcome = match outcome {
        Outcome::Matched { person, rule, confidence } => {
            format!("matched,{person},{rule},{confidence},")
        }
        Outcome::Unmatched { reason, .. } => format!("failed,,,,{reason}"),
    };
    format!("{outcome},{}", serde_json::to_string(&evidence).unwrap())
}

/// Writes a decision as whoever reads its JSON writes it: a similarity may differ in its last bit from the one in memory.
fn read_back(decision: &Decision) -> String {
    let evidence = serde_json::to_string(&decision.evidence).unwrap();
    as_text(&decision.outcome, serde_json::from_str(&evidence).unwrap())
}

/// Reads decisions as [`as_text`] writes them.
fn decided(text: &str) -> BTreeMap<String, String> {
    let rows = rows(text).into_iter().map(|row| {
        let evidence = serde_json::from_str(&row[6]).unwrap();
        let outcome = match &row[1] {
            "matched" => Outcome::Matched {
                person: row[2].to_owned(),
                rule: row[3].parse().unwrap(),
                confidence: row[4].parse().unwrap(),
            },
            _ => Outcome::Unmatched { reason: row[5].parse().unwrap(), candidates: Vec::new() },
        };
        (row[0].to_owned(), as_text(&outcome, evidence))
    });
    rows.collect()
}

/// The joins of an engine in plain maps; returns the rows of the groups, sorted.
fn join(leads: &[csv::StringRecord], persons: &[csv::StringRecord]) -> Vec<[String; 8]> {
    let key = |row: &csv::StringRecord| (row[4].to_owned(), row[5].to_owned());
    let mut holders: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for row in persons.iter().filter(|row| &row[1] == "1") {
        holders.entry(key(row)).or_default().insert(&row[0]);
    }
    let row = |lead: &str,
               part: &str,
               key: (&str, &str),
               holders: &str,
               person: &str,
               of: Option<&csv::StringRecord>| {
        let of = |at: usize| of.map(|row| row[at].to_owned()).unwrap_or_default();
        [
            lead.into(),
            part.into(),
            key.0.into(),
            key.1.into(),
            holders.into(),
            person.into(),
            of(7),
            of(8),
        ]
    };
    let mut groups = Vec::new();
    for lead in leads.iter().filter(|row| &row[1] == "0") {
        let (mut following, mut raised) = (0, BTreeSet::new());
        for one in leads.iter().filter(|row| row[1] == *"1" && row[0] == lead[0]) {
            let Some(held) = holders.get(&key(one)) else { continue };
            following += 1;
            let total = held.len().to_string();
            groups.push(row(&lead[0], "1", (&one[4], &one[5]), &total, "", None));
            if held.len() <= one[6].parse().unwrap() {
                raised.extend(held.iter().copied());
            }
        }
        for person in raised {
            for one in persons.iter().filter(|row| row[1] == *"0" && row[0] == *person) {
                groups.push(row(&lead[0], "2", ("", ""), "", person, Some(one)));
                following += 1;
            }
        }
        groups.push(row(&lead[0], "0", ("", ""), &following.to_string(), "", Some(lead)));
    }
    groups.sort();
    groups
}

fn as_csv(groups: &[[String; 8]]) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["lead", "part", "hi", "lo", "holders", "person", "sealed", "stamp"]).unwrap();
    for row in groups {
        out.write_record(row).unwrap();
    }
    String::from_utf8(out.into_inner().unwrap()).unwrap()
}

fn programs() -> PathBuf {
    Path::new(runner("decide").get_program()).parent().unwrap().to_owned()
}
