//! One lead, every key, every candidate, every rule, and what would change the outcome.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use identity_matching::index::CandidateIndex;
use identity_matching::{
    DeterministicMatcher, KeyKind, KindCodeError, Matcher, OwnValue, RawDocument, Record, Region,
};
use indicatif::ProgressBar;
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::own::OwnColumns;
use reference_runners::people;
use reference_runners::service::{Database, MapArgs, database_url};
use reference_runners::tables::{self, TableArgs, Tables};

/// Explains how one lead is decided.
///
/// The lead is named by --source-pk, or given by its fields. It and the persons are read from CSV files where
/// these are named, else from the database.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    #[command(flatten)]
    tables: TableArgs,
    /// The lead's key: its `external_id`, or its `id` where that is blank.
    #[arg(long, value_name = "PK", conflicts_with_all = ["phone", "document", "email", "name", "birth_date", "plate", "own"])]
    source_pk: Option<String>,
    /// The file that holds the lead.
    #[arg(long, value_name = "CSV", requires = "source_pk")]
    leads: Option<PathBuf>,
    /// The file that holds the persons.
    #[arg(long, value_name = "CSV")]
    persons: Option<PathBuf>,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    region: Region,
    /// The policy, as TOML or JSON (left out: the default).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Prints the policy as TOML, every rule of it, and does nothing else.
    #[arg(long)]
    print_policy: bool,
    /// Shows identifiers as they are; the output then is personal data.
    #[arg(long)]
    show_identifiers: bool,
    /// A phone of the lead; may be repeated.
    #[arg(long, value_name = "NUMBER")]
    phone: Vec<String>,
    /// The lead's document.
    #[arg(long, value_name = "NUMBER")]
    document: Option<String>,
    /// Its type, such as DNI.
    #[arg(long, value_name = "TYPE", requires = "document")]
    document_type: Option<String>,
    /// Its country, such as PE.
    #[arg(long, value_name = "CODE", requires = "document")]
    document_country: Option<String>,
    /// An e-mail address of the lead; may be repeated.
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// The lead's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The lead's date of birth.
    #[arg(long, value_name = "DATE")]
    birth_date: Option<String>,
    /// The plate of the lead's vehicle.
    #[arg(long, value_name = "PLATE")]
    plate: Option<String>,
    /// A value of one of the policy's own kinds, such as loyalty=20481357; may be repeated.
    #[arg(long, value_name = "KIND=VALUE", value_parser = own)]
    own: Vec<(KeyKind, String)>,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let policy = people::read_policy(args.policy.as_ref())?;
    if args.print_policy {
        console.data(policy.to_toml().trim_end())?;
        return Ok(Exit::Done);
    }
    let normaliser = people::read_by(&policy, args.region)?;
    if let Some(map) = args.map.read()? {
        map.check_kinds(&normaliser)?;
    }
    let own = OwnColumns::of(normaliser.options());
    let tables = args.tables.open(console.bars())?;
    let mut exit = Exit::Done;
    let lead = match (&args.source_pk, &args.leads) {
        (Some(wanted), Some(leads)) => {
            let (lead, refused) = find_lead(&tables, leads, &own, wanted, &console)?;
            exit = exit.and(refused);
            lead
        }
        (Some(wanted), None) => {
            let found = open(args)?.subjects(&[wanted])?.remove(wanted);
            found.ok_or_else(|| not_found(wanted))?
        }
        (None, _) => given(args)?,
    };
    let index: Box<dyn CandidateIndex> = if let Some(persons) = &args.persons {
        let (index, summary, _) = people::read_persons(&tables, persons, &normaliser)?;
        tables::tell(&summary, &console);
        exit = exit.and(tables::exit(&summary));
        Box::new(index)
    } else {
        let mut service = open(args)?;
        let url = database_url(args.common.database_url.as_deref())?;
        match service.kept_index_to_read(&url, &normaliser)? {
            Some(index) => Box::new(index),
            None => Box::new(service.index(&normaliser, &ProgressBar::hidden())?.0),
        }
    };
    tables.finish()?;
    let mut matcher = DeterministicMatcher::new(index, normaliser, policy)?;
    if args.show_identifiers {
        matcher = matcher.showing_identifiers();
    }
    let explanation = matcher.explain(&lead)?;
    console.json(&explanation)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        console.data(&explanation)?;
    }
    Ok(exit)
}

fn open(args: &Args) -> Result<Database, Failure> {
    args.map.open_to_read(&database_url(args.common.database_url.as_deref())?)
}

fn find_lead(
    tables: &Tables,
    path: &Path,
    own: &OwnColumns,
    wanted: &str,
    console: &Console,
) -> Result<(Record, Exit), Failure> {
    let mut found = None;
    let summary = people::read_leads(tables, path, own, None, |keys, records| {
        if found.is_none() {
            let at = keys.iter().position(|key| key == wanted);
            found = at.map(|at| records[at].clone());
        }
        Ok(())
    })?;
    tables::tell(&summary, console);
    let lead = found.ok_or_else(|| not_found(wanted))?;
    Ok((lead, tables::exit(&summary)))
}

/// Reads `KIND=VALUE`.
fn own(text: &str) -> Result<(KeyKind, String), String> {
    let (kind, value) = text.split_once('=').ok_or("write KIND=VALUE")?;
    Ok((kind.parse().map_err(|error: KindCodeError| error.to_string())?, value.to_owned()))
}

fn not_found(source_pk: &str) -> Failure {
    Failure::new(format_args!("there is no lead with the key `{source_pk}`"))
        .remedy("give the external_id, or the id of a lead that has none, byte for byte")
}

fn given(args: &Args) -> Result<Record, Failure> {
    let lead = Record {
        phones: args.phone.clone(),
        documents: args
            .document
            .iter()
            .map(|number| RawDocument {
                country: args.document_country.clone(),
                kind: args.document_type.clone(),
                number: number.clone(),
            })
            .collect(),
        emails: args.email.clone(),
        name: args.name.clone(),
        plate: args.plate.clone(),
        birth_date: args.birth_date.clone(),
        own: args
            .own
            .iter()
            .map(|(kind, value)| OwnValue { kind: *kind, value: value.clone() })
            .collect(),
        ..Record::default()
    };
    if lead == Record::default() {
        return Err(Failure::new("no lead is named")
            .remedy("give --source-pk, or --phone, --document, --email"));
    }
    Ok(lead)
}
