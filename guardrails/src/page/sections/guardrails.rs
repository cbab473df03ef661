//! The checks: what failed first and whole, what passed in one line each.

use maud::{Markup, html};

use crate::page::body::Table;
use crate::page::words::{badge, prose};
use crate::words::grouped;
use crate::{Aspect, CheckReport, SuiteReport, Verdict};

pub(in crate::page) fn section(suite: &SuiteReport) -> Markup {
    let totals: Vec<String> = Verdict::ALL
        .into_iter()
        .rev()
        .filter(|verdict| suite.totals.get(*verdict) > 0)
        .map(|verdict| format!("{} {verdict}", suite.totals.get(verdict)))
        .collect();
    let mut checks: Vec<&CheckReport> = suite.checks.iter().collect();
    // Stable: among equals the order of the suite.
    checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let (passed, others): (Vec<&CheckReport>, Vec<&CheckReport>) =
        checks.into_iter().partition(|check| check.verdict == Verdict::Pass);
    html! {
        section aria-labelledby="guardrails" {
            h2 #guardrails { "Guardrails" }
            p.soft { "Suite " code { (suite.suite) } ": " (totals.join(", ")) }
            @if !others.is_empty() { ol.checks { @for check in others { (whole(check)) } } }
            @if !passed.is_empty() { ul.passed { @for check in passed { (one_line(check)) } } }
        }
    }
}

fn aspect(check: &CheckReport) -> Markup {
    html! { @if check.aspect == Aspect::Kpi { " " span.soft { "· of the KPI" } } }
}

fn one_line(check: &CheckReport) -> Markup {
    html! {
        li {
            details {
                summary { (badge(check.verdict)) " " code { (check.assertion) } (aspect(check)) }
                (found(check))
                (figures(check))
            }
        }
    }
}

fn found(check: &CheckReport) -> Markup {
    html! {
        p { (prose(&check.actual)) "." }
        @if let Some(reason) = &check.reason { p { (prose(reason)) "." } }
        p.soft {
            "Expected: " (prose(&check.expected)) "."
            @if let Some(owner) = &check.owner { " Owner: " (owner) "." }
        }
    }
}

fn whole(check: &CheckReport) -> Markup {
    html! {
        li {
            div { (badge(check.verdict)) }
            div {
                h3 { code { (check.assertion) } (aspect(check)) }
                (found(check))
                @if let Some(words) = check.regression_in_words() { p { strong { (words) "." } } }
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
                                @if let Some(command) = command { pre tabindex="0" { code { (command) } } }
                            }
                        }
                    }
                }
                (figures(check))
            }
        }
    }
}

fn figures(check: &CheckReport) -> Markup {
    let caption = format!("Figures of {}", check.assertion);
    let table = Table::new(caption.as_str(), ["Figure", "Value"]).numbers_from(1);
    let table = check.figures.iter().fold(table, |table, figure| {
        table.row([figure.name.replace('_', " "), figure.value.to_string()])
    });
    html! {
        @if !check.figures.is_empty() { details { summary { (caption) } (table.markup()) } }
    }
}

fn offenders(check: &CheckReport) -> Markup {
    let table = Table::new(format!("Offenders of {}", check.assertion), ["Key", "Reason"]).keys();
    let table =
        check.samples.iter().fold(table, |table, sample| table.row([&sample.key, &sample.reason]));
    html! {
        details open[check.samples_total <= 10] {
            summary {
                (grouped(check.samples_total.into()))
                (if check.samples_total == 1 { " offender of " } else { " offenders of " }) (check.assertion)
                @if check.unlisted() > 0 { ", " (check.samples.len()) " listed" }
            }
            @if !check.samples.is_empty() { (table.markup()) }
        }
    }
}
