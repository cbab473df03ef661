use maud::{Markup, html};

use super::page::grouped;
use super::plot::{Bar, Scale, bars, ends, line, percent, round, slot};
use super::tables;
use crate::builtin::{Explained, TimeToDrain};
use crate::facts::{AgeBucket, DailyMetrics, QueueFacts};
use crate::finding::count_of;

/// The backlog as a line, and under it arrivals and matches as bars on a scale of their own.
pub(super) fn burn_down(days: &[DailyMetrics], left_out: usize, zone: &str) -> Markup {
    html! {
        section aria-labelledby="h-burn-down" {
            h2 #h-burn-down { "Burn-down" }
            @if let (Some(first), Some(last)) = (days.first(), days.last()) {
                figure {
                    (burn_down_plot(days, &format!(
                        "Backlog from {} on {} to {} on {}, with arrivals and matches per day",
                        grouped(first.backlog_start.into()), first.day,
                        grouped(last.backlog_end.into()), last.day,
                    )))
                    ul.key {
                        li.k-backlog { span {} "open leads at the end of the day" }
                        li.k-arrived { span {} "arrived" }
                        li.k-matched { span {} "matched" }
                        li.k-left { span {} "left otherwise" }
                    }
                }
                @if left_out > 0 {
                    p.soft { (count_of(left_out, "older day")) " left out." }
                }
                (tables::days(days, zone))
            } @else {
                p.soft { "The ledger has no day yet." }
            }
        }
    }
}

fn burn_down_plot(days: &[DailyMetrics], label: &str) -> Markup {
    let open = Scale::of(days.iter().map(|day| day.backlog_end as f64), 18.0, 170.0);
    let flows = |day: &DailyMetrics| [day.new_backlog_in, day.matched_out, day.other_out];
    let flow = Scale::of(days.iter().flat_map(flows).map(|leads| leads as f64), 230.0, 90.0);
    let points: Vec<(f64, f64)> = days
        .iter()
        .enumerate()
        .map(|(i, day)| {
            let (left, width) = slot(i, days.len());
            (left + width / 2.0, open.y(day.backlog_end as f64))
        })
        .collect();
    html! {
        svg role="img" aria-label=(label) height="350" {
            (open.grid())
            (line(&points, "backlog"))
            @for (x, y) in &points { circle.dot cx=(percent(*x)) cy=(y) r="3" {} }
            (flow.grid())
            @for (i, day) in days.iter().enumerate() {
                @let (left, width) = slot(i, days.len());
                @for (n, (leads, class)) in flows(day).into_iter().zip(["arrived", "matched", "left"]).enumerate() {
                    @let y = flow.y(leads as f64);
                    @let height = round(flow.y(0.0) - y);
                    @if height > 0.0 {
                        rect class=(class) x=(percent(left + width * (0.1 + 0.27 * n as f64)))
                            width=(percent(width * 0.25)) y=(y) height=(height) {}
                    }
                }
            }
            (dates(days, 342.0))
        }
    }
}

fn dates(days: &[DailyMetrics], y: f64) -> Markup {
    let text = |i: usize| days.get(i).map_or(String::new(), |day| day.day.to_string());
    let middle = if days.len() > 2 { text(days.len() / 2) } else { String::new() };
    let last = if days.len() > 1 { text(days.len() - 1) } else { String::new() };
    ends([&text(0), &middle, &last], y)
}

/// Fail reasons, most leads first, with their cumulative share.
pub(super) fn reasons(queue: Option<&QueueFacts>, link: Option<&str>) -> Markup {
    let explained = queue.map(Explained::of);
    html! {
        section aria-labelledby="h-reasons" {
            h2 #h-reasons { "Why leads are still in the backlog" }
            @match explained.filter(|explained| explained.backlog > 0 || !explained.parts.is_empty()) {
                None => p.soft { "The backlog is empty, or its reasons were not given." },
                Some(explained) => {
                    @let most = explained.parts.first().map_or(1, |part| part.leads).max(1);
                    @let drawn: Vec<Bar> = explained.parts.iter().map(|part| Bar {
                        label: part.reason.clone(),
                        value: format!("{} · {} %", grouped(part.leads.into()), crate::finding::percent(explained.share(part))),
                        share: part.leads as f64 / most as f64,
                        link: link.map(|link| link.replace("{reason}", &encoded(&part.reason))),
                    }).collect();
                    figure { (bars(&drawn, &format!("Leads by reason: {}", explained.in_words()))) }
                    (tables::reasons(&explained))
                }
            }
        }
    }
}

/// Writes a text as a part of a URL's query.
///
/// ```
/// assert_eq!(guardrails::html::encoded("L 7&x=é"), "L%207%26x%3D%C3%A9");
/// ```
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The backlog by age, youngest first.
pub(super) fn ageing(buckets: &[AgeBucket]) -> Markup {
    let most = buckets.iter().map(|bucket| bucket.leads).max().unwrap_or(0).max(1);
    let drawn: Vec<Bar> = buckets
        .iter()
        .map(|bucket| Bar {
            label: tables::age(bucket),
            value: grouped(bucket.leads.into()),
            share: bucket.leads as f64 / most as f64,
            link: None,
        })
        .collect();
    html! {
        section aria-labelledby="h-ageing" {
            h2 #h-ageing { "Ageing" }
            @if buckets.is_empty() {
                p.soft { "The age of the backlog was not given." }
            } @else {
                figure { (bars(&drawn, "Open leads by age")) }
                (tables::ageing(buckets))
            }
        }
    }
}

/// Cumulated arrivals and departures: where the lines part, the backlog changes.
pub(super) fn throughput(days: &[DailyMetrics], zone: &str) -> Markup {
    let mut sums = (0.0_f64, 0.0_f64);
    let flow: Vec<(f64, f64)> = days
        .iter()
        .map(|day| {
            sums.0 += day.new_backlog_in as f64;
            sums.1 += day.matched_out as f64 + day.other_out as f64;
            sums
        })
        .collect();
    let week = &days[days.len().saturating_sub(7)..];
    html! {
        section aria-labelledby="h-throughput" {
            h2 #h-throughput { "Throughput against arrivals" }
            @if days.is_empty() {
                p.soft { "The ledger has no day yet." }
            } @else {
                p {
                    "Time to drain at the rate of the last " (count_of(week.len(), "day")) ": "
                    strong { (TimeToDrain::of(week).in_words()) } "."
                }
                p.soft {
                    "A rate holds only while arrivals and matches stay as they are; the range is that of the better and the worse half of these days."
                }
                figure {
                    (throughput_plot(days, &flow))
                    ul.key {
                        li.k-arrived { span {} "arrived, cumulated" }
                        li.k-left { span {} "left the backlog, cumulated (dashed)" }
                    }
                }
                (tables::flow(days, &flow, zone))
            }
        }
    }
}

fn throughput_plot(days: &[DailyMetrics], flow: &[(f64, f64)]) -> Markup {
    let scale = Scale::of(flow.iter().flat_map(|(a, b)| [*a, *b]), 18.0, 150.0);
    let points = |pick: fn(&(f64, f64)) -> f64| -> Vec<(f64, f64)> {
        std::iter::once(&(0.0, 0.0))
            .chain(flow)
            .enumerate()
            .map(|(i, sums)| (slot(i, flow.len()).0, scale.y(pick(sums))))
            .collect()
    };
    let (arrived, left) = flow.last().copied().unwrap_or_default();
    html! {
        svg role="img" aria-label=(format!("Arrived: {arrived}, left: {left}, over {}", count_of(days.len(), "day"))) height="195" {
            (scale.grid())
            (line(&points(|sums| sums.0), "arrived"))
            (line(&points(|sums| sums.1), "left"))
            (dates(days, 190.0))
        }
    }
}
