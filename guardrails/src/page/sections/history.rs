//! Verdicts of earlier reports: one row per check, one column per report; a plot that is its own table.

use maud::{Markup, html};

use crate::history::{CheckRecord, SuiteRecord};
use crate::page::words::{symbol, time};
use crate::words::count_of;

/// How many earlier reports the history shows.
const COLUMNS: usize = 30;

pub(in crate::page) fn section(reports: &[SuiteRecord]) -> Markup {
    let left_out = reports.len().saturating_sub(COLUMNS);
    let shown = &reports[left_out..];
    let mut ids: Vec<&str> = Vec::new();
    for check in shown.iter().flat_map(|report| &report.checks) {
        if !ids.contains(&check.id.as_str()) {
            ids.push(&check.id);
        }
    }
    html! {
        @if !shown.is_empty() {
            section aria-labelledby="guardrail-history" {
                h2 #guardrail-history { "Guardrail history" }
                div.scroll tabindex="0" role="region" aria-label="Verdicts of earlier reports" {
                    table.history {
                        caption {
                            "Verdicts of the last " (count_of(shown.len(), "report")) ", oldest first"
                            @if left_out > 0 { "; " (left_out) " older ones are left out" }
                        }
                        thead {
                            tr {
                                th scope="col" { "Check" }
                                @for report in shown { th scope="col" { (time(report.as_of)) } }
                            }
                        }
                        tbody {
                            @for id in ids {
                                tr {
                                    th scope="row" { code { (id) } }
                                    @for report in shown { (cell(report.check(id))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(check: Option<&CheckRecord>) -> Markup {
    html! {
        @match check {
            None => td { span.soft { "–" } },
            Some(check) => td {
                span class=(check.verdict) title=(check.in_words()) {
                    (symbol(check.verdict)) " " (check.verdict)
                }
            },
        }
    }
}
