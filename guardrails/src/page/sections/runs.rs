//! The last runs.

use std::sync::Arc;

use maud::html;

use super::{LeadFigures, Section};
use crate::SuiteReport;
use crate::page::words::time;
use crate::page::{Body, Table};
use crate::recovery::RunFacts;
use crate::words::{count_of, grouped};

pub(super) struct Runs(pub(super) Arc<LeadFigures>);

impl Section for Runs {
    fn heading(&self) -> &'static str {
        "Runs"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let runs = &self.0.runs;
        let table = Table::new(
            format!("The last {}, newest first", count_of(runs.len(), "run")),
            [
                "Started",
                "Took",
                "Backlog before",
                "Arrived",
                "Matched",
                "Left otherwise",
                "Backlog after",
                "Failed by reason",
                "Run",
            ],
        )
        .numbers(1..7);
        Body::default().table(&runs.iter().fold(table, row))
    }
}

fn row(table: Table, run: &RunFacts) -> Table {
    let failed: Vec<String> = run
        .failed
        .iter()
        // A number and its reason stay on one line.
        .map(|part| format!("{}\u{a0}{}", grouped(part.leads.into()), part.reason))
        .collect();
    let took = match run.finished_at {
        Some(end) => {
            format!("{:.1} s", (end - run.started_at).num_milliseconds() as f64 / 1e3)
        }
        None => "not finished".to_owned(),
    };
    let mut cells = vec![time(run.started_at), html! { (took) }];
    for leads in
        [run.backlog_before, run.new_backlog_in, run.matched, run.other_out, run.backlog_after]
    {
        cells.push(html! { (grouped(leads.into())) });
    }
    cells.push(html! { (if failed.is_empty() { "–".to_owned() } else { failed.join(", ") }) });
    cells.push(html! { code { (run.run_id) } });
    table.cells(cells)
}
