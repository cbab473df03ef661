//! What stands in a sheet of a workbook beside the values of its cells.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

/// What stands in a sheet beside the values of its cells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// The rows that are hidden or filtered out, counted from 1.
    pub(super) hidden: BTreeSet<u64>,
    /// The cells that a what-if table computes, as `G2`.
    pub(super) computed: BTreeSet<String>,
    /// The cells whose number is shown as a percentage.
    pub(super) percentages: BTreeSet<String>,
    /// The comments of people: cell and text.
    pub(super) comments: Vec<(String, String)>,
}

/// Reads a part of an archive as text.
pub(super) fn part(archive: &mut zip::ZipArchive<Cursor<&[u8]>>, path: &str) -> Option<String> {
    let mut text = String::new();
    archive.by_name(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}
