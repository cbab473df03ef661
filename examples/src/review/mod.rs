//! The human loop: leads that the matcher may not decide go out to people, and come back as decisions.
//!
//! `recovery-queue` keeps who was asked what, and applies what was decided; `raw-packets` writes and checks the files, by a
//! template like any other. Here the two are joined: what a case shows, and what a row of a packet means.

mod cases;
mod claims;
mod digest;
mod export;
mod issued;
mod learn;
mod load;
mod shown;
mod unreadable;

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::Args;
use identity_matching::{DeterministicMatcher, Normaliser, Policy, Region};
use indicatif::ProgressBar;
use raw_packets::Template;

use crate::cli::Failure;
use crate::people;
use crate::service::{Database, MapArgs};

pub use cases::{Candidate, Case, CaseReader};
pub use claims::{Claimed, claims, undo};
pub use export::{ExportArgs, Exported, export};
pub use learn::{Judged, Truth, learn, truth};
pub use load::{LoadArgs, Loaded, load};
pub use unreadable::{Unreadable, UnreadableReader, correction_template};

/// Which leads and persons, and how they are read.
#[derive(Clone, Debug, Args)]
pub struct Reading {
    /// Tables of the operator's.
    #[command(flatten)]
    pub map: MapArgs,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    pub region: Region,
    /// The matching policy, as TOML or JSON (left out: the default).
    #[arg(long, value_name = "FILE")]
    pub policy: Option<std::path::PathBuf>,
}

impl Reading {
    /// Reads the policy, and makes what reads records by it.
    ///
    /// # Errors
    ///
    /// A policy that cannot be read.
    pub fn policy(&self) -> Result<(Policy, Normaliser), Failure> {
        let policy = people::read_policy(self.policy.as_ref())?;
        let normaliser = people::read_by(&policy, self.region)?;
        Ok((policy, normaliser))
    }

    /// Makes what judges the cases: an index of all persons, and the policy.
    ///
    /// # Errors
    ///
    /// The database's, and a policy that cannot be read.
    pub fn cases(&self, service: &mut Database) -> Result<CaseReader, Failure> {
        let (policy, normaliser) = self.policy()?;
        let secret = service.wake_secret()?;
        let (index, _) = service.index(&normaliser, &ProgressBar::hidden())?;
        let matcher = DeterministicMatcher::new(Arc::new(index), normaliser, policy)?;
        Ok(CaseReader::new(matcher, secret))
    }
}

/// Returns what a review packet asks for.
///
/// # Panics
///
/// Never: the shipped template is valid, as a test proves.
#[must_use]
pub fn template() -> Template {
    include_str!("template.json").parse().expect("the shipped template is valid, as a test proves")
}

/// Counts things by a name, in the order of the names.
pub(crate) fn count_by<K: Ord>(items: impl IntoIterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_one_of_rows() {
        assert!(super::template().is_of_rows());
    }
}
