//! The service's own part of the database: leads, persons, claims, and the backlog view over them.
//!
//! A service that adopts the crates has tables of its own already. These stand in for them: they lie in the
//! same database as the recovery queue's tables, are made by the service's own Diesel migrations, and the
//! view [`BACKLOG_VIEW`] reads both. One set of statements serves `SQLite` and PostgreSQL, for rows travel as one
//! JSON array per batch.

mod corrections;
mod database;
mod import;
mod kept_index;
mod lead_feed;
mod map;
mod open;
mod population;
mod schema;
#[cfg(test)]
mod testing;
mod wake;

pub(crate) use corrections::{CORRECTED_FIELDS, OWN_FIELD};
pub(crate) use database::another_night;
pub use database::{Database, database_url};
pub use import::{Import, ImportSummary};
pub use kept_index::Candidates;
pub use lead_feed::SeedArgs;
pub use map::{
    CheckedColumn, CheckedMap, CheckedTable, DecisionRow, DecisionTable, MapArgs, TableMap,
};
pub use open::{open, open_mapped, open_to_read};
pub use population::{Counted, LeadRecord, PersonRecord, lead_source};
pub use schema::migrations;

/// The name of the view that holds the backlog: the leads with neither an identity link nor a claim.
pub const BACKLOG_VIEW: &str = "backlog_leads";
