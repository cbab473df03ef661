//! Loads of decisions that are killed, and two at once: all of a load holds, or nothing of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::reviews::{BY, begin, done, fill, json, on_each, packets, picture};
use crate::runner::runner;
use crate::stall::{Stall, end_sleepers, is_sqlite, sleeping, stands, wait_until};

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    told: String,
}

/// Asks the database for one text.
pub(crate) fn ask(url: &str, query: &str) -> String {
    let query = diesel::sql_query(query);
    let rows: Vec<Told> = match url.strip_prefix("sqlite://") {
        Some(path) => query.load(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => query.load(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    rows.into_iter().next().expect("a row").told
}

/// Counts all that a load writes.
fn written(url: &str) -> String {
    let queue = if is_sqlite(url) { "" } else { "recovery." };
    let tables = ["review_load", "review", "link", "rejected_pair", "lead_action", "ledger"];
    let count = |table: String| format!("CAST((SELECT count(*) FROM {table}) AS TEXT)");
    let mut counts = tables.map(|table| count(format!("{queue}queue_{table}"))).to_vec();
    counts.push(count("persons".to_owned()));
    ask(url, &format!("SELECT {} AS told", counts.join(" || ' ' || ")))
}

fn spawn(folder: &Path, url: &str, told: &str) -> Child {
    runner("load_review")
        .current_dir(folder)
        .args(["review", "--json", told, "--database-url", url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the runner starts")
}

/// Gives a packet out and fills it in with every kind of decision that writes; none is loaded.
pub(crate) fn filled(folder: &Path, url: &str) {
    begin(folder, url);
    done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review"]);
    let packet = packets(&folder.join("review")).remove(0);
    fill(
        &packet,
        &BTreeMap::from([
            ("L-00", vec![("decision", "link"), ("person_key", "A-00"), BY]),
            ("L-01", vec![("decision", "none of these"), BY]),
            ("L-02", vec![("decision", "new person"), BY]),
            ("L-03", vec![("decision", "later"), BY]),
        ]),
    );
}

#[test]
fn a_load_that_is_killed_leaves_all_of_it_or_nothing_and_the_same_load_again_succeeds() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        filled(folder, url);
        let (before, nothing) = (picture(folder, url), written(url));
        let tables =
            ["queue_link", "queue_rejected_pair", "queue_review", "queue_ledger", "persons"];
        let mut stalls = tables.map(|table| Stall { table, at_commit: false }).to_vec();
        if !is_sqlite(url) {
            stalls.push(Stall { table: "queue_ledger", at_commit: true });
        }
        for stall in stalls {
            let seconds = if stall.at_commit { 1 } else { 600 };
            stall.set(url, seconds);
            let mut load = spawn(folder, url, "killed.json");
            wait_until("the load stands still", || stands(url));
            load.kill().expect("it is there");
            load.wait().expect("it ends");
            if !is_sqlite(url) {
                if !stall.at_commit {
                    end_sleepers(url);
                }
                wait_until("the server has noticed", || sleeping(url) == 0);
            }
            // What was being committed is; nothing of what was not.
            let stands = written(url);
            assert!(stall.at_commit || stands == nothing, "{stall:?}: {stands}, not {nothing}");
            stall.lift(url);
        }
        let again = done(folder, url, "load_review", &["review"]);
        let receipt = &again["receipt"];
        let taken = ["linked", "none_of_these", "new_persons", "later", "unchanged"];
        let taken: u64 = taken.iter().filter_map(|of| receipt[of].as_u64()).sum();
        assert_eq!(taken, 4, "{again}");
        let all = written(url);
        assert_ne!(all, nothing);

        // Now at moments of chance: each finds all or nothing.
        let load = ask(url, &format!("SELECT load_key AS told FROM {}", load_table(url)));
        done(folder, url, "load_review", &["--undo", &load]);
        assert_eq!(picture(folder, url), before, "all is as before");
        let mut killed = 0;
        for round in 0..40_u64 {
            let stood = reviews_in_effect(url);
            assert_eq!(stood, "0");
            let mut load = spawn(folder, url, "killed.json");
            std::thread::sleep(Duration::from_millis(round * 7_919 % 400));
            let alive = load.try_wait().expect("it is ours").is_none();
            let _ = load.kill();
            load.wait().expect("it ends");
            killed += u32::from(alive);
            let stood = reviews_in_effect(url);
            assert!(["0", "4"].contains(&stood.as_str()), "{stood} decisions of 4");
            if stood == "4" {
                let key = ask(
                    url,
                    &format!(
                        "SELECT load_key AS told FROM {} WHERE undone_at IS NULL",
                        load_table(url)
                    ),
                );
                done(folder, url, "load_review", &["--undo", &key]);
            }
            if killed == 8 {
                break;
            }
        }
        assert!(killed > 0, "no load was killed");
        assert_eq!(picture(folder, url), before, "all is as before");
        let again = done(folder, url, "load_review", &["review"]);
        assert_eq!(again["receipt"]["linked"], 1, "{again}");
    });
}

fn load_table(url: &str) -> &'static str {
    if is_sqlite(url) { "queue_review_load" } else { "recovery.queue_review_load" }
}

fn reviews_in_effect(url: &str) -> String {
    let load = load_table(url);
    let review = load.replace("_load", "");
    ask(
        url,
        &format!(
            "SELECT CAST(count(*) AS TEXT) AS told FROM {review} r JOIN {load} o ON o.id = r.load_id \
             WHERE o.undone_at IS NULL"
        ),
    )
}

#[test]
fn of_two_loads_of_one_packet_at_once_exactly_one_applies() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        filled(folder, url);
        // The first is in its transaction when the others begin: what they judged before is of before it.
        let stall = Stall { table: "queue_review", at_commit: false };
        stall.set(url, 2);
        let mut loads = vec![spawn(folder, url, "0.json")];
        wait_until("the first stands still", || stands(url));
        loads.extend(["1.json", "2.json"].map(|told| spawn(folder, url, told)));
        for mut load in loads {
            assert!(load.wait().expect("it ends").success());
        }
        stall.lift(url);
        let told = ["0.json", "1.json", "2.json"].map(|name| {
            std::fs::copy(folder.join(name), folder.join("run.json")).expect("each tells");
            json(folder)["receipt"].clone()
        });
        assert_eq!(told.iter().filter(|receipt| receipt["load"].is_string()).count(), 1);
        assert_eq!(told.iter().filter(|receipt| receipt["unchanged"] == 4).count(), 2, "{told:?}");
        assert_eq!(reviews_in_effect(url), "4");
        let key = told.iter().find_map(|receipt| receipt["load"].as_str()).expect("a load");
        let undone = done(folder, url, "load_review", &["--undo", key]);
        assert_eq!(undone["reviews"], 4, "{undone}");
    });
}
