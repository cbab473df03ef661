//! A suite as the text of the file that declares it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Entry, Suite};
use crate::Severity;

impl<F: ?Sized> Suite<F> {
    /// Writes the suite as TOML, with every setting in force: what `from_toml` reads back to the same suite.
    ///
    /// Checks made in code stand by their ids; declared ones with their rules. What each expects is a comment.
    ///
    /// ```
    /// use guardrails::Suite;
    /// use guardrails::recovery::RecoveryFacts;
    ///
    /// let suite = Suite::<dyn RecoveryFacts>::recovery().only(["drain"]).unwrap();
    /// let text = suite.to_toml();
    /// assert!(text.contains("checks = [\"drain\"]") && text.contains("[check.drain]"), "{text}");
    /// ```
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let in_code: Vec<Value> = self
            .entries
            .iter()
            .filter(|entry| entry.check.describe().declaration.is_none())
            .map(|entry| entry.check.id().into())
            .collect();
        let _ = writeln!(out, "name = {}", written(&self.name.as_str().into()));
        let _ = writeln!(out, "list = {}", self.list);
        let _ = writeln!(out, "checks = {}", written(&Value::Array(in_code)));
        if let Some(kpi) = &self.kpi {
            let _ = writeln!(out, "# KPI: {}", one_line(kpi.name()));
        }
        if !self.variables.is_empty() {
            let _ = writeln!(out, "\n[vars]");
        }
        for (name, value) in &self.variables {
            let _ = writeln!(out, "{} = {}", written_key(name), written(&value.as_str().into()));
        }
        for entry in &self.entries {
            entry.print(&mut out);
        }
        out
    }
}

impl<F: ?Sized> Entry<F> {
    fn print(&self, out: &mut String) {
        let description = self.check.describe();
        let declared = description.declaration.clone().unwrap_or_default();
        let table = if declared.contains_key("sql") { "query" } else { "check" };
        let _ = writeln!(out, "\n# {}", one_line(&description.expected));
        let _ = writeln!(out, "[{table}.{}]", written_key(self.check.id()));
        let mut keys = declared;
        let settings = &self.settings;
        if let Some(thresholds) = self.thresholds(description.thresholds) {
            for (key, threshold) in [("warn", thresholds.warn), ("fail", thresholds.fail)] {
                if let Some(text) = threshold.written() {
                    keys.insert(key.to_owned(), text.into());
                }
            }
        }
        let severity = settings.severity.unwrap_or(description.severity);
        if severity != Severity::default() {
            keys.insert("severity".to_owned(), severity.to_string().into());
        }
        if !settings.tags.is_empty() {
            keys.insert("tags".to_owned(), settings.tags.clone().into());
        }
        if settings.sensitive {
            keys.insert("sensitive".to_owned(), true.into());
        }
        let limit = settings.time_limit.map(|limit| limit.as_secs_f64().into());
        for (key, value) in [
            ("owner", settings.owner.clone().map(Value::from)),
            ("expect_empty", settings.expect_empty.clone().map(Value::from)),
            ("time_limit_seconds", limit),
        ] {
            if let Some(value) = value {
                keys.insert(key.to_owned(), value);
            }
        }
        print_keys(out, &keys);
    }
}

fn print_keys(out: &mut String, keys: &Map<String, Value>) {
    for (key, value) in keys {
        let _ = writeln!(out, "{} = {}", written_key(key), written(value));
    }
}

/// A value as TOML writes it on one line; JSON's strings are TOML's basic strings.
fn written(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let keys = map.iter().map(|(key, v)| format!("{} = {}", written_key(key), written(v)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        // TOML forbids the control character DEL in a string, which JSON writes as it is.
        other => other.to_string().replace('\u{7f}', "\\u007f"),
    }
}

fn written_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { written(&key.into()) }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
