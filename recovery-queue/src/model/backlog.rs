//! The backlog: the set of leads in the red KPI.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::error::{ConfigError, StoreError};
use crate::model::key::SourcePk;
use crate::model::rejection::RejectReason;

/// One lead of a backlog.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacklogLead {
    /// The lead's key.
    pub source_pk: SourcePk,
    /// When the lead came into being; decides the order of work and the identity origin.
    pub lead_at: DateTime<Utc>,
    /// A text that changes when the lead's data changes; a change reopens a failed lead.
    pub lead_version: Option<String>,
    /// Smaller is worked on first; leads of one priority go oldest first.
    pub priority: i32,
}

impl BacklogLead {
    /// Makes a lead of priority 0 with no version.
    #[must_use]
    pub fn new(source_pk: SourcePk, lead_at: DateTime<Utc>) -> Self {
        Self { source_pk, lead_at, lead_version: None, priority: 0 }
    }

    /// Sets the version of the lead's data.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.lead_version = Some(version.into());
        self
    }

    /// Sets the priority; smaller is first.
    #[must_use]
    pub fn with_priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Says why a store cannot take the lead, whose key was checked when it was made.
    pub(crate) fn fault(&self) -> Option<RejectReason> {
        use chrono::Datelike as _;
        if self.lead_version.as_deref().is_some_and(|version| version.contains('\0')) {
            return Some(RejectReason::VersionUnreadable);
        }
        (!(1..=9999).contains(&self.lead_at.year())).then_some(RejectReason::DateOutOfRange)
    }
}

/// The name of a view or table, checked to be one or two identifiers.
///
/// ```
/// use recovery_queue::ViewName;
///
/// assert_eq!(ViewName::new("crm.lead_backlog")?.quoted(), r#""crm"."lead_backlog""#);
/// assert!(ViewName::new("leads; DROP TABLE leads").is_err());
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewName {
    schema: Option<String>,
    name: String,
}

pub(crate) fn check_identifier(what: &'static str, text: &str) -> Result<(), ConfigError> {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if starts && text.len() <= 63 && chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(ConfigError::new(
        what,
        text,
        "it is no identifier",
        "use a letter or _, then letters, digits and _, 63 at most",
    ))
}

impl ViewName {
    /// Checks `name` or `schema.name`; it is used as written, case included.
    ///
    /// # Errors
    /// A text that is not one or two identifiers is refused.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        Self::of("backlog view", text)
    }

    /// Checks the name of what is called `what` in the error.
    pub(crate) fn of(what: &'static str, text: &str) -> Result<Self, ConfigError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        if let Some(schema) = schema {
            check_identifier(what, schema)?;
        }
        check_identifier(what, name)?;
        Ok(Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }

    /// Gives the name quoted for SQL.
    #[must_use]
    pub fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", self.name),
            None => format!("\"{}\"", self.name),
        }
    }

    /// Gives the schema, where one was named.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Gives the name without its schema.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Where the leads of a backlog are read from.
#[non_exhaustive]
pub enum BacklogSource<'a> {
    /// A view or table in the store's own database, read by set-based statements.
    View(&'a ViewName),
    /// Leads that come from anywhere else, one after another.
    Rows(Box<dyn Iterator<Item = BacklogLead> + 'a>),
}

impl std::fmt::Debug for BacklogSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::View(name) => f.debug_tuple("View").field(name).finish(),
            Self::Rows(_) => f.write_str("Rows(..)"),
        }
    }
}

/// Gives the set of leads in the red KPI.
///
/// The backlog, not the queue, is the source of truth: a lead that has left it is withdrawn, a lead that
/// should have left it and has not is a leak. It is `Send` and `Sync`, since several readers of one snapshot may look at it at once.
pub trait Backlog: Send + Sync {
    /// Names the backlog; one store serves several, each under its name.
    fn name(&self) -> &str;

    /// Gives the leads as they are now; a key given twice counts once, with its oldest date.
    fn source(&self) -> BacklogSource<'_>;
}

impl<B: Backlog + ?Sized> Backlog for &B {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn source(&self) -> BacklogSource<'_> {
        (**self).source()
    }
}

impl<B: Backlog + ?Sized> Backlog for Box<B> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn source(&self) -> BacklogSource<'_> {
        (**self).source()
    }
}

impl<B: Backlog + ?Sized> Backlog for Arc<B> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn source(&self) -> BacklogSource<'_> {
        (**self).source()
    }
}

/// The leads of a backlog that comes as rows, each once.
///
/// Of two rows with one key the oldest date, the first priority and the last version hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BacklogRows {
    leads: BTreeMap<SourcePk, BacklogLead>,
    /// Leads that cannot be taken, with why not.
    rejected: BTreeMap<SourcePk, RejectReason>,
    duplicates: u64,
}

impl BacklogRows {
    /// Reads a backlog; for stores without a database.
    ///
    /// # Errors
    /// A backlog that is a view in a database.
    pub fn read(backlog: &dyn Backlog) -> Result<Self, StoreError> {
        let BacklogSource::Rows(rows) = backlog.source() else {
            return Err(StoreError::Backlog {
                backlog: backlog.name().to_owned(),
                reason: "it is a view, and this store has no database".to_owned(),
                remedy: "use a InMemoryBacklog, or a SqlStore",
            });
        };
        let (mut read, mut rejected) = (Self::default(), BTreeMap::new());
        for lead in rows {
            if let Some(reason) = lead.fault() {
                let known = rejected.entry(lead.source_pk.clone()).or_insert(reason);
                *known = reason.max(*known);
            }
            match read.leads.get_mut(&lead.source_pk) {
                None => {
                    read.leads.insert(lead.source_pk.clone(), lead);
                }
                Some(known) => {
                    read.duplicates += 1;
                    known.lead_at = known.lead_at.min(lead.lead_at);
                    known.priority = known.priority.min(lead.priority);
                    known.lead_version = known.lead_version.take().max(lead.lead_version);
                }
            }
        }
        read.rejected.extend(rejected);
        read.leads.retain(|key, _| !read.rejected.contains_key(key));
        if let (true, Some(&reason)) = (read.leads.is_empty(), read.rejected.values().next()) {
            return Err(StoreError::Backlog {
                backlog: backlog.name().to_owned(),
                reason: reason.of_leads(read.rejected.len() as u64),
                remedy: reason.remedy(),
            });
        }
        Ok(read)
    }

    /// Gives the leads that cannot be taken, in the order of their keys.
    #[must_use]
    pub fn rejected(&self) -> &BTreeMap<SourcePk, RejectReason> {
        &self.rejected
    }

    /// Counts the leads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leads.len() + self.rejected.len()
    }

    /// Says whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the rows that named a lead a second time.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Says whether a lead is in the backlog.
    #[must_use]
    pub fn contains(&self, lead: &SourcePk) -> bool {
        self.leads.contains_key(lead) || self.rejected.contains_key(lead)
    }

    /// Gives the leads that can be taken, in the order in which a store numbers them: by creation, of those created together by key.
    #[must_use]
    pub fn in_order(&self) -> Vec<&BacklogLead> {
        let mut leads: Vec<&BacklogLead> = self.leads.values().collect();
        leads.sort_by_key(|lead| lead.lead_at);
        leads
    }
}

/// A view or table of the user's in the store's own database, as a backlog.
///
/// Columns: `lead_source_pk` (text or anything that casts to it) and `lead_date` (a date, a timestamp with a
/// zone, or a text in ISO 8601 form); optional: `lead_version` (text) and `lead_priority` (integer, smaller
/// first). A timestamp without a zone is refused, for it would mean another instant on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewBacklog {
    name: String,
    view: ViewName,
}

impl ViewBacklog {
    /// Makes a backlog named after its view.
    ///
    /// # Errors
    /// A text that is no identifier is refused.
    pub fn new(view: &str) -> Result<Self, ConfigError> {
        Ok(Self { name: view.to_owned(), view: ViewName::new(view)? })
    }

    /// Gives the backlog a name of its own, so that the view may be renamed.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Backlog for ViewBacklog {
    fn name(&self) -> &str {
        &self.name
    }

    fn source(&self) -> BacklogSource<'_> {
        BacklogSource::View(&self.view)
    }
}

/// A backlog in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InMemoryBacklog {
    name: String,
    /// The leads.
    pub leads: Vec<BacklogLead>,
}

impl InMemoryBacklog {
    /// Makes a backlog of these leads.
    pub fn new(name: impl Into<String>, leads: impl IntoIterator<Item = BacklogLead>) -> Self {
        Self { name: name.into(), leads: leads.into_iter().collect() }
    }
}

impl Backlog for InMemoryBacklog {
    fn name(&self) -> &str {
        &self.name
    }

    fn source(&self) -> BacklogSource<'_> {
        BacklogSource::Rows(Box::new(self.leads.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_identifier_is_refused_with_the_remedy() {
        for text in ["", "1a", "a b", "a.b.c", "a\"b", "a;b", "ñ", &"x".repeat(64)] {
            let error = ViewName::new(text).unwrap_err();
            assert!(error.to_string().contains("identifier"), "{error}");
        }
    }
}
