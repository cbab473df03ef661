//! How a lever answers: one line or a list on stdout, and JSON where `--json` asks for it.

use std::path::Path;

use serde_json::Value;

use crate::cli::{Common, Console, Exit, Failure};

/// The answer of one lever.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Where it is written.
    pub console: &'a Console,
    dry_run: bool,
    writes_text: bool,
}

impl<'a> Answer<'a> {
    /// Makes the answer of a command line.
    #[must_use]
    pub fn new(common: &Common, console: &'a Console, dry_run: bool) -> Self {
        let writes_text = common.json.as_deref() != Some(Path::new("-"));
        Self { console, dry_run, writes_text }
    }

    /// Tells whether what is done is taken back.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// Tells whether stdout is free for text.
    #[must_use]
    pub fn writes_text(&self) -> bool {
        self.writes_text
    }

    /// Prints the one line of a result, and its JSON.
    ///
    /// # Errors
    ///
    /// What cannot be written.
    pub fn done(&self, words: &str, mut found: Value) -> Result<Exit, Failure> {
        found["dry_run"] = self.dry_run.into();
        self.console.json(&found)?;
        if self.writes_text {
            let dry = if self.dry_run { "dry run, nothing changed: " } else { "" };
            self.console.data(format_args!("{dry}{words}"))?;
        }
        Ok(Exit::Done)
    }
}

/// Names a count, such as `1 lead` and `2 leads`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
