//! A file line by line, each line one row of CSV.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv_core::ReadRecordResult;

use crate::cli::Failure;

/// The longest line that is read, in bytes; no record of a person comes near it.
pub(super) const LONGEST: usize = 1 << 20;

/// A file's lines, each split into its fields.
pub(super) struct Lines {
    file: BufReader<File>,
    parser: csv_core::Reader,
    number: u64,
    line: Vec<u8>,
    fields: Vec<u8>,
    ends: Vec<usize>,
    width: usize,
}

impl Lines {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, file),
            parser: csv_core::Reader::new(),
            number: 0,
            line: Vec::new(),
            fields: Vec::new(),
            ends: Vec::new(),
            width: 0,
        }
    }

    /// Reads the next line: nothing at the end of the file, why where it is broken.
    pub(super) fn next(&mut self, path: &Path) -> Result<Option<Result<(), String>>, Failure> {
        let cannot = |error: &std::io::Error| {
            Failure::new(format_args!("{}: cannot be read: {error}", path.display()))
        };
        self.line.clear();
        let most = LONGEST as u64 + 1;
        let file = &mut self.file;
        file.by_ref().take(most).read_until(b'\n', &mut self.line).map_err(|e| cannot(&e))?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() != Some(&b'\n') && self.line.len() > LONGEST {
            file.skip_until(b'\n').map_err(|e| cannot(&e))?;
            return Ok(Some(Err(format!(
                "the line is longer than {LONGEST} bytes; check the line breaks"
            ))));
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if std::str::from_utf8(&self.line).is_err() || self.line.contains(&0) {
            return Ok(Some(Err(
                "the text is not UTF-8 or holds a NUL; save the file as UTF-8".to_owned()
            )));
        }
        Ok(Some(self.split()))
    }

    fn split(&mut self) -> Result<(), String> {
        self.line.push(b'\n');
        // Unquoting only shortens, so the fields fit where the line fits.
        self.fields.resize(self.line.len(), 0);
        self.ends.resize(self.line.len() + 1, 0);
        // A parser that has just begun drops a byte order mark, on whatever line that is; this one never
        // has: it is handed a line break first.
        self.parser.reset();
        self.parser.read_record(b"\n", &mut [], &mut []);
        let (result, read, _, width) =
            self.parser.read_record(&self.line, &mut self.fields, &mut self.ends);
        self.width = width;
        self.line.pop();
        match result {
            ReadRecordResult::Record if read > self.line.len() => Ok(()),
            ReadRecordResult::Record => {
                Err("a carriage return stands inside the line; remove it".to_owned())
            }
            _ if self.is_blank() => Ok(()),
            _ => Err("a quote is opened and not closed; close it or double it".to_owned()),
        }
    }

    /// Returns the number of the line last read, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn is_blank(&self) -> bool {
        self.line.is_empty()
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn field(&self, at: usize) -> &str {
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        std::str::from_utf8(&self.fields[begin..self.ends[at]])
            .expect("the whole line was checked, and fields are cut at ASCII")
    }
}

impl std::fmt::Debug for Lines {
    /// Shows the place, never the content: it identifies persons.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("number", &self.number).finish_non_exhaustive()
    }
}
