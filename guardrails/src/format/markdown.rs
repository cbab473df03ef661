use std::fmt::Write as _;

use crate::{CheckReport, SuiteReport, Verdict, visible};

/// Writes the report as GitHub-flavoured Markdown, such as for a comment on a pull request.
///
/// What comes from rows is escaped, so that a key cannot become a link, a mention or a table cell.
///
/// ```
/// use guardrails::recovery::{InMemoryFacts, Invariant};
/// use guardrails::{Suite, clock::StoppedClock, format};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap())
///     .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 120, vec![]);
/// let report = Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock);
/// let markdown = format::markdown(&report);
/// assert!(markdown.contains("| ✅ pass | `drain` |"), "{markdown}");
/// ```
#[must_use]
pub fn markdown(report: &SuiteReport) -> String {
    let mut out = String::new();
    let scope = report
        .scope
        .map_or(String::new(), |scope| format!("- **{}**\n", escaped(&scope.in_words())));
    let _ = writeln!(
        out,
        "## {} Guardrails {}: {}\n\nas of {}, snapshot {}\n\n{scope}- {}",
        symbol(report.verdict),
        code(&report.suite),
        report.verdict,
        report.as_of.format("%Y-%m-%d %H:%M:%S UTC"),
        code(&report.snapshot_id),
        escaped(&report.machinery_in_words()),
    );
    if let Some(kpi) = &report.kpi {
        let outlook = kpi.outlook.as_ref().map_or(String::new(), |words| format!("; {words}"));
        let _ = writeln!(out, "- {}", escaped(&format!("{}{outlook}", kpi.in_words())));
    }
    let _ = writeln!(out, "\n| Verdict | Check | Found |\n|---|---|---|");
    for check in &report.checks {
        let _ = writeln!(
            out,
            "| {} {} | {} | {} |",
            symbol(check.verdict),
            check.verdict,
            code(&check.assertion),
            escaped(&check.actual)
        );
    }
    for check in report.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        details(&mut out, check);
    }
    out
}

fn details(out: &mut String, check: &CheckReport) {
    let _ = writeln!(out, "\n### {} {}\n", code(&check.assertion), check.verdict);
    let _ = writeln!(out, "Expected: {}.", escaped(&check.expected));
    if let Some(reason) = &check.reason {
        let _ = writeln!(out, "\n{}.", escaped(reason));
    }
    if let Some(words) = check.regression_in_words() {
        let _ = writeln!(out, "\n**{}.**", escaped(&words));
    }
    if check.samples_total > 0 {
        let _ = writeln!(out, "\n| Key | Reason |\n|---|---|");
        for sample in &check.samples {
            let _ = writeln!(out, "| {} | {} |", code(&sample.key), escaped(&sample.reason));
        }
        if check.unlisted() > 0 {
            let _ = writeln!(out, "\n… and {} more, not listed.", check.unlisted());
        }
    }
    let causes = check.causes.iter().map(|cause| format!("likely: {}", escaped(cause)));
    let remedies = check.remedies().map(|(words, command)| {
        let command = command.map_or(String::new(), |line| format!(" {}", code(line)));
        format!("to do: {}{command}", escaped(&words))
    });
    for (i, line) in causes.chain(remedies).enumerate() {
        let _ = writeln!(out, "{}- {line}", if i == 0 { "\n" } else { "" });
    }
}

fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Warn => "⚠️",
        Verdict::Inconclusive => "❔",
        Verdict::Error => "💥",
        Verdict::Fail => "❌",
    }
}

fn one_line(text: &str) -> String {
    visible(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// Text in which no ASCII punctuation means anything.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            // A mention survives a backslash, but not a character reference.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    // A bare address becomes a link by itself.
    out.replace("://", ":&#47;/")
}

/// A code span: fenced by more backticks than it holds, its pipes escaped for tables.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 || text.trim().is_empty() {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}
