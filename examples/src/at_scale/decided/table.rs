//! Decisions in a table or view of the queue's database.

use std::collections::HashMap;

use identity_matching::index::joined::Stamp;
use recovery_queue::{DatabaseUrl, ResolveError};

use super::made_by::check;
use crate::at_scale::rows::DECISIONS;
use crate::cli::{Console, Failure};
use crate::service::{Database, DecisionRow, DecisionTable};

/// From how many rows on a table without an index of its leads is told of: each batch reads all of it.
const SCANNED: u64 = 20_000;

/// The decisions of a table: each batch asks for its own leads.
#[derive(Clone, Debug)]
pub(super) struct DecidedTable(DecisionTable);

impl DecidedTable {
    /// Finds a table or view by its name; nothing where there is none.
    pub(super) fn find(name: &str, service: &mut Database) -> Result<Option<Self>, Failure> {
        let columns: Vec<&str> = DECISIONS.iter().map(|column| column.name).collect();
        Ok(service.decision_table(name, &columns)?.map(Self))
    }

    /// Sees that all decisions were made as `stamp` says and each lead has one; returns how many there are.
    pub(super) fn check(
        &self,
        stamp: &Stamp,
        service: &mut Database,
        console: &Console,
    ) -> Result<u64, Failure> {
        let Self(table) = self;
        let ours = stamp.to_string();
        let mut total = 0;
        for (made, rows) in service.decision_stamps(table)? {
            total += rows;
            if made.as_deref() != Some(&*ours) {
                check(made.as_deref().unwrap_or_default(), stamp).map_err(|failure| {
                    failure.within(format_args!("{}, {rows} rows", table.name()))
                })?;
            }
        }
        if total >= SCANNED && table.is_indexed() == Some(false) {
            console.warn(format_args!(
                "{}: no index begins with source_pk, so that each batch reads all {total} rows; make one (CREATE UNIQUE \
                 INDEX ON … (source_pk))",
                table.name()
            ));
        }
        Ok(total)
    }

    /// Reads the rows of these leads, an outage waited out; those that are not decided are left out.
    pub(super) fn rows(
        &self,
        keys: &[&str],
        url: &DatabaseUrl,
        database: &mut Database,
    ) -> Result<HashMap<String, DecisionRow>, ResolveError> {
        let Self(table) = self;
        let rows = database
            .patiently(url, "the decisions", |database| database.decisions_of(table, keys))?;
        let mut found = HashMap::with_capacity(rows.len());
        for mut row in rows {
            let Some(key) = row.source_pk.clone() else { continue };
            if let Some(twice) = found.get_mut(&key) {
                // A lead that is decided twice since the run began: neither decision is taken.
                row.stamp = None;
                *twice = row;
            } else {
                found.insert(key, row);
            }
        }
        Ok(found)
    }
}
