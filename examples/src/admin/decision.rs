//! Flags of the levers that change something: who decides and why, and what is kept.

use std::time::Duration;

use clap::Args;
use recovery_queue::{Decider, Retention};

/// Who decides, and why; both are kept.
#[derive(Debug, Args)]
pub struct Decision {
    /// Who decides.
    #[arg(long, env = "USER", default_value = "queue_admin", value_name = "NAME")]
    pub by: String,
    /// Why; a dry run needs none.
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "dry_run",
        default_value_if("dry_run", "true", "a dry run")
    )]
    pub why: Option<String>,
}

impl Decision {
    /// Names who decides, and why.
    #[must_use]
    pub fn decider(&self) -> Decider<'_> {
        Decider { by: &self.by, reason: self.why.as_deref().unwrap_or("a dry run") }
    }
}

/// How many days of each are kept; what is left out is kept for ever.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Ages {
    /// Withdrawn leads.
    #[arg(long, value_name = "DAYS")]
    pub withdrawn: Option<u32>,
    /// The evidence of matched leads.
    #[arg(long, value_name = "DAYS")]
    pub evidence: Option<u32>,
    /// Links that were undone, origins that were replaced, and changes by hand.
    #[arg(long, value_name = "DAYS")]
    pub history: Option<u32>,
    /// Runs.
    #[arg(long, value_name = "DAYS")]
    pub runs: Option<u32>,
}

impl Ages {
    /// Gives what is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        let age =
            |days: Option<u32>| days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        let mut kept = Retention::new();
        kept.withdrawn = age(self.withdrawn);
        kept.evidence = age(self.evidence);
        kept.history = age(self.history);
        kept.runs = age(self.runs);
        kept
    }
}

/// What is to be removed, by whom and why.
#[derive(Debug, Args)]
pub struct Prune {
    /// The ages.
    #[command(flatten)]
    pub ages: Ages,
    /// Who decides.
    #[command(flatten)]
    pub decision: Decision,
}
