//! The flags that `keys` and `decide` must be given alike.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use identity_matching::index::Seal;
use identity_matching::{Normaliser, Policy, Region};

use super::{Format, SecretArgs};
use crate::cli::{Console, Failure};
use crate::people;

/// How rows travel, and how values are read, looked up and sealed.
#[derive(Clone, Debug, clap::Args)]
pub struct ReadingArgs {
    /// How rows are read and written.
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    pub format: Format,
    #[command(flatten)]
    secret: SecretArgs,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    region: Region,
    /// The policy, as TOML or JSON (left out: the default); records are read for the columns of its own kinds, too.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Prints no messages on stderr; errors and refused rows still appear.
    #[arg(long, short)]
    quiet: bool,
}

impl ReadingArgs {
    /// Begins to speak.
    #[must_use]
    pub fn console(&self) -> Console {
        Console::new(self.quiet)
    }

    /// Reads the policy, what it says of reading values, and the secret.
    ///
    /// # Errors
    ///
    /// A policy or a secret that cannot be read.
    pub fn open(&self) -> Result<(Policy, Normaliser, Seal), Failure> {
        let policy = people::read_policy(self.policy.as_ref())?;
        let normaliser = people::read_by(&policy, self.region)?;
        Ok((policy, normaliser, self.secret.seal()?))
    }
}
