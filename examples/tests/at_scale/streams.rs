//! The two programs as streams: the same decisions as in memory, nothing of a person between them, and what is refused.

use std::fs;
use std::process::Stdio;

use identity_matching::index::{Seal, joined::RecordDigest};
use identity_matching::{HashKey, OwnValue, Record};

use super::{Data, as_csv, card, decided, document, join, mobile, policy, rows};
use crate::runner::{run, runner};

#[test]
fn joined_rows_decide_as_one_matcher_in_memory() {
    let data = Data::new(300, 700);
    let groups = join(&data.keys("leads"), &data.keys("persons"));
    fs::write(data.path("groups.csv"), as_csv(&groups)).unwrap();
    for chunk in ["1", "7", "512"] {
        let done =
            data.program("decide", &["--chunk", chunk], &data.path("groups.csv"), "decisions.csv");
        assert_eq!(done.code, 0, "{}", done.stderr);
        let expected = data.in_memory();
        assert_eq!(expected.len(), 300);
        assert!(expected.values().filter(|one| one.starts_with("matched")).count() > 50);
        assert!(expected.values().filter(|one| one.contains(",LOYALTY_EXACT,")).count() > 5);
        assert_eq!(decided(&done.stdout), expected);
    }
}

#[test]
fn a_lead_is_the_same_whatever_the_order_of_its_own_values() {
    let seal = Seal::new(HashKey::new([7; 16]));
    let value = |value: &str| OwnValue { kind: "loyalty".parse().unwrap(), value: value.into() };
    let mut lead = Record { own: vec![value("2"), value("1")], ..Record::default() };
    let digest = RecordDigest::of("L1", &lead, &seal);
    lead.own.reverse();
    assert_eq!(digest, RecordDigest::of("L1", &lead, &seal));
    lead.own.pop();
    assert_ne!(digest, RecordDigest::of("L1", &lead, &seal));
}

#[test]
fn rows_between_the_programs_hold_no_identifier() {
    let data = Data::new(50, 50);
    let mut text = String::new();
    for of in ["leads", "persons"] {
        for row in data.keys(of) {
            text.extend(row.iter().skip(1));
        }
    }
    for n in 0..50 {
        let number = document(n).to_string();
        for value in [&mobile(n), &number, &format!("user{n}@"), &card(n), &"Rojas".to_owned()] {
            assert!(!text.contains(value.as_str()), "{value}");
        }
    }
}

#[test]
fn rows_that_do_not_fit_are_refused_by_row_and_decide_nothing_of_their_chunk() {
    let data = Data::new(40, 60);
    let groups = join(&data.keys("leads"), &data.keys("persons"));
    let refused = |name: &str, groups: Vec<[String; 8]>, flags: &[&str]| {
        fs::write(data.path("groups.csv"), as_csv(&groups)).unwrap();
        let done = data.program("decide", flags, &data.path("groups.csv"), "decisions.csv");
        assert_eq!(done.code, 4, "{name}: {}", done.stderr);
        assert!(rows(&done.stdout).is_empty(), "{name}");
        done.stderr
    };
    let mut reversed = groups.clone();
    reversed.reverse();
    assert!(refused("reversed", reversed, &[]).contains(": the rows are out of order"));

    let with_persons = groups.iter().position(|row| row[1] == "2").unwrap();
    let mut cut = groups.clone();
    cut.remove(with_persons);
    let told = refused("a person lost", cut, &[]);
    assert!(told.contains("cut short") && told.matches(": row ").count() == 1, "{told}");

    let mut cut = groups.clone();
    let count = cut.iter().position(|row| row[1] == "1").unwrap();
    cut.remove(count);
    assert!(refused("a count lost", cut, &[]).contains("cut short"));

    let last = groups.iter().rposition(|row| row[1] == "1").unwrap();
    assert!(refused("the end lost", groups[..last].to_vec(), &[]).contains("cut short"));

    let mut twice = groups.clone();
    twice.insert(1, groups[0].clone());
    assert!(refused("a lead twice", twice, &[]).contains("stands twice"));

    assert!(
        refused("another region", groups.clone(), &["--region", "CL"]).contains("other options")
    );
    let with = |change: fn(&mut serde_json::Value)| {
        fs::write(data.path("other.json"), policy(change)).unwrap();
        let other = data.path("other.json");
        refused("another policy", groups.clone(), &["--policy", other.to_str().unwrap()])
    };
    let told = with(|policy| policy["weak"]["max_persons_per_key"] = 3.into());
    assert!(told.contains("another policy"), "{told}");
    let told = with(|policy| policy["own_kinds"][0]["lengths"] = serde_json::json!([7, 8]));
    assert!(told.contains("other options") && told.contains("own kinds"), "{told}");

    // What a worker of another version wrote: of other rows, and of another reading of values.
    for part in 0..2 {
        let mut of_another = groups.clone();
        for row in of_another.iter_mut().filter(|row| !row[7].is_empty()) {
            let mut parts: Vec<&str> = row[7].split('.').collect();
            parts[part] = "99";
            row[7] = parts.join(".");
        }
        let persons_alone: Vec<[String; 8]> = groups
            .iter()
            .zip(&of_another)
            .map(|(ours, theirs)| if ours[1] == "2" { theirs } else { ours }.clone())
            .collect();
        for rows in [of_another, persons_alone] {
            let told = refused("another version", rows, &[]);
            assert!(told.contains("another version of this program"), "{told}");
        }
    }
    let mut damaged = groups.clone();
    damaged[0][6].replace_range(0..4, "AAAA");
    assert!(refused("a damaged record", damaged, &[]).contains("row 1"));
    fs::write(data.path("secret"), "f".repeat(32)).unwrap();
    assert!(refused("another secret", groups, &[]).contains("another secret"));
}

#[test]
fn a_secret_is_asked_for_and_never_shown() {
    let data = Data::new(1, 1);
    // Blanks, which no name of a temporary folder has.
    for wrong in ["", "zz zz", "0001020304050607"] {
        fs::write(data.path("secret"), wrong).unwrap();
        let done = data.program("keys", &["--of", "leads"], &data.path("leads.csv"), "rows.csv");
        assert_eq!((done.code, done.stdout.as_str()), (4, ""), "{wrong}");
        assert!(done.stderr.contains("32 hexadecimal digits") && !done.stderr.contains("zz zz"));
    }
    let mut command = runner("keys");
    command.args(["--of", "leads"]).env_remove("IDENTITY_SECRET").stdin(Stdio::null());
    let done = run(&mut command);
    assert!(done.code == 4 && done.stderr.contains("IDENTITY_SECRET"), "{}", done.stderr);
}
