//! Each remedy that a guardrail of the recovery names is followed: the guardrail passes then.

use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::FileBasedMigrations;
use guardrails::clock::StoppedClock;
use guardrails::{CheckReport, Suite, Verdict};

use super::*;

fn check(store: &mut SqlStore, backlog: &ViewBacklog, name: &str) -> CheckReport {
    let facts = StoreFacts::new(store.read().unwrap(), backlog);
    let suite = Suite::recovery().and(Suite::surroundings()).unwrap();
    let report = suite.only([name]).unwrap().run(&facts, &StoppedClock);
    report.check(name).unwrap().clone()
}

/// Does what a remedy's command does.
fn follow(store: &mut SqlStore, backlog: &ViewBacklog, command: &str) {
    match command.split(' ').next().unwrap() {
        "queue_admin" => {
            assert!(command.starts_with("queue_admin reconcile --why "), "{command}");
            store.reconcile(ANA).unwrap();
        }
        "recover_leads" => {
            store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        }
        "seed_queue" => {
            store.seed(backlog, &SeedOptions::default()).unwrap();
        }
        // These look.
        "explain_match" | "verify_guardrails" => {}
        other => panic!("no test follows {other}"),
    }
}

#[test]
fn each_remedy_that_a_guardrail_names_makes_it_pass() {
    let unlinked = format!("DELETE FROM {{queue_link}} WHERE lead_id = {}", id("L-1"));
    let moved = format!(
        "UPDATE {{queue_link}} SET person_id = (SELECT id FROM {{queue_person}} WHERE person_key = 'P-2') \
         WHERE lead_id = {}",
        id("L-1")
    );
    let no_origin = "UPDATE {queue_person} SET origin_lead_id = NULL WHERE person_key = 'P-1'";
    let stray = format!(
        "UPDATE {{queue_person}} SET origin_lead_id = {} WHERE person_key = 'P-1'",
        id("L-2")
    );
    let in_no_state = format!("DELETE FROM {{queue_settled}} WHERE lead_id = {}", id("L-0"));
    let broken: [(&str, &str); 9] = [
        ("drain", &unlinked),
        ("identity_link_integrity", &unlinked),
        ("identity_link_integrity", &moved),
        ("origin_missing", no_origin),
        ("origin_missing", &stray),
        ("ledger_balance", &in_no_state),
        ("ledger_balance", "DELETE FROM {queue_ledger} WHERE kind = 'matched'"),
        ("ledger_balance", "UPDATE {queue_ledger} SET leads = leads + 3 WHERE kind = 'opening'"),
        ("link_target_exists", "DELETE FROM {persons} WHERE id = 'P-1'"),
    ];
    for (name, sql) in broken {
        on_each(|mut store| {
            let backlog = drained(&mut store);
            break_it(
                &mut store,
                "CREATE TABLE {persons} AS SELECT person_key AS id FROM {queue_person}",
            );
            let view = PersonView::new(&store.view_name("persons").replace('"', ""), "id").unwrap();
            store.set_person_view(Some(&view)).unwrap();
            assert_eq!(check(&mut store, &backlog, name).verdict, Verdict::Pass, "{name}");
            break_it(&mut store, sql);
            let told = check(&mut store, &backlog, name);
            assert_eq!(told.verdict, Verdict::Fail, "{name}: {sql}");
            let commands: Vec<&str> =
                told.help.iter().filter_map(|remedy| remedy.command.as_deref()).collect();
            assert!(!commands.is_empty(), "{name} names no command");
            for command in commands {
                follow(&mut store, &backlog, command);
            }
            let after = check(&mut store, &backlog, name);
            assert_eq!(after.verdict, Verdict::Pass, "{name}: {sql}: {after:#?}");
            check_invariants(&mut store);
        });
    }
}

#[test]
fn what_is_to_be_mended_at_its_source_passes_once_it_is() {
    on_each(|mut store| {
        let backlog = drained(&mut store);
        let plain = "DROP VIEW {lead_backlog}; CREATE VIEW {lead_backlog} AS SELECT id AS lead_source_pk, \
             {born} AS lead_date FROM {leads} t \
             WHERE NOT EXISTS (SELECT 1 FROM {identity_links} k WHERE k.source_pk = t.id)";
        let blind = "DROP VIEW {lead_backlog}; CREATE VIEW {lead_backlog} AS SELECT id AS lead_source_pk, \
             born AS lead_date FROM {leads} t";
        let odd = "CASE id WHEN 'L-0' THEN 'soon' ELSE born END";
        let cases = [
            ("drain", blind.to_owned()),
            ("rejected", plain.replace("{born}", odd)),
            (
                "source_pk_consistency",
                plain.replace("SELECT id AS", "SELECT ' ' || id AS").replace("{born}", "born"),
            ),
        ];
        for (name, sql) in cases {
            break_it(&mut store, &sql);
            store.seed(&backlog, &SeedOptions::default().with_fuse(None)).unwrap();
            let told = check(&mut store, &backlog, name);
            assert!(!told.success && !told.help.is_empty(), "{name}: {told:#?}");
            break_it(&mut store, &plain.replace("{born}", "born"));
            for remedy in &told.help {
                if let Some(command) = &remedy.command {
                    follow(&mut store, &backlog, command);
                }
            }
            store.seed(&backlog, &SeedOptions::default().with_fuse(None)).unwrap();
            if name == "source_pk_consistency" {
                // The other spelling was seeded: those leads are forgotten, as they are nobody's.
                for number in 0..LEADS {
                    store.forget(Forget::Lead(&pk(&format!(" L-{number}"))), ANA).ok();
                }
            }
            let after = check(&mut store, &backlog, name);
            assert_eq!(after.verdict, Verdict::Pass, "{name}: {after:#?}");
        }
    });
}

/// A service that says of each lead whether it is claimed and what version its data is of.
fn with_claims(store: &mut SqlStore, leads: u32) -> ViewBacklog {
    let backlog = fill(store, leads);
    break_it(
        store,
        "ALTER TABLE {leads} ADD COLUMN version TEXT; CREATE TABLE {claims} (lead TEXT); DROP VIEW {lead_backlog}; \
         CREATE VIEW {lead_backlog} AS SELECT id AS lead_source_pk, born AS lead_date, version AS lead_version \
             FROM {leads} t WHERE NOT EXISTS (SELECT 1 FROM {identity_links} k WHERE k.source_pk = t.id) \
             AND NOT EXISTS (SELECT 1 FROM {claims} c WHERE c.lead = t.id)",
    );
    store.set_clock(Some(minute(0)));
    backlog
}

/// Does what `queue_admin lead reopen --reason CODE --why WHY` does.
fn reopen(store: &mut SqlStore, command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let ["queue_admin", "lead", "reopen", "--reason", code, "--why", _] = words[..] else {
        panic!("no test follows {command}")
    };
    store.reopen_leads(Reopen::Reason(FailReason::own(code).unwrap()), ANA).unwrap();
}

/// Does what `export_review --reasons CODE` and `load_review` do, where a person finds somebody for each lead.
fn review(store: &mut SqlStore, command: &str, leads: u32) {
    let words: Vec<&str> = command.split(' ').collect();
    let ["export_review", "--reasons", code] = words[..] else {
        panic!("no test follows {command}")
    };
    let failed = store.failed(Some(&FailReason::own(code).unwrap()), None, leads + 1).unwrap();
    assert_eq!(failed.len(), leads as usize);
    let cases = failed.iter().map(|row| (row.source_pk.clone(), "f".to_owned())).collect();
    store.issue_review(&NewReviewPacket::new("packet", "export", "1 abc", cases)).unwrap();
    let decided = failed.into_iter().map(|row| {
        let link = ReviewDecision::Link(PersonKey::new("P-1").unwrap());
        Review::new("packet", row.source_pk, "f", link, "ana")
    });
    store.load_reviews(&ReviewLoad::new("load", decided.collect())).unwrap();
}

/// Does what a remedy asks for, given its command.
type Mend<'a> = &'a dyn Fn(&mut SqlStore, &ViewBacklog, Option<&str>);

#[test]
fn the_backlog_falls_by_what_each_remedy_of_impact_says_it_frees() {
    const ALL: u32 = 12;
    let seed = |store: &mut SqlStore, backlog: &ViewBacklog| {
        store.seed(backlog, &SeedOptions::default().with_fuse(None)).unwrap();
    };
    let again = "UPDATE {leads} SET version = 'again'";
    let imported_again: Mend = &|store, backlog, _| {
        break_it(store, again);
        seed(store, backlog);
    };
    let reviewed: Mend = &|store, _, command| review(store, command.unwrap(), ALL);
    let persons_imported: Mend = &|store, _, _| {
        assert_eq!(store.wake(&["k".to_owned()]).unwrap(), u64::from(ALL));
    };
    let deleted: Mend = &|store, backlog, _| {
        break_it(store, "DELETE FROM {leads}");
        seed(store, backlog);
    };
    let reopened: Mend = &|store, _, command| reopen(store, command.unwrap());
    let cases: [(FailReason, &str, Mend); 8] = [
        (FailReason::NoCandidates, "import the persons that are missing", persons_imported),
        (FailReason::MissingIdentifiers, "ask for any of phone, document", imported_again),
        (
            FailReason::ConflictMultipleCandidates,
            "load what was decided with `load_review`",
            reviewed,
        ),
        (FailReason::WeakMatchOnly, "load what was decided with `load_review`", reviewed),
        (FailReason::LeadNotFound, "find out why the backlog still names them", deleted),
        (FailReason::Rejected, "import the lead again", imported_again),
        (FailReason::PersonGone, "reopen them and recover", reopened),
        (FailReason::Error, "then reopen them and recover", reopened),
    ];
    for (reason, words, mend) in cases {
        on_each(|mut store| {
            let backlog = with_claims(&mut store, ALL);
            let first = check(&mut store, &backlog, "impact");
            assert_eq!(first.verdict, Verdict::Inconclusive, "{first:#?}");
            assert_eq!(first.help[0].command.as_deref(), Some("recover_leads"));
            seed(&mut store, &backlog);
            // Technical errors fail a lead at the last attempt.
            let options = RecoverOptions::default().with_max_attempts(1);
            let mut fails = |leads: &[ClaimedLead]| {
                let answer = if reason == FailReason::Error {
                    Resolution::error("the service is away")
                } else {
                    Resolution::unmatched(reason.clone()).with_wake_keys(vec!["k".to_owned()])
                };
                Ok(vec![answer; leads.len()])
            };
            store.recover(&mut fails, &options).unwrap();
            let told = check(&mut store, &backlog, "impact");
            assert_eq!((told.verdict, told.help.len()), (Verdict::Pass, 1), "{told:#?}");
            let remedy = &told.help[0];
            assert_eq!(remedy.frees, Some(u64::from(ALL)), "{told:#?}");
            assert!(remedy.action.contains(words), "{reason}: {}", remedy.action);
            mend(&mut store, &backlog, remedy.command.as_deref());
            let mut everybody = |leads: &[ClaimedLead]| {
                let person = PersonKey::new("P-1").unwrap();
                Ok(vec![Resolution::matched(person, "PHONE_EXACT", "high"); leads.len()])
            };
            store.recover(&mut everybody, &options).unwrap();
            let after = check(&mut store, &backlog, "impact");
            assert_eq!(after.verdict, Verdict::Pass, "{after:#?}");
            assert!(after.help.is_empty(), "{reason}: nothing is left: {after:#?}");
            check_invariants(&mut store);
        });
    }
}

#[test]
fn leads_that_nobody_has_tried_are_seeded_recovered_corrected_or_reopened() {
    on_each(|mut store| {
        let backlog = with_claims(&mut store, 12);
        let lead = |report: &CheckReport| {
            let remedy = report.help.first().unwrap_or_else(|| panic!("{report:#?}"));
            (
                remedy.action.clone(),
                remedy.command.clone().unwrap(),
                remedy.frees.unwrap_or_default(),
            )
        };
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let (action, command, frees) = lead(&check(&mut store, &backlog, "impact"));
        assert_eq!((command.as_str(), frees), ("seed_queue", 12), "{action}");
        follow(&mut store, &backlog, &command);
        let (action, command, frees) = lead(&check(&mut store, &backlog, "impact"));
        assert_eq!((command.as_str(), frees), ("recover_leads", 12), "{action}");
        follow(&mut store, &backlog, &command);
        // Four are left, which nobody fits; one of them is taken out of the work by hand.
        store.cancel(&[pk("L-0")], ANA).unwrap();
        let told = check(&mut store, &backlog, "impact");
        assert_eq!(told.verdict, Verdict::Pass, "a person's decision explains a lead: {told:#?}");
        let remedy = &told.help[1];
        assert_eq!(remedy.frees, Some(1), "{told:#?}");
        assert!(remedy.action.ends_with("reopen it by key."), "{}", remedy.action);
        store.reopen_leads(Reopen::Keys(&[pk("L-0")]), ANA).unwrap();
        let told = check(&mut store, &backlog, "impact");
        assert!(told.help.iter().any(|one| one.command.as_deref() == Some("recover_leads")));
        follow(&mut store, &backlog, "recover_leads");
        assert_eq!(check(&mut store, &backlog, "impact").help.len(), 1);

        // A lead that is settled though it is in the backlog has no explanation.
        break_it(
            &mut store,
            &format!(
                "UPDATE {{queue_settled}} SET status = 3, reason = NULL WHERE lead_id = {}",
                id("L-0")
            ),
        );
        let told = check(&mut store, &backlog, "impact");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        assert!(told.help.iter().any(|one| one.command.as_deref() == Some("seed_queue")));
        follow(&mut store, &backlog, "seed_queue");
        assert_eq!(check(&mut store, &backlog, "impact").verdict, Verdict::Pass);

        // A run that ended with more than it began with, and nothing arrived.
        break_it(
            &mut store,
            "UPDATE {queue_run} SET backlog_after = 99 WHERE id = (SELECT max(id) FROM {queue_run} WHERE kind = 'recover')",
        );
        let told = check(&mut store, &backlog, "impact");
        assert_eq!(told.verdict, Verdict::Fail, "{told:#?}");
        assert!(told.help.iter().any(|one| one.action.starts_with("Find out what did so")));
        follow(&mut store, &backlog, "recover_leads");
        assert_eq!(check(&mut store, &backlog, "impact").verdict, Verdict::Pass);
    });
}

#[test]
fn a_day_that_lets_the_backlog_grow_is_made_good_the_same_day_or_leaves_the_window() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 30);
        store.set_clock(Some(minute(0)));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let born = "INSERT INTO {leads} SELECT id || '00', born FROM {leads} WHERE length(id) = 3";
        break_it(&mut store, born);
        store.set_clock(Some(minute(60 * 24)));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let told = check(&mut store, &backlog, "throughput");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        assert_eq!(told.help[0].action, "Recover the leads that wait.");
        follow(&mut store, &backlog, told.help[0].command.as_deref().unwrap());
        // Today is good; the day before, on which nothing was recovered, is not.
        let told = check(&mut store, &backlog, "throughput");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        assert!(told.help[0].action.ends_with("until it is out of the last 7 days."), "{told:#?}");
        for day in 2..9 {
            store.set_clock(Some(minute(60 * 24 * day)));
            store.reopen_leads(Reopen::Reason(FailReason::NoCandidates), ANA).unwrap();
            let mut one = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
                let person = PersonKey::new("P-1").unwrap();
                let mut answers =
                    vec![Resolution::unmatched(FailReason::NoCandidates); leads.len()];
                answers[0] = Resolution::matched(person, "PHONE_EXACT", "high");
                Ok(answers)
            };
            store.recover(&mut one, &RecoverOptions::default()).unwrap();
        }
        let after = check(&mut store, &backlog, "throughput");
        assert_eq!(after.verdict, Verdict::Pass, "{after:#?}");
    });
}

#[test]
fn a_clock_that_went_back_passes_once_it_is_set_right() {
    on_each(|mut store| {
        let backlog = drained(&mut store);
        store.set_clock(Some(minute(-60)));
        let told = check(&mut store, &backlog, "clock");
        assert_eq!(told.verdict, Verdict::Warn, "{told:#?}");
        assert!(told.help[0].action.starts_with("Set the clock right."), "{told:#?}");
        store.set_clock(Some(minute(1)));
        assert_eq!(check(&mut store, &backlog, "clock").verdict, Verdict::Pass);
    });
}

/// The books alone, as they are read where the store itself refuses to work.
fn heads(store: &mut SqlStore, services: &[ServiceMigrations]) -> CheckReport {
    let facts = BookFacts::read(store, services).unwrap();
    let report = Suite::recovery().run(&facts, &StoppedClock);
    report.check("single_migration_head").unwrap().clone()
}

/// Breaks the books, has the remedy followed, and sees one head again.
fn mended(
    store: &mut SqlStore,
    (broken, words, command): (&str, &str, Option<&str>),
    mend: &dyn Fn(&mut SqlStore),
) {
    assert_eq!(heads(store, &[]).verdict, Verdict::Pass, "before {broken}");
    break_it(store, broken);
    let told = heads(store, &[]);
    assert_eq!(told.verdict, Verdict::Fail, "{broken}");
    let remedy = &told.help[0];
    assert!(remedy.action.starts_with(words), "{broken}: {remedy:?}");
    assert_eq!(remedy.command.as_deref(), command, "{broken}");
    mend(store);
    let after = heads(store, &[]);
    assert_eq!(after.verdict, Verdict::Pass, "{broken}: {after:#?}");
    assert!(store.read().is_ok(), "{broken}");
}

#[test]
fn each_remedy_of_the_queues_book_leads_back_to_one_head() {
    on_each(|mut store| {
        drained(&mut store);
        // The newest, which makes a view.
        let head = "00000000000016";
        let versions = store.migration_status().unwrap().embedded;
        let from_head: Vec<_> =
            versions.into_iter().filter(|version| version.as_str() >= head).collect();
        let forgotten = format!("DELETE FROM {{queue_migration}} WHERE version >= '{head}'");
        let stamp = format!("queue_admin stamp {head}");
        mended(&mut store, (&forgotten, "Stamp 0", Some(&stamp)), &|store| {
            store.stamp_version(head, ANA).unwrap();
            assert_eq!(store.migrate().unwrap(), from_head[1..]);
        });
        let no_book = "DROP TABLE {queue_migration}";
        mended(&mut store, (no_book, "Stamp the tables", Some("queue_admin stamp")), &|store| {
            store.stamp(ANA).unwrap();
        });
        // With what the newest migration makes.
        let pending = format!(
            "{forgotten}; DROP VIEW {{queue_missing_origin}}; DROP INDEX {{queue_person_without_origin}}"
        );
        // Every runner that writes migrates when it starts.
        mended(&mut store, (&pending, "Migrate;", Some("seed_queue")), &|store| {
            assert_eq!(store.migrate().unwrap(), from_head);
        });
        let edited = "ALTER TABLE {queue_migration} ADD COLUMN was TEXT; \
             UPDATE {queue_migration} SET was = sha256, sha256 = 'x' WHERE version LIKE '%1'";
        mended(&mut store, (edited, "Restore the published files", None), &|store| {
            break_it(store, "UPDATE {queue_migration} SET sha256 = was WHERE version LIKE '%1'");
        });
        let lost = "ALTER TABLE {queue_rejected_pair} RENAME TO backup";
        let back = |store: &mut SqlStore| {
            let backup = store.view_name("backup");
            break_it(store, &format!("ALTER TABLE {backup} RENAME TO queue_rejected_pair"));
        };
        mended(
            &mut store,
            (lost, "Restore the published files of the migrations, or from a backup", None),
            &back,
        );
        // The newer program knows the version, as this one does where it is not in the book.
        let newer = "INSERT INTO {queue_migration} (version, name, sha256, breaking, applied_at) \
             VALUES ('99990', 'later', '', 1, 0)";
        mended(&mut store, (newer, "Run the program that applied", None), &|store| {
            break_it(store, "DELETE FROM {queue_migration} WHERE version = '99990'");
        });
    });
}

type Versions<'a> = &'a [&'a str];

/// The migrations of several branches that were merged.
struct Merged(Vec<FileBasedMigrations>);

impl<DB: diesel::backend::Backend> MigrationSource<DB> for Merged
where
    FileBasedMigrations: MigrationSource<DB>,
{
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
        let mut all = Vec::new();
        for branch in &self.0 {
            all.extend(MigrationSource::<DB>::migrations(branch)?);
        }
        Ok(all)
    }
}

/// A program that embeds these versions.
fn program(dir: &tempfile::TempDir, versions: &[&str]) -> ServiceMigrations {
    let branch = |(number, version): (usize, &&str)| {
        let root = dir.path().join(format!("{}_{number}_{version}", versions.join("_")));
        let folder = root.join(format!("{version}_made"));
        std::fs::create_dir_all(&folder).unwrap();
        for script in ["up.sql", "down.sql"] {
            std::fs::write(folder.join(script), "SELECT 1;").unwrap();
        }
        FileBasedMigrations::from_path(root).unwrap()
    };
    let merged = Merged(versions.iter().enumerate().map(branch).collect());
    ServiceMigrations::of::<diesel::sqlite::Sqlite>("service", &merged).unwrap()
}

#[test]
fn each_remedy_of_a_services_book_leads_back_to_one_head() {
    on_each(|mut store| {
        if store.view_name("").contains('.') {
            // A server is shared: the service's tables get a place of their own.
            let schema = format!("heads_{}", std::process::id());
            script(&mut store, &format!("CREATE SCHEMA {schema}; SET search_path = {schema}"));
        }
        let dir = tempfile::tempdir().unwrap();
        let made = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
        script(&mut store, made);
        // What is applied, what the program embeds, what is to be done, what the program embeds then, what it applies.
        let cases: [(Versions, Versions, &str, Versions, Versions); 5] = [
            (&["1"], &["1", "2"], "Migrate with this program", &["1", "2"], &["2"]),
            (
                &["1", "2"],
                &["1", "2", "2"],
                "Give one of the two sources",
                &["1", "2", "3"],
                &["3"],
            ),
            (&["1", "2"], &["1"], "Run the program that applied", &["1", "2"], &[]),
            (&["1", "3"], &["1", "2"], "Build one program", &["1", "3", "4"], &["4"]),
            (&["1", "3"], &["1", "2", "3"], "Give the pending version", &["1", "3", "4"], &["4"]),
        ];
        for (applied, embedded, words, then, applies) in cases {
            script(&mut store, "DELETE FROM __diesel_schema_migrations");
            let apply = |store: &mut SqlStore, versions: &[&str]| {
                for version in versions {
                    let row = format!(
                        "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
                    );
                    script(store, &row);
                }
            };
            apply(&mut store, applied);
            let told = heads(&mut store, &[program(&dir, embedded)]);
            assert_eq!(told.verdict, Verdict::Fail, "{embedded:?} on {applied:?}: {told:#?}");
            assert_eq!(told.help.len(), 1, "{told:#?}");
            assert!(told.help[0].action.starts_with(words), "{told:#?}");
            let after = program(&dir, then);
            apply(&mut store, applies);
            let after = heads(&mut store, &[after]);
            assert_eq!(after.verdict, Verdict::Pass, "{embedded:?} on {applied:?}: {after:#?}");
        }
    });
}
