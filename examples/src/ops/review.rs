//! The review for the operator's page: what waits with people, how fast and how it is decided, and how far they agree.

use guardrails::SuiteReport;
use guardrails::page::{Body, Section, Table};
use recovery_queue::{AGE_BOUNDS, FailReason, PacketOut, ReviewFigures};

/// How many packets are listed, the longest out first.
const LISTED: usize = 20;

/// How the review stands.
#[derive(Clone, Debug)]
pub(super) struct Reviewed(pub(super) ReviewFigures);

impl Section for Reviewed {
    fn heading(&self) -> &'static str {
        "Leads that people decide"
    }

    fn body(&self, _: &SuiteReport) -> Body {
        let told = &self.0;
        let decided: u64 = told.decisions.values().sum();
        if told.waiting == 0 && decided == 0 {
            return Body::default().paragraph(
                "Nothing was given out; export_review gives out what people can decide.",
            );
        }
        let median = told.median_seconds_to_decision.map_or_else(
            || "none decided yet".to_owned(),
            |seconds| format!("{:.1} hours", seconds as f64 / 3_600.0),
        );
        let figures = [
            ("Wait with a reviewer", told.waiting.to_string()),
            ("Wait for a second reviewer", told.waiting_for_second.to_string()),
            ("Disagreed on", told.disagreeing.to_string()),
            ("Come back later", told.put_off.to_string()),
            ("Decided per day, of 28 days", format!("{:.1}", told.decided_per_day)),
            ("Median time to decision", median),
            ("Agreement of two reviewers", agreement(told)),
        ];
        let figures: Vec<(&str, &str)> =
            figures.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ages = (0..AGE_BOUNDS.len()).map(|at| (AGE_BOUNDS[at], AGE_BOUNDS.get(at + 1))).map(
            |(from, below)| match below {
                Some(below) if *below == from + 1 => format!("{from} d"),
                Some(below) => format!("{from} to {} d", below - 1),
                None => format!("{from} d and more"),
            },
        );
        let head: Vec<String> =
            ["Reason".to_owned(), "Leads".to_owned()].into_iter().chain(ages).collect();
        let waiting = told.queue.iter().fold(
            Table::new("Leads that wait with a reviewer, by reason and by their age in days", head)
                .numbers_from(1),
            |table, of| {
                let reason = of.reason.as_ref().map_or("to be decided anew", FailReason::code);
                let ages = of.ageing.iter().map(|bucket| bucket.leads.to_string());
                table.row([reason.to_owned(), of.leads().to_string()].into_iter().chain(ages))
            },
        );
        let shares = told.decisions.iter().fold(
            Table::new("Decisions", ["Decision", "Cases", "Share"]).numbers_from(1),
            |table, (word, cases)| {
                let share = format!("{:.1} %", *cases as f64 * 100.0 / decided as f64);
                table.row([word.replace('_', " "), cases.to_string(), share])
            },
        );
        let out = told.out.iter().take(LISTED).fold(
            Table::new(
                format!(
                    "Packets that are out, {} of {}",
                    told.out.len().min(LISTED),
                    told.out.len()
                ),
                ["Packet", "With", "Since", "Undecided"],
            )
            .numbers_from(3),
            |table, packet: &PacketOut| {
                table.row([
                    packet.packet.clone(),
                    packet.reviewer.clone().unwrap_or_else(|| "whoever may decide".to_owned()),
                    packet.issued_at.date_naive().to_string(),
                    packet.undecided.to_string(),
                ])
            },
        );
        Body::default().figures(figures).table(&waiting).table(&shares).table(&out)
    }
}

fn agreement(told: &ReviewFigures) -> String {
    let Some(found) = &told.agreement else { return "nobody was asked twice".to_owned() };
    let kappa = match (found.kappa, found.low, found.high) {
        (Some(kappa), Some(low), Some(high)) => format!("kappa {kappa:.2} ({low:.2} to {high:.2})"),
        _ => "no kappa".to_owned(),
    };
    format!("{} of {}, {kappa}", found.alike, found.cases)
}
