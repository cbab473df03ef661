//! A mapping with its statements, as text.

use std::collections::BTreeMap;

use recovery_queue::{PersonView, ViewBacklog};

use super::file::TableMap;
use crate::service::BACKLOG_VIEW;

/// A mapping and the statements that it means in one database.
#[derive(Debug)]
pub(in crate::service) struct Mapped {
    pub(super) map: TableMap,
    /// Reads the leads that `$1` lists: each lead's own row, and its rows in further tables.
    pub(in crate::service) leads: String,
    /// Read the records of all persons, table by table.
    pub(in crate::service) persons: Vec<Records>,
    pub(super) backlog: ViewBacklog,
    /// For each field of a lead the statements that write the value `$2` where the lead that `$1` lists holds `$3`; none
    /// where the mapping gives corrected values no place.
    pub(in crate::service) corrections: BTreeMap<String, Vec<String>>,
    /// Reads the backlog where no view of it is named: the leads with neither link nor claim.
    pub(super) derived: Option<String>,
    /// Reads the claims that name a lead and a person, as `id, source_pk, person_key`; none where the mapping does not say
    /// whom a claim is for.
    pub(in crate::service) claims: Option<String>,
    /// The columns that tell a change of persons.
    pub(in crate::service) changes: Vec<Change>,
    /// Where the queue looks whether a person is still there.
    pub(in crate::service) person_view: Option<PersonView>,
    /// What was understood of each table, for a check.
    pub(super) looked: Vec<Looked>,
}

/// What was understood of one table.
#[derive(Debug)]
pub(super) struct Looked {
    /// The section of the mapping.
    pub(super) section: &'static str,
    pub(super) table: String,
    /// What to count from: the table, behind an alias.
    pub(super) from: String,
    /// The key as text, and by which column.
    pub(super) key: String,
    pub(super) key_named: &'static str,
    pub(super) key_columns: String,
    /// Whether a key may stand on one row only.
    pub(super) is_unique: bool,
    /// What each column means, its name, its type, and how it is read.
    pub(super) columns: Vec<(String, String, String, String)>,
    /// Reads every row, as a lead or as a person.
    pub(super) rows: String,
}

/// The records of one table of persons.
#[derive(Debug)]
pub(in crate::service) struct Records {
    pub(super) select: String,
    pub(super) listed: String,
}

impl Records {
    /// Reads them all.
    pub(in crate::service) fn all(&self) -> &str {
        &self.select
    }

    /// Reads those of the persons that `$1` lists.
    pub(in crate::service) fn of_listed(&self) -> String {
        format!("{} AND {}", self.select, self.listed)
    }
}

/// A column that tells a change of persons.
#[derive(Debug)]
pub(in crate::service) struct Change {
    /// The name under which its mark is kept.
    pub(in crate::service) mark_name: String,
    /// Gives the mark that a read now leaves.
    pub(in crate::service) mark: String,
    /// Reads the persons that changed past the mark that `$1` holds.
    pub(in crate::service) past: String,
    /// Reads all persons, where there was none when the mark was made.
    pub(in crate::service) all: String,
}

/// What stands in the place of `{links}` in the derived backlog, until the queue's view is known.
pub(super) const LINKS: &str = "{links}";

impl Mapped {
    /// Names what stands in the place of one of the service's tables, or of the backlog view.
    pub(in crate::service) fn stands_for(&self, table: &str) -> Option<String> {
        match table {
            "persons" => Some(self.map.persons.table.quoted()),
            "leads" => Some(self.map.leads.table.quoted()),
            BACKLOG_VIEW => match recovery_queue::Backlog::source(&self.backlog) {
                recovery_queue::BacklogSource::View(view) => Some(view.quoted()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Gives the backlog over the queue's links, where no view of it is named.
    pub(in crate::service) fn derived(&self, links: &str) -> Option<String> {
        self.derived.as_ref().map(|select| select.replace(LINKS, links))
    }
}
