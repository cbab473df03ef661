//! One lead or one person, with all that is known of them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::records::{LinkRecord, OriginRecord, time};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::lead::{LeadAction, LeadActionKind, LeadRecord, PersonRecord};
use crate::model::links::LinkHistoryRow;
use crate::model::resolver::FailReason;
use crate::model::rows::{LinkRow, OriginRow, QueueRow, Status};

const READ: &str = "the look-up of a lead";

/// Leads with where they stand; `{leads}` selects them.
const LEADS: &str = "SELECT l.id, l.source_pk, b.name AS backlog, s.status, s.reason, h.person_key, \
        COALESCE(s.attempts, q.attempts, p.attempts, 0) AS attempts, l.lead_at, l.first_seen_at, \
        COALESCE(s.settled_at, q.since, p.since, l.first_seen_at) AS since, q.not_before, s.run_id, \
        COALESCE(s.evidence, CASE s.status WHEN 1 THEN k.evidence END, q.message) AS evidence \
    FROM ({leads}) l JOIN {ns}queue_backlog b ON b.id = l.backlog_id \
    LEFT JOIN {ns}queue_settled s ON s.lead_id = l.id \
    LEFT JOIN {ns}queue_parked q ON q.lead_id = l.id \
    LEFT JOIN {ns}queue_pending p ON p.backlog_id = l.backlog_id AND p.priority = l.priority \
        AND p.lead_at = l.lead_at AND p.lead_id = l.id \
    LEFT JOIN {ns}queue_person h ON h.id = s.person_id \
    LEFT JOIN {ns}queue_link k ON k.lead_id = l.id ORDER BY l.source_pk";

#[derive(QueryableByName)]
struct LeadRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    backlog: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    person_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    lead_at: i64,
    #[diesel(sql_type = BigInt)]
    first_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    since: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    not_before: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    run_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    evidence: Option<String>,
}

#[derive(QueryableByName)]
struct FormerLink {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    person_key: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Nullable<Text>)]
    decided_by: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    run_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    linked_at: i64,
    #[diesel(sql_type = BigInt)]
    ended_at: i64,
    #[diesel(sql_type = Text)]
    ended_by: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

#[derive(QueryableByName)]
struct ActionRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    decided_by: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Nullable<Text>)]
    fail_reason: Option<String>,
}

fn reason(code: Option<&str>) -> Option<FailReason> {
    code.map(FailReason::stored)
}

impl LeadRow {
    fn row(&self) -> QueueRow {
        QueueRow {
            source_pk: SourcePk::stored(self.source_pk.clone()),
            backlog: self.backlog.clone(),
            status: match self.status {
                None => Status::Pending,
                Some(1) => Status::Matched,
                Some(2) => Status::Failed,
                Some(_) => Status::Withdrawn,
            },
            reason: reason(self.reason.as_deref()),
            person_key: self.person_key.clone().map(PersonKey::stored),
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            lead_at: time(self.lead_at),
            first_seen_at: time(self.first_seen_at),
            since: time(self.since),
            not_before: self.not_before.map(time),
            run_id: self.run_id.map(RunId),
        }
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

fn leads(
    db: &mut Database,
    names: &Names,
    selected: &str,
    params: &[Param<'_>],
) -> Result<Vec<LeadRow>, StoreError> {
    db.query(&names.sql(&LEADS.replace("{leads}", selected)), params).map_err(failed(READ))
}

/// Lists links: `{where}` says whose.
fn links(
    db: &mut Database,
    names: &Names,
    whose: &str,
    id: i64,
) -> Result<Vec<LinkRow>, StoreError> {
    let sql = format!(
        "SELECT l.source_pk, p.person_key, k.rule, k.confidence, k.decided_by, k.run_id, k.linked_at \
         FROM {{ns}}queue_link k JOIN {{ns}}queue_lead l ON l.id = k.lead_id \
         JOIN {{ns}}queue_person p ON p.id = k.person_id WHERE {whose} = $1 ORDER BY l.source_pk"
    );
    let rows: Vec<LinkRecord> =
        db.query(&names.sql(&sql), &[Param::Int(id)]).map_err(failed(READ))?;
    Ok(rows.into_iter().filter_map(LinkRecord::into_row).collect())
}

pub(crate) fn former_links(
    db: &mut Database,
    names: &Names,
    whose: &str,
    value: Param<'_>,
) -> Result<Vec<(SourcePk, LinkHistoryRow)>, StoreError> {
    let sql = format!(
        "SELECT l.source_pk, p.person_key, h.rule, h.decided_by, h.run_id, h.linked_at, h.ended_at, \
             h.ended_by, h.reason FROM {{ns}}queue_link_history h \
         JOIN {{ns}}queue_lead l ON l.id = h.lead_id \
         JOIN {{ns}}queue_person p ON p.id = h.person_id WHERE {whose} = $1 ORDER BY h.id"
    );
    let rows: Vec<FormerLink> = db.query(&names.sql(&sql), &[value]).map_err(failed(READ))?;
    Ok(rows.into_iter().map(FormerLink::into_row).collect())
}

fn origin(
    db: &mut Database,
    names: &Names,
    person: &PersonKey,
) -> Result<Option<OriginRow>, StoreError> {
    let sql = "SELECT p.person_key, l.source_pk, COALESCE(p.origin_lead_at, l.lead_at) AS lead_at, \
             COALESCE(p.origin_since, 0) AS since FROM {ns}queue_person p \
         JOIN {ns}queue_lead l ON l.id = p.origin_lead_id WHERE p.person_key = $1";
    let rows: Vec<OriginRecord> =
        db.query(&names.sql(sql), &[Param::Text(person.as_str())]).map_err(failed(READ))?;
    Ok(rows.into_iter().find_map(OriginRecord::into_row))
}

fn actions(db: &mut Database, names: &Names, lead: i64) -> Result<Vec<LeadAction>, StoreError> {
    let sql = "SELECT kind, at, decided_by, reason, fail_reason FROM {ns}queue_lead_action \
         WHERE lead_id = $1 ORDER BY id";
    let rows: Vec<ActionRow> =
        db.query(&names.sql(sql), &[Param::Int(lead)]).map_err(failed(READ))?;
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
    let selected = "SELECT * FROM {ns}queue_lead WHERE source_pk = $1";
    let found = leads(db, names, selected, &[Param::Text(key.as_str())])?;
    let Some(found) = found.into_iter().next() else { return Ok(None) };
    let mut record = LeadRecord::new(found.row());
    record.evidence = found.evidence;
    record.link = links(db, names, "k.lead_id", found.id)?.into_iter().next();
    if let Some(link) = &record.link {
        record.origin = origin(db, names, &link.person_key)?;
    }
    let former = former_links(db, names, "h.lead_id", Param::Int(found.id))?;
    record.former_links = former.into_iter().map(|(_, row)| row).collect();
    record.actions = actions(db, names, found.id)?;
    Ok(Some(record))
}

/// Reads everything that is known of a person.
pub(crate) fn person(
    db: &mut Database,
    names: &Names,
    key: &PersonKey,
) -> Result<Option<PersonRecord>, StoreError> {
    let sql = "SELECT id AS value FROM {ns}queue_person WHERE person_key = $1";
    let ids: Vec<IntRow> =
        db.query(&names.sql(sql), &[Param::Text(key.as_str())]).map_err(failed(READ))?;
    let Some(id) = ids.first().map(|row| row.value) else { return Ok(None) };
    let mut record = PersonRecord::new(key.clone());
    record.origin = origin(db, names, key)?;
    record.links = links(db, names, "k.person_id", id)?;
    record.former_links = former_links(db, names, "h.person_id", Param::Int(id))?;
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
    let selected = "SELECT a.* FROM {ns}queue_lead a JOIN {ns}queue_settled z ON z.lead_id = a.id \
         WHERE a.source_pk > $1 AND z.status = 2 AND COALESCE($2, z.reason) = z.reason \
         ORDER BY a.source_pk LIMIT $3";
    let params = [
        Param::Text(after.map_or("", SourcePk::as_str)),
        Param::OptText(wanted.map(FailReason::code)),
        Param::Int(i64::from(limit)),
    ];
    Ok(leads(db, names, selected, &params)?.iter().map(LeadRow::row).collect())
}
