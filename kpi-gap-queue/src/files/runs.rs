//! The series of runs: what each found, pair by pair, one line of JSON a run.

use std::io::{self, BufRead, Write};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::problem::FileProblem;
use crate::{
    burn_down::{BurnDown, BurnDownError, RunPoint},
    difference::{Difference, OutOfOrder, PairChange, PairRef},
    queue::GapQueue,
    scope::MetricScope,
    status::GapStatus,
};

/// The version of the form, which the first line of a file names.
const VERSION: u32 = 1;

/// What the first line of a file calls it.
const FORMAT: &str = "kpi-gap-queue runs";

/// The status of each pair in one run, one byte a pair.
///
/// ```
/// use kpi_gap_queue::files::SavedRun;
/// use kpi_gap_queue::{GapOptions, GapQueue, InMemoryCatalogue, InMemoryMetrics, Kpi, MetricScope};
///
/// let catalogue = InMemoryCatalogue {
///     expected_sources: vec!["es:town".into()],
///     kpis: vec![Kpi::new("kpi:days", "Days")],
///     ..InMemoryCatalogue::default()
/// };
/// let scopes = [MetricScope::all_time()];
/// let queue =
///     GapQueue::build(&catalogue, &InMemoryMetrics::new(), &scopes, GapOptions::default())?;
/// let run = SavedRun::new(&queue, chrono::DateTime::UNIX_EPOCH);
/// assert!(run.pairs().eq(queue.pairs()));
/// # Ok::<(), kpi_gap_queue::GapError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRun {
    at: DateTime<Utc>,
    scopes: Vec<MetricScope>,
    kpi_ids: Vec<String>,
    sources: Vec<SavedSource>,
}

/// The pairs of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedSource {
    source_id: String,
    /// The places of its KPIs in the run's list.
    kpis: Vec<u32>,
    /// One digit for each KPI and scope: the place of the status in the evidence chain.
    statuses: String,
}

/// A scope as it is written.
#[derive(Serialize, Deserialize)]
struct SavedScope {
    period_date: Option<NaiveDate>,
    period_granularity: Option<String>,
}

/// One line of a file of runs.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    point: RunPoint,
    scopes: Vec<SavedScope>,
    kpi_ids: Vec<String>,
    sources: Vec<SavedSource>,
}

/// The first line of a file of runs.
#[derive(Serialize, Deserialize)]
struct Heading {
    format: String,
    version: u32,
}

impl SavedRun {
    /// Takes down what a queue found.
    #[must_use]
    pub fn new(queue: &GapQueue, at: DateTime<Utc>) -> Self {
        let mut kpi_ids: Vec<&str> = queue.pairs().map(|pair| pair.kpi_id).collect();
        kpi_ids.sort_unstable();
        kpi_ids.dedup();
        let mut sources: Vec<SavedSource> = Vec::new();
        let mut last = "";
        for pair in queue.pairs() {
            if sources.is_empty() || last != pair.source_id {
                last = pair.source_id;
                let (source_id, statuses) = (last.to_owned(), String::new());
                sources.push(SavedSource { source_id, kpis: Vec::new(), statuses });
            }
            let source = sources.last_mut().expect("one was just added, if there was none");
            let kpi = kpi_ids.binary_search(&pair.kpi_id).expect("every id of a pair is there");
            let kpi = u32::try_from(kpi).expect("a queue has no more pairs than 32 bits number");
            if source.kpis.last() != Some(&kpi) {
                source.kpis.push(kpi);
            }
            source.statuses.push(char::from(b'0' + pair.status as u8));
        }
        Self {
            at,
            scopes: queue.scopes().to_vec(),
            kpi_ids: kpi_ids.into_iter().map(str::to_owned).collect(),
            sources,
        }
    }

    /// Returns when the run took place.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Returns the scopes that it looked at, ascending.
    #[must_use]
    pub fn scopes(&self) -> &[MetricScope] {
        &self.scopes
    }

    /// Walks through all pairs in ascending order, as [`GapQueue::pairs`] does.
    pub fn pairs(&self) -> impl Iterator<Item = PairRef<'_>> {
        let scopes = self.scopes.len();
        self.sources.iter().flat_map(move |source| {
            source.statuses.bytes().enumerate().map(move |(at, digit)| {
                let (period_date, period_granularity) = self.scopes[at % scopes].parts();
                PairRef {
                    source_id: &source.source_id,
                    kpi_id: &self.kpi_ids[source.kpis[at / scopes] as usize],
                    period_date,
                    period_granularity,
                    status: GapStatus::ALL[usize::from(digit - b'0')],
                }
            })
        })
    }

    fn from_line(line: Line) -> Result<(RunPoint, Self), String> {
        let scopes: Vec<_> = line
            .scopes
            .into_iter()
            .map(|scope| MetricScope::new(scope.period_date, scope.period_granularity.as_deref()))
            .collect();
        let known = |kpi: &u32| (*kpi as usize) < line.kpi_ids.len();
        for source in &line.sources {
            let digits = source.statuses.bytes().all(|digit| (b'0'..=b'4').contains(&digit));
            let pairs = source.kpis.len() * scopes.len();
            if !digits || source.statuses.len() != pairs || !source.kpis.iter().all(known) {
                return Err(format!("the statuses of `{}` are not whole", source.source_id));
            }
        }
        let run = Self { at: line.point.at, scopes, kpi_ids: line.kpi_ids, sources: line.sources };
        let gaps = run.pairs().filter(|pair| pair.status.is_actionable()).count() as u64;
        if gaps != line.point.gaps_total {
            return Err(format!("there are {gaps} gaps, not {}", line.point.gaps_total));
        }
        Ok((line.point, run))
    }
}

/// A series of runs over the same scopes: the counts of all, and the pairs of the last one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunHistory {
    burn_down: BurnDown,
    last: Option<SavedRun>,
}

/// The reason why a run cannot be added to a history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunHistoryError {
    /// The run looked at other periods than those before it.
    #[error(
        "the runs before looked at {}, this one at {}; keep a file of runs for each choice of periods",
        listed(.before),
        listed(.now)
    )]
    OtherScopes {
        /// The scopes of the runs before.
        before: Vec<MetricScope>,
        /// The scopes of the run.
        now: Vec<MetricScope>,
    },
    /// The run does not go on from the last one.
    #[error(transparent)]
    BurnDown(#[from] BurnDownError),
    /// The pairs of a run are not in order.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
}

fn listed(scopes: &[MetricScope]) -> String {
    let texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

impl RunHistory {
    /// Reads a history from the lines of a file that is called `file`; one without any bytes is a
    /// history that is yet to begin.
    ///
    /// The first line is `{"format": "kpi-gap-queue runs", "version": 1}`; each other one is a run: `at`,
    /// `gaps_total`, `opened_total` and `closed_total` since the run before, `scopes`, `kpi_ids`, and
    /// `sources`, each with the places of its KPIs in `kpi_ids` and one digit for each KPI and scope: 0
    /// `missing_source`, 1 `missing_metric`, 2 `missing_source_record`, 3 `missing_evidence`, 4 `ready`.
    ///
    /// Memory holds the pairs of two runs at most. A file of another version or form is refused, and so
    /// is one whose counts do not go on from line to line.
    pub fn read(file: &str, mut reader: impl BufRead) -> Result<Self, FileProblem> {
        let mut history = Self::default();
        let mut text = Vec::new();
        for number in 1_u64.. {
            text.clear();
            let wrong = |column: usize, problem: String, remedy: &str| {
                let column = column.to_string();
                FileProblem::new((file, number), column, "", problem, remedy)
            };
            let read = reader.read_until(b'\n', &mut text).map_err(|error| {
                wrong(
                    1,
                    format!("the file cannot be read: {error}"),
                    "check the file and try again",
                )
            })?;
            if read == 0 {
                break;
            }
            let restore = "restore the file from a copy, or move it away to begin anew";
            let json = |error: serde_json::Error| wrong(error.column(), error.to_string(), restore);
            if number == 1 {
                let heading: Heading = serde_json::from_slice(&text).map_err(json)?;
                if heading.format != FORMAT || heading.version != VERSION {
                    let found = format!("{} of version {}", heading.format, heading.version);
                    let problem =
                        format!("the file holds {found}, not {FORMAT} of version {VERSION}");
                    return Err(wrong(1, problem, "read it with the program that wrote it"));
                }
                continue;
            }
            let line: Line = serde_json::from_slice(&text).map_err(json)?;
            let (point, run) =
                SavedRun::from_line(line).map_err(|problem| wrong(1, problem, restore))?;
            let followed = history.follow(point, run);
            followed.map_err(|error| wrong(1, error.to_string(), restore))?;
        }
        Ok(history)
    }

    /// Adds the next run and pushes what changed since the last one to `each`; the first run changed
    /// nothing. A run that is refused leaves the history as it was.
    pub fn push(
        &mut self,
        run: SavedRun,
        each: impl FnMut(PairChange<'_>),
    ) -> Result<Option<Difference>, RunHistoryError> {
        let Some(last) = &self.last else {
            let gaps_total = run.pairs().filter(|pair| pair.status.is_actionable()).count() as u64;
            let point = RunPoint { at: run.at, gaps_total, opened_total: 0, closed_total: 0 };
            self.follow(point, run)?;
            return Ok(None);
        };
        let difference = Difference::between(last.pairs(), run.pairs(), each)?;
        self.follow(RunPoint::after(run.at, &difference), run)?;
        Ok(Some(difference))
    }

    fn follow(&mut self, point: RunPoint, run: SavedRun) -> Result<(), RunHistoryError> {
        if let Some(last) = self.last.as_ref().filter(|last| last.scopes != run.scopes) {
            let (before, now) = (last.scopes.clone(), run.scopes);
            return Err(RunHistoryError::OtherScopes { before, now });
        }
        self.burn_down.push(point)?;
        self.last = Some(run);
        Ok(())
    }

    /// Writes the last run as the line that a file grows by; with the heading before the first run.
    pub fn write_last(&self, mut out: impl Write) -> io::Result<()> {
        let (Some(run), Some(point)) = (&self.last, self.burn_down.points().last()) else {
            return Ok(());
        };
        if self.burn_down.points().len() == 1 {
            let heading = Heading { format: FORMAT.to_owned(), version: VERSION };
            serde_json::to_writer(&mut out, &heading)?;
            out.write_all(b"\n")?;
        }
        let scope = |scope: &MetricScope| SavedScope {
            period_date: scope.period_date(),
            period_granularity: scope.period_granularity().map(str::to_owned),
        };
        let line = Line {
            point: *point,
            scopes: run.scopes.iter().map(scope).collect(),
            kpi_ids: run.kpi_ids.clone(),
            sources: run.sources.clone(),
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Returns the counts of all runs.
    #[must_use]
    pub const fn burn_down(&self) -> &BurnDown {
        &self.burn_down
    }

    /// Returns the last run.
    #[must_use]
    pub const fn last(&self) -> Option<&SavedRun> {
        self.last.as_ref()
    }
}
