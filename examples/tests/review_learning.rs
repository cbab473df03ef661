//! What the reviewers' decisions say of the policy, and the truth that they are.

use std::fmt::Write as _;

use serde_json::Value;

use crate::reviews::{BY, done, fill, json, on_each, packets, step};
use crate::runner::{run, runner};

fn decided(person: &str) -> Vec<(&str, &str)> {
    vec![("decision", "link"), ("person_key", person), BY]
}

#[test]
fn two_changes_are_tried_together_where_neither_alone_decides_as_the_reviewers_did() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        // Each lead's address is held by more persons than the policy takes, one of them of the lead's name.
        let mut leads = String::from("id,email,first_name,last_name,lead_created_at\n");
        let mut persons = String::from("person_key,email,full_name\n");
        for i in 0..8 {
            let by = format!("ana{i}@correo.pe");
            let _ = writeln!(leads, "L-{i},{by},Ana,Rojas,2026-01-0{}T10:00:00Z", i + 1);
            for (key, name) in ["Ana Rojas", "Luz Vega", "Eva Rey", "Iris Paz"].iter().enumerate() {
                let _ = writeln!(persons, "P-{i}-{key},{by},{name}");
            }
        }
        std::fs::write(folder.join("leads.csv"), leads).expect("the folder can be written");
        std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
        let files = ["--leads", "leads.csv", "--persons", "persons.csv"];
        let imported = step(folder, url, "recovery_cycle", &files);
        assert!(imported.code <= 1, "{}", imported.stderr);
        done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review"]);
        let packet = packets(&folder.join("review")).remove(0);
        let answers = ["0", "1", "4", "5"].map(|i| (format!("L-{i}"), format!("P-{i}-0")));
        let answers = answers.each_ref().map(|(lead, to)| (lead.as_str(), decided(to.as_str())));
        fill(&packet, &answers.into());
        done(folder, url, "load_review", &["review"]);
        let learn = ["--learn", "--truth", "truth.csv"];
        let told = done(folder, url, "review_report", &learn);
        let found = |judged: &Value| {
            let total = |of: &str| judged[of].as_u64().expect("a number");
            let change = judged["change"].as_str().expect("words").to_owned();
            (change, total("right_total"), total("wrong_total"), total("others_changed_total"))
        };
        let policies = told["policies"].as_array().expect("policies");
        let all: Vec<_> = policies.iter().map(found).collect();
        let (cap, veto) = ("email: max_persons_per_key = 6", "EMAIL_EXACT: veto += name < 0.66");
        let best = &all[0];
        assert!(
            [format!("{cap} and {veto}"), format!("{veto} and {cap}")].contains(&best.0),
            "{all:#?}"
        );
        assert_eq!((best.1, best.2, best.3), (4, 0, 4));
        let ratios = (policies[0]["precision"].as_f64(), policies[0]["recall"].as_f64());
        assert_eq!(ratios, (Some(1.0), Some(1.0)));
        assert_eq!(policies[0]["by_rule"], serde_json::json!({ "EMAIL_EXACT": [4, 0] }));
        assert_eq!(policies[0]["others_changed"], serde_json::json!(["L-2", "L-3", "L-6", "L-7"]));
        for alone in [cap, veto] {
            let alone = all.iter().find(|judged| judged.0 == alone).expect("it was tried");
            assert_eq!((alone.1, alone.2, alone.3), (0, 0, 0));
        }
        // A pair is told where it does better than either part.
        let pairs: Vec<_> = all.iter().filter(|judged| judged.0.contains(" and ")).collect();
        assert!(pairs.len() <= 20 && pairs.iter().all(|pair| pair.1 > 0), "{pairs:#?}");
        let again = done(folder, url, "review_report", &learn);
        assert_eq!(again["policies"], told["policies"], "the same once more");

        // The truth is what `evaluate_matching` judges by, and the change is what it was said to be.
        let print = run(runner("queue_admin").current_dir(folder).args(["policy", "print"]));
        let mut policy = print.stdout;
        for (was, is) in [
            ("require = [\"email exact\"]\nveto = [\"document\"", "name < 0.66"),
            ("[kinds.email]\nmax_persons_per_key = ", "6"),
        ] {
            let at = policy.find(was).expect("it is in the policy") + was.len();
            match is {
                "6" => policy.replace_range(at..=at, is),
                veto => policy.insert_str(at, &format!(", \"{veto}\"")),
            }
        }
        std::fs::write(folder.join("better.toml"), policy).expect("the folder can be written");
        let evaluate = |more: &[&str]| {
            let mut command = runner("evaluate_matching");
            let args = ["--truth", "truth.csv", "--json", "run.json"];
            let judged = run(command.current_dir(folder).args(files).args(args).args(more));
            assert_eq!(judged.code, 0, "{}", judged.stderr);
            json(folder)
        };
        let today = evaluate(&["--what-if", "better.toml"]);
        let counts = &today["evaluation"];
        assert_eq!((&counts["decisions_total"], &counts["recall"]), (&4.into(), &0.0.into()));
        assert_eq!(today["leads_without_truth_total"], 4, "{today}");
        let better = evaluate(&["--policy", "better.toml"]);
        let counts = &better["evaluation"];
        assert_eq!((&counts["precision"], &counts["recall"]), (&1.0.into(), &1.0.into()));
    });
}
