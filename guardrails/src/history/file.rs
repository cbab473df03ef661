//! A history on disk: this module does the I/O.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{History, HistoryError, SuiteRecord};
use crate::SuiteReport;

/// The reason why a history on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryFileError {
    /// The file cannot be read or written: check path and rights.
    #[error("{path}: the history cannot be {doing}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done: `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A line of the file is not a record.
    #[error("{path}: the history cannot be read")]
    Content {
        /// The file.
        path: PathBuf,
        /// Which line, and why.
        source: HistoryError,
    },
}

fn io_error<'a>(
    path: &'a Path,
    doing: &'static str,
) -> impl Fn(io::Error) -> HistoryFileError + 'a {
    move |source| HistoryFileError::Io { path: path.to_owned(), doing, source }
}

/// Reads a history; a file that is not there is an empty one.
pub fn read(path: &Path) -> Result<History, HistoryFileError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io_error(path, "read")(error)),
    };
    History::from_lines(&text)
        .map_err(|source| HistoryFileError::Content { path: path.to_owned(), source })
}

/// Appends a report as one line, in one write; the line is on disk when the function returns.
///
/// A last line that a stopped writer left unfinished is removed first, so that nothing is glued to it.
pub fn append(path: &Path, report: &SuiteReport) -> Result<(), HistoryFileError> {
    let written = io_error(path, "written");
    let open = OpenOptions::new().create(true).append(true).read(true).open(path);
    let mut file = open.map_err(&written)?;
    let mut line = SuiteRecord::of(report).to_line();
    if unended(&mut file).map_err(&written)? {
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(&written)
}

/// Removes what lies after the last line break unless it is a whole record; returns whether it is.
fn unended(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    let mut start = length;
    // A record has some hundred bytes, so one step nearly always reaches the last line break.
    while start > 0 && !tail.contains(&b'\n') {
        start = start.saturating_sub(16 * 1024);
        file.seek(SeekFrom::Start(start))?;
        tail.clear();
        file.take(length - start).read_to_end(&mut tail)?;
    }
    let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let last = &tail[end..];
    if last.is_empty() || serde_json::from_slice::<SuiteRecord>(last).is_ok() {
        return Ok(!last.is_empty());
    }
    file.set_len(length - last.len() as u64)?;
    Ok(false)
}

/// Trims a history on disk as [`History::trim`] does and returns how many records were removed.
///
/// The file is replaced as a whole, by a rename. Let nobody append meanwhile: what is appended
/// between the read and the rename is lost.
pub fn trim(path: &Path, keep: usize) -> Result<usize, HistoryFileError> {
    let mut history = read(path)?;
    let removed = history.trim(keep);
    if removed > 0 {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".trimmed");
        let trimmed = path.with_file_name(name);
        let write = || -> io::Result<()> {
            let mut file = File::create(&trimmed)?;
            file.write_all(history.to_lines().as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&trimmed, path)
        };
        write().map_err(io_error(path, "written"))?;
    }
    Ok(removed)
}
