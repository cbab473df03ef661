//! The links of a batch on PostgreSQL: persons, origins, links and settled rows in one statement.

use std::collections::{BTreeMap, BTreeSet};

use crate::diesel::batch::settled::{BATCH, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;

pub(crate) const LINK: &str = include_str!("../../../queries/postgres/link.sql");

/// Leads to link, by columns, in the byte order of the persons' keys.
///
/// Two workers meet shared persons in that one order, so neither waits for the other in a circle.
#[derive(Default)]
struct Links<'a> {
    lead_id: Vec<i64>,
    lead_at: Vec<i64>,
    attempts: Vec<i64>,
    /// The person's first lead of the batch.
    first_id: Vec<i64>,
    person_key: Vec<Option<&'a str>>,
    /// The place of its rule and confidence among the decisions, from 1.
    decision: Vec<i64>,
    evidence: Vec<Option<&'a str>>,
    /// The few kinds of decisions that the batch holds: a rule and a confidence each.
    rules: Vec<Option<&'a str>>,
    confidences: Vec<Option<&'a str>>,
}

impl<'a> Links<'a> {
    fn of(settled: impl Iterator<Item = &'a Settled>) -> Self {
        let mut leads: Vec<_> = settled
            .filter_map(|lead| match &lead.verdict {
                Verdict::Matched { person_key, rule, confidence, evidence } => Some((
                    person_key,
                    lead.claim.lead_at,
                    lead.claim.lead_id,
                    lead,
                    rule,
                    confidence,
                    evidence,
                )),
                _ => None,
            })
            .collect();
        leads.sort_unstable_by_key(|&(key, at, id, ..)| (key, at, id));
        let mut links = Self::default();
        let mut decisions = BTreeMap::new();
        for (key, at, id, lead, rule, confidence, evidence) in leads {
            let key = Some(key.as_str());
            let known = links.person_key.last() == Some(&key);
            links.first_id.push(links.first_id.last().copied().filter(|_| known).unwrap_or(id));
            links.lead_id.push(id);
            links.lead_at.push(at);
            links.attempts.push(lead.attempts);
            links.person_key.push(key);
            links.decision.push(*decisions.entry((rule, confidence)).or_insert_with(|| {
                links.rules.push(Some(rule));
                links.confidences.push(Some(confidence));
                i64::try_from(links.rules.len()).unwrap_or(i64::MAX)
            }));
            links.evidence.push(evidence.as_deref());
        }
        links
    }

    /// Writes the links; gives the leads that are left over.
    fn write(
        &self,
        db: &mut Database,
        names: &Names,
        context: &Context,
    ) -> Result<BTreeSet<i64>, StoreError> {
        let left_over: Vec<IntRow> = db
            .query_prepared(
                &names.query(LINK),
                &[
                    Param::Ints(&self.lead_id),
                    Param::Ints(&self.lead_at),
                    Param::Ints(&self.attempts),
                    Param::Ints(&self.first_id),
                    Param::OptTexts(&self.person_key),
                    Param::Ints(&self.decision),
                    Param::OptTexts(&self.evidence),
                    Param::Int(context.now),
                    Param::Int(context.run_id),
                    Param::OptTexts(&self.rules),
                    Param::OptTexts(&self.confidences),
                    Param::Int(context.backlog_id),
                ],
            )
            .map_err(failed(BATCH))?;
        Ok(left_over.into_iter().map(|row| row.value).collect())
    }
}

/// Writes the links of a batch.
pub(crate) fn link(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let links = Links::of(settled.iter());
    if links.lead_id.is_empty() {
        return Ok(());
    }
    let left_over = links.write(db, names, context)?;
    if left_over.is_empty() {
        return Ok(());
    }
    let rest = settled.iter().filter(|lead| left_over.contains(&lead.claim.lead_id));
    // Each statement sees what was committed before it began, so now the persons are there.
    if Links::of(rest).write(db, names, context)?.is_empty() {
        Ok(())
    } else {
        Err(gone(settled.len()))
    }
}

fn gone(leads: usize) -> StoreError {
    StoreError::Conflict {
        key: format!("in a batch of {leads}"),
        reason: "it was changed by hand while it was claimed; the batch was given back".to_owned(),
    }
}
