use std::fmt::Write as _;

use textwrap::Options;

use crate::words::count_of;
use crate::{CheckReport, SuiteReport, Verdict, visible};

/// The style in which [`text()`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextStyle {
    /// Columns to wrap at; at least 40.
    pub width: usize,
    /// Whether verdicts are coloured by ANSI escapes; for terminals only.
    pub colour: bool,
}

impl Default for TextStyle {
    /// Eighty columns, no colour.
    fn default() -> Self {
        Self { width: 80, colour: false }
    }
}

impl TextStyle {
    /// Sets the columns to wrap at.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns;
        self
    }

    /// Sets whether verdicts are coloured.
    #[must_use]
    pub fn colour(mut self, yes: bool) -> Self {
        self.colour = yes;
        self
    }
}

/// Writes the report for people: a line per check, and under it what asks for attention.
///
/// ```
/// use guardrails::recovery::{InMemoryFacts, Invariant};
/// use guardrails::format::{TextStyle, text};
/// use guardrails::{Suite, clock::StoppedClock};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap())
///     .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 120, vec![]);
/// let report = Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock);
/// let text = text(&report, TextStyle::default());
/// assert!(text.contains("PASS          drain"), "{text}");
/// assert!(text.contains("0 of 120 matched leads are in the backlog"), "{text}");
/// ```
#[must_use]
pub fn text(report: &SuiteReport, style: TextStyle) -> String {
    let width = style.width.max(40);
    let mut out = String::new();
    let name = clean(&report.suite);
    let _ = writeln!(out, "Guardrails `{name}`: {}", painted(report.verdict, style.colour));
    let read = report.as_of.format("%Y-%m-%d %H:%M:%S UTC");
    push(&mut out, &format!("as of {read} (snapshot {})", report.snapshot_id), width, "", "  ");
    if let Some(scope) = report.scope {
        push(&mut out, &format!("{}.", scope.in_words()), width, "", "  ");
    }
    push(&mut out, &format!("{}.", report.machinery_in_words()), width, "", "  ");
    if let Some(kpi) = &report.kpi {
        push(&mut out, &format!("{}.", kpi.in_words()), width, "", "  ");
        if let Some(outlook) = &kpi.outlook {
            push(&mut out, &format!("{outlook}."), width, "  ", "  ");
        }
    }
    out.push('\n');
    for check in &report.checks {
        one(&mut out, check, width, style.colour);
    }
    out.push('\n');
    let totals: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| report.totals.get(*verdict) > 0)
        .map(|verdict| format!("{} {verdict}", report.totals.get(verdict)))
        .collect();
    push(
        &mut out,
        &format!("{}: {}", count_of(report.totals.checks, "check"), totals.join(", ")),
        width,
        "",
        "  ",
    );
    out
}

fn one(out: &mut String, check: &CheckReport, width: usize, colour: bool) {
    const PAD: &str = "              ";
    let gap = " ".repeat(PAD.len() - check.verdict.as_str().len());
    let _ = writeln!(out, "{}{gap}{}", painted(check.verdict, colour), clean(&check.assertion));
    let mut line = |text: &str, rest: &str| push(out, text, width, PAD, &format!("{PAD}{rest}"));
    line(&check.actual, "");
    if let Some(reason) = &check.reason {
        line(reason, "");
    }
    if let Some(words) = check.regression_in_words() {
        line(&words, "");
    }
    for sample in &check.samples {
        line(&format!("- {}: {}", sample.key, sample.reason), "  ");
    }
    if check.unlisted() > 0 {
        line(&format!("… and {} more, not listed", check.unlisted()), "");
    }
    for cause in &check.causes {
        line(&format!("likely: {cause}"), "  ");
    }
    for (words, command) in check.remedies() {
        push(out, &format!("to do: {words}"), width, PAD, &format!("{PAD}  "));
        if let Some(command) = command {
            copyable(out, command, width, PAD);
        }
    }
    if let Some(owner) = check.owner.as_ref().filter(|_| check.verdict != Verdict::Pass) {
        push(out, &format!("owner: {owner}"), width, PAD, PAD);
    }
}

/// Writes a command so that it runs as it stands: long ones go on behind a backslash.
fn copyable(out: &mut String, command: &str, width: usize, pad: &str) {
    let mut line = format!("{pad}  $");
    let mut quoted = false;
    // A blank within single quotes is no place to break.
    let words = command.split(move |c| {
        quoted ^= c == '\'';
        c == ' ' && !quoted
    });
    for word in words.map(clean) {
        if line.chars().count() + word.chars().count() + 3 > width && !line.ends_with("  $") {
            let _ = writeln!(out, "{line} \\");
            line = format!("{pad}     ");
        }
        line = format!("{line} {word}");
    }
    let _ = writeln!(out, "{line}");
}

fn push(out: &mut String, text: &str, width: usize, first: &str, rest: &str) {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    // A percent sign stays on the line of its number.
    for line in textwrap::wrap(&clean(text).replace(" %", "\u{a0}%"), options) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// Shows what is hidden, and keeps line breaks out: a key could move the cursor of a terminal.
fn clean(text: &str) -> String {
    visible(text).replace(['\n', '\r', '\t'], "\u{fffd}")
}

fn painted(verdict: Verdict, colour: bool) -> String {
    let word = verdict.as_str().to_uppercase();
    let code = match verdict {
        _ if !colour => return word,
        Verdict::Pass => 32,
        Verdict::Warn | Verdict::Inconclusive => 33,
        Verdict::Error | Verdict::Fail => 31,
    };
    format!("\u{1b}[1;{code}m{word}\u{1b}[0m")
}
