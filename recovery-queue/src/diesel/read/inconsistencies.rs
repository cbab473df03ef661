//! What disagrees: found by counting each lead's rows once, whatever is wrong with them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::{Database, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::presence::{self, Relation, matched_in_view};
use crate::diesel::write::events::{LedgerIndex, ROLLED_UP_TO};
use crate::diesel::write::origins;
use crate::model::error::StoreError;
use crate::model::inconsistency::{Inconsistency, InconsistencyKind as Kind};

const LOOK: &str = "the look for what disagrees";

/// Leads whose rows disagree. One sort and no join: no planner can read one table once for each row of another.
const ODD: &str = "SELECT lead_id, max(lead) AS lead, sum(state) AS states, max(matched) AS matched, \
         max(linked) AS linked FROM ( \
         SELECT l.id AS lead_id, 1 AS lead, 0 AS state, 0 AS matched, 0 AS linked FROM {ns}queue_lead l UNION ALL \
         SELECT p.lead_id, 0, 1, 0, 0 FROM {ns}queue_pending p UNION ALL \
         SELECT q.lead_id, 0, 1, 0, 0 FROM {ns}queue_parked q UNION ALL \
         SELECT s.lead_id, 0, 1, COALESCE(s.person_id, 0), 0 FROM {ns}queue_settled s UNION ALL \
         SELECT k.lead_id, 0, 0, 0, k.person_id FROM {ns}queue_link k) y GROUP BY lead_id \
     HAVING max(lead) = 0 OR sum(state) <> 1 OR max(matched) <> max(linked)";

#[derive(QueryableByName)]
struct Odd {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    lead: i64,
    #[diesel(sql_type = BigInt)]
    states: i64,
    #[diesel(sql_type = BigInt)]
    matched: i64,
    #[diesel(sql_type = BigInt)]
    linked: i64,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
}

impl Odd {
    fn kind(&self) -> Kind {
        match (self.lead, self.states, self.matched, self.linked) {
            (0, ..) => Kind::RowWithoutLead,
            (_, 0, ..) => Kind::InNoState,
            (_, 2.., ..) => Kind::InSeveralStates,
            (_, _, 0, _) => Kind::LinkedNotMatched,
            (_, _, _, 0) => Kind::MatchedWithoutLink,
            _ => Kind::MatchedToAnother,
        }
    }
}

#[derive(QueryableByName)]
struct Gone {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    key: String,
}

#[derive(QueryableByName)]
struct Open {
    #[diesel(sql_type = BigInt)]
    queue: i64,
    #[diesel(sql_type = BigInt)]
    ledger: i64,
}

#[derive(QueryableByName)]
struct RecordedView {
    #[diesel(sql_type = Text)]
    view_schema: String,
    #[diesel(sql_type = Text)]
    view_name: String,
    #[diesel(sql_type = Text)]
    key_column: String,
}

impl RecordedView {
    fn relation(self) -> Relation {
        Relation::new(self.view_schema, self.view_name, self.key_column)
    }
}

/// What was found, and the leads that are to be put right.
#[derive(Default)]
pub(crate) struct Inconsistencies {
    pub(crate) told: Vec<Inconsistency>,
    leads: BTreeMap<Kind, Vec<i64>>,
}

impl Inconsistencies {
    pub(crate) fn leads(&self, kind: Kind) -> &[i64] {
        self.leads.get(&kind).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, kind: Kind, keys: Vec<String>, leads: Vec<i64>) {
        if !keys.is_empty() {
            self.told.push(Inconsistency::of(kind, keys));
            self.leads.insert(kind, leads);
        }
    }
}

/// Gives the links, as lead and key, whose persons are gone by the view that is recorded; none where none is.
pub(crate) fn links_to_nobody(sqlite: bool, persons: &Relation) -> String {
    format!(
        "SELECT k.lead_id, COALESCE((SELECT l.source_pk FROM {{ns}}queue_lead l WHERE l.id = k.lead_id), '') AS key \
         FROM ({}) g CROSS JOIN {{ns}}queue_person p CROSS JOIN {{ns}}queue_link k \
         WHERE p.person_key = g.person_key AND k.person_id = p.id",
        presence::gone_persons(sqlite, persons),
    )
}

/// Reads the view of persons that is recorded.
pub(crate) fn person_view(
    db: &mut Database,
    names: &Names,
) -> Result<Option<Relation>, StoreError> {
    let sql = "SELECT view_schema, view_name, key_column FROM {ns}queue_person_view";
    let rows: Vec<RecordedView> = db.query(&names.sql(sql), &[]).map_err(failed(LOOK))?;
    Ok(rows.into_iter().next().map(RecordedView::relation))
}

/// Gives how many leads are open by the queue, and by the ledger.
pub(crate) fn open(db: &mut Database, names: &Names) -> Result<(i64, i64), StoreError> {
    let sign = "CASE WHEN kind IN ('opening', 'arrived') THEN leads \
         WHEN kind IN ('matched', 'withdrawn') THEN -leads ELSE 0 END";
    let sql = format!(
        "SELECT (SELECT count(*) FROM {{ns}}queue_pending) + (SELECT count(*) FROM {{ns}}queue_parked) \
             + (SELECT count(*) FROM {{ns}}queue_settled WHERE status = 2) AS queue, \
             CAST((SELECT COALESCE(sum({sign}), 0) FROM {{ns}}queue_ledger_slot) \
             + (SELECT COALESCE(sum({sign}), 0) FROM {} WHERE e.at >= {ROLLED_UP_TO}) AS BIGINT) AS ledger",
        LedgerIndex::Time.of(db.is_sqlite()),
    );
    let rows: Vec<Open> = db.query(&names.sql(&sql), &[]).map_err(failed(LOOK))?;
    Ok(rows.first().map_or((0, 0), |row| (row.queue, row.ledger)))
}

/// Finds everything that disagrees; writes nothing.
pub(crate) fn find(db: &mut Database, names: &Names) -> Result<Inconsistencies, StoreError> {
    let mut found = Inconsistencies::default();
    let sql = format!(
        "SELECT o.lead_id, CAST(o.lead AS BIGINT) AS lead, CAST(o.states AS BIGINT) AS states, \
             CAST(o.matched AS BIGINT) AS matched, CAST(o.linked AS BIGINT) AS linked, \
             (SELECT l.source_pk FROM {{ns}}queue_lead l WHERE l.id = o.lead_id) AS key FROM ({ODD}) o"
    );
    let odd: Vec<Odd> = db.query(&names.sql(&sql), &[]).map_err(failed(LOOK))?;
    let mut by_kind: BTreeMap<Kind, (Vec<String>, Vec<i64>)> = BTreeMap::new();
    for row in odd {
        let (keys, leads) = by_kind.entry(row.kind()).or_default();
        keys.push(row.key.unwrap_or_else(|| format!("lead no. {}", row.lead_id)));
        leads.push(row.lead_id);
    }
    if let Some(persons) = person_view(db, names)? {
        let sql = links_to_nobody(db.is_sqlite(), &persons);
        let rows: Vec<Gone> = db.query(&names.sql(&sql), &[]).map_err(failed(LOOK))?;
        for row in rows {
            let (keys, leads) = by_kind.entry(Kind::PersonGone).or_default();
            keys.push(row.key);
            leads.push(row.lead_id);
        }
    }
    let persons = format!(
        "SELECT w.person_key AS value FROM {{ns}}queue_person w WHERE w.id IN ({})",
        origins::BROKEN
    );
    let rows: Vec<TextRow> = db.query(&names.sql(&persons), &[]).map_err(failed(LOOK))?;
    by_kind.entry(Kind::OriginWrong).or_default().0 =
        rows.into_iter().map(|row| row.value).collect();
    for (kind, (keys, leads)) in by_kind {
        found.add(kind, keys, leads);
    }
    let (queue, ledger) = open(db, names)?;
    if queue != ledger {
        let words = format!("{queue} open by the queue, {ledger} by the ledger");
        let differs = Inconsistency::of(Kind::LedgerDiffers, vec![words]);
        found.told.push(Inconsistency { count: queue.abs_diff(ledger), ..differs });
    }
    found.add(Kind::LeakedThoughLinked, leaked_though_linked(db, names)?, Vec::new());
    found.told.sort_by_key(|told| told.kind);
    Ok(found)
}

fn leaked_though_linked(db: &mut Database, names: &Names) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT view_schema, view_name, 'lead_source_pk' AS key_column FROM {ns}queue_backlog \
         WHERE view_schema IS NOT NULL AND view_name IS NOT NULL ORDER BY id";
    let views: Vec<RecordedView> = db.query(&names.sql(sql), &[]).map_err(failed(LOOK))?;
    let mut keys = Vec::new();
    for view in views {
        let matched = matched_in_view(db.is_sqlite(), &view.relation().quoted());
        let sql = format!(
            "SELECT m.key AS value FROM ({matched}) m WHERE (SELECT k.person_id FROM {{ns}}queue_link k \
                 WHERE k.lead_id = (SELECT l.id FROM {{ns}}queue_lead l WHERE l.source_pk = m.key)) IS NOT NULL"
        );
        let rows: Vec<TextRow> = db.query(&names.sql(&sql), &[]).map_err(failed(LOOK))?;
        keys.extend(rows.into_iter().map(|row| row.value));
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
