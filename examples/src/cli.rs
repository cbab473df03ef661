//! Flags, messages, progress and exit codes, the same for every runner.

use std::cell::RefCell;
use std::error::Error as _;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use guardrails::{escape_json, visible};
use serde::Serialize;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{self, FmtSpan};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

pub use crate::failure::Failure;

use crate::failure;
use crate::files::{self, AtomicFile};
use crate::progress::Bars;

/// The exit codes, one table for every runner; printed under each `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the work failed: a report says `failed`, or a guardrail failed
  2  warnings, only when asked with --warnings-as-exit
  3  inconclusive: nothing to judge (verify_guardrails, unless --allow-inconclusive)
  4  could not run: usage, a missing or unreadable file, a wrong header, the database;
     also --strict-actionable with no packet to emit, unless the queue failed (1)
  5  done, but some input rows were refused; each is listed with its line";

/// How a run ended, as the caller's shell sees it.
///
/// Ordered by rank: of two outcomes of one run the greater is reported, but for
/// [`Exit::Warned`] and [`Exit::Inconclusive`], which never hide refused rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// The work itself failed.
    Failed = 1,
    /// There were warnings and the caller asked to be told by the exit code.
    Warned = 2,
    /// There was nothing to judge.
    Inconclusive = 3,
    /// The run could not be carried out.
    CouldNotRun = 4,
    /// Done, but for some input rows that were refused.
    RowsRefused = 5,
}

impl Exit {
    /// Returns the exit that a run with both outcomes reports: the more serious one.
    ///
    /// ```
    /// use reference_runners::cli::Exit;
    /// assert_eq!(Exit::Done.and(Exit::RowsRefused), Exit::RowsRefused);
    /// assert_eq!(Exit::Failed.and(Exit::RowsRefused), Exit::Failed);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::Inconclusive => 1,
            Self::Warned => 2,
            Self::RowsRefused => 3,
            Self::Failed => 4,
            Self::CouldNotRun => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// The flags that every runner has.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// Where the data lies: a path, `sqlite://PATH` or `postgres://…`
    /// (left out: an embedded `SQLite` file of the runner's own).
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// Writes what the run found as JSON to this file (`-` for stdout).
    #[arg(long, value_name = "FILE", global = true)]
    pub json: Option<PathBuf>,
    /// The mode of the files that the run makes, in octal; they hold personal data.
    #[arg(long, value_name = "MODE", default_value = "600", value_parser = file_mode, hide_short_help = true, global = true)]
    pub file_mode: u32,
    /// Prints neither messages nor progress on stderr; errors and refused rows still appear.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| (0o600..=0o777).contains(mode));
    mode.ok_or_else(|| "write three octal digits, 600 or more, such as 640".to_owned())
}

impl Common {
    /// Begins to speak, and opens the file of `--json`: what cannot be written is refused before any work.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn console(&self) -> Result<Console, Failure> {
        files::set_mode(self.file_mode);
        let mut console = Console::new(self.quiet);
        console.json = match self.json.as_deref() {
            None => Json::None,
            Some(path) if path == Path::new("-") => Json::Stdout,
            Some(path) => Json::File(RefCell::new(Some(AtomicFile::create(path)?))),
        };
        Ok(console)
    }
}

/// Where a runner speaks: data to stdout, everything else to stderr.
#[derive(Debug)]
pub struct Console {
    quiet: bool,
    json: Json,
}

/// Where `--json` goes.
#[derive(Debug)]
enum Json {
    None,
    Stdout,
    /// A file, until it is written.
    File(RefCell<Option<AtomicFile>>),
}

impl Console {
    /// Makes a console; a quiet one prints no notes and no progress.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, json: Json::None }
    }

    /// Prints data on stdout; a reader that has gone away is no error.
    ///
    /// What cannot be seen is shown ([`guardrails::visible`]): a key could move the cursor or turn the line around.
    pub fn data(&self, text: impl Display) -> Result<(), Failure> {
        // Colours are ours; they are taken out again where stdout is no terminal.
        let text = text.to_string();
        let parts: Vec<_> = text.split('\u{1b}').map(visible).collect();
        self.raw(parts.join("\u{1b}"))
    }

    #[allow(clippy::unused_self)] // a console writes it
    fn raw(&self, text: impl Display) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("stdout cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Prints a message on stderr, unless quiet.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Prints a message on stderr, always: something was refused, skipped or left out.
    pub fn warn(&self, text: impl Display) {
        failure::warn(text);
    }

    /// Prints how long a stage took, where no terminal has shown it as a bar; nothing when quiet.
    pub(crate) fn stage(&self, stage: &str, seconds: f64) {
        if !io::stderr().is_terminal() {
            self.note(format_args!("{stage:>10} {seconds:.1} s"));
        }
    }

    /// Returns the bars of the run's stages, which show themselves on a terminal alone, and never when quiet.
    #[must_use]
    pub fn bars(&self) -> Bars {
        Bars::new(!self.quiet && io::stderr().is_terminal())
    }

    /// Writes a value as JSON where `--json` asked for it; a run writes one.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = match self.json {
            Json::None => return Ok(()),
            _ => escape_json(&serde_json::to_string_pretty(value)?).into_owned(),
        };
        match &self.json {
            Json::File(file) => {
                text.push('\n');
                let Some(mut file) = file.take() else { return Ok(()) };
                file.write_all(text.as_bytes())?;
                file.commit()
            }
            _ => self.raw(text),
        }
    }
}

/// A line that begins with the event's name, such as `guardrails.check`, by which an alert finds it.
struct Named(format::Format);

impl<S, N> FormatEvent<S, N> for Named
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: format::Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        // One that was given no name is called by its place in the code.
        let name = event.metadata().name();
        if !name.starts_with("event ") {
            write!(writer, "{name} ")?;
        }
        self.0.format_event(context, writer, event)
    }
}

/// Writes spans and events to stderr as `RUST_LOG` asks for: `info`, or `recovery_queue=debug,warn`.
///
/// Each span tells when it closes how long it was busy; without the variable nothing is written.
fn trace_to_stderr() -> Result<(), Failure> {
    let Some(wanted) = std::env::var_os("RUST_LOG").filter(|wanted| !wanted.is_empty()) else {
        return Ok(());
    };
    let filter: Targets =
        wanted.to_str().and_then(|wanted| wanted.parse().ok()).ok_or_else(|| {
            Failure::new("RUST_LOG cannot be read")
                .remedy("write a level or targets with levels: info, or recovery_queue=debug,warn")
        })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .event_format(Named(format::Format::default().with_ansi(false)));
    // A second runner in one process, as in a test, writes where the first one does.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    Ok(())
}

/// Parses the flags, runs, prints a failure with its remedy and gives the exit code.
///
/// `--help` and `--version` exit with 0, wrong usage with 4.
pub fn start<A: Parser>(run: impl FnOnce(A) -> Result<Exit, Failure>) -> ExitCode {
    let exit = match A::try_parse() {
        Ok(args) => trace_to_stderr().and_then(|()| run(args)).unwrap_or_else(|failure| {
            Console::new(false).warn(format_args!("error: {failure}"));
            Exit::CouldNotRun
        }),
        Err(usage) => {
            // As above: with stdout or stderr closed there is nobody to tell.
            let _ = usage.print();
            if let Some(remedy) = remedy_of(&usage) {
                failure::warn(format_args!("  what to do: {remedy}"));
            }
            if usage.use_stderr() { Exit::CouldNotRun } else { Exit::Done }
        }
    };
    ExitCode::from(exit as u8)
}

/// Says what a value of a flag may be, where its type's own words do not.
fn remedy_of(usage: &clap::Error) -> Option<&'static str> {
    let cause = usage.source()?;
    if cause.is::<std::num::ParseIntError>() {
        Some("write a whole number, such as 10")
    } else if cause.is::<std::num::ParseFloatError>() {
        Some("write a number, such as 0.5")
    } else if cause.is::<std::net::AddrParseError>() {
        Some("write an address with its port, such as 127.0.0.1:8080")
    } else if cause.is::<chrono_tz::ParseError>() {
        Some("write a time zone by its name, such as America/Lima or Europe/Madrid")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_in_json_and_read_back() {
        let hidden = serde_json::json!({ "key\u{200b}": "L-\u{202e}1\u{fffe}\u{e0001}é" });
        let written = hidden.to_string();
        let text = escape_json(&written);
        assert_eq!(text, r#"{"key\u200b":"L-\u202e1\ufffe\udb40\udc01é"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), hidden);
    }

    #[test]
    fn refused_rows_are_never_hidden_by_a_lesser_outcome() {
        for lesser in [Exit::Done, Exit::Warned, Exit::Inconclusive] {
            assert_eq!(lesser.and(Exit::RowsRefused), Exit::RowsRefused);
            assert_eq!(Exit::RowsRefused.and(lesser), Exit::RowsRefused);
        }
    }
}
