//! Turns records into rows of sealed keys, for an engine that joins them.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use identity_matching::index::joined::{LookUp, SealedRecord, Stamp, look_ups};
use identity_matching::index::{Seal, StoredPerson};
use identity_matching::{KeyForm, KeyKind, Normalised, Normaliser, Policy};
use reference_runners::at_scale::records::{self, Of};
use reference_runners::at_scale::{self, KEYS, ReadingArgs, RowWriter, Value};
use reference_runners::cli::{EXIT_CODES, Exit, Failure, start};
use reference_runners::own::OwnColumns;
use reference_runners::people::{Given, OwnGiven};
use reference_runners::tables::TableArgs;
use reference_runners::unusable::UnusableValues;

/// Turns leads or persons into rows of keys: a keyed digest of 128 bits as two integers, its kind and form.
///
/// Rows in, rows out, no database: reads stdin, writes stdout, and holds one row. Names, dates of birth and the lead's
/// own values travel encrypted. `decide` takes the rows that an engine joins of these, under the same secret, policy
/// and region.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// What the records are.
    #[arg(long, value_name = "WHAT")]
    of: Of,
    #[command(flatten)]
    reading: ReadingArgs,
    #[command(flatten)]
    tables: TableArgs,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.reading.console();
    let (policy, normaliser, seal) = args.reading.open()?;
    let format = args.reading.format;
    let stamp = Stamp::new(normaliser.options(), &policy, &seal).to_string();
    let tables = args.tables.open(console.bars())?;
    let own = OwnColumns::of(normaliser.options());
    let mut keys = Keys {
        out: RowWriter::new(format, KEYS, io::stdout())?,
        normaliser,
        policy,
        seal,
        stamp,
        unusable: UnusableValues::of(args.of.whose()),
    };
    let mut read = Normalised::default();
    let exit = records::read(
        format,
        args.of,
        &tables,
        &own,
        at_scale::standard_input()?,
        &console,
        |row| {
            let listed = own.listed(|column| row.text(column));
            let own = OwnGiven::Listed(&listed);
            match args.of {
                Of::Leads => match row.text("external_id").or_else(|| row.text("id")) {
                    Some(key) => {
                        let given = Given { own, ..Given::of_lead(|column| row.text(column)) };
                        keys.lead(key, &given, &mut read)?;
                    }
                    None => {
                        return Ok(Some(
                            "neither `id` nor `external_id` is given; give one of them",
                        ));
                    }
                },
                Of::Persons => match row.text("person_key") {
                    Some(key) => {
                        let given = Given { own, ..Given::of_person(|column| row.text(column)) };
                        keys.person(key, &given, &mut read)?;
                    }
                    None => return Ok(Some("the person has no key; give every person one")),
                },
            }
            Ok(None)
        },
    )?;
    let Keys { out, unusable, .. } = keys;
    out.finish()?;
    tables.finish()?;
    unusable.report().tell(&console);
    Ok(exit)
}

/// Where the rows of keys go, and what they are made by.
struct Keys {
    out: RowWriter,
    normaliser: Normaliser,
    policy: Policy,
    seal: Seal,
    stamp: String,
    unusable: UnusableValues,
}

impl Keys {
    fn lead(&mut self, key: &str, given: &Given<'_>, read: &mut Normalised) -> Result<(), Failure> {
        let record = given.record();
        self.normaliser.normalise_into(&record, read);
        self.unusable.add(key, given, read);
        let sealed = SealedRecord::new(key, &record, &self.seal);
        self.record(key, &at_scale::to_text(sealed.as_bytes()))?;
        for one in look_ups(read, &self.policy, &self.seal) {
            self.key(key, one)?;
        }
        Ok(())
    }

    fn person(
        &mut self,
        key: &str,
        given: &Given<'_>,
        read: &mut Normalised,
    ) -> Result<(), Failure> {
        let read = given.normalise(&self.normaliser, read);
        self.unusable.add(key, given, read);
        let mut person = StoredPerson::default();
        person.add(read, &self.seal);
        self.record(key, &at_scale::to_text(&person.to_bytes(key, &self.seal)))?;
        for held in person.keys() {
            self.key(key, LookUp { key: held.key, form: held.form, list_up_to: 0 })?;
        }
        Ok(())
    }

    fn record(&mut self, key: &str, sealed: &str) -> Result<(), Failure> {
        self.out.write(&[
            Value::Text(key),
            Value::Int(0),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Text(sealed),
            Value::Text(&self.stamp),
        ])
    }

    fn key(&mut self, record: &str, one: LookUp) -> Result<(), Failure> {
        let [high, low] = at_scale::halves(one.key);
        let kind = one.key.kind();
        let kind = match (&kind, one.key.blocking()) {
            (Some(kind), _) => KeyKind::as_str(kind),
            (None, Some(key)) => key.kind().as_str(),
            (None, None) => "",
        };
        self.out.write(&[
            Value::Text(record),
            Value::Int(1),
            Value::Text(kind),
            Value::Text(KeyForm::as_str(one.form)),
            Value::Int(high),
            Value::Int(low),
            Value::Int(one.list_up_to.into()),
            Value::Null,
            Value::Null,
        ])
    }
}
