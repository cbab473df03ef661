//! What stands between a file of values and those who read or write it.

use std::io;
use std::path::{Path, PathBuf};

use crate::table::TableError;

/// The reason why a file of values cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvStoreError {
    /// A file could not be read or written.
    #[error("{}: cannot be {}", path.display(), if *action == "read" { "read" } else { "written" })]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no table of values.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A line of the history beside the file cannot be read.
    #[error("{}: line {line} is no entry of the history", path.display())]
    History {
        /// The history.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A line is too long to be kept as it is.
    #[error("{}: a line is too long to be kept as it is", path.display())]
    LineTooLong {
        /// The file.
        path: PathBuf,
    },
    /// Somebody wrote the file since it was read.
    #[error("{} was changed since it was read; run again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl CsvStoreError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Io { action: "read", .. } => {
                "check the path and that you may read the file".into()
            }
            Self::Io { .. } => "choose a folder that exists and that you may write to".into(),
            Self::Table(error) => error.remedy(),
            Self::History { .. } => {
                "restore the file from a copy, or move it away to begin anew".into()
            }
            Self::LineTooLong { .. } => "take it out, or correct its quotes".into(),
            Self::Changed { .. } => "run again".into(),
        }
    }
}
