//! What goes out to people, to whom and when: by reason, the oldest first, of a day the surest, and again on its day.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::corrections::sql;
use crate::reviews::{BY, begin, done, fill, on_each, packets, rows, step};
use crate::runner::runner;

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the folder can be written");
}

#[test]
fn each_reason_has_its_packet_the_oldest_first_and_of_one_day_the_surest() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        // L-2 and L-3 are of one day: whoever shares the phone of the second is called more like it.
        write(
            folder,
            "leads.csv",
            "id,phone,first_name,last_name,birth_date,lead_created_at\n\
             L-1,987650001,Ana,Rojas,,2026-01-09T10:00:00Z\n\
             L-2,987650002,Ana,Rojas,,2026-01-05T10:00:00Z\n\
             L-3,987650003,Ana,Rojas,,2026-01-05T18:00:00Z\n\
             L-4,987650004,Ana,Rojas,,2026-01-02T10:00:00Z\n\
             W-1,987659999,Eva,Quispe Flores,1990-05-04,2026-01-01T10:00:00Z\n",
        );
        write(
            folder,
            "persons.csv",
            "person_key,phone,full_name,birth_date\n\
             A-1,987650001,Zoe Mir,\nB-1,987650001,Luz Vega,\n\
             A-2,987650002,Zoe Mir,\nB-2,987650002,Luz Vega,\n\
             A-3,987650003,Ana Soto,\nB-3,987650003,Luz Vega,\n\
             A-4,987650004,Zoe Mir,\nB-4,987650004,Luz Vega,\n\
             P-W,912345678,Eva Quispe Flores,1990-05-04\n",
        );
        let files = ["--leads", "leads.csv", "--persons", "persons.csv"];
        let run = step(folder, url, "recovery_cycle", &files);
        assert!(run.code <= 1, "{}", run.stderr);
        let told = done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review"]);
        let expected = serde_json::json!({
            "CONFLICT_MULTIPLE_CANDIDATES": 4, "WEAK_MATCH_ONLY": 1,
        });
        assert_eq!(told["cases"], expected, "{told}");
        let mut order: Vec<(String, Vec<String>)> = packets(&folder.join("review"))
            .iter()
            .map(|packet| rows(packet))
            .map(|rows| {
                let reason = rows[0]["stopped_by"].split(':').next().expect("a reason").to_owned();
                assert!(rows.iter().all(|row| row["stopped_by"].starts_with(&reason)));
                (reason, rows.iter().map(|row| row["lead"].clone()).collect())
            })
            .collect();
        order.sort();
        let leads = |leads: &[&str]| leads.iter().map(|lead| (*lead).to_owned()).collect();
        assert_eq!(
            order,
            [
                ("CONFLICT_MULTIPLE_CANDIDATES".to_owned(), leads(&["L-4", "L-3", "L-2", "L-1"])),
                ("WEAK_MATCH_ONLY".to_owned(), leads(&["W-1"])),
            ]
        );
    });
}

#[test]
fn a_reviewer_never_sees_what_another_one_has_answered() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let out = ["--form", "plain", "--out-dir", "review", "--reviewers", "ana,luis", "--second"];
        done(folder, url, "export_review", &out);
        let files = packets(&folder.join("review"));
        let ana = files.iter().find(|file| file.to_string_lossy().contains("ana"));
        let comment = ("comment", "she told me on Monday");
        let cells = vec![("decision", "link"), ("person_key", "B-00"), BY, comment];
        fill(ana.expect("her packet"), &BTreeMap::from([("L-00", cells)]));
        std::fs::create_dir(folder.join("one")).expect("the folder can be made");
        std::fs::copy(ana.expect("her packet"), folder.join("one/packet.csv")).expect("copied");
        done(folder, url, "load_review", &["one"]);
        // The packet that the other one has, and one that is given out after the answer.
        let again = ["--form", "plain", "--out-dir", "again", "--reviewers", "luis", "--again"];
        done(folder, url, "export_review", &again);
        let others = files.iter().filter(|file| file.to_string_lossy().contains("luis"));
        let later = packets(&folder.join("again"));
        let mut seen = 0;
        for file in others.chain(&later) {
            let text = std::fs::read_to_string(file).expect("a packet");
            assert!(!text.contains("Monday"), "{text}");
            let row = rows(file).into_iter().find(|row| row["lead"] == "L-00").expect("the case");
            assert!(["decision", "person_key", "comment"].iter().all(|cell| row[*cell].is_empty()));
            assert_ne!(row["decided_by"], "ana", "{row:?}");
            seen += 1;
        }
        assert_eq!(seen, 2);
    });
}

#[test]
fn what_was_put_off_is_given_out_again_once_its_day_has_come() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let out = |name| ["--form", "plain", "--out-dir", name];
        done(folder, url, "export_review", &out("review"));
        let packet = packets(&folder.join("review")).remove(0);
        let day = ("comes_back_on", "2999-01-31");
        let cells = vec![("decision", "later"), day, BY];
        fill(&packet, &BTreeMap::from([("L-03", cells)]));
        done(folder, url, "load_review", &["review"]);
        let told = done(folder, url, "export_review", &out("early"));
        assert_eq!((&told["cases_total"], &told["put_off_total"]), (&0.into(), &1.into()));
        let queue = if url.starts_with("sqlite:") { "" } else { "recovery." };
        sql(url, &format!("UPDATE {queue}queue_review SET comes_back_at = 1"));
        let told = done(folder, url, "export_review", &out("again"));
        assert_eq!((&told["cases_total"], &told["put_off_total"]), (&1.into(), &0.into()));
        let again = rows(&packets(&folder.join("again"))[0]);
        assert_eq!(again[0]["lead"], "L-03");
    });
}

#[test]
fn the_script_of_the_whole_trip_ends_where_it_began() {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "install python3");
        let said = "LEFT OUT: the script of the whole trip asks for python3\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        return;
    }
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let night = runner("run_night");
        let built = Path::new(night.get_program()).parent().expect("a folder");
        let path = std::env::var("PATH").expect("a path");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("review_trip.sh");
        let trip = Command::new("sh")
            .arg(script)
            .arg(url)
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", built.display()))
            .env_remove("DATABASE_URL")
            .output()
            .expect("a shell");
        let told = String::from_utf8_lossy(&trip.stdout);
        let said = String::from_utf8_lossy(&trip.stderr);
        assert!(trip.status.success(), "{told}{said}");
        assert!(told.contains("the backlog fell by the 5 leads that were decided"), "{told}{said}");
        assert!(told.ends_with("undone: all is as it was before\n"), "{told}{said}");
    });
}
