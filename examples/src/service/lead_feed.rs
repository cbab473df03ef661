//! The seed of the runners' own backlog, which reads what has changed where the database notes it.
//!
//! While the mark is there, triggers note the key of each lead whose row or claim changes, whoever changes it. A seed takes
//! the notes in its own transaction and reads these leads alone; without the mark it reads all leads.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::{
    Backlog as _, Feed, QueueStore as _, SeedOptions, SeedSummary, SourcePk, SqlStore, ViewBacklog,
    ViewName,
};

use super::database::Database;
use crate::cli::{Console, Failure};
use crate::service::BACKLOG_VIEW;

/// The mark that says whether changed leads are noted; its being there turns the notes on.
const MARK: &str = "lead_feed";
/// The notes are whole: all leads were read after they were begun.
const NOTED: &str = "noted";

/// Fewer leads are read as fast as anything else is done.
const WORTH_NOTING: u64 = 20_000;

/// How a run seeds: what it says of inputs that have shrunk, and when it tries failed leads again.
#[derive(Clone, Copy, Debug, Args)]
pub struct SeedArgs {
    /// Lets the seed withdraw more than half of the backlog (100 leads and more), and a file have fewer than half the
    /// rows of the last import (at least 100 fewer).
    #[arg(long)]
    pub allow_shrink: bool,
    /// Reads the whole backlog, also where the database notes which leads have changed since the last seed.
    #[arg(long)]
    pub whole: bool,
    /// Hours after which a failed lead is tried again though nothing changed; less than a day, so that a job that runs
    /// every night skips no night.
    #[arg(long, default_value_t = 20, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(..=8_760))]
    pub cool_down: u64,
}

impl SeedArgs {
    /// Gives the options of a seed.
    #[must_use]
    pub fn seed_options(self, actor: &str) -> SeedOptions {
        let rest = Duration::from_secs(self.cool_down * 3_600);
        let options = SeedOptions::default().with_actor(actor).with_cool_down(Some(rest));
        if self.allow_shrink { options.with_fuse(None) } else { options }
    }
}

#[derive(QueryableByName)]
struct NotedLead {
    #[diesel(sql_type = Text)]
    lead_source_pk: String,
}

impl Database {
    /// Seeds the queue from a backlog as `args` say; from the runners' own it reads what has changed alone, where that is
    /// noted. Notes it from now on where there are many leads.
    ///
    /// # Errors
    ///
    /// The queue's and the database's.
    pub fn seed(
        &mut self,
        store: &mut SqlStore,
        backlog: &ViewBacklog,
        args: SeedArgs,
        actor: &str,
        console: &Console,
    ) -> Result<SeedSummary, Failure> {
        self.seed_noting(store, backlog, args, actor, (console, WORTH_NOTING))
    }

    /// Seeds; `many` leads are noted from now on.
    fn seed_noting(
        &mut self,
        store: &mut SqlStore,
        backlog: &ViewBacklog,
        args: SeedArgs,
        actor: &str,
        (console, many): (&Console, u64),
    ) -> Result<SeedSummary, Failure> {
        let options = args.seed_options(actor);
        let mut seed = |options: &SeedOptions| {
            let working = console.bars().waiting("seed");
            let seed = store.seed(backlog, options);
            working.finish_and_clear();
            seed
        };
        if self.map.is_some() || backlog.name() != BACKLOG_VIEW {
            return Ok(seed(&options)?);
        }
        if self.kept(MARK)?.as_deref() == Some(NOTED) {
            let notes = Feed::Outbox(ViewName::new("leads_changed")?);
            let feed = Some(notes).filter(|_| !args.whole);
            return Ok(seed(&options.with_feed(feed))?);
        }
        let begun = if self.has_rows("leads", many)? { self.begin_notes(console) } else { None };
        let seed = seed(&options)?;
        if let Some(begun) = begun {
            // Another seed may have begun them anew, or a table was emptied.
            self.keep_after(MARK, &begun, NOTED)?;
        }
        Ok(seed)
    }

    /// Gives the leads that are noted as changed; none where it is not noted which changed, or these are more than `most`.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn noted_leads(&mut self, most: usize) -> Result<Option<BTreeSet<SourcePk>>, Failure> {
        if self.map.is_some() || self.kept(MARK)?.as_deref() != Some(NOTED) {
            return Ok(None);
        }
        let rows: Vec<NotedLead> = self.load(&format!(
            "SELECT lead_source_pk FROM leads_changed LIMIT {}",
            most.saturating_add(1)
        ))?;
        let leads = rows.into_iter().filter_map(|row| SourcePk::new(row.lead_source_pk).ok());
        let leads: BTreeSet<SourcePk> = leads.collect();
        Ok(Some(leads).filter(|leads| leads.len() <= most))
    }

    /// Has changed leads noted from now on; gives the mark, or nothing where this role may not do so.
    fn begin_notes(&mut self, console: &Console) -> Option<String> {
        let begun = format!("begun {:016x}", rand::random::<u64>());
        let done = self.transaction(|database| {
            // Who writes at this moment has noted nothing: he is waited for.
            if database.is_postgres() {
                database.execute("LOCK TABLE leads, claims IN SHARE MODE")?;
            }
            database.keep(MARK, &begun)?;
            database.execute("DELETE FROM leads_changed")
        });
        match done {
            Ok(_) => {
                console.note(format_args!(
                    "which leads change is noted from now on: seeds read those alone (--whole reads all)"
                ));
                Some(begun)
            }
            Err(failure) => {
                console.note(format_args!(
                    "which leads change cannot be noted, so each seed reads all: {failure}"
                ));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;
    use recovery_queue::{DatabaseUrl, InMemoryBacklog, LeadStore as _, SeedOptions};

    use super::*;
    use crate::admin::{Service, in_one};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        args: SeedArgs,
    }

    struct Place {
        url: DatabaseUrl,
        store: SqlStore,
        service: Database,
    }

    impl Place {
        fn new(url: &DatabaseUrl) -> Self {
            let (store, service) = crate::service::open(url).unwrap();
            Self { url: url.clone(), store, service }
        }

        fn seed(&mut self, flags: &[&str]) -> SeedSummary {
            let flags = ["test", "--allow-shrink"].iter().chain(flags);
            let args = Flags::parse_from(flags).args;
            let backlog = ViewBacklog::new(BACKLOG_VIEW).unwrap();
            let Self { store, service, .. } = self;
            let console = Console::new(true);
            service.seed_noting(store, &backlog, args, "test", (&console, 1)).unwrap()
        }

        fn run(&mut self, sql: &str) {
            self.service.execute(sql).unwrap();
        }

        fn add(&mut self, lead: u8) {
            self.run(&format!("INSERT INTO leads (source_pk, version) VALUES ('L{lead}', '1')"));
        }

        fn noted(&mut self) -> i64 {
            self.service.number("SELECT count(*) AS n FROM leads_changed").unwrap()
        }

        fn mark(&mut self) -> Option<String> {
            self.service.kept(MARK).unwrap()
        }

        /// Seeds by the notes, and finds that a seed of all leads has nothing left to do.
        fn seed_by_notes(&mut self) -> SeedSummary {
            let seed = self.seed(&[]);
            assert!(seed.touched.is_some(), "{seed:?}");
            let whole = self.seed(&["--whole"]);
            assert_eq!((whole.touched, whole.changed()), (None, false), "{whole:?}");
            assert_eq!(seed.backlog_size, whole.backlog_size);
            seed
        }
    }

    fn on_each(test: fn(Place)) {
        crate::service::testing::on_each("the lead feed", |url| test(Place::new(url)));
    }

    #[test]
    fn a_seed_by_notes_leaves_nothing_to_do_for_a_seed_of_all_leads_whoever_changes_them() {
        on_each(|mut place| {
            place.add(0);
            assert_eq!(place.seed(&[]).touched, None, "nothing was noted before");
            let place = std::cell::RefCell::new(place);
            let changes = prop::collection::vec((0_u8..7, 0_u8..9), 0..8);
            proptest!(ProptestConfig::with_cases(40), |(changes in changes)| {
                let mut place = place.borrow_mut();
                for (act, lead) in changes {
                    place.run(&match act {
                        0 => format!("DELETE FROM leads WHERE source_pk = 'L{lead}'"),
                        1 => format!("UPDATE leads SET version = version || '.' WHERE source_pk = 'L{lead}'"),
                        2 => format!(
                            "INSERT INTO claims (claim_id, source_pk) VALUES ('C{lead}', 'L{lead}') ON CONFLICT DO NOTHING"
                        ),
                        3 => format!("DELETE FROM claims WHERE claim_id = 'C{lead}'"),
                        4 => format!("UPDATE claims SET source_pk = 'L{}' WHERE claim_id = 'C{lead}'", (lead + 1) % 9),
                        5 => format!("UPDATE claims SET source_pk = NULL WHERE claim_id = 'C{lead}'"),
                        _ => format!(
                            "INSERT INTO leads (source_pk, version) VALUES ('L{lead}', '1') ON CONFLICT DO NOTHING"
                        ),
                    });
                }
                place.seed_by_notes();
                prop_assert_eq!(place.noted(), 0);
            });
        });
    }

    #[test]
    fn few_leads_are_not_noted_and_notes_that_were_not_begun_to_the_end_are_begun_anew() {
        on_each(|mut place| {
            let backlog = ViewBacklog::new(BACKLOG_VIEW).unwrap();
            let args = Flags::parse_from(["test"]).args;
            let Place { store, service, .. } = &mut place;
            service.seed(store, &backlog, args, "test", &Console::new(true)).unwrap();
            assert_eq!((place.mark(), place.noted()), (None, 0));
            place.add(1);
            place.seed(&[]);
            assert_eq!(place.mark().as_deref(), Some(NOTED));
            // Killed between the begin of the notes and the end of the first seed.
            place.service.keep(MARK, "begun 0").unwrap();
            place.add(2);
            assert_eq!((place.noted(), place.seed(&[]).touched), (1, None));
            place.add(3);
            assert_eq!((place.noted(), place.seed_by_notes().arrived), (1, 1));
            if place.service.is_postgres() {
                place.run("TRUNCATE leads");
                assert_eq!(place.mark(), None, "who is gone is not told");
                assert_eq!(place.seed(&[]).withdrawn, 3);
            }
        });
    }

    #[test]
    fn a_second_backlog_and_a_change_under_way_elsewhere_lose_nothing() {
        on_each(|mut place| {
            place.add(1);
            place.seed(&[]);
            if place.service.is_postgres() {
                // One writer at a time on SQLite.
                let mut other = crate::service::open(&place.url).unwrap().1;
                place.run("UPDATE leads SET version = '2'");
                other.execute("BEGIN").unwrap();
                other.execute("DELETE FROM leads").unwrap();
                let seed = place.seed(&[]);
                assert_eq!(
                    (seed.touched, seed.withdrawn),
                    (Some(0), 0),
                    "the note is in another's hand"
                );
                other.execute("COMMIT").unwrap();
                assert_eq!(place.seed_by_notes().withdrawn, 1);
                place.add(1);
                place.seed_by_notes();
            }
            let other = InMemoryBacklog::new("other", []);
            place.store.seed(&other, &SeedOptions::default()).unwrap();
            place.add(2);
            let seed = place.seed(&[]);
            assert_eq!(
                (seed.touched, seed.arrived),
                (None, 1),
                "leads may pass from one to the other"
            );
        });
    }

    #[test]
    fn a_lead_that_is_forgotten_leaves_no_note() {
        on_each(|mut place| {
            place.add(1);
            place.add(2);
            place.seed(&[]);
            let tables = Service::of(&place.url, &place.store, false).unwrap();
            let key = recovery_queue::SourcePk::new("L1").unwrap();
            in_one(&mut place.store, false, |store| {
                tables.forget_lead(store, &key)?;
                let asked = recovery_queue::Decider { by: "ana", reason: "on request" };
                Ok(store.forget(recovery_queue::Forget::Lead(&key), asked)?)
            })
            .unwrap();
            assert_eq!(place.noted(), 0);
            place.seed_by_notes();
        });
    }
}
