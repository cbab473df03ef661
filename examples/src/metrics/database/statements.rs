//! The statements of the table of values and of its history.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use raw_packets::{Act, HistoryEntry, KpiRow, LeftOutRecord, LoadId};
use serde::Serialize;

use super::RawRow;
use crate::cli::Failure;
use crate::service::Database;

#[derive(QueryableByName)]
struct Json {
    #[diesel(sql_type = Text)]
    json: String,
}

#[derive(QueryableByName)]
pub(super) struct StoredEntry {
    #[diesel(sql_type = Text)]
    load_id: String,
    #[diesel(sql_type = Text)]
    act: String,
    #[diesel(sql_type = Nullable<Text>)]
    old_row: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    new_row: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) replaced: Option<String>,
    #[diesel(sql_type = Text)]
    changed_by: String,
    #[diesel(sql_type = Text)]
    changed_at: String,
}

#[derive(QueryableByName)]
struct StoredLeftOut {
    #[diesel(sql_type = Text)]
    load_id: String,
    #[diesel(sql_type = Text)]
    packets: String,
    #[diesel(sql_type = Text)]
    recorded_by: String,
    #[diesel(sql_type = Text)]
    recorded_at: String,
}

/// One row of `metric_left_out` on its way into the table.
#[derive(Serialize)]
struct NewLeftOut<'a> {
    id: i64,
    load_id: &'a str,
    packets: String,
    recorded_by: &'a str,
    recorded_at: String,
}

/// One row of `metric_history` on its way into the table.
#[derive(Serialize)]
struct NewEntry {
    id: i64,
    load_id: String,
    act: &'static str,
    metric_key: String,
    old_row: Option<String>,
    new_row: Option<String>,
    replaced: Option<String>,
    changed_by: String,
    changed_at: String,
}

/// The statements of a sink, within one transaction.
impl Database {
    /// Keeps other loads out until the transaction ends; an immediate one on `SQLite` does so by itself.
    pub(super) fn lock_values(&mut self) -> Result<(), Failure> {
        if self.is_postgres() {
            self.execute("LOCK TABLE metric_values IN SHARE ROW EXCLUSIVE MODE")?;
        }
        Ok(())
    }

    pub(super) fn values(&mut self, keys: &[&str]) -> Result<HashMap<String, RawRow>, Failure> {
        let object = if self.is_postgres() { "json_build_object" } else { "json_object" };
        let members: Vec<_> =
            KpiRow::COLUMNS.iter().map(|name| format!("'{name}', {name}")).collect();
        let sql = format!(
            "SELECT CAST({object}({}) AS TEXT) AS json FROM metric_values WHERE metric_key IN {}",
            members.join(", "),
            self.json_texts()
        );
        let rows: Vec<Json> = self.load_json(sql, &keys)?;
        let mut values = HashMap::with_capacity(rows.len());
        for Json { json } in rows {
            let raw: RawRow = serde_json::from_str(&json)?;
            values.insert(raw["metric_key"].clone(), raw);
        }
        Ok(values)
    }

    /// Puts rows in the place of those with their keys, and takes away those of `removed`.
    pub(super) fn replace_values(
        &mut self,
        rows: &[RawRow],
        removed: &[&str],
    ) -> Result<(), Failure> {
        let keys: Vec<&str> = rows
            .iter()
            .map(|row| row["metric_key"].as_str())
            .chain(removed.iter().copied())
            .collect();
        let of_keys = self.json_texts();
        self.execute_json(
            &format!("DELETE FROM metric_values WHERE metric_key IN {of_keys}"),
            &keys,
        )?;
        let sql = self.insert_json("metric_values", &KpiRow::COLUMNS.map(|name| (name, "text")));
        self.execute_json(&sql, &rows)?;
        Ok(())
    }

    pub(super) fn put_entries(
        &mut self,
        entries: &[(HistoryEntry, Option<RawRow>)],
    ) -> Result<(), Failure> {
        let last = self.number("SELECT coalesce(max(id), 0) AS n FROM metric_history")?;
        let rows: Vec<NewEntry> = entries
            .iter()
            .zip(last + 1..)
            .map(|((entry, replaced), id)| NewEntry::new(id, entry, replaced.as_ref()))
            .collect::<Result<_, _>>()?;
        let columns =
            NewEntry::COLUMNS.map(|name| (name, if name == "id" { "bigint" } else { "text" }));
        let sql = self.insert_json("metric_history", &columns);
        self.execute_json(&sql, &rows)?;
        Ok(())
    }

    /// Returns what partial loads left out, oldest first.
    pub(super) fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, Failure> {
        let stored: Vec<StoredLeftOut> = self.load(
            "SELECT load_id, packets, recorded_by, recorded_at FROM metric_left_out ORDER BY id",
        )?;
        stored
            .iter()
            .map(|stored| {
                Ok(LeftOutRecord {
                    load_id: LoadId::new(stored.load_id.as_str()),
                    packets: serde_json::from_str(&stored.packets)?,
                    by: stored.recorded_by.clone(),
                    at: stored.recorded_at.parse()?,
                })
            })
            .collect()
    }

    pub(super) fn put_left_out(&mut self, record: &LeftOutRecord) -> Result<(), Failure> {
        let last = self.number("SELECT coalesce(max(id), 0) AS n FROM metric_left_out")?;
        let row = NewLeftOut {
            id: last + 1,
            load_id: record.load_id.as_str(),
            packets: serde_json::to_string(&record.packets)?,
            recorded_by: &record.by,
            recorded_at: record.at.to_rfc3339(),
        };
        let columns = [
            ("id", "bigint"),
            ("load_id", "text"),
            ("packets", "text"),
            ("recorded_by", "text"),
            ("recorded_at", "text"),
        ];
        let sql = self.insert_json("metric_left_out", &columns);
        self.execute_json(&sql, &[row])?;
        Ok(())
    }

    /// Returns the changes of one key, oldest first.
    pub(super) fn changes_of_key(&mut self, key: &str) -> Result<Vec<StoredEntry>, Failure> {
        let sql = format!("{CHANGES} WHERE metric_key IN {} ORDER BY id", self.json_texts());
        self.load_json(sql, &[key])
    }

    /// Returns the changes of every key that a load touched, oldest first.
    pub(super) fn stored_beside(&mut self, load_id: &LoadId) -> Result<Vec<StoredEntry>, Failure> {
        let sql = format!(
            "{CHANGES} WHERE metric_key IN (SELECT metric_key FROM metric_history WHERE load_id IN {})
             ORDER BY id",
            self.json_texts()
        );
        self.load_json(sql, &[load_id.as_str()])
    }
}

const CHANGES: &str =
    "SELECT load_id, act, old_row, new_row, replaced, changed_by, changed_at FROM metric_history";

impl NewEntry {
    const COLUMNS: [&str; 9] = [
        "id",
        "load_id",
        "act",
        "metric_key",
        "old_row",
        "new_row",
        "replaced",
        "changed_by",
        "changed_at",
    ];

    fn new(id: i64, entry: &HistoryEntry, replaced: Option<&RawRow>) -> Result<Self, Failure> {
        fn json<T: Serialize>(row: Option<&T>) -> Result<Option<String>, serde_json::Error> {
            row.map(serde_json::to_string).transpose()
        }
        Ok(Self {
            id,
            load_id: entry.load_id.as_str().to_owned(),
            act: if entry.act == Act::Load { "load" } else { "undo" },
            metric_key: entry.metric_key().unwrap_or_default().to_owned(),
            old_row: json(entry.old.as_ref())?,
            new_row: json(entry.new.as_ref())?,
            replaced: json(replaced)?,
            changed_by: entry.by.clone(),
            changed_at: entry.at.to_rfc3339(),
        })
    }
}

impl StoredEntry {
    pub(super) fn read(&self) -> Result<HistoryEntry, Failure> {
        fn row(json: Option<&String>) -> Result<Option<KpiRow>, serde_json::Error> {
            json.map(|json| serde_json::from_str(json)).transpose()
        }
        Ok(HistoryEntry {
            load_id: LoadId::new(self.load_id.as_str()),
            act: if self.act == "load" { Act::Load } else { Act::Undo },
            old: row(self.old_row.as_ref())?,
            new: row(self.new_row.as_ref())?,
            by: self.changed_by.clone(),
            at: self.changed_at.parse()?,
        })
    }
}
