use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};

use super::{guardrails, plots, tables};
use crate::builtin::TimeToDrain;
use crate::facts::{AgeBucket, DailyMetrics, Facts, FactsError, Offenders, QueueFacts, RunFacts};
use crate::history::Record;
use crate::{SuiteReport, Verdict};

const STYLE: &str = include_str!("style.css");
/// How many days the plots show; older ones are counted and said to be left out.
const DAYS: usize = 90;
/// How many runs the list shows.
const RUNS: usize = 50;

/// What the report shows: plain data that any service can fill.
///
/// Everything but the suite's report may be empty; its section then says so. Keys and reasons are
/// shown as they are: they must name no phone, document or e-mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The heading.
    pub title: String,
    /// When the page was made.
    pub generated_at: DateTime<Utc>,
    /// The time zone that the days are counted in, such as `America/Lima`.
    pub time_zone: String,
    /// What the guardrails came to.
    pub suite: SuiteReport,
    /// The queue and its fail reasons.
    #[serde(default)]
    pub queue: Option<QueueFacts>,
    /// Daily rows, oldest first.
    #[serde(default)]
    pub days: Vec<DailyMetrics>,
    /// The backlog by age, youngest first.
    #[serde(default)]
    pub ageing: Vec<AgeBucket>,
    /// Runs, newest first.
    #[serde(default)]
    pub runs: Vec<RunFacts>,
    /// Earlier reports of the suite, oldest first.
    #[serde(default)]
    pub history: Vec<Record>,
    /// Where a reason leads to, with `{reason}` in the place of its code; none in a file.
    #[serde(default)]
    pub reason_link: Option<String>,
    /// After how many seconds a browser asks for the page again; never in a file.
    #[serde(default)]
    pub refresh_seconds: Option<u32>,
    /// Where the same page lies that asks for itself again, or, on that one, the page that does not.
    #[serde(default)]
    pub refresh_link: Option<String>,
}

impl Page {
    /// Makes a page that shows the guardrails alone.
    pub fn new(title: impl Into<String>, suite: SuiteReport) -> Self {
        Self {
            title: title.into(),
            generated_at: suite.as_of,
            time_zone: "UTC".to_owned(),
            suite,
            queue: None,
            days: Vec::new(),
            ageing: Vec::new(),
            runs: Vec::new(),
            history: Vec::new(),
            reason_link: None,
            refresh_seconds: None,
            refresh_link: None,
        }
    }

    /// Fills in what the facts provide; what they leave out stays empty.
    pub fn fill_from(mut self, facts: &dyn Facts) -> Result<Self, FactsError> {
        fn provided<T>(answer: Result<T, FactsError>) -> Result<Option<T>, FactsError> {
            match answer {
                Ok(given) => Ok(Some(given)),
                Err(FactsError::NotProvided { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        }
        self.queue = provided(facts.queue())?;
        self.days = provided(facts.ledger())?.map_or_else(Vec::new, |ledger| ledger.days);
        self.ageing = provided(facts.ageing())?.unwrap_or_default();
        self.runs = provided(facts.runs(RUNS))?.unwrap_or_default();
        Ok(self)
    }

    /// Sets the time zone that the days are counted in.
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = name.into();
        self
    }

    /// Sets when the page was made.
    #[must_use]
    pub fn generated_at(mut self, now: DateTime<Utc>) -> Self {
        self.generated_at = now;
        self
    }

    /// Adds earlier reports of the suite, oldest first.
    #[must_use]
    pub fn history(mut self, records: Vec<Record>) -> Self {
        self.history = records;
        self
    }

    /// Offers a page that asks for itself again, or the way back from it.
    ///
    /// A page that renews itself unasked takes a reader's place away (WCAG 2.2.1), so it is the reader's
    /// choice.
    #[must_use]
    pub fn refresh_link(mut self, address: impl Into<String>) -> Self {
        self.refresh_link = Some(address.into());
        self
    }

    /// Makes browsers ask for the page again, for one that is served live.
    #[must_use]
    pub fn refresh_seconds(mut self, seconds: u32) -> Self {
        self.refresh_seconds = Some(seconds);
        self
    }

    /// Makes each reason a link; `{reason}` in it is replaced by the reason's code.
    #[must_use]
    pub fn reason_link(mut self, template: impl Into<String>) -> Self {
        self.reason_link = Some(template.into());
        self
    }
}

/// Writes the page as one HTML document.
///
/// ```
/// use guardrails::html::{Page, page};
/// use guardrails::{Suite, clock::Stopped, facts::InMemoryFacts};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let report = Suite::recovery().run(&facts, &Stopped);
/// let html = page(&Page::new("Recovery <of leads>", report).fill_from(&facts).unwrap());
/// assert!(html.contains("<h1>Recovery &lt;of leads&gt;</h1>"));
/// assert!(!html.contains("<script"));
/// ```
#[must_use]
pub fn page(page: &Page) -> String {
    let left_out = page.days.len().saturating_sub(DAYS);
    let days = &page.days[left_out..];
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{} · {}", word(page.suite.verdict), page.title), page.refresh_seconds))
            body {
                a.skip href="#guardrails" { "Skip to the verdicts" }
                header {
                    h1 { (page.title) }
                    p {
                        (badge(page.suite.verdict)) " "
                        span.soft {
                            "as of " (time(page.suite.as_of)) " · snapshot "
                            code { (page.suite.snapshot_id) }
                        }
                    }
                    @if let Some(address) = &page.refresh_link {
                        p {
                            a href=(address) {
                                @match page.refresh_seconds {
                                    Some(_) => "Stop renewing this page",
                                    None => "Keep this page up to date",
                                }
                            }
                        }
                    }
                    (tiles(page, days))
                }
                main {
                    (guardrails::section(&page.suite))
                    (plots::burn_down(days, left_out, &page.time_zone))
                    (plots::reasons(page.queue.as_ref(), page.reason_link.as_deref()))
                    (plots::ageing(&page.ageing))
                    (plots::throughput(days, &page.time_zone))
                    (guardrails::history(&page.history))
                    (tables::runs(&page.runs))
                }
                footer { p.soft { "Made " (time(page.generated_at)) "." } }
            }
        }
    }
    .into_string()
}

/// Writes a page that lists offenders, such as the leads behind a reason.
///
/// `next` gives the address of the page behind a key; it is asked where the listing is cut.
#[must_use]
pub fn offenders_page(
    heading: &str,
    found: &Offenders,
    back: &str,
    next: impl Fn(&str) -> String,
) -> String {
    let unlisted = found.total.saturating_sub(found.listed.len() as u64);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(heading, None))
            body {
                header {
                    h1 { (heading) }
                    p { a href=(back) { "Back to the overview" } }
                }
                main {
                    section aria-label="Rows" {
                        @if found.listed.is_empty() {
                            p { "There are none from here on." }
                        } @else {
                            div.scroll tabindex="0" {
                                table {
                                    caption { (grouped(found.total.into())) " from here on, " (found.listed.len()) " shown" }
                                    thead { tr { th scope="col" { "Key" } th scope="col" { "What is known" } } }
                                    tbody {
                                        @for row in &found.listed {
                                            tr { th scope="row" { code { (row.key) } } td { (row.reason) } }
                                        }
                                    }
                                }
                            }
                        }
                        @if let Some(last) = found.listed.last().filter(|_| unlisted > 0) {
                            p { a href=(next(&last.key)) { "Next page" } " (" (grouped(unlisted.into())) " more)" }
                        }
                    }
                }
            }
        }
    }
    .into_string()
}

fn head(title: &str, refresh: Option<u32>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy"
                content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            meta name="color-scheme" content="light dark";
            @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
            title { (title) }
            link rel="icon" href="data:,";
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn tiles(page: &Page, days: &[DailyMetrics]) -> Markup {
    html! {
        dl.tiles {
            @if let Some(queue) = &page.queue {
                div { dt { "In the backlog" } dd { (grouped(queue.backlog.into())) } }
                div { dt { "Matched" } dd { (grouped(queue.matched.into())) } }
                div { dt { "Pending" } dd { (grouped(queue.pending.into())) } }
                div { dt { "Failed" } dd { (grouped(queue.failed.into())) } }
            }
            @if !days.is_empty() {
                @let time = TimeToDrain::of(&days[days.len().saturating_sub(7)..]);
                div {
                    dt { "Time to drain" }
                    dd { (time.expected.map_or("never".to_owned(), in_days)) }
                    @if let (Some(soonest), Some(latest)) = (time.soonest, time.latest) {
                        dd.range { (in_days(soonest)) " to " (in_days(latest)) }
                    } @else if let Some(soonest) = time.soonest {
                        dd.range { (in_days(soonest)) " to never" }
                    }
                }
            }
        }
    }
}

fn in_days(days: f64) -> String {
    let rounded = (days * 10.0).round() / 10.0;
    format!("{rounded} {}", if (rounded - 1.0).abs() < f64::EPSILON { "day" } else { "days" })
}

/// Prose whose `code` stands between backticks.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (i, part) in parts.iter().enumerate() {
            @if i.is_multiple_of(2) { (part) } @else { code { (part) } }
        }
    }
}

pub(super) fn badge(verdict: Verdict) -> Markup {
    html! { span class=(format!("verdict {verdict}")) { (symbol(verdict)) " " (word(verdict)) } }
}

pub(super) fn symbol(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Warn => "!",
        Verdict::Inconclusive => "?",
        Verdict::Error => "⚠",
        Verdict::Fail => "✕",
    }
}

pub(super) fn word(verdict: Verdict) -> String {
    verdict.as_str().to_uppercase()
}

pub(super) fn time(moment: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(moment.to_rfc3339()) { (moment.format("%Y-%m-%d %H:%M UTC")) }
    }
}

/// A whole number with its thousands apart.
pub(super) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart_and_the_sign_stays() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "−1,234,567");
    }
}
