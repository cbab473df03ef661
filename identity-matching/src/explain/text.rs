//! An explanation as text.

use std::fmt;

use super::Explanation;
use crate::decide::{CandidateEvidence, Disagreement, KeyUse, Outcome};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        writeln!(f, "\nwhat was read")?;
        for value in &self.values {
            write!(f, "  {} {}: ", value.source.field.as_str(), value.value)?;
            match (&value.unusable, &value.remedy) {
                (Some(reason), Some(remedy)) if value.keys.is_empty() => {
                    writeln!(f, "no key, {}: {remedy}", reason.code())?;
                }
                (Some(reason), Some(remedy)) => {
                    writeln!(f, "{} key(s); {}: {remedy}", value.keys.len(), reason.code())?;
                }
                _ if value.keys.is_empty() => writeln!(f, "weak evidence, or read already above")?,
                _ => writeln!(f, "{} key(s)", value.keys.len())?,
            }
            for key in &value.keys {
                write!(f, "    {} {} {}", key.kind.as_str(), key.form.as_str(), key.value)?;
                if key.reading.is_empty() {
                    writeln!(f)?;
                } else {
                    writeln!(f, " ({})", key.reading.join(", "))?;
                }
                for (at, step) in (1..).zip(&key.steps) {
                    writeln!(f, "      {at}. {step}")?;
                }
            }
        }
        if self.values.is_empty() {
            writeln!(f, "  nothing: every field is empty")?;
        }
        writeln!(f, "\nwho holds the keys")?;
        let evidence = &self.decision.evidence;
        for key in &evidence.keys {
            let used = match key.used {
                KeyUse::Candidates => "makes candidates",
                KeyUse::Unheld => "nobody holds it",
                KeyUse::Shared => "shared: only corroborates",
                KeyUse::Generic => "held by too many: counts for nothing",
                KeyUse::Organisation => "an organisation's: finds weak candidates alone",
                KeyUse::Supposed => "what may have been meant: finds weak candidates alone",
                KeyUse::Disabled => "left out by the policy",
            };
            let (kind, form) = (key.kind.as_str(), key.form.as_str());
            writeln!(f, "  {kind} {form} {}: {} person(s), {used}", key.value, key.holders)?;
        }
        if evidence.keys.is_empty() {
            writeln!(f, "  the subject has no usable key")?;
        }
        writeln!(f, "\ncandidates")?;
        for candidate in &evidence.candidates {
            write_candidate(f, candidate)?;
        }
        if evidence.candidates.is_empty() {
            writeln!(f, "  nobody")?;
        }
        for person in &evidence.rejected_by_person {
            writeln!(f, "  {person} was rejected by a person")?;
        }
        writeln!(f, "\nwhat would change the outcome")?;
        for change in &self.changes {
            writeln!(f, "  {}: {}", change.what, said(&change.outcome))?;
        }
        if self.changes.is_empty() {
            writeln!(f, "  leaving out no single value and relaxing no single rule that it met")?;
        }
        let policy = &evidence.policy;
        write!(f, "\npolicy version {}, hash {}", policy.version, policy.hash)
    }
}

fn write_candidate(f: &mut fmt::Formatter<'_>, candidate: &CandidateEvidence) -> fmt::Result {
    write!(f, "  {} {}", candidate.person, candidate.standing.reason())?;
    if let Some(rule) = &candidate.rule {
        write!(f, " ({rule})")?;
    }
    if let Some(similarity) = candidate.name_similarity {
        write!(f, ", name similarity {similarity:.2}")?;
    }
    writeln!(f)?;
    for agreement in &candidate.agrees {
        let shared = if agreement.shared { ", shared" } else { "" };
        let (kind, form) = (agreement.kind.as_str(), agreement.form.as_str());
        writeln!(f, "    agrees on {kind} {form} {}{shared}", agreement.value)?;
    }
    for Disagreement { kind, document_type, subject, person, .. } in &candidate.disagrees {
        let kind = document_type.as_ref().map_or_else(|| kind.to_string(), Clone::clone);
        writeln!(f, "    differs in {kind}: {subject} and {person}")?;
    }
    Ok(())
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Matched { person, rule, .. } => format!("matched {person} by {rule}"),
        Outcome::Unmatched { reason, candidates } => match candidates.len() {
            0 => reason.to_string(),
            1..=5 => format!("{reason} ({})", candidates.join(", ")),
            n => format!("{reason} ({n} persons)"),
        },
    }
}
