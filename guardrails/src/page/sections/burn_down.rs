//! The backlog as a line from its start on, and under it arrivals and departures as bars on a scale of their own.

use std::sync::Arc;

use maud::{Markup, html};

use super::{LeadFigures, Section};
use crate::SuiteReport;
use crate::page::plot::{Scale, ends, line, percent, round, slot};
use crate::page::{Body, Table};
use crate::recovery::DailyMetrics;
use crate::words::grouped;

/// How many places of the plot stay readable on a phone.
const PLACES: usize = 62;
/// How many days the table lists; older ones are counted and said to be left out.
const LISTED: usize = 90;

pub(super) struct BurnDown(pub(super) Arc<LeadFigures>);

/// One or more days that the plots draw as one.
pub(super) struct Span {
    pub(super) name: String,
    pub(super) days: usize,
    pub(super) arrived: i64,
    pub(super) matched: i64,
    pub(super) other: i64,
    end: i64,
}

/// Days as they are, or so many together that the plot stays readable: a week, then thirty days, then more.
pub(super) fn spans(days: &[DailyMetrics]) -> Vec<Span> {
    let together = [1, 7, 30, 90, 365].into_iter().find(|size| days.len() <= size * PLACES);
    let sum = |days: &[DailyMetrics], of: fn(&DailyMetrics) -> i64| {
        days.iter().fold(0_i64, |sum, day| sum.saturating_add(of(day)))
    };
    days.chunks(together.unwrap_or(days.len().max(1)))
        .filter_map(|chunk| {
            let last = chunk.last()?;
            Some(Span {
                name: last.day.to_string(),
                days: chunk.len(),
                arrived: sum(chunk, |day| day.new_backlog_in),
                matched: sum(chunk, |day| day.matched_out),
                other: sum(chunk, |day| day.other_out),
                end: last.backlog_end,
            })
        })
        .collect()
}

impl Section for BurnDown {
    fn heading(&self) -> &'static str {
        "Burn-down"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let days = &self.0.ledger.days;
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Body::default() };
        let label = format!(
            "Backlog from {} at the start of {} to {} at the end of {}, with arrivals and matches",
            grouped(first.backlog_start.into()),
            first.day,
            grouped(last.backlog_end.into()),
            last.day,
        );
        let spans = spans(days);
        let each = match spans.first().map_or(1, |span| span.days) {
            1 => "per day".to_owned(),
            n => format!("per {n} days"),
        };
        let body = Body::default()
            .paragraph(&format!(
                "{} open leads at the start of {}, {} at the end of {}.",
                grouped(first.backlog_start.into()),
                first.day,
                grouped(last.backlog_end.into()),
                last.day
            ))
            .with(&html! {
                figure {
                    (plot(&spans, first.backlog_start, &label))
                    ul.key {
                        li.k-backlog { span {} "open leads" }
                        li.k-arrived { span {} "arrived " (each) }
                        li.k-matched { span {} "matched " (each) }
                        li.k-left { span {} "left otherwise " (each) }
                    }
                }
            });
        let shown = &days[days.len().saturating_sub(LISTED)..];
        let mut caption = format!("Daily metrics, newest first; days in {}", self.0.time_zone);
        if days.len() > shown.len() {
            caption = format!("{caption}; {} older ones are left out", days.len() - shown.len());
        }
        let head = [
            "Day",
            "Start",
            "Arrived",
            "Matched",
            "Left otherwise",
            "End",
            "Net change",
            "Top fail reason",
        ];
        let table = Table::new(caption, head).numbers(1..7);
        let table = shown.iter().rev().fold(table, |table, day| {
            let numbers = [
                day.backlog_start,
                day.new_backlog_in,
                day.matched_out,
                day.other_out,
                day.backlog_end,
                day.net_change,
            ];
            let numbers = numbers.map(|leads| grouped(leads.into()));
            let reason = day.top_fail_reason.clone().unwrap_or_else(|| "–".to_owned());
            table.row(std::iter::once(day.day.to_string()).chain(numbers).chain([reason]))
        });
        body.folded_table("Table of the days", &table)
    }
}

fn plot(spans: &[Span], start: i64, label: &str) -> Markup {
    let open =
        Scale::of(spans.iter().map(|span| span.end as f64).chain([start as f64]), 18.0, 170.0);
    let flows = |span: &Span| [span.arrived, span.matched, span.other];
    let flow = Scale::of(spans.iter().flat_map(flows).map(|leads| leads as f64), 230.0, 90.0);
    // The line begins at the left edge with what was open before the first day.
    let begin = (slot(0, spans.len()).0, open.y(start as f64));
    let points: Vec<(f64, f64)> = std::iter::once(begin)
        .chain(spans.iter().enumerate().map(|(i, span)| {
            let (left, width) = slot(i, spans.len());
            (left + width, open.y(span.end as f64))
        }))
        .collect();
    html! {
        svg role="img" aria-label=(label) height="350" {
            (open.grid())
            (line(&points, "backlog"))
            @for (x, y) in &points { circle.dot cx=(percent(*x)) cy=(y) r="3" {} }
            (flow.grid())
            @for (i, span) in spans.iter().enumerate() {
                @let (left, width) = slot(i, spans.len());
                // A bar of a single day must not fill the plot.
                @let bar = (width * 0.25).min(6.0);
                @for (n, (leads, class)) in flows(span).into_iter().zip(["arrived", "matched", "left"]).enumerate() {
                    @let y = flow.y(leads as f64);
                    @let height = round(flow.y(0.0) - y);
                    @if height > 0.0 {
                        rect class=(class) x=(percent(left + width * 0.1 + bar * 1.08 * n as f64))
                            width=(percent(bar)) y=(y) height=(height) {}
                    }
                }
            }
            (dates(spans, 342.0))
        }
    }
}

/// The dates under a plot: its first, middle and last.
pub(super) fn dates(spans: &[Span], y: f64) -> Markup {
    let name = |i: usize| spans.get(i).map_or("", |span| span.name.as_str());
    let middle = if spans.len() > 2 { name(spans.len() / 2) } else { "" };
    let last = if spans.len() > 1 { name(spans.len() - 1) } else { "" };
    ends([name(0), middle, last], y)
}
