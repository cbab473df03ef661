//! How the review stands, and what the reviewers' decisions say of the policy.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use recovery_queue::{PacketOut, ReviewFigures, ReviewStore, Snapshot};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::review::{self, Judged, Reading};
use reference_runners::service::database_url;
use reference_runners::table::{count, figures};
use serde::Serialize;

/// Tells how the review stands: what waits and with whom, how fast and how cases are decided, how far two reviewers
/// agree (Cohen's kappa with its interval), and which packets are out for too long.
///
/// With --learn, also which change of the policy would have decided the reviewed cases as the reviewers did: by rule, with
/// precision and recall, and every other lead that it would change. Nothing is changed. With --truth, writes the reviewed
/// leads as labelled truth for evaluate_matching.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    reading: Reading,
    /// Lists packets that are out for longer than so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    days: u32,
    /// Tries changes of the policy, alone and two together, against what the reviewers decided; every lead is decided once
    /// for each change, and for the 20 best pairs.
    #[arg(long)]
    learn: bool,
    /// Writes the reviewed leads with who they are to this file; a blank person means nobody who was known.
    #[arg(long, value_name = "CSV")]
    truth: Option<PathBuf>,
}

#[derive(Serialize)]
struct Found<'a> {
    figures: &'a ReviewFigures,
    out_too_long: Vec<&'a PacketOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<Judged>>,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let url = database_url(args.common.database_url.as_deref())?;
    let (mut store, mut service) = args.reading.map.open_both_to_read(&url)?;
    let as_of = store.read()?.as_of();
    let told = store.review_figures(as_of)?;
    if let Some(path) = &args.truth {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["source_pk", "person_key"])?;
        for (lead, person) in review::truth(&store.reviews()?) {
            out.write_record([files::cell(&lead), files::cell(&person.unwrap_or_default())])?;
        }
        let bytes = out.into_inner().map_err(|error| Failure::new(error.error()))?;
        files::write_atomic(path, &bytes)?;
    }
    let policies = if args.learn {
        Some(review::learn(&args.reading, &mut store, &mut service)?)
    } else {
        None
    };
    let found =
        Found { figures: &told, out_too_long: told.out_longer_than(args.days).collect(), policies };
    console.json(&found)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        tell(&found, args.days, &console)?;
    }
    Ok(Exit::Done)
}

fn tell(found: &Found<'_>, days: u32, console: &Console) -> Result<(), Failure> {
    let told = found.figures;
    let median = told.median_seconds_to_decision.map_or_else(
        || "none decided yet".to_owned(),
        |seconds| format!("{:.1} h from giving out to decision (median)", seconds as f64 / 3_600.0),
    );
    console.data(format_args!(
        "{} cases wait with reviewers, {} for a second reviewer, {} are disagreed on, {} come back later; {:.1} decided per \
         day, {median}",
        count(told.waiting),
        count(told.waiting_for_second),
        count(told.disagreeing),
        count(told.put_off),
        told.decided_per_day,
    ))?;
    for (decision, cases) in &told.decisions {
        console.data(format_args!("  {decision}: {}", count(*cases)))?;
    }
    if let Some(agreement) = &told.agreement {
        let kappa = match (agreement.kappa, agreement.low, agreement.high) {
            (Some(kappa), Some(low), Some(high)) => {
                format!("Cohen's kappa {kappa:.2}, 95 % from {low:.2} to {high:.2}")
            }
            _ => "no kappa: all was decided in one and the same way".to_owned(),
        };
        console.data(format_args!(
            "two reviewers agree on {} of {} cases; {kappa}",
            agreement.alike, agreement.cases
        ))?;
    }
    for packet in &found.out_too_long {
        console.warn(format_args!(
            "packet {} is out for more than {days} days with {}: {} cases undecided since {}",
            packet.packet,
            packet.reviewer.as_deref().unwrap_or("whoever may decide"),
            packet.undecided,
            packet.issued_at.date_naive(),
        ));
    }
    let Some(policies) = &found.policies else { return Ok(()) };
    let share = |share: Option<f64>| {
        share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0))
    };
    let rows = policies.iter().take(20).map(|judged| {
        [
            judged.change.clone(),
            count(judged.right_total),
            count(judged.wrong_total),
            share(judged.precision),
            share(judged.recall),
            count(judged.others_changed_total),
        ]
    });
    console.data(figures(
        ["change of the policy", "right", "wrong", "precision", "recall", "other leads changed"],
        rows,
    ))
}
