//! The file of runs: what changed since the last one, and how the gaps go down.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;

use chrono::{DateTime, Utc};
use fs4::FileExt;
use guardrails::recovery::TimeToDrain;
use kpi_gap_queue::files::{RunHistory, SavedRun};
use kpi_gap_queue::{BurnDown, Difference, GapQueue, GapStatus, Movement};
use serde::Serialize;

use crate::cli::{Console, Failure};
use crate::files;

/// How many changes and how many runs are printed; JSON has all.
const LISTED: usize = 20;

/// What a file of runs tells of the run that was just added.
#[derive(Debug, Serialize)]
pub struct Progress {
    /// What changed since the run before; `None` for the first.
    pub difference: Option<Difference>,
    /// Every pair that changed, in the order of the pairs.
    pub changes: Vec<PairChange>,
    /// The counts of all runs.
    pub burn_down: BurnDown,
    /// By how many gaps a day the queue fell over all runs; negative where it grew.
    pub net_per_day: Option<f64>,
    /// In how many days the queue is empty at the rate of a typical day; `None` means never, or that it is too early
    /// to say.
    pub days_to_drain: Option<f64>,
    /// The same in words, with its range, as every report says it.
    pub time_to_drain: String,
}

/// A pair that changed between two runs.
#[derive(Debug, Serialize)]
pub struct PairChange {
    /// The source.
    pub sanction_source_id: String,
    /// The KPI.
    pub kpi_id: String,
    /// The date of the scope, blank for all.
    pub period_date: String,
    /// The granularity of the scope, blank for all.
    pub period_granularity: String,
    /// What happened.
    pub movement: Movement,
    /// The status before; none where the pair was not expected.
    pub from: Option<GapStatus>,
    /// The status after; none where the pair is no longer expected.
    pub to: Option<GapStatus>,
}

/// Adds a run to a file, which is begun where it is missing, and tells what changed since the last.
///
/// # Errors
///
/// A file that is of another version, damaged, of other periods, or cannot be written.
pub fn record(path: &Path, queue: &GapQueue, at: DateTime<Utc>) -> Result<Progress, Failure> {
    let _lock = lock(path)?;
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    if path.exists() {
        BufReader::new(files::open(path)?).read_to_end(&mut bytes)?;
    }
    let mut history = RunHistory::read(&name, bytes.as_slice())?;
    let mut changes = Vec::new();
    let difference = history
        .push(SavedRun::new(queue, at), |change| {
            let date = change.pair.period_date;
            changes.push(PairChange {
                sanction_source_id: change.pair.source_id.to_owned(),
                kpi_id: change.pair.kpi_id.to_owned(),
                period_date: date.map(|date| date.to_string()).unwrap_or_default(),
                period_granularity: change.pair.period_granularity.unwrap_or_default().to_owned(),
                movement: change.movement,
                from: change.from,
                to: change.to,
            });
        })
        .map_err(|refused| Failure::new(format_args!("{name}: {refused}")))?;
    files::write_with(path, |file| {
        file.write_all(&bytes)?;
        // A copy may have lost its last line break.
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n")?;
        }
        history.write_last(file)
    })?;
    let burn_down = history.burn_down().clone();
    let open = burn_down.points().last().map_or(0, |point| point.gaps_total);
    let time = TimeToDrain::at_rates(open, &burn_down.fall_by_day(TimeToDrain::DAYS), 0, &[]);
    Ok(Progress {
        difference,
        changes,
        net_per_day: burn_down.net_per_day(),
        days_to_drain: time.expected_days(),
        time_to_drain: time.in_words(),
        burn_down,
    })
}

/// Takes the turn of writing, so that of two runs at once none is lost.
fn lock(path: &Path) -> Result<File, Failure> {
    files::create_parent(path)?;
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&lock)?;
    FileExt::lock(&file)?;
    Ok(file)
}

impl Progress {
    /// Prints what changed and the burn-down, for a person.
    ///
    /// # Errors
    ///
    /// A stdout that cannot be written.
    pub fn tell(&self, console: &Console) -> Result<(), Failure> {
        if let Some(difference) = &self.difference {
            console.data(format_args!(
                "since the last run: {} opened ({} of them again), {} closed, {} moved on, {} regressed",
                difference.opened_total,
                difference.reopened_total,
                difference.closed_total,
                difference.moved_on_total,
                difference.regressed_total,
            ))?;
        }
        for change in self.changes.iter().take(LISTED) {
            let status =
                |status: Option<GapStatus>| status.map_or("not expected", GapStatus::as_str);
            console.data(format_args!(
                "  {} {} {}: {} → {}",
                change.sanction_source_id,
                change.kpi_id,
                change.period_date,
                status(change.from),
                status(change.to),
            ))?;
        }
        if self.changes.len() > LISTED {
            let more = self.changes.len() - LISTED;
            console.data(format_args!("  … and {more} more; --json writes them all"))?;
        }
        let points = self.burn_down.points();
        console.data("burn-down:            gaps  opened  closed")?;
        for point in points.iter().skip(points.len().saturating_sub(LISTED)) {
            console.data(format_args!(
                "  {}  {:>6}  {:>6}  {:>6}",
                point.at.format("%Y-%m-%d %H:%M"),
                point.gaps_total,
                point.opened_total,
                point.closed_total,
            ))?;
        }
        match self.net_per_day {
            None => Ok(()),
            Some(net) => console.data(format_args!(
                "  fell by {net:.1} a day; time to drain: {}",
                self.time_to_drain
            )),
        }
    }
}
