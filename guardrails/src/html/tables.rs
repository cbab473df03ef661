use maud::{Markup, html};

use super::page::{grouped, time};
use crate::builtin::Explained;
use crate::facts::{AgeBucket, DailyMetrics, RunFacts};
use crate::finding::{count_of, percent};

pub(super) fn days(days: &[DailyMetrics], zone: &str) -> Markup {
    html! {
        details {
            summary { "Table of the days" }
            div.scroll tabindex="0" {
                table {
                    caption { "Daily metrics, newest first; days in " (zone) }
                    thead {
                        tr {
                            th scope="col" { "Day" }
                            @for name in ["Start", "Arrived", "Matched", "Left otherwise", "End", "Net change"] {
                                th.n scope="col" { (name) }
                            }
                            th scope="col" { "Top fail reason" }
                        }
                    }
                    tbody {
                        @for day in days.iter().rev() {
                            tr {
                                th scope="row" { (day.day) }
                                @for leads in [day.backlog_start, day.new_backlog_in, day.matched_out, day.other_out, day.backlog_end, day.net_change] {
                                    td.n { (grouped(leads.into())) }
                                }
                                td { (day.top_fail_reason.as_deref().unwrap_or("–")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn reasons(explained: &Explained) -> Markup {
    let mut cumulated = 0.0;
    html! {
        div.scroll tabindex="0" {
            table {
                caption { (grouped(explained.backlog.into())) (if explained.backlog == 1 { " lead" } else { " leads" }) " in the backlog, by reason" }
                thead {
                    tr {
                        th scope="col" { "Reason" }
                        th.n scope="col" { "Leads" }
                        th.n scope="col" { "Share" }
                        th.n scope="col" { "Cumulated" }
                    }
                }
                tbody {
                    @for part in &explained.parts {
                        @let share = explained.share(part);
                        @let () = { cumulated += share; };
                        tr {
                            th scope="row" { (part.reason) }
                            td.n { (grouped(part.leads.into())) }
                            td.n { (percent(share)) " %" }
                            td.n { (percent((cumulated * 1e9_f64).round() / 1e9)) " %" }
                        }
                    }
                    @if explained.unexplained > 0 {
                        tr {
                            th scope="row" { "without explanation" }
                            td.n { (grouped(explained.unexplained.into())) }
                            td.n { "–" }
                            td.n { "–" }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn age(bucket: &AgeBucket) -> String {
    match (bucket.from_days, bucket.below_days) {
        (0, Some(1)) => "under a day".to_owned(),
        (0, Some(below)) => format!("under {below} days"),
        (from, Some(below)) if below == from + 1 => count_of(from, "day"),
        (from, Some(below)) => format!("{from} to {} days", below.saturating_sub(1)),
        (from, None) => format!("{} and more", count_of(from, "day")),
    }
}

pub(super) fn ageing(buckets: &[AgeBucket]) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                caption { "Open leads by age, youngest first" }
                thead { tr { th scope="col" { "Age" } th.n scope="col" { "Leads" } } }
                tbody {
                    @for bucket in buckets {
                        tr { th scope="row" { (age(bucket)) } td.n { (grouped(bucket.leads.into())) } }
                    }
                }
            }
        }
    }
}

pub(super) fn flow(days: &[DailyMetrics], flow: &[(f64, f64)], zone: &str) -> Markup {
    html! {
        details {
            summary { "Table of the flow" }
            div.scroll tabindex="0" {
                table {
                    caption { "Leads since the first day shown, newest first; days in " (zone) }
                    thead {
                        tr {
                            th scope="col" { "Day" }
                            th.n scope="col" { "Arrived, cumulated" }
                            th.n scope="col" { "Left, cumulated" }
                        }
                    }
                    tbody {
                        @for (day, (arrived, left)) in days.iter().zip(flow).rev() {
                            tr {
                                th scope="row" { (day.day) }
                                td.n { (arrived) }
                                td.n { (left) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn runs(runs: &[RunFacts]) -> Markup {
    html! {
        section aria-labelledby="h-runs" {
            h2 #h-runs { "Runs" }
            @if runs.is_empty() {
                p.soft { "No run was given." }
            } @else {
                div.scroll tabindex="0" {
                    table {
                        caption { "The last " (count_of(runs.len(), "run")) ", newest first" }
                        thead {
                            tr {
                                th scope="col" { "Run" }
                                th scope="col" { "Started" }
                                th.n scope="col" { "Took" }
                                @for name in ["Backlog before", "Arrived", "Matched", "Left otherwise", "Backlog after"] {
                                    th.n scope="col" { (name) }
                                }
                                th scope="col" { "Failed by reason" }
                            }
                        }
                        tbody { @for run in runs { (run_row(run)) } }
                    }
                }
            }
        }
    }
}

fn run_row(run: &RunFacts) -> Markup {
    let failed: Vec<String> = run
        .failed
        .iter()
        // A number and its reason stay on one line.
        .map(|part| format!("{}\u{a0}{}", grouped(part.leads.into()), part.reason))
        .collect();
    html! {
        tr {
            th scope="row" { code { (run.run_id) } }
            td { (time(run.started_at)) }
            td.n {
                @match run.finished_at {
                    Some(end) => (format!("{:.1} s", (end - run.started_at).num_milliseconds() as f64 / 1e3)),
                    None => "not finished",
                }
            }
            @for leads in [run.backlog_before, run.new_backlog_in, run.matched, run.other_out, run.backlog_after] {
                td.n { (grouped(leads.into())) }
            }
            td { (if failed.is_empty() { "–".to_owned() } else { failed.join(", ") }) }
        }
    }
}
