//! One lead or one person, with all that is known of them.

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::records::time;
use crate::diesel::tables::{
    is_pending_of_lead, queue_backlog, queue_lead, queue_lead_action, queue_link,
    queue_link_history, queue_parked, queue_pending, queue_person, queue_settled,
};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::lead::{LeadAction, LeadActionKind, LeadRecord, PersonRecord};
use crate::model::links::LinkHistoryRow;
use crate::model::resolver::FailReason;
use crate::model::rows::{LinkRow, OriginRow, QueueRow, Status};

const READ: &str = "the look-up of a lead";

/// A lead with where it stands; it has a row in one table of states at most.
#[derive(Queryable)]
struct LeadRow {
    lead: Lead,
    backlog: String,
    settled: Option<Settled>,
    parked: Option<Parked>,
    pending: Option<Pending>,
    person_key: Option<String>,
    link_evidence: Option<String>,
}

#[derive(Queryable)]
struct Lead {
    id: i64,
    source_pk: String,
    came_at: i64,
    first_seen_at: i64,
}

#[derive(Queryable)]
struct Settled {
    status: i64,
    reason: Option<String>,
    attempts: i64,
    since: i64,
    run_id: Option<i64>,
    evidence: Option<String>,
}

#[derive(Queryable)]
struct Parked {
    attempts: i64,
    since: i64,
    not_before: i64,
    message: Option<String>,
}

#[derive(Queryable)]
struct Pending {
    attempts: i64,
    since: i64,
}

/// Selects leads with where they stand, in the order of their keys.
macro_rules! leads {
    ($filter:expr, $limit:expr) => {
        queue_lead::table
            .inner_join(queue_backlog::table.on(queue_backlog::id.eq(queue_lead::backlog_id)))
            .left_join(queue_settled::table.on(queue_settled::lead_id.eq(queue_lead::id)))
            .left_join(queue_parked::table.on(queue_parked::lead_id.eq(queue_lead::id)))
            .left_join(queue_pending::table.on(is_pending_of_lead!()))
            .left_join(
                queue_person::table.on(queue_person::id.nullable().eq(queue_settled::person_id)),
            )
            .left_join(queue_link::table.on(queue_link::lead_id.eq(queue_lead::id)))
            .filter($filter)
            .order(queue_lead::source_pk)
            .limit($limit)
            .select((
                (
                    queue_lead::id,
                    queue_lead::source_pk,
                    queue_lead::lead_at,
                    queue_lead::first_seen_at,
                ),
                queue_backlog::name,
                (
                    queue_settled::status,
                    queue_settled::reason,
                    queue_settled::attempts,
                    queue_settled::settled_at,
                    queue_settled::run_id,
                    queue_settled::evidence,
                )
                    .nullable(),
                (
                    queue_parked::attempts,
                    queue_parked::since,
                    queue_parked::not_before,
                    queue_parked::message,
                )
                    .nullable(),
                (queue_pending::attempts, queue_pending::since).nullable(),
                queue_person::person_key.nullable(),
                queue_link::evidence.nullable(),
            ))
    };
}

#[derive(Queryable)]
struct FormerLink {
    source_pk: String,
    person_key: String,
    rule: String,
    decided_by: Option<String>,
    run_id: Option<i64>,
    linked_at: i64,
    ended_at: i64,
    ended_by: String,
    reason: String,
}

#[derive(Queryable)]
struct ActionRow {
    kind: String,
    at: i64,
    decided_by: String,
    reason: String,
    fail_reason: Option<String>,
}

#[derive(Queryable)]
struct PresentLink {
    source_pk: String,
    person_key: String,
    rule: String,
    confidence: String,
    decided_by: Option<String>,
    run_id: Option<i64>,
    linked_at: i64,
}

/// Whose links are read.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    Lead(&'a SourcePk),
    Person(&'a PersonKey),
}

fn reason(code: Option<&str>) -> Option<FailReason> {
    code.map(FailReason::stored)
}

impl LeadRow {
    fn row(&self) -> QueueRow {
        let (settled, parked, pending) = (&self.settled, &self.parked, &self.pending);
        let attempts = settled.as_ref().map(|row| row.attempts);
        let attempts = attempts.or(parked.as_ref().map(|row| row.attempts));
        let attempts = attempts.or(pending.as_ref().map(|row| row.attempts));
        let since = settled.as_ref().map(|row| row.since);
        let since = since.or(parked.as_ref().map(|row| row.since));
        let since = since.or(pending.as_ref().map(|row| row.since));
        QueueRow {
            source_pk: SourcePk::stored(self.lead.source_pk.clone()),
            backlog: self.backlog.clone(),
            status: match settled.as_ref().map(|row| row.status) {
                None => Status::Pending,
                Some(1) => Status::Matched,
                Some(2) => Status::Failed,
                Some(_) => Status::Withdrawn,
            },
            reason: settled.as_ref().and_then(|row| reason(row.reason.as_deref())),
            person_key: self.person_key.clone().map(PersonKey::stored),
            attempts: attempts.map_or(0, |tries| u32::try_from(tries).unwrap_or(u32::MAX)),
            lead_at: time(self.lead.came_at),
            first_seen_at: time(self.lead.first_seen_at),
            since: time(since.unwrap_or(self.lead.first_seen_at)),
            not_before: parked.as_ref().map(|row| time(row.not_before)),
            run_id: settled.as_ref().and_then(|row| row.run_id).map(RunId),
        }
    }

    fn evidence(self) -> Option<String> {
        let of_link = self.link_evidence;
        let settled = self.settled.and_then(|row| {
            let matched = row.status == 1;
            row.evidence.or_else(|| of_link.filter(|_| matched))
        });
        settled.or_else(|| self.parked.and_then(|row| row.message))
    }
}

impl FormerLink {
    fn into_row(self) -> (SourcePk, LinkHistoryRow) {
        let row = LinkHistoryRow {
            person_key: PersonKey::stored(self.person_key),
            rule: self.rule,
            decided_by: self.decided_by,
            run_id: self.run_id.map(RunId),
            linked_at: time(self.linked_at),
            ended_at: time(self.ended_at),
            ended_by: self.ended_by,
            reason: self.reason,
        };
        (SourcePk::stored(self.source_pk), row)
    }
}

fn links(db: &mut Database, names: &Names, of: Of<'_>) -> Result<Vec<LinkRow>, StoreError> {
    macro_rules! links {
        ($filter:expr) => {
            typed!(
                db,
                names,
                load,
                queue_link::table
                    .inner_join(queue_lead::table.on(queue_lead::id.eq(queue_link::lead_id)))
                    .inner_join(queue_person::table.on(queue_person::id.eq(queue_link::person_id)))
                    .filter($filter)
                    .order(queue_lead::source_pk)
                    .select((
                        queue_lead::source_pk,
                        queue_person::person_key,
                        queue_link::rule,
                        queue_link::confidence,
                        queue_link::decided_by,
                        queue_link::run_id,
                        queue_link::linked_at,
                    ))
            )
        };
    }
    let rows: Vec<PresentLink> = match of {
        Of::Lead(key) => links!(queue_lead::source_pk.eq(key.as_str())),
        Of::Person(key) => links!(queue_person::person_key.eq(key.as_str())),
    }
    .map_err(failed(READ))?;
    let link = |row: PresentLink| LinkRow {
        source_pk: SourcePk::stored(row.source_pk),
        person_key: PersonKey::stored(row.person_key),
        rule: row.rule,
        confidence: row.confidence,
        decided_by: row.decided_by,
        run_id: row.run_id.map(RunId),
        linked_at: time(row.linked_at),
    };
    Ok(rows.into_iter().map(link).collect())
}

/// Lists the links that were undone or moved, oldest first.
pub(crate) fn former_links(
    db: &mut Database,
    names: &Names,
    of: Of<'_>,
) -> Result<Vec<(SourcePk, LinkHistoryRow)>, StoreError> {
    use queue_link_history as history;
    macro_rules! links {
        ($filter:expr) => {
            typed!(
                db,
                names,
                load,
                history::table
                    .inner_join(queue_lead::table.on(queue_lead::id.eq(history::lead_id)))
                    .inner_join(queue_person::table.on(queue_person::id.eq(history::person_id)))
                    .filter($filter)
                    .order(history::id)
                    .select((
                        queue_lead::source_pk,
                        queue_person::person_key,
                        history::rule,
                        history::decided_by,
                        history::run_id,
                        history::linked_at,
                        history::ended_at,
                        history::ended_by,
                        history::reason,
                    ))
            )
        };
    }
    let rows: Vec<FormerLink> = match of {
        Of::Lead(key) => links!(queue_lead::source_pk.eq(key.as_str())),
        Of::Person(key) => links!(queue_person::person_key.eq(key.as_str())),
    }
    .map_err(failed(READ))?;
    Ok(rows.into_iter().map(FormerLink::into_row).collect())
}

fn origin(
    db: &mut Database,
    names: &Names,
    person: &PersonKey,
) -> Result<Option<OriginRow>, StoreError> {
    type Row = (String, String, Option<i64>, i64, Option<i64>);
    let found: Option<Row> = typed!(
        db,
        names,
        get_result,
        queue_person::table
            .inner_join(
                queue_lead::table.on(queue_person::origin_lead_id.eq(queue_lead::id.nullable()))
            )
            .filter(queue_person::person_key.eq(person.as_str()))
            .select((
                queue_person::person_key,
                queue_lead::source_pk,
                queue_person::origin_lead_at,
                queue_lead::lead_at,
                queue_person::origin_since,
            ))
    )
    .optional()
    .map_err(failed(READ))?;
    Ok(found.map(|(person_key, source_pk, origin_at, lead_at, since)| OriginRow {
        person_key: PersonKey::stored(person_key),
        source_pk: SourcePk::stored(source_pk),
        lead_at: time(origin_at.unwrap_or(lead_at)),
        since: time(since.unwrap_or_default()),
    }))
}

fn actions(db: &mut Database, names: &Names, lead: i64) -> Result<Vec<LeadAction>, StoreError> {
    use queue_lead_action as action;
    let columns =
        (action::kind, action::at, action::decided_by, action::reason, action::fail_reason);
    let rows: Vec<ActionRow> = typed!(
        db,
        names,
        load,
        action::table.filter(action::lead_id.eq(lead)).order(action::id).select(columns)
    )
    .map_err(failed(READ))?;
    let action = |row: ActionRow| {
        let kind = LeadActionKind::from_code(&row.kind);
        let why = if kind.is_none() { format!("{}: {}", row.kind, row.reason) } else { row.reason };
        let kind = kind.unwrap_or(LeadActionKind::Unknown);
        let mut action = LeadAction::new(kind, time(row.at), row.decided_by, why);
        action.fail_reason = reason(row.fail_reason.as_deref());
        action
    };
    Ok(rows.into_iter().map(action).collect())
}

/// Reads everything that is known of a lead.
pub(crate) fn lead(
    db: &mut Database,
    names: &Names,
    key: &SourcePk,
) -> Result<Option<LeadRecord>, StoreError> {
    let found: Vec<LeadRow> =
        typed!(db, names, load, leads!(queue_lead::source_pk.eq(key.as_str()), 1))
            .map_err(failed(READ))?;
    let Some(found) = found.into_iter().next() else { return Ok(None) };
    let mut record = LeadRecord::new(found.row());
    record.link = links(db, names, Of::Lead(key))?.into_iter().next();
    if let Some(link) = &record.link {
        record.origin = origin(db, names, &link.person_key)?;
    }
    let former = former_links(db, names, Of::Lead(key))?;
    record.former_links = former.into_iter().map(|(_, row)| row).collect();
    record.actions = actions(db, names, found.lead.id)?;
    record.evidence = found.evidence();
    Ok(Some(record))
}

/// Reads everything that is known of a person.
pub(crate) fn person(
    db: &mut Database,
    names: &Names,
    key: &PersonKey,
) -> Result<Option<PersonRecord>, StoreError> {
    let known: i64 = typed!(
        db,
        names,
        get_result,
        queue_person::table.filter(queue_person::person_key.eq(key.as_str())).count()
    )
    .map_err(failed(READ))?;
    if known == 0 {
        return Ok(None);
    }
    let mut record = PersonRecord::new(key.clone());
    record.origin = origin(db, names, key)?;
    record.links = links(db, names, Of::Person(key))?;
    record.former_links = former_links(db, names, Of::Person(key))?;
    Ok(Some(record))
}

/// Lists failed leads in the order of their keys.
pub(crate) fn failed_after(
    db: &mut Database,
    names: &Names,
    wanted: Option<&FailReason>,
    after: Option<&SourcePk>,
    limit: u32,
) -> Result<Vec<QueueRow>, StoreError> {
    // No key is empty, so all of them come after the empty text.
    let after = queue_lead::source_pk.gt(after.map_or("", SourcePk::as_str));
    let failures = after.and(queue_settled::status.eq(2));
    let limit = i64::from(limit);
    let rows: Vec<LeadRow> = match wanted {
        None => typed!(db, names, load, leads!(failures, limit)),
        Some(reason) => {
            let of_reason = failures.and(queue_settled::reason.eq(reason.code()));
            typed!(db, names, load, leads!(of_reason, limit))
        }
    }
    .map_err(failed(READ))?;
    Ok(rows.iter().map(LeadRow::row).collect())
}
