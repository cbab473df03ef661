use std::collections::BTreeSet;

use crate::facts::{Facts, MigrationFacts, Offender, Offenders};
use crate::{Check, CheckError, Description, Finding, Remedy};

/// Checks that the database stands at the one head of the program's migrations.
///
/// Diesel runs what is pending and looks no further; this check finds what it does not: a version
/// that two sources carry, an applied version without a source, a pending version older than the
/// newest applied one, and an applied one that has changed since.
#[derive(Debug, Clone, Copy, Default)]
pub struct SingleMigrationHead;

impl Check for SingleMigrationHead {
    fn id(&self) -> &'static str {
        "single_migration_head"
    }

    fn describe(&self) -> Description {
        Description::counting(
            "the database stands at the one head: nothing pending, unknown, out of order or changed",
        )
    }

    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
        let migrations = facts.migrations()?;
        let faults = faults(&migrations);
        let versions: BTreeSet<&String> =
            migrations.embedded.iter().chain(&migrations.applied).collect();
        let offends = !faults.is_empty();
        let found = Offenders::of(faults, Some(versions.len() as u64), list);
        let head = migrations.applied.iter().max().map_or("none", String::as_str);
        let finding = Finding::counted(found, "migrations are not in order")
            .figure("embedded", migrations.embedded.len() as u64)
            .figure("applied", migrations.applied.len() as u64)
            .figure("head", head);
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("two branches added a migration, or the database is older than the program")
            .cause("a newer program has migrated the database, or an applied file was edited")
            .remedy(
                Remedy::new(
                    "Migrate with the newest program; every runner does so when it starts.",
                )
                .command("seed_queue"),
            ))
    }
}

fn faults(migrations: &MigrationFacts) -> Vec<Offender> {
    let MigrationFacts { embedded, applied, drifted } = migrations;
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
    for version in &done {
        if !held.contains(*version) {
            faults.push(Offender::new(*version, "applied, but the program has no source for it"));
        }
    }
    for version in &held {
        if !done.contains(*version) {
            let reason = if newest.is_some_and(|newest| version < newest) {
                "pending, and older than the newest applied version"
            } else {
                "pending"
            };
            faults.push(Offender::new(*version, reason));
        }
    }
    for pair in applied.windows(2) {
        if pair[1] < pair[0] {
            faults.push(Offender::new(&pair[1], format!("applied after the newer {}", pair[0])));
        }
    }
    faults
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
            drifted: Vec::new(),
        };
        faults(&facts).into_iter().map(|fault| format!("{}: {}", fault.key, fault.reason)).collect()
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
        assert_eq!(reasons(&["1", "2"], &["2", "1"]), ["1: applied after the newer 2"]);
    }
}
