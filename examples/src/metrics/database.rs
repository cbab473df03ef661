//! The values in a table of the service's own: a metric store and a metric sink on Diesel.
//!
//! One set of statements serves `SQLite` and PostgreSQL, for lists travel as one JSON array. Numbers lie in the
//! table as text, so that no digit is lost.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use kpi_gap_queue::{MetricQuery, MetricRef, MetricStore, StoreError};
use raw_packets::{
    Act, Effect, HistoryEntry, KpiRow, Load, LoadId, LoadReceipt, MetricSink, Run, SinkError,
    Stamp, UndoReceipt, plan_undo,
};
use recovery_queue::DatabaseUrl;
use serde::Serialize;

use super::raw_row::{self, COLUMNS, RawRow};
use crate::cli::Failure;
use crate::service::Database;

/// Holds the values of a database.
#[derive(Debug)]
pub struct DatabaseMetrics {
    /// Reading asks a connection to change, too, while a store is only lent.
    database: RefCell<Database>,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    metric_key: String,
    #[diesel(sql_type = Text)]
    sanction_source_id: String,
    #[diesel(sql_type = Text)]
    kpi_id: String,
    #[diesel(sql_type = Text)]
    period_date: String,
    #[diesel(sql_type = Text)]
    period_granularity: String,
    #[diesel(sql_type = Text)]
    source_record_pk: String,
    #[diesel(sql_type = Text)]
    evidence_date: String,
    #[diesel(sql_type = Text)]
    evidence_quote: String,
}

#[derive(QueryableByName)]
struct Json {
    #[diesel(sql_type = Text)]
    json: String,
}

#[derive(QueryableByName)]
struct StoredEntry {
    #[diesel(sql_type = Text)]
    load_id: String,
    #[diesel(sql_type = Text)]
    act: String,
    #[diesel(sql_type = Nullable<Text>)]
    old_row: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    new_row: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    replaced: Option<String>,
    #[diesel(sql_type = Text)]
    changed_by: String,
    #[diesel(sql_type = Text)]
    changed_at: String,
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

impl DatabaseMetrics {
    /// Opens the database and makes its tables where they are missing.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn open(url: &DatabaseUrl) -> Result<Self, Failure> {
        Ok(Self { database: RefCell::new(Database::open(url)?) })
    }
}

impl MetricStore for DatabaseMetrics {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        let cannot = |failure: Failure| {
            StoreError::new("the table of values cannot be read", failure.to_string())
        };
        let mut database = self.database.borrow_mut();
        let sources = database.json_texts();
        let sql = format!(
            "SELECT metric_key, sanction_source_id, kpi_id, period_date, period_granularity,
                    source_record_pk, evidence_date, evidence_quote
             FROM metric_values WHERE sanction_source_id IN {sources}"
        );
        let values: Vec<Value> = database.load_json(sql, &query.sources()).map_err(cannot)?;
        for value in &values {
            sink(MetricRef {
                source_id: &value.sanction_source_id,
                kpi_id: &value.kpi_id,
                period_date: value.period_date.parse().ok(),
                period_granularity: &value.period_granularity,
                metric_key: &value.metric_key,
                source_record_pk: &value.source_record_pk,
                evidence_date: &value.evidence_date,
                evidence_quote: &value.evidence_quote,
            });
        }
        Ok(())
    }
}

/// The statements of a sink, within one transaction.
impl Database {
    /// Keeps other loads out until the transaction ends; an immediate one on `SQLite` does so by itself.
    fn lock_values(&mut self) -> Result<(), Failure> {
        if self.is_postgres() {
            self.execute("LOCK TABLE metric_values IN SHARE ROW EXCLUSIVE MODE")?;
        }
        Ok(())
    }

    fn values(&mut self, keys: &[&str]) -> Result<HashMap<String, RawRow>, Failure> {
        let object = if self.is_postgres() { "json_build_object" } else { "json_object" };
        let members: Vec<_> = COLUMNS.iter().map(|name| format!("'{name}', {name}")).collect();
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
    fn replace_values(&mut self, rows: &[RawRow], removed: &[&str]) -> Result<(), Failure> {
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
        let sql = self.insert_json("metric_values", &COLUMNS.map(|name| (name, "text")));
        self.execute_json(&sql, &rows)?;
        Ok(())
    }

    fn put_entries(&mut self, entries: &[(HistoryEntry, Option<RawRow>)]) -> Result<(), Failure> {
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

    /// Returns the changes of one key, oldest first.
    fn changes_of_key(&mut self, key: &str) -> Result<Vec<StoredEntry>, Failure> {
        let sql = format!("{CHANGES} WHERE metric_key IN {} ORDER BY id", self.json_texts());
        self.load_json(sql, &[key])
    }

    /// Returns the changes of every key that a load touched, oldest first.
    fn changes_beside(&mut self, load_id: &LoadId) -> Result<Vec<StoredEntry>, Failure> {
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
    fn read(&self) -> Result<HistoryEntry, Failure> {
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

/// Says what a load does to a key; a row that is there but not whole is corrected.
fn effect(row: &KpiRow, current: Option<&RawRow>) -> Effect {
    match current.map(|raw| raw_row::kpi_row(&row.metric_key, raw)) {
        None => Effect::Inserted,
        Some(None) => Effect::Corrected,
        Some(Some(current)) => Effect::of(row, Some(&current)),
    }
}

/// Runs `work` in one transaction, in which nobody else loads; an error of either kind undoes it.
fn transact<T>(
    database: &RefCell<Database>,
    work: impl FnOnce(&mut Database) -> Result<Result<T, SinkError>, Failure>,
) -> Result<T, SinkError> {
    database
        .borrow_mut()
        .transaction(|database| {
            database.lock_values()?;
            work(database)
        })
        .map_err(|failure| SinkError::store(failure.to_string()))?
}

/// As with a file, a row that was not loaded may lack what a load has; the history keeps it as it stood.
impl MetricSink for DatabaseMetrics {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        transact(&self.database, |database| {
            let keys: Vec<&str> = load.rows().iter().map(|row| row.metric_key.as_str()).collect();
            let mut current = database.values(&keys)?;
            let effects: BTreeMap<_, _> = load
                .rows()
                .iter()
                .map(|row| (row.metric_key.clone(), effect(row, current.get(&row.metric_key))))
                .collect();
            let receipt = LoadReceipt { load_id: load.id().clone(), effects };
            if run == Run::Dry {
                return Ok(Ok(receipt));
            }
            let mut rows = Vec::new();
            let mut entries = Vec::new();
            for row in load.rows() {
                if receipt.effects[&row.metric_key] == Effect::Unchanged {
                    continue;
                }
                let replaced = current.remove(&row.metric_key);
                let old = replaced.as_ref().and_then(|raw| raw_row::kpi_row(&row.metric_key, raw));
                let mut raw = RawRow::new();
                raw_row::write(row, &mut raw);
                rows.push(raw);
                let entry = HistoryEntry {
                    load_id: load.id().clone(),
                    act: Act::Load,
                    old,
                    new: Some(row.clone()),
                    by: load.stamp().by.clone(),
                    at: load.stamp().at,
                };
                entries.push((entry, replaced));
            }
            if !rows.is_empty() {
                database.replace_values(&rows, &[])?;
                database.put_entries(&entries)?;
            }
            Ok(Ok(receipt))
        })
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &Stamp) -> Result<UndoReceipt, SinkError> {
        transact(&self.database, |database| {
            let stored = database.changes_beside(load_id)?;
            let changes: Vec<_> = stored.iter().map(StoredEntry::read).collect::<Result<_, _>>()?;
            let undo = match plan_undo(load_id, &changes) {
                Ok(undo) => undo,
                Err(refused) => return Ok(Err(refused)),
            };
            // What the newest standing load of this id replaced, as it stood.
            let mut replaced: HashMap<&str, RawRow> = HashMap::new();
            for (stored, change) in stored.iter().zip(&changes) {
                if change.load_id == *load_id
                    && change.act == Act::Load
                    && let Some(key) = change.metric_key()
                {
                    replaced.remove(key);
                    if let Some(json) = &stored.replaced {
                        replaced.insert(key, serde_json::from_str(json)?);
                    }
                }
            }
            let keys: Vec<&str> = undo.keys().map(String::as_str).collect();
            let current = database.values(&keys)?;
            let mut rows = Vec::new();
            let mut entries = Vec::new();
            for &key in &keys {
                let back = replaced.remove(key);
                let entry = HistoryEntry {
                    load_id: load_id.clone(),
                    act: Act::Undo,
                    old: current.get(key).and_then(|raw| raw_row::kpi_row(key, raw)),
                    new: undo[key].clone(),
                    by: stamp.by.clone(),
                    at: stamp.at,
                };
                entries.push((entry, None));
                rows.extend(back);
            }
            let restored: Vec<String> = rows.iter().map(|row| row["metric_key"].clone()).collect();
            let removed: Vec<&str> = keys
                .iter()
                .copied()
                .filter(|key| !restored.iter().any(|back| back == key))
                .collect();
            database.replace_values(&rows, &removed)?;
            database.put_entries(&entries)?;
            let removed = removed.into_iter().map(str::to_owned).collect();
            Ok(Ok(UndoReceipt { load_id: load_id.clone(), removed, restored }))
        })
    }

    fn history(&self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let mut database = self.database.borrow_mut();
        database
            .changes_of_key(metric_key)
            .and_then(|stored| stored.iter().map(StoredEntry::read).collect())
            .map_err(|failure| SinkError::store(failure.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use kpi_gap_queue::Metric;
    use kpi_gap_queue::testing::metric_store_conformance;
    use raw_packets::testing::{metric_sink_conformance, sample_load, sample_stamp};
    use recovery_queue::testing::PostgresServer;

    use super::*;

    fn sqlite(folder: &tempfile::TempDir, name: usize) -> DatabaseMetrics {
        let path = folder.path().join(format!("{name}.sqlite"));
        DatabaseMetrics::open(&DatabaseUrl::Sqlite(path)).unwrap()
    }

    /// Writes values as a service may, which need not have what a load has.
    fn insert(metrics: &DatabaseMetrics, values: &[Metric]) {
        let rows: Vec<RawRow> = values
            .iter()
            .map(|value| {
                let mut raw: RawRow = COLUMNS.map(|name| (name.to_owned(), String::new())).into();
                let date = value.period_date.map(|date| date.to_string()).unwrap_or_default();
                for (column, text) in [
                    ("metric_key", value.key()),
                    ("sanction_source_id", value.source_id.clone()),
                    ("kpi_id", value.kpi_id.clone()),
                    ("period_date", date),
                    ("period_granularity", value.period_granularity.clone()),
                    ("value", value.value.clone()),
                    ("source_record_pk", value.source_record_pk.clone()),
                    ("evidence_date", value.evidence_date.clone()),
                    ("evidence_quote", value.evidence_quote.clone()),
                ] {
                    raw.insert(column.to_owned(), text);
                }
                raw
            })
            .collect();
        metrics.database.borrow_mut().replace_values(&rows, &[]).unwrap();
    }

    #[test]
    fn a_table_of_values_keeps_the_laws_of_a_store_and_of_a_sink() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = 0;
        let mut next = || {
            made += 1;
            sqlite(&folder, made)
        };
        metric_store_conformance(|values| {
            let metrics = next();
            insert(&metrics, values);
            metrics
        });
        metric_sink_conformance(next);
    }

    #[test]
    fn a_table_on_postgres_keeps_the_same_laws() {
        let server = match PostgresServer::start() {
            Ok(server) => server,
            Err(why) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
                // Past the harness, which keeps what a passing test prints to itself.
                let said = format!("LEFT OUT: the values on PostgreSQL: {why}\n");
                let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
                return;
            }
        };
        let name = format!("metric_values_{}", std::process::id());
        let mut admin = PgConnection::establish(server.url()).unwrap();
        let mut run = |sql: String| diesel::sql_query(sql).execute(&mut admin).unwrap();
        run(format!("CREATE DATABASE {name}"));
        let (server_url, _) = server.url().rsplit_once('/').unwrap();
        let url = DatabaseUrl::parse(&format!("{server_url}/{name}")).unwrap();
        let next = || {
            let metrics = DatabaseMetrics::open(&url).unwrap();
            let empty = "TRUNCATE metric_values, metric_history";
            metrics.database.borrow_mut().execute(empty).unwrap();
            metrics
        };
        metric_store_conformance(|values| {
            let metrics = next();
            insert(&metrics, values);
            metrics
        });
        metric_sink_conformance(next);
        run(format!("DROP DATABASE {name}"));
    }

    #[test]
    fn an_undoing_brings_back_a_row_that_had_no_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let mut metrics = sqlite(&folder, 1);
        let load = sample_load(&[("kpi:a", 12)]);
        let row = &load.rows()[0];
        let bare = Metric {
            source_id: row.sanction_source_id.clone(),
            kpi_id: row.kpi_id.clone(),
            period_date: Some(row.period_date),
            period_granularity: row.period_granularity.clone(),
            value: "0.5".into(),
            ..Metric::default()
        };
        insert(&metrics, &[bare]);
        let before = metrics.database.borrow_mut().values(&[&row.metric_key]).unwrap();
        let receipt = metrics.load(&load, Run::Commit).unwrap();
        assert_eq!(receipt.count(Effect::Corrected), 1);
        metrics.undo(load.id(), &sample_stamp()).unwrap();
        let after = metrics.database.borrow_mut().values(&[&row.metric_key]).unwrap();
        assert_eq!(after, before);
    }
}
