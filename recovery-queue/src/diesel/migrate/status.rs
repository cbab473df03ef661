//! How a database's tables stand to the migrations of this build.

use serde::Serialize;

/// How a database's tables stand to the migrations of this build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Versions that this build embeds, oldest first.
    pub embedded: Vec<String>,
    /// Versions that the database has applied, oldest first.
    pub applied: Vec<String>,
    /// The embedded versions of the queue's own tables that no other follows; a sound build has one.
    pub heads: Vec<String>,
    /// Embedded versions not applied yet.
    pub pending: Vec<String>,
    /// Applied versions that this build does not know.
    pub unknown: Vec<String>,
    /// Of these, the ones marked as breaking older builds.
    pub unknown_breaking: Vec<String>,
    /// Pending versions older than the newest applied one.
    pub out_of_order: Vec<String>,
    /// Applied versions whose file has another checksum now.
    pub changed: Vec<String>,
    /// Tables, columns or partitions that should be there and are not (`table`, `table.column`).
    pub missing: Vec<String>,
    /// Pending versions whose tables and columns are there already: another branch or program made them.
    pub made: Vec<String>,
    /// Tables that the migrations make, which are there though no book records any migration.
    pub unrecorded: Vec<String>,
    /// How many partitions the tables that grow with the leads are kept in, on PostgreSQL; 0 where they are whole.
    pub partitions: u64,
}

impl MigrationStatus {
    /// Says whether the tables are exactly those of this build.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.heads.len() == 1
            && self.pending.is_empty()
            && self.unknown.is_empty()
            && self.out_of_order.is_empty()
            && self.changed.is_empty()
            && self.missing.is_empty()
            && self.unrecorded.is_empty()
    }

    /// Returns why this build must not write to the tables, if so, and what to do.
    #[must_use]
    pub fn refusal(&self) -> Option<(String, &'static str)> {
        self.fault().or_else(|| {
            (!self.made.is_empty()).then(|| {
                let made = self.made.join(", ");
                let reason = format!("what the pending migrations {made} make is there already");
                (reason, "stamp the first of them, so that it is recorded; then call migrate")
            })
        })
    }

    /// Gives what is wrong beyond tables that are there before their time.
    pub(super) fn fault(&self) -> Option<(String, &'static str)> {
        if let Some(table) = self.unrecorded.first() {
            return Some((
                format!("there is a {table} and no record of migrations"),
                "choose another namespace, or call stamp when the tables were made by this crate",
            ));
        }
        if !self.unknown_breaking.is_empty() {
            return Some((
                format!(
                    "a newer version of this crate migrated them ({})",
                    self.unknown_breaking.join(", ")
                ),
                "use that version or a newer one",
            ));
        }
        if !self.changed.is_empty() {
            return Some((
                format!("the migrations {} were applied from other files", self.changed.join(", ")),
                "restore the published files; a migration is never edited, a new one follows it",
            ));
        }
        if !self.out_of_order.is_empty() {
            return Some((
                format!(
                    "the migrations {} are older than the newest applied",
                    self.out_of_order.join(", ")
                ),
                "give them a version after the newest",
            ));
        }
        if !self.missing.is_empty() {
            return Some((
                format!("they lack {}", self.missing.join(", ")),
                "restore them from a backup, or let the tables be made anew in an empty namespace",
            ));
        }
        None
    }
}
