use std::collections::BTreeSet;

use super::{MigrationFacts, RecoveryFacts};
use crate::facts::{Offender, Offenders};
use crate::words::count_of;
use crate::{Check, CheckError, Description, Finding, Remedy};

/// The check that the database stands at the one head of each book of migrations.
///
/// Diesel runs what is pending and looks no further; this check finds what it does not: two heads, a version
/// that two sources carry, an applied version without a source, a pending version older than the newest
/// applied one, and an applied one that has changed since. Where a book has no checksum of an applied version, it says
/// that whether this one was edited cannot be told. It needs the books alone, so that it also speaks
/// where the store refuses to open.
#[derive(Debug, Clone, Copy, Default)]
pub struct SingleMigrationHead;

impl<F: RecoveryFacts + ?Sized> Check<F> for SingleMigrationHead {
    fn id(&self) -> &'static str {
        "single_migration_head"
    }

    fn describe(&self) -> Description {
        Description::counting(
            "each book has one head: nothing pending, unknown, out of order or changed",
        )
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let books = facts.migrations()?;
        let mut faults = Vec::new();
        let mut versions = 0;
        let (mut embedded, mut applied, mut heads) = (0, 0, Vec::new());
        let (mut causes, mut remedies) = (Vec::new(), Vec::new());
        for book in &books {
            let found = book.faults();
            let all: BTreeSet<&String> = book.embedded.iter().chain(&book.applied).collect();
            versions += (all.len() + book.drifted.len() + book.unrecorded.len()) as u64;
            embedded += book.embedded.len() as u64;
            applied += book.applied.len() as u64;
            heads.push(book.named(book.applied.iter().max().map_or("none", String::as_str)));
            for (cause, remedy) in book.causes_and_remedies() {
                causes.push(cause);
                remedies.push(remedy);
            }
            faults.extend(
                found.into_iter().map(|fault| Offender::new(book.named(&fault.key), fault.reason)),
            );
        }
        causes.dedup();
        remedies.dedup();
        let unverified: usize = books.iter().map(|book| book.unverified.len()).sum();
        let found = Offenders::of(faults, Some(versions), list);
        let mut finding = Finding::counted(found, "migrations are not in order")
            .where_empty("there is no migration");
        if unverified > 0 {
            let words = format!(
                "{}; whether {} were edited since cannot be told: no checksum of theirs is recorded",
                finding.summary(),
                count_of(unverified as u64, "applied version"),
            );
            finding = finding.words(words).figure("unverified", unverified as u64);
        }
        let finding = finding
            .figure("embedded", embedded)
            .figure("applied", applied)
            .figure("head", heads.join(", "));
        let finding = causes.into_iter().fold(finding, Finding::cause);
        Ok(remedies.into_iter().fold(finding, Finding::remedy))
    }
}

impl MigrationFacts {
    /// A version with the book that it stands in, where there are several.
    fn named(&self, version: &str) -> String {
        if self.book.is_empty() { version.to_owned() } else { format!("{}: {version}", self.book) }
    }

    /// What brings each kind of fault about, and what ends it; where migrating ends it, its command stands there.
    fn causes_and_remedies(&self) -> Vec<(&'static str, Remedy)> {
        let held: BTreeSet<&String> = self.embedded.iter().collect();
        let done: BTreeSet<&String> = self.applied.iter().collect();
        let pending: Vec<_> = held.difference(&done).collect();
        let unknown: Vec<_> = done.difference(&held).collect();
        let mut found = Vec::new();
        let mut add = |cause, remedy| found.push((cause, remedy));
        if !self.unrecorded.is_empty() {
            let words = "Stamp the tables if this program made them; else give the queue a namespace of its own.";
            let cause = "the tables were restored without their book, or are another program's";
            add(cause, Remedy::new(words).command("queue_admin stamp"));
            return found;
        }
        if held.len() < self.embedded.len() {
            let words = "Give one of the two sources of a version another, later one, and build the program anew.";
            add("two branches added a migration of one version", Remedy::new(words));
        }
        if !self.drifted.is_empty() {
            let words = "Restore the published files of the migrations, or from a backup the tables that are \
                         missing: a migration is never edited, a new one follows it.";
            add("an applied file was edited, or a table was changed by hand", Remedy::new(words));
        }
        let newest = done.last();
        let late = pending.iter().any(|version| newest.is_some_and(|newest| ***version < **newest));
        if let Some(version) = self.made.first() {
            let words = format!("Stamp {version}, whose tables are there already; then migrate.");
            let remedy = Remedy::new(words).command(format!("queue_admin stamp {version}"));
            add("another branch or program made the tables of a pending version", remedy);
            return found;
        }
        match (pending.is_empty(), unknown.is_empty()) {
            (false, false) => {
                let words = "Build one program that holds the migrations of both branches, those of this \
                             one with versions after the newest applied; then migrate.";
                add(
                    "two branches went on by themselves: one migrated the database, the other is this program",
                    Remedy::new(words),
                );
            }
            (true, false) => {
                let words =
                    "Run the program that applied what this one does not know, or a newer one.";
                add("a newer program has migrated the database", Remedy::new(words));
            }
            (false, true) if late => {
                let words = "Give the pending version another one, after the newest applied.";
                add("a migration was added behind one that is applied already", Remedy::new(words));
            }
            (false, true) => {
                let migrate = Remedy::new(
                    "Migrate with this program; every runner that writes does so when it starts.",
                );
                let remedy = self.remedy.clone().unwrap_or(migrate.command("seed_queue"));
                add("the database is older than the program", remedy);
            }
            (true, true) => {}
        }
        found
    }

    /// Names what is wrong, version by version.
    #[must_use]
    pub fn faults(&self) -> Vec<Offender> {
        let Self { embedded, applied, drifted, made, unrecorded, .. } = self;
        let held: BTreeSet<&String> = embedded.iter().collect();
        let done: BTreeSet<&String> = applied.iter().collect();
        let newest = done.last();
        let mut faults: Vec<Offender> = drifted.clone();
        let found = |table: &String| Offender::new(table, "it is there, and no book records it");
        faults.extend(unrecorded.iter().map(found));
        let mut seen = BTreeSet::new();
        for version in embedded {
            if !seen.insert(version) {
                faults.push(Offender::new(version, "two sources carry this version"));
            }
        }
        let unknown = |version: &&&String| !held.contains(**version);
        let pending = |version: &&&String| !done.contains(**version);
        let other_head = done.iter().rev().find(unknown);
        for version in done.iter().filter(unknown) {
            faults.push(Offender::new(*version, "applied, but the program has no source for it"));
        }
        for version in held.iter().filter(pending) {
            // Both sides have gone on by themselves: two branches, each with a migration of its own.
            let reason = match (other_head, newest) {
                _ if made.contains(version) => {
                    let book = newest.map_or("none", |newest| newest.as_str());
                    format!(
                        "pending, though its tables are there: two heads, {book} by the book and this one by \
                         the tables"
                    )
                }
                (Some(other), _) if Some(version) == held.last() => {
                    format!(
                        "pending: two heads, this one of the program and {other} of the database"
                    )
                }
                (_, Some(newest)) if version < newest => {
                    "pending, and older than the newest applied version".to_owned()
                }
                _ => "pending".to_owned(),
            };
            faults.push(Offender::new(*version, reason));
        }
        for pair in applied.windows(2) {
            if pair[1] < pair[0] {
                faults
                    .push(Offender::new(&pair[1], format!("applied after the newer {}", pair[0])));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn reasons(embedded: &[&str], applied: &[&str]) -> Vec<String> {
        let facts = MigrationFacts {
            embedded: versions(embedded),
            applied: versions(applied),
            ..MigrationFacts::default()
        };
        facts.faults().into_iter().map(|fault| format!("{}: {}", fault.key, fault.reason)).collect()
    }

    #[test]
    fn a_database_at_the_head_has_no_fault() {
        assert!(reasons(&["1", "2", "3"], &["1", "2", "3"]).is_empty());
    }

    #[test]
    fn each_fault_that_diesel_passes_over_is_named() {
        assert_eq!(reasons(&["1", "1"], &["1"]), ["1: two sources carry this version"]);
        assert_eq!(
            reasons(&["1"], &["1", "2"]),
            ["2: applied, but the program has no source for it"]
        );
        assert_eq!(
            reasons(&["1", "2", "3"], &["1", "3"]),
            ["2: pending, and older than the newest applied version"]
        );
        assert_eq!(reasons(&["1", "2"], &["1"]), ["2: pending"]);
        assert_eq!(
            reasons(&["1", "2"], &["1", "3"]),
            [
                "3: applied, but the program has no source for it",
                "2: pending: two heads, this one of the program and 3 of the database",
            ]
        );
        assert_eq!(reasons(&["1", "2"], &["2", "1"]), ["1: applied after the newer 2"]);
    }

    /// The first words and the command of each remedy.
    fn remedies(facts: &MigrationFacts) -> Vec<(String, Option<String>)> {
        let all = facts.causes_and_remedies().into_iter();
        let first = |words: String| words.split(' ').next().unwrap_or_default().to_owned();
        all.map(|(_, remedy)| (first(remedy.action), remedy.command)).collect()
    }

    #[test]
    fn each_fault_has_the_remedy_that_ends_it() {
        let book = |embedded: &[&str], applied: &[&str]| MigrationFacts {
            embedded: versions(embedded),
            applied: versions(applied),
            ..MigrationFacts::default()
        };
        let one = |facts: &MigrationFacts, word: &str, command: Option<&str>| {
            assert_eq!(
                remedies(facts),
                [(word.to_owned(), command.map(str::to_owned))],
                "{facts:?}"
            );
        };
        assert!(remedies(&book(&["1"], &["1"])).is_empty());
        one(&book(&["1", "2"], &["1"]), "Migrate", Some("seed_queue"));
        one(&book(&["1"], &["1", "2"]), "Run", None);
        one(&book(&["1", "2"], &["1", "3"]), "Build", None);
        one(&book(&["1", "2", "3"], &["1", "3"]), "Give", None);
        one(&book(&["1", "1"], &["1"]), "Give", None);
        let made = MigrationFacts { made: versions(&["2"]), ..book(&["1", "2", "3"], &["1"]) };
        one(&made, "Stamp", Some("queue_admin stamp 2"));
        let reasons: Vec<String> = made.faults().into_iter().map(|fault| fault.reason).collect();
        let two_heads = "pending, though its tables are there: two heads, 1 by the book and this one by the tables";
        assert_eq!(reasons, [two_heads, "pending"]);
        let bare = MigrationFacts { unrecorded: versions(&["t"]), ..book(&["1"], &[]) };
        one(&bare, "Stamp", Some("queue_admin stamp"));
        let edited =
            MigrationFacts { drifted: vec![Offender::new("1", "x")], ..book(&["1"], &["1"]) };
        one(&edited, "Restore", None);
    }
}
