//! What happened, what is left, what to do.

use std::sync::Arc;

use super::{LeadFigures, Section};
use crate::page::Body;
use crate::recovery::TimeToDrain;
use crate::words::{count_of, grouped, many};
use crate::{CheckReport, SuiteReport};

pub(super) struct Story(pub(super) Arc<LeadFigures>);

impl Section for Story {
    fn heading(&self) -> &'static str {
        "The story"
    }

    fn body(&self, suite: &SuiteReport) -> Body {
        let mut body = Body::default();
        if let Some(run) = self.0.runs.iter().find(|run| run.finished_at.is_some()) {
            let after = run.backlog_after;
            let (before, arrived) = (run.backlog_before, run.new_backlog_in);
            body = body.figures([
                ("Backlog before the last run", grouped(before.into())),
                ("Backlog after it", grouped(after.into())),
                ("Reduced by", grouped(i128::from(before) - i128::from(after))),
            ]);
            let mut parts = vec![format!("{} matched", many(run.matched, "lead"))];
            if run.other_out > 0 {
                parts.push(format!("{} left otherwise", grouped(run.other_out.into())));
            }
            parts.push(format!("{} arrived", grouped(arrived.into())));
            body = body.paragraph(&format!("In that run: {}.", parts.join(", ")));
        }
        if let Some(queue) = &self.0.queue {
            body = body.figures([
                ("In the backlog now", grouped(queue.backlog.into())),
                ("Pending", grouped(queue.pending.into())),
                ("Failed", grouped(queue.failed.into())),
                ("Time to drain", TimeToDrain::of(&self.0.ledger, queue).in_short()),
            ]);
        }
        if let Some(words) = self.trend() {
            body = body.paragraph(&words);
        }
        let to_do = suite.check("impact").map(CheckReport::next_steps).unwrap_or_default();
        if !to_do.is_empty() {
            body = body.heading("What to do, most leads first");
            body = body.next_steps(to_do.iter().map(|(words, command)| (words.as_str(), *command)));
        }
        body
    }
}

impl Story {
    fn trend(&self) -> Option<String> {
        let days = &self.0.ledger.days;
        let week = &days[days.len().saturating_sub(7)..];
        let (first, last) = (week.first()?, week.last()?);
        let change = last.backlog_end - first.backlog_start;
        let words = match change {
            0 => "The backlog is where it was".to_owned(),
            fell if fell < 0 => format!("The backlog fell by {}", grouped(i128::from(-fell))),
            rose => format!("The backlog rose by {}", grouped(rose.into())),
        };
        Some(format!("{words} in the last {}.", count_of(week.len(), "day")))
    }
}
