//! A lead or a person is forgotten everywhere in the store, and that is proved.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{
    queue_index_holder, queue_index_hub, queue_index_person, queue_lead, queue_lead_action,
    queue_leak, queue_link, queue_link_history, queue_origin_history, queue_person,
    queue_rejected_pair, queue_review, queue_review_case, queue_settled,
};
use crate::diesel::write::events::Events;
use crate::diesel::write::lead_rows::{self, PART, remove};
use crate::diesel::write::{origins, seed};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::lead::{Forget, Forgotten};
use crate::model::ledger::EventKind;

const FORGET: &str = "the forgetting";

/// Columns that hold words of this crate, names of programs and of people who decide; never a key of a lead or person.
const OTHER_TEXT: [&str; 26] = [
    "actor",
    "added_by",
    "changed_by",
    "confidence",
    "corrected",
    "decided_by",
    "decision",
    "effect",
    "ended_by",
    "fail_reason",
    "fingerprint",
    "issued_by",
    "kind",
    "load_key",
    "loaded_by",
    "name",
    "outcome",
    "policy",
    "reviewer",
    "rule",
    "secret_mark",
    "sha256",
    "subject",
    "undone_by",
    "version",
    "wake_key",
];

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    tbl: String,
    #[diesel(sql_type = Text)]
    col: String,
}

/// Removes the rows of tables whose column is one of the values, and counts them.
macro_rules! erase {
    ($eraser:expr, $column:ident, $values:expr, [$($table:ident),* $(,)?]) => { $(
        $eraser.done.rows += remove!($eraser.db, $eraser.names, $table.$column, $values)
            .map_err(failed(FORGET))? as u64;
    )* };
}

/// One forgetting, inside its transaction.
struct Eraser<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    now: i64,
    /// The key, and the key as it stands in JSON.
    key: &'a str,
    quoted: String,
    done: Forgotten,
}

impl Eraser<'_, '_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.db.execute(&self.names.sql(sql), params).map_err(failed(FORGET))
    }

    fn event(&mut self, kind: EventKind, backlog_id: i64, leads: u64) -> Result<(), StoreError> {
        let mut events = Events::default();
        events.add(kind, None, leads);
        events.append(self.db, self.names, self.now, backlog_id, None)
    }

    /// Lists the store's columns of text.
    fn columns(&mut self) -> Result<Vec<Column>, StoreError> {
        let columns: Vec<Column> = match &self.names.schema {
            Some(schema) => self.db.query(
                "SELECT CAST(c.table_name AS TEXT) AS tbl, CAST(c.column_name AS TEXT) AS col \
                 FROM information_schema.columns c JOIN information_schema.tables t \
                     ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
                 WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE' AND c.data_type = 'text' \
                 ORDER BY 1, 2",
                &[Param::Text(schema)],
            ),
            None => self.db.query(
                "SELECT m.name AS tbl, p.name AS col FROM sqlite_master m, pragma_table_info(m.name) p \
                 WHERE m.type = 'table' AND p.type = 'TEXT' ORDER BY 1, 2",
                &[],
            ),
        }
        .map_err(failed(FORGET))?;
        let ours =
            |column: &Column| column.tbl.starts_with("queue_") && column.tbl != "queue_migration";
        Ok(columns.into_iter().filter(ours).collect())
    }

    fn finds(&self) -> &'static str {
        if self.db.is_sqlite() { "instr" } else { "strpos" }
    }

    /// Replaces the evidence and messages that name the key.
    fn redact(&mut self) -> Result<(), StoreError> {
        let finds = self.finds();
        for (table, column) in [
            ("queue_settled", "evidence"),
            ("queue_link", "evidence"),
            ("queue_link_history", "evidence"),
            ("queue_parked", "message"),
            ("queue_review", "state_before"),
        ] {
            let quoted = self.quoted.clone();
            let sql = format!(
                "UPDATE {{ns}}{table} SET {column} = '{{\"forgotten\":true}}' \
                 WHERE {finds}({column}, $1) > 0"
            );
            self.done.evidence += self.execute(&sql, &[Param::Text(&quoted)])?;
        }
        Ok(())
    }

    /// Proves that no column of the store's tables holds the key any more.
    fn prove(&mut self, other_key: &str) -> Result<(), StoreError> {
        let finds = self.finds();
        for Column { tbl, col } in self.columns()? {
            if OTHER_TEXT.contains(&col.as_str()) || col == other_key {
                continue;
            }
            let sql = format!(
                "SELECT count(*) AS value FROM {{ns}}{tbl} \
                 WHERE {col} = $1 OR {finds}({col}, $2) > 0"
            );
            let sql = self.names.sql(&sql);
            let params = [Param::Text(self.key), Param::Text(&self.quoted)];
            if self.db.int(&sql, &params).map_err(failed(FORGET))? > 0 {
                return Err(StoreError::Conflict {
                    key: "…".to_owned(),
                    reason: format!("{tbl}.{col} would still hold it; nothing was forgotten"),
                });
            }
            self.done.columns_searched += 1;
        }
        Ok(())
    }

    fn lead(&mut self) -> Result<(), StoreError> {
        let known = queue_lead::table.filter(queue_lead::source_pk.eq(self.key));
        let known: Option<(i64, i64)> = typed!(
            self.db,
            self.names,
            get_result,
            known.select((queue_lead::id, queue_lead::backlog_id))
        )
        .optional()
        .map_err(failed(FORGET))?;
        let Some((id, backlog)) = known else {
            return Err(StoreError::NotFound { what: "lead", key: self.key.to_owned() });
        };
        let lead = [id];
        // On PostgreSQL this waits for a worker that holds the lead.
        let taken = lead_rows::take(self.db, self.names, &lead).map_err(failed(FORGET))?;
        self.done.rows += taken.rows;
        let persons = self.persons_of(id).map_err(failed(FORGET))?;
        erase!(
            self,
            lead_id,
            &lead,
            [
                queue_settled,
                queue_link,
                queue_link_history,
                queue_leak,
                queue_lead_action,
                queue_rejected_pair,
                queue_review,
                queue_review_case,
            ]
        );
        let context = Context { backlog_id: backlog, run_id: 0, now: self.now };
        let whose = format!("SELECT y.id FROM {{ns}}queue_person y WHERE y.origin_lead_id = {id}");
        origins::ensure(self.db, self.names, &whose, &context)?;
        erase!(self, lead_id, &lead, [queue_origin_history]);
        for person in persons {
            self.drop_unnamed(person).map_err(failed(FORGET))?;
        }
        erase!(self, id, &lead, [queue_lead]);
        if taken.open > 0 {
            self.event(EventKind::Withdrawn, backlog, 1)?;
        }
        self.redact()?;
        self.prove("person_key")
    }

    /// Gives the persons whom anything about a lead names.
    fn persons_of(&mut self, lead: i64) -> QueryResult<BTreeSet<i64>> {
        let mut persons = BTreeSet::new();
        macro_rules! add {
            ($($table:ident),*) => { $(
                let named = $table::table.filter($table::lead_id.eq(lead));
                let named: Vec<i64> =
                    typed!(self.db, self.names, load, named.select($table::person_id))?;
                persons.extend(named);
            )* };
        }
        add!(queue_link, queue_link_history, queue_origin_history, queue_rejected_pair);
        let named = queue_review::table.filter(queue_review::lead_id.eq(lead));
        let named: Vec<Option<i64>> =
            typed!(self.db, self.names, load, named.select(queue_review::person_id))?;
        persons.extend(named.into_iter().flatten());
        Ok(persons)
    }

    /// Removes a person whom nothing names any more.
    fn drop_unnamed(&mut self, person: i64) -> QueryResult<()> {
        macro_rules! named {
            ($table:ident) => {
                exists($table::table.filter($table::person_id.eq(person)))
            };
        }
        let unnamed = queue_person::table
            .filter(queue_person::id.eq(person))
            .filter(queue_person::origin_lead_id.is_null())
            .filter(not(named!(queue_link)))
            .filter(not(named!(queue_link_history)))
            .filter(not(named!(queue_origin_history)))
            .filter(not(named!(queue_rejected_pair)))
            .filter(not(named!(queue_review)));
        self.done.rows += typed!(self.db, self.names, execute, diesel::delete(unnamed))? as u64;
        Ok(())
    }

    fn person(&mut self) -> Result<(), StoreError> {
        let known = queue_person::table.filter(queue_person::person_key.eq(self.key));
        let linked: Option<i64> =
            typed!(self.db, self.names, get_result, known.select(queue_person::id))
                .optional()
                .map_err(failed(FORGET))?;
        let indexed = self.unindex()?;
        if let Some(id) = linked {
            self.unlink(id)?;
            erase!(self, id, &[id], [queue_person]);
        }
        self.redact()?;
        // A person whom no lead was linked to may still be named as a candidate.
        if linked.is_none() && !indexed && self.done.evidence == 0 {
            return Err(StoreError::NotFound { what: "person", key: self.key.to_owned() });
        }
        self.prove("source_pk")
    }

    /// Removes a person's links; the leads are pending again.
    fn unlink(&mut self, person: i64) -> Result<(), StoreError> {
        let matched = || {
            queue_settled::table
                .filter(queue_settled::status.eq(1))
                .filter(queue_settled::person_id.eq(person))
        };
        let leads: Vec<(i64, i64)> = typed!(
            self.db,
            self.names,
            load,
            matched().select((queue_settled::backlog_id, queue_settled::lead_id))
        )
        .map_err(failed(FORGET))?;
        let mut by_backlog: BTreeMap<i64, u64> = BTreeMap::new();
        for (backlog, _) in &leads {
            *by_backlog.entry(*backlog).or_default() += 1;
        }
        let leads: Vec<i64> = leads.into_iter().map(|(_, lead)| lead).collect();
        for part in leads.chunks(PART) {
            remove!(self.db, self.names, queue_leak.lead_id, part).map_err(failed(FORGET))?;
            remove!(self.db, self.names, queue_settled.lead_id, part).map_err(failed(FORGET))?;
        }
        self.done.reopened = lead_rows::make_pending_leads(self.db, self.names, self.now, &leads)
            .map_err(failed(FORGET))?;
        erase!(
            self,
            person_id,
            &[person],
            [queue_link, queue_link_history, queue_origin_history, queue_rejected_pair,]
        );
        erase!(self, person_id, [person], [queue_review]);
        for (backlog, leads) in by_backlog {
            self.event(EventKind::Arrived, backlog, leads)?;
        }
        Ok(())
    }

    /// Removes the person from the candidate index, where there is one; says whether it held the person.
    fn unindex(&mut self) -> Result<bool, StoreError> {
        let tables: BTreeSet<String> =
            self.columns()?.into_iter().map(|column| column.tbl).collect();
        if !tables.contains("queue_index_person") {
            return Ok(false);
        }
        let known = queue_index_person::table.filter(queue_index_person::person_key.eq(self.key));
        let known: Option<i64> =
            typed!(self.db, self.names, get_result, known.select(queue_index_person::id))
                .optional()
                .map_err(failed(FORGET))?;
        let Some(id) = known else { return Ok(false) };
        let hubs = || {
            let held = queue_index_holder::table.filter(queue_index_holder::person_id.eq(id));
            queue_index_hub::table
                .filter(queue_index_hub::key.eq_any(held.select(queue_index_holder::key)))
        };
        let fewer = queue_index_hub::holders.eq(queue_index_hub::holders - 1);
        typed!(self.db, self.names, execute, diesel::update(hubs()).set(fewer))
            .map_err(failed(FORGET))?;
        let few = queue_index_hub::holders.le(i64::from(crate::diesel::HUB));
        typed!(self.db, self.names, execute, diesel::delete(hubs().filter(few)))
            .map_err(failed(FORGET))?;
        erase!(self, person_id, &[id], [queue_index_holder]);
        erase!(self, id, &[id], [queue_index_person]);
        Ok(true)
    }
}

/// Forgets a lead or a person, inside a transaction.
pub(crate) fn forget(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    whom: Forget<'_>,
) -> Result<Forgotten, StoreError> {
    seed::lock(db, names)?;
    if !db.is_sqlite() {
        // Workers that are about to link somebody end first: none links a person who is gone.
        db.script(&names.sql("LOCK TABLE {ns}queue_person IN SHARE ROW EXCLUSIVE MODE"))
            .map_err(failed(FORGET))?;
    }
    let now = now(db, clock)?;
    let key = match whom {
        Forget::Lead(key) => SourcePk::as_str(key),
        Forget::Person(key) => PersonKey::as_str(key),
    };
    let quoted = serde_json::json!(key).to_string();
    let mut eraser = Eraser { db, names, now, key, quoted, done: Forgotten::default() };
    match whom {
        Forget::Lead(_) => eraser.lead()?,
        Forget::Person(_) => eraser.person()?,
    }
    Ok(eraser.done)
}
