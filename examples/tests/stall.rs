//! Runs that stand still at a chosen place, so that they are killed or met there.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use crate::corrections::sql;
use crate::review_crashes::ask;

pub(crate) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite://")
}

/// Has a run stand still where it writes a table: while the row is inserted, or while the transaction is committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) table: &'static str,
    pub(crate) at_commit: bool,
}

impl Stall {
    fn place(self, url: &str) -> String {
        let own = ["persons", "leads"].contains(&self.table) || is_sqlite(url);
        if own { self.table.to_owned() } else { format!("recovery.{}", self.table) }
    }

    /// Makes the trigger; on SQLite there must be twelve leads to count over and over.
    pub(crate) fn set(self, url: &str, seconds: u32) {
        let table = self.place(url);
        if is_sqlite(url) {
            // No statement of SQLite sleeps: one counts for long.
            let of = if seconds > 5 {
                "leads a, leads b, leads c, leads d, leads e, leads f, leads g, leads h, leads i"
            } else {
                "leads a, leads b, leads c, leads d, leads e, leads f"
            };
            sql(
                url,
                &format!(
                    "CREATE TRIGGER stall AFTER INSERT ON {table} BEGIN SELECT count(*) FROM {of}; END"
                ),
            );
            return;
        }
        let kind = if self.at_commit { "CONSTRAINT TRIGGER" } else { "TRIGGER" };
        let when = if self.at_commit {
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        } else {
            "FOR EACH STATEMENT"
        };
        sql(
            url,
            &format!(
                "CREATE OR REPLACE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END'; \
             CREATE {kind} stall AFTER INSERT ON {table} {when} EXECUTE FUNCTION stall()"
            ),
        );
    }

    pub(crate) fn lift(self, url: &str) {
        let of = if is_sqlite(url) { String::new() } else { format!(" ON {}", self.place(url)) };
        sql(url, &format!("DROP TRIGGER stall{of}"));
    }
}

/// Says whether a run stands still in its transaction.
pub(crate) fn stands(url: &str) -> bool {
    match url.strip_prefix("sqlite://") {
        Some(path) => {
            let mut other = SqliteConnection::establish(path).unwrap();
            other.batch_execute("BEGIN IMMEDIATE; ROLLBACK").is_err()
        }
        None => sleeping(url) > 0,
    }
}

/// Counts the sessions of a server that stand still.
pub(crate) fn sleeping(url: &str) -> u32 {
    let sleeping = "SELECT CAST(count(*) AS TEXT) AS told FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    ask(url, sleeping).parse().expect("a number")
}

/// Waits until something holds; that it ever does is what is tested.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// Ends the sessions of a server that stand still, whose clients are gone.
pub(crate) fn end_sleepers(url: &str) {
    ask(
        url,
        "SELECT CAST(count(pg_terminate_backend(pid)) AS TEXT) AS told FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event = 'PgSleep'",
    );
}
