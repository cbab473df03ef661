//! Why leads are still in the backlog, most leads first.

use std::sync::Arc;

use super::{LeadFigures, Section};
use crate::SuiteReport;
use crate::page::{Bar, Body, Table, encoded};
use crate::recovery::{Explained, reason_in_words};
use crate::words::{grouped, many, percent};

pub(super) struct Reasons(pub(super) Arc<LeadFigures>);

impl Section for Reasons {
    fn heading(&self) -> &'static str {
        "Why leads are still in the backlog"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let Some(explained) = self.0.queue.as_ref().map(Explained::of) else {
            return Body::default();
        };
        if explained.parts.is_empty() && explained.unexplained == 0 {
            return Body::default();
        }
        let most = explained.parts.first().map_or(1, |part| part.leads).max(1);
        let link = |reason: &str| {
            let template = self.0.reason_link.as_ref()?;
            // What waits has no reason to list the leads of.
            let coded = reason.chars().any(|c| c.is_ascii_uppercase());
            coded.then(|| template.replace("{reason}", &encoded(reason)))
        };
        let bars: Vec<Bar> = explained
            .parts
            .iter()
            .map(|part| Bar {
                label: part.reason.clone(),
                value: format!(
                    "{} · {} %",
                    grouped(part.leads.into()),
                    percent(explained.share(part))
                ),
                share: part.leads as f64 / most as f64,
                link: link(&part.reason),
            })
            .collect();
        let caption = format!("{} in the backlog, by reason", many(explained.backlog, "lead"));
        let mut table =
            Table::new(caption, ["Reason", "Leads", "Share", "Cumulated", "What it means"])
                .numbers(1..4);
        let mut cumulated = 0.0;
        for part in &explained.parts {
            let share = explained.share(part);
            cumulated += share;
            table = table.row([
                part.reason.clone(),
                grouped(part.leads.into()),
                format!("{} %", percent(share)),
                format!("{} %", percent((cumulated * 1e9_f64).round() / 1e9)),
                reason_in_words(&part.reason)
                    .unwrap_or("A reason of this service's own.")
                    .to_owned(),
            ]);
        }
        if explained.unexplained > 0 {
            let left = grouped(explained.unexplained.into());
            let why = "The queue has settled them, but the backlog still names them.";
            table = table.row(["without explanation", &left, "–", "–", why]);
        }
        let label = format!("Leads by reason: {}", explained.in_words());
        Body::default().bars(&label, &bars).table(&table)
    }
}
