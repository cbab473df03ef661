//! Cumulated arrivals and departures: where the lines part, the backlog changes.

use std::sync::Arc;

use maud::{Markup, html};

use super::burn_down::{Span, dates, spans};
use super::{LeadFigures, Section};
use crate::SuiteReport;
use crate::page::plot::{Scale, line, slot};
use crate::page::{Body, Table};
use crate::recovery::TimeToDrain;
use crate::words::{count_of, grouped};

pub(super) struct Throughput(pub(super) Arc<LeadFigures>);

impl Section for Throughput {
    fn heading(&self) -> &'static str {
        "Throughput against arrivals"
    }

    fn body(&self, suite: &SuiteReport) -> Body {
        let days = &self.0.ledger.days;
        // One day makes two points of nothing: the burn-down tells it already.
        if days.len() < 2 {
            return Body::default();
        }
        let spans = spans(days);
        let mut sums = (0_i64, 0_i64);
        let flow: Vec<(i64, i64)> = spans
            .iter()
            .map(|span| {
                sums.0 = sums.0.saturating_add(span.arrived);
                sums.1 = sums.1.saturating_add(span.matched).saturating_add(span.other);
                sums
            })
            .collect();
        let mut body = Body::default();
        if let Some(check) = suite.check("throughput") {
            body = body.paragraph(&format!("{}.", check.actual));
        } else if let Some(queue) = &self.0.queue {
            let time = TimeToDrain::of(&self.0.ledger, queue);
            body = body.paragraph(&format!("Time to drain: {}.", time.in_words()));
        }
        body = body
            .remark("A rate holds only while arrivals and matches stay as they are; the range comes from better and worse days.")
            .with(&html! {
                figure {
                    (plot(&spans, &flow))
                    ul.key {
                        li.k-arrived { span {} "arrived, cumulated" }
                        li.k-left { span {} "left the backlog, cumulated (dashed)" }
                    }
                }
            });
        let caption =
            format!("Leads since {}, newest first; days in {}", spans[0].name, self.0.time_zone);
        let table =
            Table::new(caption, ["Until", "Arrived, cumulated", "Left, cumulated"]).numbers_from(1);
        let rows = spans.iter().zip(&flow).rev();
        let table = rows.fold(table, |table, (span, (arrived, left))| {
            table.row([span.name.clone(), grouped((*arrived).into()), grouped((*left).into())])
        });
        body.folded_table("Table of the flow", &table)
    }
}

fn plot(spans: &[Span], flow: &[(i64, i64)]) -> Markup {
    let scale = Scale::of(flow.iter().flat_map(|(a, b)| [*a as f64, *b as f64]), 18.0, 150.0);
    let points = |pick: fn(&(i64, i64)) -> i64| -> Vec<(f64, f64)> {
        std::iter::once(&(0, 0))
            .chain(flow)
            .enumerate()
            .map(|(i, sums)| (slot(i, flow.len()).0, scale.y(pick(sums) as f64)))
            .collect()
    };
    let (arrived, left) = flow.last().copied().unwrap_or_default();
    let days: usize = spans.iter().map(|span| span.days).sum();
    let label = format!(
        "Arrived: {}, left: {}, over {}",
        grouped(arrived.into()),
        grouped(left.into()),
        count_of(days, "day")
    );
    html! {
        svg role="img" aria-label=(label) height="195" {
            (scale.grid())
            (line(&points(|sums| sums.0), "arrived"))
            (line(&points(|sums| sums.1), "left"))
            (dates(spans, 190.0))
        }
    }
}
