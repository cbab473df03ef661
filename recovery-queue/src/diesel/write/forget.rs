//! A lead or a person is forgotten everywhere in the store, and that is proved.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::events::{Events, LeadsOfBacklog};
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

    fn ids(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<i64>, StoreError> {
        let rows: Vec<IntRow> =
            self.db.query(&self.names.sql(sql), params).map_err(failed(FORGET))?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    fn remove(&mut self, table: &str, column: &str, id: i64) -> Result<u64, StoreError> {
        let sql = format!("DELETE FROM {{ns}}{table} WHERE {column} = $1");
        let rows = self.execute(&sql, &[Param::Int(id)])?;
        self.done.rows += rows;
        Ok(rows)
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
        let key = [Param::Text(self.key)];
        let sql = "SELECT id AS value FROM {ns}queue_lead WHERE source_pk = $1";
        let Some(id) = self.ids(sql, &key)?.first().copied() else {
            return Err(StoreError::NotFound { what: "lead", key: self.key.to_owned() });
        };
        let sql = "SELECT backlog_id AS value FROM {ns}queue_lead WHERE id = $1";
        let backlog = self.ids(sql, &[Param::Int(id)])?.first().copied().unwrap_or_default();
        // On PostgreSQL this waits for a worker that holds the lead.
        let sql = "DELETE FROM {ns}queue_pending WHERE lead_id = $1 AND (backlog_id, priority, lead_at) = \
             (SELECT l.backlog_id, l.priority, l.lead_at FROM {ns}queue_lead l WHERE l.id = $1)";
        let mut open = self.execute(sql, &[Param::Int(id)])?;
        self.done.rows += open;
        open += self.remove("queue_parked", "lead_id", id)?;
        let sql = "DELETE FROM {ns}queue_settled WHERE lead_id = $1 AND status = 2";
        let failed = self.execute(sql, &[Param::Int(id)])?;
        self.done.rows += failed;
        open += failed;
        let theirs = "SELECT person_id AS value FROM {ns}queue_link WHERE lead_id = $1 \
             UNION SELECT person_id FROM {ns}queue_link_history WHERE lead_id = $1 \
             UNION SELECT person_id FROM {ns}queue_origin_history WHERE lead_id = $1 \
             UNION SELECT person_id FROM {ns}queue_rejected_pair WHERE lead_id = $1 \
             UNION SELECT person_id FROM {ns}queue_review WHERE lead_id = $1 AND person_id IS NOT NULL";
        let persons = self.ids(theirs, &[Param::Int(id)])?;
        for table in [
            "queue_settled",
            "queue_link",
            "queue_link_history",
            "queue_wake_key",
            "queue_leak",
            "queue_lead_action",
            "queue_rejected_pair",
            "queue_review",
            "queue_review_case",
        ] {
            self.remove(table, "lead_id", id)?;
        }
        let context = Context { backlog_id: backlog, run_id: 0, now: self.now };
        let whose = format!("SELECT y.id FROM {{ns}}queue_person y WHERE y.origin_lead_id = {id}");
        origins::ensure(self.db, self.names, &whose, &context)?;
        self.remove("queue_origin_history", "lead_id", id)?;
        // Of a person whom nothing else names nothing is kept.
        for person in persons {
            let sql = "DELETE FROM {ns}queue_person AS p WHERE p.id = $1 AND p.origin_lead_id IS NULL \
                 AND NOT EXISTS (SELECT 1 FROM {ns}queue_link x WHERE x.person_id = p.id) \
                 AND NOT EXISTS (SELECT 1 FROM {ns}queue_link_history x WHERE x.person_id = p.id) \
                 AND NOT EXISTS (SELECT 1 FROM {ns}queue_origin_history x WHERE x.person_id = p.id) \
                 AND NOT EXISTS (SELECT 1 FROM {ns}queue_rejected_pair x WHERE x.person_id = p.id) \
                 AND NOT EXISTS (SELECT 1 FROM {ns}queue_review x WHERE x.person_id = p.id)";
            self.done.rows += self.execute(sql, &[Param::Int(person)])?;
        }
        self.remove("queue_lead", "id", id)?;
        if open > 0 {
            self.event(EventKind::Withdrawn, backlog, 1)?;
        }
        self.redact()?;
        self.prove("person_key")
    }

    fn person(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT id AS value FROM {ns}queue_person WHERE person_key = $1";
        let linked = self.ids(sql, &[Param::Text(self.key)])?.first().copied();
        let indexed = self.unindex()?;
        if let Some(id) = linked {
            self.unlink(id)?;
            self.remove("queue_person", "id", id)?;
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
        let id = [Param::Int(person)];
        let theirs =
            "SELECT s.lead_id FROM {ns}queue_settled s WHERE s.status = 1 AND s.person_id = $1";
        let sql = "SELECT backlog_id, count(*) AS leads FROM {ns}queue_settled \
             WHERE status = 1 AND person_id = $1 GROUP BY backlog_id ORDER BY backlog_id";
        let counted: Vec<LeadsOfBacklog> =
            self.db.query(&self.names.sql(sql), &id).map_err(failed(FORGET))?;
        self.execute(&format!("DELETE FROM {{ns}}queue_leak WHERE lead_id IN ({theirs})"), &id)?;
        let sql = "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT l.backlog_id, l.priority, l.lead_at, l.id, 0, $1 FROM {ns}queue_settled s \
             JOIN {ns}queue_lead l ON l.id = s.lead_id WHERE s.status = 1 AND s.person_id = $2";
        let now = Param::Int(self.now);
        self.done.reopened = self.execute(sql, &[now, Param::Int(person)])?;
        let sql = "DELETE FROM {ns}queue_settled WHERE status = 1 AND person_id = $1";
        self.execute(sql, &id)?;
        for table in [
            "queue_link",
            "queue_link_history",
            "queue_origin_history",
            "queue_rejected_pair",
            "queue_review",
        ] {
            self.remove(table, "person_id", person)?;
        }
        for row in counted {
            let leads = u64::try_from(row.leads).unwrap_or_default();
            self.event(EventKind::Arrived, row.backlog_id, leads)?;
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
        let sql = "SELECT id AS value FROM {ns}queue_index_person WHERE person_key = $1";
        let Some(id) = self.ids(sql, &[Param::Text(self.key)])?.first().copied() else {
            return Ok(false);
        };
        let held = "SELECT h.key FROM {ns}queue_index_holder h WHERE h.person_id = $1";
        for sql in [
            format!("UPDATE {{ns}}queue_index_hub SET holders = holders - 1 WHERE key IN ({held})"),
            format!(
                "DELETE FROM {{ns}}queue_index_hub WHERE holders <= {} AND key IN ({held})",
                crate::diesel::HUB
            ),
        ] {
            self.execute(&sql, &[Param::Int(id)])?;
        }
        self.remove("queue_index_holder", "person_id", id)?;
        self.remove("queue_index_person", "id", id)?;
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
