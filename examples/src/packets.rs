//! What the three packet runners share: catalogue and values → gap queue → packet plan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use guardrails::escape_json;
use kpi_gap_queue::files::{read_catalogue, write_queue_csv, write_queue_json};
use kpi_gap_queue::{
    GapOptions, GapQueue, GapReport, InMemoryCatalogue, MetricQuery, MetricScope, MetricStore as _,
};
use raw_packets::{
    CsvMetrics, CsvOptions, CsvStoreError, FormulaError, GapStatus, PacketForm, PacketOptions,
    PacketPlan, RunStatus, Template,
};

use crate::cli::{Common, Console, Exit, Failure};
use crate::files;
use crate::metrics::{DatabaseMetrics, Values};
use crate::progress::Bars;
use crate::service::database_url;
use crate::tables::{TableArgs, unread};

/// The catalogue of the official review of sanctions, in Spain.
const SAMPLE: &[u8] = include_bytes!("../data/catalog.json");

/// The flags that say what is expected and what is held.
#[derive(Clone, Debug, clap::Args)]
pub struct QueueArgs {
    /// Expected sources, sources and KPIs (left out: the sample catalogue).
    #[arg(long, value_name = "JSON")]
    pub catalog: Option<PathBuf>,
    /// The values that are held (left out: none yet).
    #[arg(long, value_name = "CSV")]
    pub metrics: Option<PathBuf>,
    /// How the file of values is read.
    #[command(flatten)]
    pub tables: TableArgs,
    /// Looks at the values of this period only, by the date that stands for the period, such as 2025-12-31; several
    /// give each a scope of its own.
    #[arg(long, value_name = "D", value_delimiter = ',', value_parser = period_date)]
    pub period_date: Vec<NaiveDate>,
    /// Looks at the values of this granularity only, such as `year`; several give each a scope of its
    /// own.
    #[arg(long, value_name = "G", value_delimiter = ',')]
    pub period_granularity: Vec<String>,
    /// Cuts the queue after so many rows, once it is sorted; 0 keeps them all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub queue_limit: usize,
    /// Adds the pairs that are ready to the queue.
    #[arg(long)]
    pub include_ready: bool,
    /// What a packet asks for, as a file of its own (left out: the official review).
    #[arg(long, value_name = "JSON")]
    pub template: Option<PathBuf>,
    /// Writes the gap queue to this file, as CSV.
    #[arg(long, value_name = "CSV")]
    pub queue_csv_out: Option<PathBuf>,
    /// Writes the gap queue with its totals to this file, as JSON.
    #[arg(long, value_name = "JSON")]
    pub queue_json_out: Option<PathBuf>,
}

/// The flags that say what is expected, what is held and which gaps become packets.
#[derive(Clone, Debug, clap::Args)]
pub struct PacketArgs {
    /// What is expected and held.
    #[command(flatten)]
    pub queue: QueueArgs,
    /// The statuses of a gap that ask for a packet.
    #[arg(long, value_name = "a,b", value_delimiter = ',', default_value = "missing_metric")]
    pub statuses: Vec<GapStatus>,
    /// The system that the source records are filed under (left out: the template's).
    #[arg(long, value_name = "ID")]
    pub source_id: Option<String>,
    /// Writes packets in this form: plain, excel-us, excel-eu, xlsx-en or xlsx-es.
    #[arg(long, value_name = "FORM", default_value = "plain")]
    pub form: PacketForm,
    /// Ends with 4 when no packet is emitted; with 1 where that is so because the queue failed.
    #[arg(long)]
    pub strict_actionable: bool,
    /// Writes the packets to this folder.
    #[arg(long, value_name = "DIR", default_value = "out/packets")]
    pub out_dir: PathBuf,
    /// Writes the summary to this file.
    #[arg(long, value_name = "JSON")]
    pub summary_out: Option<PathBuf>,
}

fn period_date(text: &str) -> Result<NaiveDate, String> {
    let date: Option<NaiveDate> = text.parse().ok();
    date.filter(|date| date.to_string() == text)
        .ok_or_else(|| "write the date as YYYY-MM-DD, such as 2025-12-31".to_owned())
}

/// A gap queue and what it was built of.
#[derive(Debug)]
pub struct Built {
    /// When the run began.
    pub at: DateTime<Utc>,
    /// The queue.
    pub queue: GapQueue,
    /// The catalogue.
    pub catalogue: InMemoryCatalogue,
    /// What a packet asks for.
    pub template: Template,
    /// What the exit code must say of the files that were read.
    pub exit: Exit,
}

/// A gap queue and the packets that follow from it.
#[derive(Debug)]
pub struct Planned {
    /// When the run began.
    pub at: DateTime<Utc>,
    /// The queue.
    pub queue: GapQueue,
    /// Its report.
    pub report: GapReport,
    /// The packets.
    pub plan: PacketPlan,
    /// What the exit code must say of the files that were read.
    pub exit: Exit,
}

impl QueueArgs {
    /// Opens the values that the flags name: a file, else a database, else none yet.
    ///
    /// # Errors
    ///
    /// A file that is missing or cannot be read, or has a wrong header; a database that cannot be opened.
    pub fn values(&self, common: &Common) -> Result<Values, Failure> {
        self.open(common, CsvMetrics::open)
    }

    /// Opens the values that the flags name in order to load into them: a file may be yet to be.
    ///
    /// # Errors
    ///
    /// As [`QueueArgs::values`], but for a file that is missing.
    pub fn values_to_load(&self, common: &Common) -> Result<Values, Failure> {
        self.open(common, CsvMetrics::open_or_begin)
    }

    /// Opens the values as [`QueueArgs::values`] does, and makes nothing: a database without a table of
    /// values holds none yet, which is told.
    ///
    /// # Errors
    ///
    /// As [`QueueArgs::values`].
    pub fn values_to_read(&self, common: &Common, console: &Console) -> Result<Values, Failure> {
        let (None, Some(url)) = (&self.metrics, &common.database_url) else {
            return self.values(common);
        };
        let url = database_url(Some(url))?;
        Ok(if let Some(held) = DatabaseMetrics::open_to_read(&url)? {
            Values::Database(Box::new(held))
        } else {
            console.note(format_args!(
                "{url}: there is no table metric_values, so no value is held yet; load_packets makes it"
            ));
            Values::Nothing
        })
    }

    fn open(
        &self,
        common: &Common,
        open_csv: impl FnOnce(&Path, CsvOptions) -> Result<CsvMetrics, CsvStoreError>,
    ) -> Result<Values, Failure> {
        Ok(match (&self.metrics, &common.database_url) {
            (Some(path), _) => {
                let tables = self.tables.open(Bars::default())?;
                let csv = open_csv(path, tables.values_options(path)).map_err(unread)?;
                tables.finish()?;
                Values::Csv(Box::new(csv))
            }
            (None, Some(url)) => {
                Values::Database(Box::new(DatabaseMetrics::open(&database_url(Some(url))?)?))
            }
            (None, None) => Values::Nothing,
        })
    }

    /// Builds the queue for the catalogue and these values, telling what is odd about them.
    ///
    /// # Errors
    ///
    /// A catalogue that is missing, cannot be read or is not sound; a template that is not sound.
    pub fn build(
        &self,
        values: &Values,
        at: DateTime<Utc>,
        console: &Console,
    ) -> Result<Built, Failure> {
        let catalogue = self.catalogue(console)?;
        let exit = values.tell(console);
        let options =
            GapOptions::default().with_queue_limit(self.queue_limit).with_ready(self.include_ready);
        let queue = GapQueue::build(&catalogue, values, &self.scopes(), options)?;
        if queue.values_unexpected_total() > 0 {
            let total = queue.values_unexpected_total();
            console.note(format_args!("{total} values belong to no expected pair"));
        }
        let template = self.template()?;
        self.tell_granularities(&catalogue, values, &template, console)?;
        Ok(Built { at, queue, catalogue, template, exit })
    }

    /// Warns of a granularity that neither the template nor the values know, with those that are known.
    fn tell_granularities(
        &self,
        catalogue: &InMemoryCatalogue,
        values: &Values,
        template: &Template,
        console: &Console,
    ) -> Result<(), Failure> {
        let strange = |word: &&String| word.as_str() != template.default_granularity();
        // A database is asked for all of its values only where there is cause.
        let asks =
            matches!(values, Values::Csv(_)) || self.period_granularity.iter().any(|w| strange(&w));
        if !asks {
            return Ok(());
        }
        let mut sources: Vec<&str> =
            catalogue.sources.iter().map(|s| s.source_id.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut held = BTreeSet::new();
        let everything = [MetricScope::all_time()];
        values.push_metrics(MetricQuery::new(&sources, &everything), &mut |metric| {
            if !held.contains(metric.period_granularity) {
                held.insert(metric.period_granularity.to_owned());
            }
        })?;
        for asked in self.period_granularity.iter().filter(strange) {
            if !held.contains(asked) {
                let mut known: Vec<&str> = held.iter().map(String::as_str).collect();
                known.push(template.default_granularity());
                known.sort_unstable();
                known.dedup();
                console.warn(format_args!(
                    "neither the template nor the values know the granularity `{asked}`; known are: {}",
                    known.join(", ")
                ));
            }
        }
        for word in &held {
            let alike =
                |asked: &&String| *asked != word && asked.to_lowercase() == word.to_lowercase();
            if let Some(asked) = self.period_granularity.iter().find(alike) {
                console.warn(format_args!(
                    "values of the granularity `{word}` belong to no expected pair of `{asked}`; write one of \
                     the two in both places"
                ));
            }
        }
        Ok(())
    }

    /// Returns every date with every granularity; a part that is left out holds every value of it.
    fn scopes(&self) -> Vec<MetricScope> {
        let dates: Vec<_> = match self.period_date.as_slice() {
            [] => vec![None],
            dates => dates.iter().copied().map(Some).collect(),
        };
        let granularities: Vec<_> = match self.period_granularity.as_slice() {
            [] => vec![None],
            words => words.iter().map(|word| Some(word.as_str())).collect(),
        };
        let of_date = |date| granularities.iter().map(move |word| MetricScope::new(date, *word));
        dates.into_iter().flat_map(of_date).collect()
    }

    fn template(&self) -> Result<Template, Failure> {
        let Some(path) = &self.template else { return Ok(Template::official_review()) };
        files::text(path)?.parse().map_err(|error| {
            Failure::new(format_args!("{}: {error}", path.display()))
                .remedy("correct the template; the shipped ones show every key")
        })
    }

    fn catalogue(&self, console: &Console) -> Result<InMemoryCatalogue, Failure> {
        let read = match &self.catalog {
            None => read_catalogue("the sample catalogue", SAMPLE)?,
            Some(path) => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut files::open(path)?, &mut bytes)?;
                read_catalogue(&path.display().to_string(), &bytes)?
            }
        };
        if !read.keys_ignored.is_empty() {
            let keys = read.keys_ignored.join(", ");
            console.note(format_args!("the catalogue: ignored unknown keys: {keys}"));
        }
        Ok(read.catalogue)
    }
}

impl PacketArgs {
    /// Plans the packets for the catalogue and these values.
    ///
    /// # Errors
    ///
    /// Those of [`QueueArgs::build`]; ids whose packets would collide, a KPI that no formula gives.
    pub fn plan(
        &self,
        values: &Values,
        at: DateTime<Utc>,
        console: &Console,
    ) -> Result<Planned, Failure> {
        let Built { at, queue, catalogue, template, exit } =
            self.queue.build(values, at, console)?;
        let report = queue.report(at);
        let mut options = PacketOptions::default()
            .with_statuses(self.statuses.iter().copied())
            .with_form(self.form);
        options.default_source_id.clone_from(&self.source_id);
        let template = with_formulas(template, &catalogue, console);
        let plan = PacketPlan::new(&report, &template, &options)?;
        Ok(Planned { at, queue, report, plan, exit })
    }

    /// Prints the template as JSON, with the catalogue's formulas in it.
    ///
    /// # Errors
    ///
    /// A template or catalogue that cannot be read; a stdout that cannot be written.
    pub fn print_template(&self, console: &Console) -> Result<(), Failure> {
        let catalogue = self.queue.catalogue(console)?;
        let template = with_formulas(self.queue.template()?, &catalogue, console).to_json();
        console.data(escape_json(&template))
    }
}

/// Takes the formulas of the catalogue over into the template.
///
/// A formula that says in words how a source publishes a KPI computes nothing; the template's stays.
fn with_formulas(
    mut template: Template,
    catalogue: &InMemoryCatalogue,
    console: &Console,
) -> Template {
    for kpi in catalogue.kpis.iter().filter(|kpi| !kpi.formula.trim().is_empty()) {
        let taken = kpi.formula.parse().map_err(|error: FormulaError| error.to_string()).and_then(
            |formula| {
                template.with_formula(&kpi.kpi_id, formula).map_err(|error| error.to_string())
            },
        );
        match taken {
            Ok(with) => template = with,
            Err(why) => console
                .note(format_args!("{}: the catalogue's formula is left aside: {why}", kpi.kpi_id)),
        }
    }
    template
}

impl Planned {
    /// Returns what the run ends with: 1 where the queue failed, which says more than that it gives no
    /// packet; else 4 where `--strict-actionable` is given and there is none.
    #[must_use]
    pub fn outcome(&self, args: &PacketArgs) -> Exit {
        let outcome = if self.plan.status() == RunStatus::Failed {
            Exit::Failed
        } else if args.strict_actionable && self.plan.packets().is_empty() {
            Exit::CouldNotRun
        } else {
            Exit::Done
        };
        self.exit.and(outcome)
    }
}

/// Writes a queue where `--queue-csv-out` and `--queue-json-out` ask for it.
///
/// # Errors
///
/// A file that cannot be written.
pub fn write_queue(args: &QueueArgs, queue: &GapQueue, at: DateTime<Utc>) -> Result<(), Failure> {
    if let Some(path) = &args.queue_csv_out {
        files::write_with(path, |file| write_queue_csv(queue, file))?;
    }
    if let Some(path) = &args.queue_json_out {
        files::write_with(path, |file| write_queue_json(queue, at, file))?;
    }
    Ok(())
}
