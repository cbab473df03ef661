//! The operator's own tables in the place of the runners': a mapping file, and what it means in a database.
//!
//! The file says which tables and columns hold leads, persons and claims. Nothing is made in the schema of these
//! tables; what the runners need for themselves lies in the queue's namespace: schema `recovery` on PostgreSQL, the
//! file itself on `SQLite`, where one file is one namespace. Every name is quoted, and no statement holds a value.

mod checked;
mod columns;
mod decided;
mod file;
mod mapped;
mod name;
mod presence;
mod select;
mod state;

use std::path::PathBuf;

use recovery_queue::{DatabaseUrl, OpenOptions, SqlStore, ViewBacklog};

pub use checked::{CheckedColumn, CheckedMap, CheckedTable};
pub use decided::{DecisionRow, DecisionTable};
pub use file::TableMap;
pub(super) use mapped::Mapped;

use super::database::Database;
use super::open::{open_mapped, open_to_read};
use crate::cli::Failure;

/// The view that the runners make where a mapping names no backlog; it lies in the queue's namespace.
pub(super) const MAPPED_VIEW: &str = "mapped_leads";

/// The flag of every runner that works on leads.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MapArgs {
    /// Works on tables of your own, which this file names with their columns; the runner `map_tables` prints one.
    #[arg(long, env = "RECOVERY_MAP", value_name = "TOML", global = true)]
    pub map: Option<PathBuf>,
}

impl MapArgs {
    /// Reads the mapping file, where one is named.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that names something unknown; its place is told.
    pub fn read(&self) -> Result<Option<TableMap>, Failure> {
        self.map.as_deref().map(TableMap::read).transpose()
    }

    /// Opens the store and the service's tables, and makes what of the runners' own is pending.
    ///
    /// # Errors
    ///
    /// The database's, and a mapping that does not fit its tables.
    pub fn open(&self, url: &DatabaseUrl) -> Result<(SqlStore, Database), Failure> {
        open_mapped(url, self.read()?.as_ref())
    }

    /// Opens the service's tables to read: nothing is made or migrated.
    ///
    /// # Errors
    ///
    /// As [`Database::open_to_read`], a database without the runners' tables or with those of another release, and a
    /// mapping that does not fit its tables.
    pub fn open_to_read(&self, url: &DatabaseUrl) -> Result<Database, Failure> {
        let map = self.read()?;
        let mut database = Database::open_to_read(url)?;
        match map {
            Some(map) => database.mapped(&map).map_err(|failure| failure.within(url)),
            None => database.check_own_tables(url).map(|()| database),
        }
    }

    /// Opens the store and the service's tables to read: nothing is made, migrated or written.
    ///
    /// # Errors
    ///
    /// As [`MapArgs::open_to_read`], and a queue that is not this program's.
    pub fn open_both_to_read(&self, url: &DatabaseUrl) -> Result<(SqlStore, Database), Failure> {
        let service = self.open_to_read(url)?;
        let store = open_to_read(url)?;
        let namespace = store.view_name("");
        Ok((store, service.within(&namespace)))
    }

    /// Names the backlog: that of the mapping, else `view`.
    ///
    /// # Errors
    ///
    /// A name that is no identifier.
    pub fn backlog(&self, view: &str, url: &DatabaseUrl) -> Result<ViewBacklog, Failure> {
        match self.read()? {
            Some(map) => map.backlog(matches!(url, DatabaseUrl::Sqlite(_))),
            None => Ok(ViewBacklog::new(view)?),
        }
    }
}

impl TableMap {
    /// Names the backlog as it is seeded: the view of the mapping, or the one that the runners make of it.
    ///
    /// # Errors
    ///
    /// A view whose name the queue refuses.
    pub fn backlog(&self, sqlite: bool) -> Result<ViewBacklog, Failure> {
        // It lies where the store keeps its tables.
        let own = match OpenOptions::default().namespace.schema() {
            _ if sqlite => MAPPED_VIEW.to_owned(),
            schema => format!("{schema}.{MAPPED_VIEW}"),
        };
        let view = self.backlog.view.as_ref().map_or(own, ToString::to_string);
        let backlog = ViewBacklog::new(&view)?;
        Ok(match (&self.backlog.name, &self.backlog.view) {
            (Some(name), _) => backlog.named(name),
            (None, None) => backlog.named(MAPPED_VIEW),
            (None, Some(_)) => backlog,
        })
    }
}
