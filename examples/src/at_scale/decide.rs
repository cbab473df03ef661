//! Groups of joined rows, and the decisions on them.

use identity_matching::index::joined::{LookUp, RecordDigest, SealedRecord, Stamp, look_ups};
use identity_matching::index::{IndexKey, JoinedIndex, Seal, StoredPerson};
use identity_matching::{
    Decision, DeterministicMatcher, Normalised, Normaliser, Outcome, Policy, Rejections,
};

use super::groups::{GroupColumn, GroupReader};
use super::rows::{RowWriter, Value};
use super::{from_halves, from_text};
use crate::cli::Failure;

/// Decides the leads of a stream of groups, chunk by chunk.
pub struct Decider {
    matcher: DeterministicMatcher<JoinedIndex>,
    seal: Seal,
    stamp: Stamp,
    /// The stamp as rows carry it.
    stamp_text: String,
    out: RowWriter,
    chunk: usize,
    group: Group,
    waiting: Vec<Waiting>,
    subjects: Vec<Normalised>,
    decided: u64,
}

impl std::fmt::Debug for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decider").field("decided", &self.decided).finish_non_exhaustive()
    }
}

/// A lead of the chunk that is not decided yet.
struct Waiting {
    lead: String,
    digest: RecordDigest,
}

/// The rows of one lead so far.
#[derive(Default)]
struct Group {
    lead: String,
    /// The row on which it begins; none before the first.
    row: u64,
    part: i64,
    /// How many rows follow, as the lead's own row says, and how many did.
    following: u64,
    followed: u64,
    look_ups: Vec<LookUp>,
    counts: Vec<(IndexKey, u32)>,
    persons: Vec<(String, StoredPerson)>,
}

impl Decider {
    /// Makes a decider that writes to `out`.
    ///
    /// # Errors
    ///
    /// A normaliser that reads records otherwise than the policy says.
    pub fn new(
        normaliser: Normaliser,
        policy: Policy,
        seal: Seal,
        out: RowWriter,
        chunk: usize,
    ) -> Result<Self, Failure> {
        let stamp = Stamp::new(normaliser.options(), &policy, &seal);
        let index = JoinedIndex::new(seal.clone());
        Ok(Self {
            matcher: DeterministicMatcher::new(index, normaliser, policy)?,
            seal,
            stamp_text: stamp.to_string(),
            stamp,
            out,
            chunk,
            group: Group::default(),
            waiting: Vec::new(),
            subjects: Vec::new(),
            decided: 0,
        })
    }

    /// Shows identifiers in evidence as they are.
    #[must_use]
    pub fn showing_identifiers(mut self) -> Self {
        self.matcher = self.matcher.showing_identifiers();
        self
    }

    /// Decides every group of the rows; returns how many leads there were.
    ///
    /// # Errors
    ///
    /// Rows that cannot be read or do not fit one another, named by their number; nothing of their chunk is written.
    pub fn run(mut self, mut rows: GroupReader) -> Result<u64, Failure> {
        while rows.advance()? {
            let here = |failure| at(rows.row(), failure);
            if self.begins(&rows).map_err(here)? {
                // What is wrong with the group before is named by its own row.
                self.end_group()?;
                self.begin_group(&rows).map_err(here)?;
            } else {
                self.take(&rows).map_err(here)?;
            }
        }
        self.end_group()?;
        self.flush()?;
        self.out.finish()?;
        Ok(self.decided)
    }

    /// Tells whether a row begins a group, and refuses one that does not stand where it must.
    fn begins(&self, row: &GroupReader) -> Result<bool, Failure> {
        let (lead, part) = (row.text(GroupColumn::Lead)?, row.int(GroupColumn::Part)?);
        let (before, begun) = (self.group.lead.as_str(), self.group.row > 0);
        if part != 0 {
            let follows = begun && lead == before && part >= self.group.part;
            return if follows { Ok(false) } else { Err(out_of_order()) };
        }
        if begun && lead == before {
            return Err(Failure::new("a lead stands twice")
                .remedy("give each lead one record; where a file repeats one, keep the last"));
        }
        if begun && lead.as_bytes() < before.as_bytes() {
            return Err(out_of_order());
        }
        Ok(true)
    }

    /// Takes one more row of the group.
    fn take(&mut self, row: &GroupReader) -> Result<(), Failure> {
        let part = row.int(GroupColumn::Part)?;
        self.group.part = part;
        self.group.followed += 1;
        match part {
            1 => {
                let key = from_halves(row.int(GroupColumn::Hi)?, row.int(GroupColumn::Lo)?)?;
                let holders = row.count(GroupColumn::Holders)?;
                let holders = u32::try_from(holders).unwrap_or(u32::MAX);
                self.group.counts.push((key, holders));
            }
            2 => {
                let person = row.text(GroupColumn::Person)?;
                self.check(row, false)?;
                let bytes = from_text(row.text(GroupColumn::Sealed)?)?;
                let stored = StoredPerson::from_bytes(&bytes, person, &self.seal)?;
                match self.group.persons.last_mut() {
                    Some((last, known)) if last == person => known.merge(&stored),
                    _ => self.group.persons.push((person.to_owned(), stored)),
                }
            }
            _ => {
                return Err(Failure::new(format_args!(
                    "`part` is {part}, and a group has 0, 1 and 2"
                ))
                .remedy("join the rows as the SQL beside this program does"));
            }
        }
        Ok(())
    }

    fn begin_group(&mut self, row: &GroupReader) -> Result<(), Failure> {
        let lead = row.text(GroupColumn::Lead)?;
        self.check(row, true)?;
        let sealed = from_text(row.text(GroupColumn::Sealed)?)?;
        let sealed = SealedRecord::from_bytes(&sealed);
        let record = sealed.open(lead, &self.seal)?;
        let following = row.count(GroupColumn::Holders)?;
        let subject = self.matcher.normaliser().normalise(&record);
        let group = &mut self.group;
        lead.clone_into(&mut group.lead);
        group.row = row.row();
        group.part = 0;
        (group.following, group.followed) = (following, 0);
        group.look_ups = look_ups(&subject, self.matcher.policy(), &self.seal);
        group.counts.clear();
        group.persons.clear();
        self.waiting.push(Waiting { lead: lead.to_owned(), digest: sealed.digest() });
        self.subjects.push(subject);
        Ok(())
    }

    fn check(&self, row: &GroupReader, lead: bool) -> Result<(), Failure> {
        let stamp = row.text(GroupColumn::Stamp)?;
        // Nearly every row carries our own stamp, and nothing needs to be read of it.
        if stamp == self.stamp_text {
            return Ok(());
        }
        let stamp: Stamp = stamp.parse()?;
        let checked = if lead { self.stamp.check(&stamp) } else { self.stamp.check_keys(&stamp) };
        checked.map_err(Failure::from)
    }

    /// Hands the group to the index, and decides the chunk once it is full.
    fn end_group(&mut self) -> Result<(), Failure> {
        let group = &mut self.group;
        if group.row == 0 {
            return Ok(());
        }
        if group.followed != group.following {
            let (following, followed) = (group.following, group.followed);
            return Err(at(
                group.row,
                Failure::new(format_args!(
                    "the group that begins here has {followed} more rows, and its lead's row says {following}: it is cut short"
                ))
                .remedy("join the rows anew, and keep those of one lead together"),
            ));
        }
        let persons = group.persons.drain(..);
        let added = self.matcher.index_mut().add(&group.look_ups, &group.counts, persons);
        added.map_err(|error| at(group.row, error.into()))?;
        if self.waiting.len() >= self.chunk { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let decisions = self.matcher.decide_normalised(&self.subjects, &Rejections::default())?;
        for (waiting, decision) in self.waiting.iter().zip(&decisions) {
            write(&mut self.out, waiting, decision, &self.stamp_text)?;
        }
        self.decided += decisions.len() as u64;
        self.waiting.clear();
        self.subjects.clear();
        self.matcher.index_mut().clear();
        Ok(())
    }
}

fn write(
    out: &mut RowWriter,
    waiting: &Waiting,
    decision: &Decision,
    stamp: &str,
) -> Result<(), Failure> {
    let evidence = serde_json::to_string(&decision.evidence)?;
    let digest = waiting.digest.to_string();
    let (status, person, rule, confidence, reason) = match &decision.outcome {
        Outcome::Matched { person, rule, confidence } => (
            "matched",
            Value::Text(person),
            Value::Text(rule.as_str()),
            Value::Text(confidence.as_str()),
            Value::Null,
        ),
        Outcome::Unmatched { reason, .. } => {
            ("failed", Value::Null, Value::Null, Value::Null, Value::Text(reason.as_str()))
        }
    };
    out.write(&[
        Value::Text(&waiting.lead),
        Value::Text(status),
        person,
        rule,
        confidence,
        reason,
        Value::Text(&evidence),
        Value::Text(&digest),
        Value::Text(stamp),
    ])
}

fn out_of_order() -> Failure {
    Failure::new("the rows are out of order").remedy(
        "sort them by lead (by its bytes) and part, and keep all rows of one lead in one stream",
    )
}

fn at(row: u64, failure: Failure) -> Failure {
    failure.within(format_args!("row {row}"))
}
