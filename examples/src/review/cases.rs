//! The cases: failed leads with the persons who may be meant, and a fingerprint of all that was seen.

use std::collections::HashMap;

use identity_matching::index::InMemoryIndex;
use identity_matching::{
    CandidateEvidence, DeterministicMatcher, Evidence, Matcher, Normaliser, Record, Rejections,
    Standing,
};
use recovery_queue::{FailReason, LinkStore, PersonKey, QueueRow, SourcePk, SqlStore};

use super::digest::digest;
use super::shown::Shown;
use crate::cli::Failure;
use crate::service::Database;

/// One person who may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The person.
    pub person: PersonKey,
    /// What the person gives of itself.
    pub shows: String,
    /// In what lead and person agree, and by which rule.
    pub agrees: String,
    /// In what they differ.
    pub differs: String,
    /// How sure the person is: shared keys, then the likeness of names.
    pub sure: f64,
}

/// One lead that a person is to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The lead's row of the queue.
    pub row: QueueRow,
    /// What stopped the program.
    pub stopped_by: String,
    /// What the lead gives of itself.
    pub shows: String,
    /// The persons who may be meant, the surest first.
    pub candidates: Vec<Candidate>,
    /// A digest of the lead's data, its candidates and the policy.
    pub fingerprint: String,
    /// The lead's record.
    pub record: Record,
}

impl Case {
    /// Gives how sure the best candidate is.
    #[must_use]
    pub fn sure(&self) -> f64 {
        self.candidates.first().map_or(0.0, |candidate| candidate.sure)
    }
}

/// Judges leads anew, as they, the persons and the policy are now.
#[derive(Debug)]
pub struct CaseReader {
    masked: DeterministicMatcher<std::sync::Arc<InMemoryIndex>>,
    full: DeterministicMatcher<std::sync::Arc<InMemoryIndex>>,
    secret: [u8; 32],
}

impl CaseReader {
    /// Makes a reader; the secret keeps digests from being guessed.
    #[must_use]
    pub fn new(
        matcher: DeterministicMatcher<std::sync::Arc<InMemoryIndex>>,
        secret: [u8; 32],
    ) -> Self {
        Self { full: matcher.clone().showing_identifiers(), masked: matcher, secret }
    }

    /// Names the policy, as it is recorded with a packet.
    #[must_use]
    pub fn policy(&self) -> String {
        let policy = self.full.policy();
        format!("{} {}", policy.version(), policy.hash())
    }

    fn normaliser(&self) -> &Normaliser {
        self.full.normaliser()
    }

    /// Reads cases of leads, in their order; a lead whose record is gone has none.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn read(
        &self,
        rows: &[QueueRow],
        full: bool,
        store: &mut SqlStore,
        service: &mut Database,
    ) -> Result<Vec<Case>, Failure> {
        let shown = if full { Shown::Full } else { Shown::Masked };
        let mut rejected: HashMap<SourcePk, Vec<PersonKey>> = HashMap::new();
        for pair in store.rejected_pairs(None)?.into_iter().filter(|pair| pair.holds) {
            rejected.entry(pair.source_pk).or_default().push(pair.person_key);
        }
        let mut cases = Vec::with_capacity(rows.len());
        for part in rows.chunks(1_000) {
            let keys: Vec<&str> = part.iter().map(|row| row.source_pk.as_str()).collect();
            let mut found = service.subjects(&keys)?;
            let known: Vec<(&QueueRow, Record)> = part
                .iter()
                .filter_map(|row| Some((row, found.remove(row.source_pk.as_str())?)))
                .collect();
            let rejections: Rejections = known
                .iter()
                .enumerate()
                .flat_map(|(at, (row, _))| {
                    let persons = rejected.get(&row.source_pk).into_iter().flatten();
                    persons.map(move |person| (at, person.as_str()))
                })
                .collect();
            let records: Vec<Record> = known.iter().map(|(_, record)| record.clone()).collect();
            let seen = self.full.decide(&records, &rejections)?;
            let told = if full { None } else { Some(self.masked.decide(&records, &rejections)?) };
            let told = told.as_ref().unwrap_or(&seen);
            let persons: Vec<&str> = seen
                .iter()
                .flat_map(|decision| &decision.evidence.candidates)
                .map(|candidate| candidate.person.as_str())
                .collect();
            let persons = service.person_records(&persons)?;
            for (((row, record), seen), told) in known.into_iter().zip(&seen).zip(told) {
                let fingerprint = self.fingerprint(&row.source_pk, &record, &seen.evidence);
                let reason = row.reason.as_ref();
                cases.push(Case {
                    stopped_by: stopped_by(reason, &told.evidence),
                    shows: shown.record(&record, self.normaliser()),
                    candidates: self.candidates(&told.evidence, &persons, shown)?,
                    fingerprint,
                    record,
                    row: row.clone(),
                });
            }
        }
        Ok(cases)
    }

    fn candidates(
        &self,
        evidence: &Evidence,
        persons: &HashMap<String, Vec<Record>>,
        shown: Shown,
    ) -> Result<Vec<Candidate>, Failure> {
        let mut candidates = Vec::new();
        for found in &evidence.candidates {
            let records = persons.get(&found.person).into_iter().flatten();
            let parts: Vec<String> =
                records.map(|record| shown.record(record, self.normaliser())).collect();
            candidates.push(Candidate {
                person: PersonKey::new(found.person.as_str())?,
                shows: parts.join(" | "),
                agrees: agrees(found),
                differs: differs(found),
                sure: sure(found),
            });
        }
        candidates.sort_by(|a, b| b.sure.total_cmp(&a.sure).then_with(|| a.person.cmp(&b.person)));
        Ok(candidates)
    }

    /// Digests all that a decision rests on. Keyed, so that no identifier can be guessed from it.
    fn fingerprint(&self, lead: &SourcePk, record: &Record, evidence: &Evidence) -> String {
        let name = [&record.name, &record.birth_date, &record.plate];
        let name = name.map(|text| text.clone().unwrap_or_default());
        let evidence = evidence.to_json();
        let shown = [lead.as_str(), &evidence].into_iter().chain(name.iter().map(String::as_str));
        digest(&self.secret, shown)
    }
}

fn stopped_by(reason: Option<&FailReason>, evidence: &Evidence) -> String {
    let code = reason.map_or("", FailReason::code);
    let words =
        guardrails::recovery::reason_in_words(code).unwrap_or("a reason of the service's own");
    let mut standings: Vec<&'static str> =
        evidence.candidates.iter().map(|candidate| candidate.standing.reason()).collect();
    standings.sort_unstable();
    standings.dedup();
    let which =
        if standings.is_empty() { String::new() } else { format!(" ({})", standings.join("; ")) };
    format!("{code}: {words}{which}")
}

fn agrees(found: &CandidateEvidence) -> String {
    let mut parts: Vec<String> = found
        .agrees
        .iter()
        .map(|one| {
            let shared = if one.shared { " (many hold it)" } else { "" };
            format!("{} {}{shared}", one.kind, one.value)
        })
        .collect();
    if let Some(likeness) = found.name_similarity {
        parts.push(format!("name {likeness:.2}"));
    }
    if let Some(rule) = &found.rule {
        parts.push(format!("rule {rule}"));
    }
    parts.push(found.standing.reason().to_owned());
    parts.join("; ")
}

fn differs(found: &CandidateEvidence) -> String {
    let parts = found.disagrees.iter().map(|one| {
        let of = one.document_type.as_ref().map(|of| format!(" {of}")).unwrap_or_default();
        format!("{}{of}: {} / {}", one.kind, one.subject, one.person)
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn sure(found: &CandidateEvidence) -> f64 {
    let strong = found.agrees.iter().filter(|one| !one.shared).count() as f64;
    let against = found.disagrees.len() as f64;
    let weak = if found.standing == Standing::Weak { 0.5 } else { 0.0 };
    2.0 * strong + found.name_similarity.unwrap_or_default() + weak - against
}
