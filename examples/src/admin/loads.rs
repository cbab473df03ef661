//! The loads that stand in a database, of packets with values and of reviews; and undoing one.

use chrono::{DateTime, Utc};
use raw_packets::{LoadId, LoadStamp, Run};
use recovery_queue::{DatabaseUrl, Decider, ReviewLoadRow, ReviewStore as _, SqlStore};
use serde::Serialize;

use crate::cli::Failure;
use crate::metrics::DatabaseMetrics;
use crate::review;
use crate::service::MapArgs;

/// What a load brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadOf {
    /// Values of KPIs, by `load_packets`.
    Values,
    /// Decisions on leads, by `load_review`.
    Reviews,
}

impl LoadOf {
    /// Returns the word for what it brought.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Values => "value",
            Self::Reviews => "decision",
        }
    }
}

/// One load, undone or not.
#[derive(Debug, Serialize)]
pub struct LoadRow {
    /// What it brought.
    pub of: LoadOf,
    /// Its id.
    pub load: String,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
    /// By whom.
    pub loaded_by: String,
    /// How many values or decisions it brought.
    pub rows: u64,
    /// When it was undone, if it was.
    pub undone_at: Option<DateTime<Utc>>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

impl From<ReviewLoadRow> for LoadRow {
    fn from(row: ReviewLoadRow) -> Self {
        Self {
            of: LoadOf::Reviews,
            load: row.load,
            loaded_at: row.loaded_at,
            loaded_by: row.loaded_by,
            rows: row.reviews,
            undone_at: row.undone_at,
            undone_by: row.undone_by,
        }
    }
}

/// Lists the loads of a database, oldest first.
///
/// # Errors
///
/// The database's.
pub fn list(store: &mut SqlStore, url: &DatabaseUrl) -> Result<Vec<LoadRow>, Failure> {
    let mut loads: Vec<LoadRow> = store.review_loads()?.into_iter().map(LoadRow::from).collect();
    if let Some(mut values) = DatabaseMetrics::open_to_read(url)? {
        loads.extend(of_values(&mut values)?);
    }
    loads.sort_by_key(|load| load.loaded_at);
    Ok(loads)
}

fn of_values(values: &mut DatabaseMetrics) -> Result<Vec<LoadRow>, Failure> {
    let mut loads: Vec<LoadRow> = Vec::new();
    for act in values.loads()? {
        let at = DateTime::parse_from_rfc3339(&act.changed_at)
            .map_err(|_| Failure::new("metric_history holds an instant that cannot be read"))?
            .to_utc();
        if act.act == "load" {
            loads.push(LoadRow {
                of: LoadOf::Values,
                load: act.load_id,
                loaded_at: at,
                loaded_by: act.changed_by,
                rows: act.changed_total.unsigned_abs(),
                undone_at: None,
                undone_by: None,
            });
            continue;
        }
        let undone = loads.iter_mut().rev().find(|load| load.load == act.load_id);
        if let Some(load) = undone {
            load.undone_at = Some(at);
            load.undone_by = Some(act.changed_by);
        }
    }
    Ok(loads)
}

/// Undoes a load, whatever it brought; a dry run takes that back. Returns what it brought and how much was undone.
///
/// # Errors
///
/// A load that is not known, was undone already, or that something else was built on since; nothing is undone then.
pub fn undo(
    load: &str,
    decider: Decider<'_>,
    (store, url, map): (&mut SqlStore, &DatabaseUrl, &MapArgs),
    dry_run: bool,
) -> Result<(LoadOf, u64), Failure> {
    let found = list(store, url)?.into_iter().rfind(|row| row.load == load);
    let Some(found) = found else {
        return Err(Failure::new(format_args!("{url}: there is no load {load}"))
            .remedy("`queue_admin loads list` names them; a load into a CSV file of values is undone by `load_packets --undo`"));
    };
    if let Some(at) = found.undone_at {
        let at = at.format("%Y-%m-%d %H:%M UTC");
        return Err(Failure::new(format_args!("{url}: the load {load} was undone at {at}")));
    }
    let undone = match found.of {
        LoadOf::Reviews => {
            let (_, mut service) = map.open(url)?;
            review::undo(load, decider, &mut service, dry_run)?.reviews
        }
        LoadOf::Values => {
            let run = if dry_run { Run::Dry } else { Run::Commit };
            let stamp = LoadStamp::new(decider.by, Utc::now());
            let done = DatabaseMetrics::open(url)?.undo_in(&LoadId::new(load), &stamp, run)?;
            (done.removed.len() + done.restored.len()) as u64
        }
    };
    Ok((found.of, undone))
}
