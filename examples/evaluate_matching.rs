//! Precision, recall, F1 and per-rule counts against labelled truth, and what another policy would change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use identity_matching::evaluate::{Comparison, Counts, Evaluation, Evaluator};
use identity_matching::index::InMemoryIndex;
use identity_matching::{
    DeterministicMatcher, Matcher, Normaliser, Policy, Region, Rejections, review,
};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::own::OwnColumns;
use reference_runners::people;
use reference_runners::table::{count, figures};
use reference_runners::tables::{self, TableArgs, Tables};
use reference_runners::unusable::{UnusableRow, UnusableValues, ValueReport};
use serde::Serialize;

/// Decides every lead of a file and compares the decisions with labelled truth.
///
/// With --what-if, also lists which leads another policy decides otherwise, and whether that is better. A policy that
/// reads records in another way (placeholders, addresses, last digits of phones) takes a second index in memory.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    tables: TableArgs,
    /// The file of leads.
    #[arg(long, value_name = "CSV")]
    leads: PathBuf,
    /// The file of persons.
    #[arg(long, value_name = "CSV")]
    persons: PathBuf,
    /// The file of truth: `source_pk`, `person_key`; a blank `person_key` means nobody.
    #[arg(long, value_name = "CSV")]
    truth: PathBuf,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    region: Region,
    /// The policy, as TOML or JSON (left out: the default).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Another policy to compare with.
    #[arg(long, value_name = "FILE")]
    what_if: Option<PathBuf>,
    /// Lists at most so many of each finding; all are counted.
    #[arg(long, default_value_t = 100, value_name = "N")]
    list: usize,
    /// Also reviews the population: persons that are one, and one that is several.
    #[arg(long)]
    review_population: bool,
}

/// What the run found, as `--json` writes it.
#[derive(Serialize)]
struct Found {
    evaluation: Evaluation,
    /// Leads of the file that the truth does not name: decided, but not judged.
    leads_without_truth_total: u64,
    /// Leads that the truth names and the file does not hold.
    truth_without_lead_total: u64,
    /// Rows whose lead stands in the file before: not judged again.
    duplicate_leads_total: u64,
    /// The first of their keys.
    duplicate_leads_listed: Vec<String>,
    /// What of the persons gives no key, by field and reason.
    unusable_values: Vec<UnusableRow>,
    /// What is odd about the values of leads and persons.
    values: [ValueReport; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    what_if: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    population: Option<review::PopulationReview>,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let policy = people::read_policy(args.policy.as_ref())?;
    let normaliser = people::read_by(&policy, args.region)?;
    let other = args.what_if.as_ref().map(|path| people::read_policy(Some(path))).transpose()?;
    let options = |policy: &Policy| policy.normalise_options(args.region);
    let own = OwnColumns::of(normaliser.options());
    let own = other.iter().fold(own, |own, other| own.and(OwnColumns::of(&options(other))));
    let tables = args.tables.open(console.bars())?;
    let (mut truth, truth_table) = people::read_truth(&tables, &args.truth)?;
    let (index, persons_table, unusable) =
        people::read_persons(&tables, &args.persons, &normaliser)?;
    let population = args.review_population.then(|| review::review(&index, &policy));
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let matcher = DeterministicMatcher::new(index, normaliser, policy)?.with_threads(threads);
    let other = other.map(|policy| under(&matcher, policy, args, &tables.again())).transpose()?;

    let mut evaluator = Evaluator::new(args.list);
    let mut comparison = other.is_some().then(Comparison::default);
    let mut leads_without_truth_total = 0;
    let mut seen = HashSet::new();
    let (mut duplicate_leads_total, mut duplicate_leads_listed) = (0, Vec::new());
    let reading = matcher.normaliser().clone();
    let mut of_leads = UnusableValues::of("leads");
    let counted = Some((&reading, &mut of_leads));
    let leads_table = people::read_leads(&tables, &args.leads, &own, counted, |keys, leads| {
        let decisions = matcher.decide(leads, &Rejections::default())?;
        let others =
            other.as_ref().map(|other| other.decide(leads, &Rejections::default())).transpose()?;
        for (at, (key, decision)) in keys.iter().zip(&decisions).enumerate() {
            if !seen.insert(key.clone()) {
                duplicate_leads_total += 1;
                if duplicate_leads_listed.len() < args.list {
                    duplicate_leads_listed.push(key.clone());
                }
                continue;
            }
            let known = truth.remove(key);
            match &known {
                Some(person) => evaluator.add(key, decision, person.as_deref()),
                None => leads_without_truth_total += 1,
            }
            if let (Some(comparison), Some(others)) = (&mut comparison, &others) {
                comparison.add(key, decision, &others[at], known.as_ref().map(Option::as_deref));
            }
        }
        Ok(())
    })?;

    let mut exit = Exit::Done;
    for table in [&leads_table, &persons_table, &truth_table] {
        tables::tell(table, &console);
        exit = exit.and(tables::exit(table));
    }
    tables.finish()?;
    let (of_leads, of_persons) = (of_leads.report(), unusable.report());
    of_persons.tell(&console);
    of_leads.tell(&console);
    if duplicate_leads_total > 0 {
        exit = exit.and(Exit::RowsRefused);
    }
    let found = Found {
        evaluation: evaluator.finish(),
        leads_without_truth_total,
        truth_without_lead_total: truth.len() as u64,
        duplicate_leads_total,
        duplicate_leads_listed,
        unusable_values: of_persons.unusable.clone(),
        values: [of_leads, of_persons],
        what_if: comparison,
        population,
    };
    console.json(&found)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        tell(&found, args.list, &console)?;
    }
    Ok(exit)
}

/// Makes the matcher of the other policy: over the same index, or, where it reads records in another way, over one of
/// its own.
fn under<'a>(
    matcher: &'a DeterministicMatcher<InMemoryIndex>,
    policy: Policy,
    args: &Args,
    tables: &Tables,
) -> Result<Box<dyn Matcher + 'a>, Failure> {
    let options = policy.normalise_options(args.region);
    if options.fingerprint() == matcher.normaliser().options().fingerprint() {
        return Ok(Box::new(matcher.under(policy)?));
    }
    let normaliser = Normaliser::new(options)?;
    // The same file is refused in the same lines: told once.
    let (index, ..) = people::read_persons(tables, &args.persons, &normaliser)?;
    let threads = matcher.threads();
    Ok(Box::new(DeterministicMatcher::new(index, normaliser, policy)?.with_threads(threads)))
}

fn tell(found: &Found, list: usize, console: &Console) -> Result<(), Failure> {
    let evaluation = &found.evaluation;
    console.data(format_args!(
        "{} leads judged: precision {}, recall {}, F1 {}",
        count(evaluation.decisions_total),
        ratio(evaluation.precision),
        ratio(evaluation.recall),
        ratio(evaluation.f1),
    ))?;
    let header = ["", "right", "wrong person", "is nobody", "missed", "rightly nobody"];
    let outcomes = evaluation.outcomes.iter().map(|row| cells(row.outcome, row.counts));
    console.data(figures(
        ["outcome", header[1], header[2], header[3], header[4], header[5]],
        outcomes,
    ))?;
    let scored = |name: &str, counts: Counts, precision: Option<f64>| {
        [
            name.to_owned(),
            count(counts.matched()),
            count(counts.right),
            count(counts.wrong_person + counts.wrong_nobody),
            ratio(precision),
        ]
    };
    let rules =
        evaluation.rules.iter().map(|row| scored(row.rule.as_str(), row.counts, row.precision));
    console.data(figures(["rule", "matched", "right", "wrong", "precision"], rules))?;
    let kinds =
        evaluation.kinds.iter().map(|row| scored(row.kind.as_str(), row.counts, row.precision));
    console.data(figures(["agrees on", "matched", "right", "wrong", "precision"], kinds))?;
    if evaluation.wrong_total > 0 {
        console.data(format_args!("{} wrong or missed:", count(evaluation.wrong_total)))?;
    }
    for wrong in &evaluation.wrong {
        let decision = &wrong.decision;
        let decided = decision.outcome.person().unwrap_or(decision.outcome.code());
        console.data(format_args!(
            "  {}: {decided}, but is {}",
            wrong.subject,
            wrong.truth.as_deref().unwrap_or("nobody"),
        ))?;
        for candidate in decision.evidence.candidates.iter().take(5) {
            console.data(format_args!(
                "    {} {}",
                candidate.person,
                candidate.standing.reason()
            ))?;
        }
    }
    let unlisted = evaluation.wrong_total - evaluation.wrong.len() as u64;
    if unlisted > 0 {
        console.data(format_args!("  … and {} more (--list)", count(unlisted)))?;
    }
    for (total, what) in [
        (found.leads_without_truth_total, "leads are not in the truth and were not judged"),
        (found.truth_without_lead_total, "rows of the truth name no lead of the file"),
    ] {
        if total > 0 {
            console.data(format_args!("{} {what}", count(total)))?;
        }
    }
    if found.duplicate_leads_total > 0 {
        console.data(format_args!(
            "{} rows give a lead that stands before them and were not judged: {}",
            count(found.duplicate_leads_total),
            found.duplicate_leads_listed.join(", "),
        ))?;
    }
    if let Some(comparison) = &found.what_if {
        tell_comparison(comparison, console)?;
    }
    found.population.as_ref().map_or(Ok(()), |review| tell_review(review, list, console))
}

/// Lists what is wrong with the population, its documents masked.
fn tell_review(
    review: &review::PopulationReview,
    list: usize,
    console: &Console,
) -> Result<(), Failure> {
    console.data(format_args!(
        "population of {}: {} groups of persons who share a document, {} persons with two documents of one type, {} documents that too many hold",
        count(review.persons_total as u64),
        count(review.same.len() as u64),
        count(review.several.len() as u64),
        count(review.shared.len() as u64),
    ))?;
    let same = review.same.iter().map(|group| {
        let twice = if group.contradicted { "; other documents of theirs differ" } else { "" };
        format!("{} share {}{twice}", group.persons.join(", "), group.documents.join(", "))
    });
    let several = review.several.iter().map(|person| {
        format!("{} has {} of {}", person.person, person.documents.join(" and "), person.country)
    });
    let shared = review.shared.iter().map(|document| {
        format!("{} is held by {}", document.document, count(document.holders as u64))
    });
    let lists: [Vec<String>; 3] = [same.collect(), several.collect(), shared.collect()];
    for lines in lists {
        for line in lines.iter().take(list) {
            console.data(format_args!("  {line}"))?;
        }
        if lines.len() > list {
            console.data(format_args!(
                "  … and {} more (--list)",
                count((lines.len() - list) as u64)
            ))?;
        }
    }
    Ok(())
}

fn tell_comparison(comparison: &Comparison, console: &Console) -> Result<(), Failure> {
    /// How many changed leads are printed; the JSON has all of them.
    const LISTED: usize = 20;
    console.data(format_args!(
        "under the other policy {} of {} leads are decided otherwise: {} better, {} worse",
        count(comparison.changed_total),
        count(comparison.compared_total),
        count(comparison.better_total),
        count(comparison.worse_total),
    ))?;
    let moves = comparison.moves.iter().map(|(moved, leads)| [moved.clone(), count(*leads)]);
    console.data(figures(["outcome", "leads"], moves))?;
    for change in comparison.changes.iter().take(LISTED) {
        let said = |outcome: &identity_matching::Outcome| {
            outcome.person().unwrap_or(outcome.code()).to_owned()
        };
        console.data(format_args!(
            "  {}: {} -> {}",
            change.subject,
            said(&change.before),
            said(&change.after)
        ))?;
    }
    let unlisted = comparison.changes.len().saturating_sub(LISTED);
    if unlisted > 0 {
        console.data(format_args!("  … and {} more (--json)", count(unlisted as u64)))?;
    }
    Ok(())
}

fn cells(name: &str, counts: Counts) -> [String; 6] {
    [
        name.to_owned(),
        count(counts.right),
        count(counts.wrong_person),
        count(counts.wrong_nobody),
        count(counts.missed),
        count(counts.rightly_nobody),
    ]
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.4}"))
}
