//! A metric sink of one's own, over one file of JSON: a load is written whole or not at all, proved by the public suite.
//!
//! `cargo run -p raw-packets --example own_sink --features testing`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use raw_packets::testing::{metric_sink_conformance, sample_load, sample_stamp};
use raw_packets::{
    Effect, HistoryEntry, KpiRow, LeftOutRecord, Load, LoadId, LoadReceipt, LoadStamp,
    MetricChange, MetricChanges, MetricSink, MetricTable, Run, SinkError, UndoReceipt, load_into,
    undo_in,
};
use serde::{Deserialize, Serialize};

/// What the file holds; within a transaction, a copy that nobody else sees.
#[derive(Default, Deserialize, Serialize)]
struct Content {
    rows: BTreeMap<String, KpiRow>,
    history: Vec<HistoryEntry>,
    left_out: Vec<LeftOutRecord>,
}

/// Three questions and one change: the decisions are those of `load_into` and `undo_in`, as for every sink.
impl MetricTable for Content {
    fn rows(&mut self, keys: &[&str]) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError> {
        let row = |key: &&str| Some(((*key).to_owned(), Some(self.rows.get(*key)?.clone())));
        Ok(keys.iter().filter_map(row).collect())
    }

    fn changes_beside(&mut self, _: &LoadId) -> Result<Vec<HistoryEntry>, SinkError> {
        Ok(self.history.clone())
    }

    fn newest_left_out(&mut self) -> Result<Option<LeftOutRecord>, SinkError> {
        Ok(self.left_out.last().cloned())
    }

    fn apply(&mut self, changes: &MetricChanges) -> Result<(), SinkError> {
        for MetricChange { metric_key, entry } in &changes.changes {
            match &entry.new {
                Some(row) => drop(self.rows.insert(metric_key.clone(), row.clone())),
                None => drop(self.rows.remove(metric_key)),
            }
            self.history.push(entry.clone());
        }
        self.left_out.extend(changes.left_out.clone());
        Ok(())
    }
}

/// A sink over one file, for one program at a time; several would need a lock.
struct JsonFile(PathBuf);

impl JsonFile {
    fn read(&self) -> Result<Content, SinkError> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(SinkError::store),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Content::default()),
            Err(error) => Err(SinkError::store(error)),
        }
    }

    /// Puts the new file in the place of the old one: whoever reads finds one or the other.
    fn write(&self, content: &Content) -> Result<(), SinkError> {
        let folder = self.0.parent().unwrap_or_else(|| Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(SinkError::store)?;
        serde_json::to_writer(&file, content).map_err(SinkError::store)?;
        file.as_file().sync_all().map_err(SinkError::store)?;
        file.persist(&self.0).map_err(SinkError::store)?;
        Ok(())
    }
}

impl MetricSink for JsonFile {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        let mut content = self.read()?;
        let receipt = load_into(&mut content, load, run)?;
        if run == Run::Commit {
            self.write(&content)?;
        }
        Ok(receipt)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        let mut content = self.read()?;
        let receipt = undo_in(&mut content, load_id, stamp)?;
        self.write(&content)?;
        Ok(receipt)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let of_key = |entry: &HistoryEntry| entry.metric_key() == Some(metric_key);
        Ok(self.read()?.history.into_iter().filter(of_key).collect())
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        Ok(self.read()?.left_out)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut files = 0;
    metric_sink_conformance(|| {
        files += 1;
        JsonFile(folder.path().join(format!("{files}.json")))
    });

    let mut sink = JsonFile(folder.path().join("values.json"));
    let load = sample_load(&[("kpi:a|es:town|2024-12-31|year", 7)]);
    assert_eq!(sink.load(&load, Run::Dry)?.count(Effect::Inserted), 1);
    assert!(!sink.0.exists(), "a dry run writes nothing");
    assert_eq!(sink.load(&load, Run::Commit)?.count(Effect::Inserted), 1);
    assert_eq!(sink.load(&load, Run::Commit)?.count(Effect::Unchanged), 1);
    let undone = sink.undo(load.id(), &sample_stamp())?;
    println!("{} value taken back, {} files proved", undone.removed.len(), files);
    assert_eq!(undone.removed.len(), 1);
    Ok(())
}

#[test]
fn the_sink_keeps_the_laws_of_every_sink() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
