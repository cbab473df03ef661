//! Packets that come back wrong: each fault is found to the cell, and nothing is half-applied.

use std::collections::BTreeMap;
use std::path::Path;

use crate::reviews::{BY, begin, done, fill, json, on_each, packets, picture, step, texts};

/// Loads what is to be refused; gives the code, column and cell of each error.
fn refused(folder: &Path, url: &str, args: &[&str]) -> Vec<String> {
    let run = step(folder, url, "load_review", args);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("nothing is loaded"), "{}", run.stdout);
    let told = json(folder);
    assert_eq!(told["loaded"], false, "{told}");
    let findings = told["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| {
            for text in ["message", "remedy"] {
                assert!(finding[text].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
            }
            texts(finding, ["code", "column", "cell"])
        })
        .collect()
}

/// Answers of a packet: by lead a decision and, for `link`, a person.
fn decided<'a>(
    answers: &[(&'a str, &'a str, &'a str)],
) -> BTreeMap<&'a str, Vec<(&'a str, &'a str)>> {
    let cells = |(lead, word, person): &(&'a str, &'a str, &'a str)| {
        (*lead, vec![("decision", *word), ("person_key", *person), BY])
    };
    answers.iter().map(cells).collect()
}

#[test]
fn what_is_wrong_is_found_to_the_cell_and_nothing_is_half_applied() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let out = ["--form", "plain", "--out-dir", "review", "--reviewers", "ana"];
        done(folder, url, "export_review", &out);
        let packet = packets(&folder.join("review")).remove(0);
        // One row is somebody else's database's, another stands twice with two answers.
        let elsewhere = std::fs::read_to_string(&packet).expect("a packet");
        let line =
            |lead: &str| elsewhere.lines().find(|l| l.contains(lead)).expect("a row").to_owned();
        let answers = BTreeMap::from([
            ("L-00", vec![("decision", "link"), BY]),
            ("L-01", vec![("decision", "link"), ("person_key", "A-99"), BY]),
            ("L-02", vec![("decision", "none of these"), ("decided_by", "eva")]),
            ("L-03", vec![("decision", "none of these"), BY]),
            ("L-04", vec![("decision", "perhaps"), BY]),
            ("L-05", vec![("decision", "link"), ("person_key", "A-05"), BY]),
            ("L-06", vec![("decision", "link"), ("person_key", "A-06"), BY]),
            ("L-07", vec![("decision", "link"), ("person_key", "A-07"), BY]),
            ("L-08", vec![("decision", "none of these"), ("decided_by", "")]),
        ]);
        fill(&packet, &answers);
        let second = folder.join("review/second.csv");
        let header = elsewhere.lines().next().expect("a header");
        let other = line("L-03").replace("rv-", "rv-0");
        std::fs::write(&second, format!("{header}\r\n{}\r\n{other}\r\n", line("L-03")))
            .expect("written");
        fill(&second, &BTreeMap::from([("L-03", vec![("decision", "later"), BY])]));
        // Since then one lead was matched and of another the data changed.
        done(folder, url, "queue_admin", &["link", "add", "L-06", "B-06", "--why", "seen"]);
        let leads = std::fs::read_to_string(folder.join("leads.csv")).expect("leads");
        std::fs::write(folder.join("leads.csv"), leads.replace("987650007,Ana", "987650007,Anita"))
            .expect("written");
        let run = step(folder, url, "recovery_cycle", &["--leads", "leads.csv", "--limit", "0"]);
        assert!(run.code <= 1, "{}", run.stderr);
        let before = picture(folder, url);

        let found = refused(folder, url, &["review"]);
        let told = json(folder);
        for expected in [
            "row-constraint person_key U2",
            "row-refused person_key U3",
            "row-refused decided_by X4",
            "duplicate-row decided_by X5",
            "constraint-error decision T6",
            "row-refused lead B8",
            "row-refused decision T9",
            "row-constraint decided_by X10",
            "packet-unknown packet A3",
        ] {
            assert!(found.iter().any(|found| found == expected), "{expected} in {found:#?}");
        }
        assert_eq!((&told["stale_total"], &told["loaded"]), (&2.into(), &false.into()), "{told}");
        assert_eq!(picture(folder, url), before, "nothing is half-applied");
        let part = step(folder, url, "load_review", &["review", "--accept-valid"]);
        assert_eq!(part.code, 5, "{}{}", part.stdout, part.stderr);
        assert_eq!(json(folder)["receipt"]["linked"], 1, "{}", part.stdout);
    });
}

#[test]
fn a_person_who_is_gone_since_is_found_at_the_key() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let out = ["--form", "plain", "--out-dir", "review"];
        done(folder, url, "export_review", &out);
        let packet = packets(&folder.join("review")).remove(0);
        fill(
            &packet,
            &decided(&[
                ("L-00", "link", "A-00"),
                ("L-01", "none of these", ""),
                ("L-02", "link", "A-02"),
            ]),
        );
        for person in ["A-00", "B-01"] {
            done(folder, url, "queue_admin", &["person", "forget", person, "--why", "on request"]);
        }
        let before = picture(folder, url);
        // Whoever is linked is named; a lead of which a candidate is gone was decided on what is no longer so.
        let found = refused(folder, url, &["review"]);
        assert_eq!(found, ["row-refused person_key U2", "row-refused decision T3"]);
        assert_eq!(json(folder)["stale_total"], 1);
        assert_eq!(picture(folder, url), before, "nothing is half-applied");
        let part = step(folder, url, "load_review", &["review", "--accept-valid"]);
        assert_eq!((part.code, &json(folder)["receipt"]["linked"]), (5, &1.into()));
    });
}

#[test]
fn two_packets_that_decide_one_lead_differently_are_both_named() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        for out in ["one", "two"] {
            let out = ["--form", "plain", "--out-dir", out, "--again", "--limit", "3"];
            done(folder, url, "export_review", &out);
        }
        let (one, two) = (packets(&folder.join("one")), packets(&folder.join("two")));
        fill(&one[0], &decided(&[("L-00", "link", "A-00"), ("L-01", "link", "A-01")]));
        fill(&two[0], &decided(&[("L-00", "link", "B-00"), ("L-02", "link", "A-02")]));
        std::fs::create_dir(folder.join("both")).expect("the folder can be made");
        for (name, packet) in [("a.csv", &one[0]), ("b.csv", &two[0])] {
            std::fs::copy(packet, folder.join("both").join(name)).expect("copied");
        }
        let before = picture(folder, url);
        let twice = ["row-refused decision T2"; 2];
        assert_eq!(refused(folder, url, &["both"]), twice);
        let told = json(folder);
        for (at, own, other) in [(0, "a.csv", "b.csv, row 2"), (1, "b.csv", "a.csv, row 2")] {
            let finding = &told["findings"][at];
            assert_eq!(finding["file"], own, "{told}");
            assert!(finding["message"].as_str().is_some_and(|said| said.contains(other)), "{told}");
        }
        assert_eq!(picture(folder, url), before, "nothing is half-applied");
        // Neither wins where the others are loaded.
        let part = step(folder, url, "load_review", &["both", "--accept-valid"]);
        assert_eq!((part.code, &json(folder)["receipt"]["linked"]), (5, &2.into()));
        let shown = done(folder, url, "queue_admin", &["lead", "show", "L-00"]);
        assert_eq!(shown["status"], "failed", "{shown}");
    });
}

#[test]
fn a_packet_of_another_database_is_told_by_its_first_key() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let other = tempfile::tempdir().expect("a temporary folder");
        let other_url = format!("sqlite://{}", other.path().join("other.sqlite").display());
        begin(other.path(), &other_url);
        // The same leads and persons in both; only who gave the packet out differs.
        let out = ["--form", "plain", "--out-dir", "review"];
        done(other.path(), &other_url, "export_review", &out);
        let strange = packets(&other.path().join("review")).remove(0);
        fill(&strange, &decided(&[("L-00", "link", "A-00")]));
        let strange = strange.to_str().expect("a path of text");
        let at = Path::new(strange).parent().and_then(Path::to_str).expect("a folder");
        let before = picture(folder, url);
        for given_out in [false, true] {
            if given_out {
                done(folder, url, "export_review", &out);
            }
            let found = refused(folder, url, &[at]);
            assert_eq!(found.first().map(String::as_str), Some("packet-unknown packet A2"));
            assert!(found.iter().all(|found| found.starts_with("packet-unknown packet A")));
        }
        // Beside a packet of its own it keeps everything out, too.
        let own = packets(&folder.join("review")).remove(0);
        fill(&own, &decided(&[("L-01", "link", "A-01")]));
        std::fs::copy(strange, folder.join("review/strange.csv")).expect("copied");
        let found = refused(folder, url, &["review"]);
        assert_eq!(found.first().map(String::as_str), Some("packet-unknown packet A2"));
        assert_eq!(picture(folder, url), before, "nothing is half-applied");
        let loaded = done(other.path(), &other_url, "load_review", &["review"]);
        assert_eq!(loaded["receipt"]["linked"], 1, "where it is from, it is taken");
    });
}

#[test]
fn a_load_of_the_other_kind_says_how_the_packet_is_loaded() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let leads = std::fs::read_to_string(folder.join("leads.csv")).expect("leads");
        let leads = format!("{leads}L-X,98765O001,Ana,Rojas,2026-02-01T10:00:00Z\n");
        std::fs::write(folder.join("leads.csv"), leads).expect("written");
        let run = step(folder, url, "recovery_cycle", &["--leads", "leads.csv"]);
        assert!(run.code <= 1, "{}", run.stderr);
        let plain = ["--form", "plain", "--out-dir"];
        done(folder, url, "export_review", &[&plain[..], &["who"]].concat());
        done(
            folder,
            url,
            "export_review",
            &[&plain[..], &["right", "--correct", "--full"]].concat(),
        );
        let (who, right) = (packets(&folder.join("who")), packets(&folder.join("right")));
        fill(&who[0], &decided(&[("L-00", "link", "A-00")]));
        fill(&right[0], &BTreeMap::from([("L-X", vec![("phone", "987650001"), BY])]));
        let before = picture(folder, url);
        for (args, remedy) in [
            (&["right"][..], "load it with --correct"),
            (&["who", "--correct"][..], "load it without --correct"),
        ] {
            assert_eq!(refused(folder, url, args), ["row-refused  "], "{args:?}");
            assert_eq!(json(folder)["findings"][0]["remedy"], remedy);
        }
        assert_eq!(picture(folder, url), before, "nothing is half-applied");
        // Both kinds may lie in one folder: each load takes its own and names the other.
        for packet in [&who[0], &right[0]] {
            let name = packet.file_name().expect("a file");
            std::fs::create_dir_all(folder.join("all")).expect("the folder can be made");
            std::fs::copy(packet, folder.join("all").join(name)).expect("copied");
        }
        for (args, figure) in [(&["all"][..], "linked"), (&["all", "--correct"][..], "corrected")] {
            let told = done(folder, url, "load_review", args);
            assert_eq!(told["receipt"][figure], 1, "{told}");
            assert_eq!(told["findings"][0]["severity"], "note", "{told}");
        }
    });
}
