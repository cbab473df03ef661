use maud::{Markup, html};

use super::page::{badge, grouped, prose, symbol, time};
use crate::finding::count_of;
use crate::history::{CheckRecord, Record};
use crate::{CheckReport, SuiteReport, Verdict};

/// How many earlier reports the history shows.
const COLUMNS: usize = 30;

pub(super) fn section(suite: &SuiteReport) -> Markup {
    let totals: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| suite.totals.get(*verdict) > 0)
        .map(|verdict| format!("{} {verdict}", suite.totals.get(verdict)))
        .collect();
    html! {
        section #guardrails aria-labelledby="h-guardrails" {
            h2 #h-guardrails { "Guardrails" }
            p.soft { "Suite " code { (suite.suite) } ": " (totals.join(", ")) }
            ol.checks { @for check in &suite.checks { (item(check)) } }
        }
    }
}

fn item(check: &CheckReport) -> Markup {
    html! {
        li {
            div { (badge(check.verdict)) }
            div {
                h3 { code { (check.assertion) } }
                p { (prose(&check.actual)) }
                @if let Some(reason) = &check.reason { p { (prose(reason)) } }
                @if let Some(words) = check.regression_in_words() { p { strong { (words) "." } } }
                p.soft {
                    "Expected: " (check.expected) "."
                    @if let Some(owner) = &check.owner { " Owner: " (owner) "." }
                }
                @if check.samples_total > 0 { (offenders(check)) }
                @if !check.causes.is_empty() {
                    p { "Likely causes:" }
                    ul { @for cause in &check.causes { li { (prose(cause)) } } }
                }
                @if !check.help.is_empty() {
                    p { "What to do:" }
                    ul {
                        @for (words, command) in check.remedies() {
                            li {
                                (prose(&words))
                                @if let Some(command) = command { pre { code { (command) } } }
                            }
                        }
                    }
                }
                @if !check.figures.is_empty() {
                    details {
                        summary { "Figures of " (check.assertion) }
                        div.scroll tabindex="0" {
                            table {
                                caption { "Figures of " (check.assertion) }
                                thead { tr { th scope="col" { "Figure" } th.n scope="col" { "Value" } } }
                                tbody {
                                    @for figure in &check.figures {
                                        tr {
                                            th scope="row" { (figure.name) }
                                            td.n { (figure.value) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn offenders(check: &CheckReport) -> Markup {
    html! {
        details open[check.samples_total <= 10] {
            summary {
                (grouped(check.samples_total.into())) (if check.samples_total == 1 { " offender of " } else { " offenders of " }) (check.assertion)
                @if check.unlisted() > 0 { ", " (check.samples.len()) " listed" }
            }
            div.scroll tabindex="0" {
                table {
                    caption { "Offenders of " (check.assertion) }
                    thead { tr { th scope="col" { "Key" } th scope="col" { "Reason" } } }
                    tbody {
                        @for sample in &check.samples {
                            tr { th scope="row" { code { (sample.key) } } td { (sample.reason) } }
                        }
                    }
                }
            }
        }
    }
}

/// One row per check, one column per report: a plot that is its own table.
pub(super) fn history(reports: &[Record]) -> Markup {
    let left_out = reports.len().saturating_sub(COLUMNS);
    let shown = &reports[left_out..];
    let mut ids: Vec<&str> = Vec::new();
    for check in shown.iter().flat_map(|report| &report.checks) {
        if !ids.contains(&check.id.as_str()) {
            ids.push(&check.id);
        }
    }
    html! {
        section aria-labelledby="h-history" {
            h2 #h-history { "Guardrail history" }
            @if shown.is_empty() {
                p.soft { "No earlier report was given." }
            } @else {
                div.scroll tabindex="0" {
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
