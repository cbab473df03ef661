//! The links of a batch on PostgreSQL: persons, origins, links and settled rows in one statement.

use std::collections::{BTreeMap, BTreeSet};

use crate::diesel::batch::{BATCH, Context, Settled, Verdict};
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;

/// Links leads to persons and settles them.
///
/// Arrays become rows in the target list, which takes them one by one; `FROM unnest(…)` would store each array first.
///
/// - `p`: the persons that are new are added, and origins move to earlier leads. A replaced origin is kept in the row by the update itself,
///   which sees the locked row, and goes to the history (`h`): no other worker's change can slip in between.
/// - `r`: the leads with their persons, those that `p` wrote, found by the lead that is now their origin, and those that
///   were there. A person whom another worker has added since the statement began is neither: such a lead is left over,
///   and written by a second statement, which sees the person.
pub(crate) const LINK: &str = "WITH d AS MATERIALIZED (SELECT unnest($1) AS lead_id, unnest($2) AS lead_at, \
        unnest($3) AS attempts, unnest($4) AS first_id, unnest($5) AS person_key, \
        unnest($6) AS decision, unnest($7) AS evidence), \
    p AS (INSERT INTO {ns}queue_person AS o \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
        SELECT person_key, lead_id, lead_at, $8, $9 FROM d WHERE lead_id = first_id \
        ON CONFLICT (person_key) DO UPDATE SET replaced_lead_id = o.origin_lead_id, \
            replaced_lead_at = o.origin_lead_at, replaced_since = o.origin_since, \
            replaced_run_id = o.origin_run_id, origin_lead_id = excluded.origin_lead_id, \
            origin_lead_at = excluded.origin_lead_at, origin_since = excluded.origin_since, \
            origin_run_id = excluded.origin_run_id \
        WHERE o.origin_lead_id IS NULL OR (excluded.origin_lead_at, excluded.origin_lead_id) \
            < (o.origin_lead_at, o.origin_lead_id) \
        RETURNING o.id, o.origin_lead_id, o.replaced_lead_id, o.replaced_lead_at, o.replaced_since, \
            o.replaced_run_id), \
    h AS (INSERT INTO {ns}queue_origin_history \
            (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id) \
        SELECT id, replaced_lead_id, replaced_lead_at, replaced_since, replaced_run_id, $8, $9 FROM p \
        WHERE replaced_lead_id IS NOT NULL), \
    r AS MATERIALIZED (SELECT d.lead_id, d.attempts, d.decision, d.evidence, \
            COALESCE(p.id, e.id) AS person_id \
        FROM d LEFT JOIN p ON p.origin_lead_id = d.first_id \
        LEFT JOIN LATERAL (SELECT id FROM {ns}queue_person \
            WHERE p.id IS NULL AND person_key = d.person_key OFFSET 0) e ON true \
        ORDER BY d.lead_id), \
    k AS (INSERT INTO {ns}queue_link \
            (lead_id, person_id, rule, confidence, run_id, linked_at, evidence) \
        SELECT lead_id, person_id, ($10)[decision], ($11)[decision], $9, $8, evidence FROM r \
        WHERE person_id IS NOT NULL), \
    s AS (INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
        SELECT lead_id, $12, 1, person_id, attempts, $9, $8 FROM r WHERE person_id IS NOT NULL) \
    SELECT lead_id AS value FROM r WHERE person_id IS NULL";

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
                &names.sql(LINK),
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
