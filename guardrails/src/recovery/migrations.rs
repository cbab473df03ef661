use std::collections::BTreeSet;

use super::{MigrationFacts, RecoveryFacts};
use crate::facts::{Offender, Offenders};
use crate::{Check, CheckError, Description, Finding, Remedy};

/// Checks that the database stands at the one head of each book of migrations.
///
/// Diesel runs what is pending and looks no further; this check finds what it does not: two heads, a version
/// that two sources carry, an applied version without a source, a pending version older than the newest
/// applied one, and an applied one that has changed since. It needs the books alone, so that it also speaks
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
        let mut remedies = Vec::new();
        let mut pending = false;
        for book in &books {
            let found = book.faults();
            let all: BTreeSet<&String> = book.embedded.iter().chain(&book.applied).collect();
            versions += all.len() as u64;
            embedded += book.embedded.len() as u64;
            applied += book.applied.len() as u64;
            heads.push(book.named(book.applied.iter().max().map_or("none", String::as_str)));
            if !found.is_empty() {
                pending |= book.has_pending();
                remedies.extend(book.remedy.clone());
            }
            faults.extend(
                found.into_iter().map(|fault| Offender::new(book.named(&fault.key), fault.reason)),
            );
        }
        let offends = !faults.is_empty();
        let found = Offenders::of(faults, Some(versions), list);
        let finding = Finding::counted(found, "migrations are not in order")
            .where_empty("there is no migration")
            .figure("embedded", embedded)
            .figure("applied", applied)
            .figure("head", heads.join(", "));
        if !offends {
            return Ok(finding);
        }
        let finding = if pending {
            finding
                .cause("two branches added a migration, or the database is older than the program")
        } else {
            finding
                .cause("a newer program has migrated the database, or an applied file was edited")
        };
        if remedies.is_empty() {
            let words = "Migrate with the newest program; every runner does so when it starts.";
            remedies.push(Remedy::new(words).command("seed_queue"));
        }
        remedies.dedup();
        Ok(remedies.into_iter().fold(finding, Finding::remedy))
    }
}

impl MigrationFacts {
    /// A version with the book that it stands in, where there are several.
    fn named(&self, version: &str) -> String {
        if self.book.is_empty() { version.to_owned() } else { format!("{}: {version}", self.book) }
    }

    fn has_pending(&self) -> bool {
        self.embedded.iter().any(|version| !self.applied.contains(version))
    }

    /// Names what is wrong, version by version.
    #[must_use]
    pub fn faults(&self) -> Vec<Offender> {
        let Self { embedded, applied, drifted, .. } = self;
        let held: BTreeSet<&String> = embedded.iter().collect();
        let done: BTreeSet<&String> = applied.iter().collect();
        let newest = done.last();
        let mut faults: Vec<Offender> = drifted.clone();
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
}
