//! The list of who may decide leads by hand.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use clap::Subcommand;
use recovery_queue::{ReviewStore as _, SqlStore};
use serde_json::json;

use super::answer::{Answer, counted};
use super::decision::Decision;
use super::in_one;
use crate::cli::{Exit, Failure};

/// What is done with the list of who may decide.
#[derive(Debug, Subcommand)]
pub enum Reviewer {
    /// Puts names on the list.
    Add {
        /// The names.
        #[arg(required = true)]
        names: Vec<String>,
        /// Who decides, and why.
        #[command(flatten)]
        decision: Decision,
    },
    /// Takes names off the list; what they decided stays. The last one stays too: an empty list lets anybody decide.
    Remove {
        /// The names.
        #[arg(required = true)]
        names: Vec<String>,
        /// Who decides, and why.
        #[command(flatten)]
        decision: Decision,
        /// Takes the last name off as well, so that anybody may decide.
        #[arg(long)]
        anybody: bool,
    },
    /// Lists the names, and how the list came about.
    List,
}

/// Lists the names, or changes the list.
///
/// # Errors
///
/// A name that is not on the list, the last one without `--anybody`, and the database's.
pub fn reviewers(
    store: &mut SqlStore,
    change: &Reviewer,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let (names, decision, may_decide, anybody) = match change {
        Reviewer::Add { names, decision } => (names, decision, true, true),
        Reviewer::Remove { names, decision, anybody } => (names, decision, false, *anybody),
        Reviewer::List => {
            let (names, history) = (store.reviewers()?, store.reviewer_changes()?);
            answer.console.json(&json!({ "reviewers": names, "history": history }))?;
            if answer.writes_text() {
                let who = if names.is_empty() { "anybody".to_owned() } else { names.join(", ") };
                answer.console.data(format_args!("who may decide: {who}"))?;
                for row in history {
                    answer.console.data(format_args!(
                        "  {} {} {} by {}: {}",
                        row.changed_at.format("%Y-%m-%d %H:%M UTC"),
                        row.name,
                        if row.may_decide { "added" } else { "removed" },
                        row.changed_by,
                        row.reason,
                    ))?;
                }
            }
            return Ok(Exit::Done);
        }
    };
    let count = in_one(store, answer.is_dry(), |store| {
        let before = store.reviewers()?;
        let unknown = names.iter().find(|name| !may_decide && !before.contains(name));
        if let Some(name) = unknown {
            return Err(Failure::new(format_args!(
                "{name} is not on the list; nothing was changed"
            ))
            .remedy("`queue_admin reviewer list` shows the names as they are written"));
        }
        let mut count = 0;
        for name in names {
            count += u64::from(store.set_reviewer(name, may_decide, decision.decider())?);
        }
        if !anybody && store.reviewers()?.is_empty() {
            return Err(Failure::new(
                "with nobody on the list anybody may decide; nothing was changed",
            )
            .remedy("add somebody first, or give --anybody if that is meant"));
        }
        Ok(count)
    })?;
    let what = if may_decide { "put on the list" } else { "taken off the list" };
    answer.done(&format!("{} {what}", counted(count, "name")), json!({ "changed": count }))
}
