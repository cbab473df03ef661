//! A queue as one self-contained page (feature `html`): what is missing by scope, how the gaps go down, how
//! long they have been due and whose they are. No scripts, no fonts or files from outside; each plot has its
//! table below it.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::burn_down::{BurnDown, RunPoint};
use crate::difference::Difference;
use crate::queue::{Ageing, GapQueue};
use crate::status::GapStatus;

/// What a page of gaps shows.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct GapPage<'a> {
    /// The queue.
    pub queue: &'a GapQueue,
    /// When it was built.
    pub generated_at: DateTime<Utc>,
    /// The runs so far, where they are kept.
    pub burn_down: Option<&'a BurnDown>,
    /// What changed since the run before.
    pub difference: Option<&'a Difference>,
    /// When the queue would be empty, in words.
    pub time_to_drain: Option<&'a str>,
}

impl<'a> GapPage<'a> {
    /// Makes the page of a queue as of a time.
    #[must_use]
    pub const fn new(queue: &'a GapQueue, generated_at: DateTime<Utc>) -> Self {
        Self { queue, generated_at, burn_down: None, difference: None, time_to_drain: None }
    }

    /// Shows how the gaps went down, and what changed since the run before.
    #[must_use]
    pub const fn runs(
        mut self,
        burn_down: &'a BurnDown,
        difference: Option<&'a Difference>,
    ) -> Self {
        self.burn_down = Some(burn_down);
        self.difference = difference;
        self
    }

    /// Says when the queue would be empty, as the service reckons it from [`BurnDown::fall_by_day`].
    #[must_use]
    pub const fn time_to_drain(mut self, words: &'a str) -> Self {
        self.time_to_drain = Some(words);
        self
    }

    /// Writes the page; the same facts give the same bytes.
    #[must_use]
    pub fn render(&self) -> String {
        let totals = self.queue.totals();
        let as_of = self.generated_at.date_naive();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { "KPI gaps" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "KPI gaps" }
                    p {
                        "As of " (self.generated_at.to_rfc3339_opts(SecondsFormat::Secs, true)) ": "
                        (totals.pairs_ready_total) " of " (totals.expected_pairs_total)
                        " pairs ready, " (totals.actionable_pairs_total) " to act on."
                    }
                    (self.scopes())
                    @if let Some(difference) = self.difference { (changed(difference)) }
                    @if let Some(burn_down) = self.burn_down { (burned_down(burn_down, self.time_to_drain)) }
                    (aged(&self.queue.ageing(as_of)))
                    (self.owners())
                }
            }
        };
        page.into_string()
    }

    fn scopes(&self) -> Markup {
        html! {
            h2 { "By scope" }
            table {
                thead { tr {
                    th { "scope" }
                    @for status in GapStatus::ALL { th.n { (status) } }
                } }
                tbody {
                    @for scope in self.queue.scope_totals() {
                        tr {
                            td { (scope.scope) }
                            @for (_, total) in &scope.pairs_by_status { td.n { (total) } }
                        }
                    }
                }
            }
        }
    }

    fn owners(&self) -> Markup {
        let owners = self.queue.owners(self.generated_at.date_naive());
        html! {
            @if owners.iter().any(|share| share.owner.is_some()) {
                h2 { "By owner" }
                table {
                    thead { tr { th { "owner" } th.n { "to act on" } th.n { "expected" } th.n { "overdue" } } }
                    tbody {
                        @for share in &owners {
                            tr {
                                td { (share.owner.as_deref().unwrap_or("nobody")) }
                                td.n { (share.actionable_pairs_total) }
                                td.n { (share.expected_pairs_total) }
                                td.n { (share.ageing.overdue_total()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}th,td{padding:.2rem .7rem;border-bottom:1px solid #8884;text-align:left}\
.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}\
:root{color-scheme:light dark}";

fn changed(difference: &Difference) -> Markup {
    html! {
        h2 { "Since the last run" }
        table { tbody {
            @for (name, total) in [
                ("opened", difference.opened_total),
                ("of them again", difference.reopened_total),
                ("closed", difference.closed_total),
                ("moved on", difference.moved_on_total),
                ("regressed", difference.regressed_total),
                ("unchanged", difference.unchanged_total),
            ] { tr { td { (name) } td.n { (total) } } }
        } }
    }
}

fn burned_down(burn_down: &BurnDown, time_to_drain: Option<&str>) -> Markup {
    let points = burn_down.points();
    html! {
        h2 { "Burn-down" }
        (curve(points))
        p {
            @match burn_down.net_per_day() {
                Some(net) => (format!("It fell by {net:.1} gaps a day.")),
                None => "One run so far.",
            }
            @if let Some(words) = time_to_drain { " Time to drain: " (words) "." }
        }
        table {
            thead { tr { th { "run" } th.n { "gaps" } th.n { "opened" } th.n { "closed" } } }
            tbody {
                @for point in points {
                    tr {
                        td { (point.at.to_rfc3339_opts(SecondsFormat::Secs, true)) }
                        td.n { (point.gaps_total) }
                        td.n { (point.opened_total) }
                        td.n { (point.closed_total) }
                    }
                }
            }
        }
    }
}

/// The size of a plot.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;

/// Draws the gaps of each run over the time.
fn curve(points: &[RunPoint]) -> Markup {
    let ([first, .., last], Some(most)) =
        (points, points.iter().map(|point| point.gaps_total).max().filter(|most| *most > 0))
    else {
        return html! {};
    };
    let span = (last.at - first.at).as_seconds_f64();
    let mut line = String::new();
    for point in points {
        let x = (point.at - first.at).as_seconds_f64() / span * WIDTH;
        let y = HEIGHT - point.gaps_total as f64 / most as f64 * HEIGHT;
        write!(line, "{x:.1},{y:.1} ").expect("a string takes every write");
    }
    html! {
        svg viewBox=(format!("-4 -4 {} {}", WIDTH + 8.0, HEIGHT + 8.0)) role="img"
            aria-label="The gaps of each run over the time" {
            line x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) stroke="currentColor" stroke-opacity="0.4";
            polyline points=(line.trim_end()) fill="none" stroke="#2a7ae2" stroke-width="2";
        }
    }
}

fn aged(ageing: &Ageing) -> Markup {
    let buckets = [
        ("no due date", ageing.without_due_date_total),
        ("not overdue", ageing.not_overdue_total),
        ("1 to 30 days", ageing.overdue_1_to_30_days_total),
        ("31 to 90 days", ageing.overdue_31_to_90_days_total),
        ("91 to 365 days", ageing.overdue_91_to_365_days_total),
        ("over a year", ageing.overdue_over_365_days_total),
    ];
    let most = buckets.iter().map(|(_, total)| *total).max().filter(|most| *most > 0);
    html! {
        h2 { "Ageing" }
        @if let Some(most) = most {
            svg viewBox=(format!("0 0 {WIDTH} {}", 24 * buckets.len())) role="img"
                aria-label="The gaps by the days since they were due" {
                @for (at, (name, total)) in buckets.iter().enumerate() {
                    text x="0" y=(at * 24 + 16) fill="currentColor" font-size="13" { (name) }
                    rect x="120" y=(at * 24 + 4) height="16" fill="#2a7ae2"
                        width=(format!("{:.1}", *total as f64 / most as f64 * (WIDTH - 180.0)));
                    text x=(format!("{:.1}", 126.0 + *total as f64 / most as f64 * (WIDTH - 180.0)))
                        y=(at * 24 + 16) fill="currentColor" font-size="13" { (total) }
                }
            }
        }
        table { tbody {
            @for (name, total) in buckets { tr { td { (name) } td.n { (total) } } }
        } }
        @if let Some(oldest) = ageing.oldest_due_on { p { "The oldest has been due since " (oldest) "." } }
    }
}
