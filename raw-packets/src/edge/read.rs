//! Reads a folder of returned packets, within limits.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::EdgeError;
use crate::check::ReturnedFile;

/// Bounds what is read from a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadLimits {
    /// The most files.
    pub files: usize,
    /// The most bytes of one file; a packet has a few thousand.
    pub bytes_per_file: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { files: 100_000, bytes_per_file: 16 << 20 }
    }
}

/// Reads the returned packets of a folder: its `.csv`, `.tsv`, `.txt` and `.xlsx` files.
///
/// Folders within it, hidden files, lock files of spreadsheets and other kinds of files are not read.
/// Symbolic links are refused, since they could lead anywhere. What is read is at most as much as
/// `limits` allow; beyond, the folder is refused whole.
pub fn read_packets(dir: &Path, limits: ReadLimits) -> Result<Vec<ReturnedFile>, EdgeError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(EdgeError::io("read", dir))? {
        let entry = entry.map_err(EdgeError::io("read", dir))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            return Err(EdgeError::Name { path });
        };
        if !is_packet_name(&name) {
            continue;
        }
        let kind = entry.file_type().map_err(EdgeError::io("read", &path))?;
        if kind.is_symlink() {
            return Err(EdgeError::Symlink { path });
        }
        if !kind.is_file() {
            continue;
        }
        if files.len() == limits.files {
            return Err(EdgeError::TooManyFiles { path: dir.to_owned(), limit: limits.files });
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).map_err(EdgeError::io("read", &path))?;
        // One byte more than allowed tells a file that is too large, even one that grows meanwhile.
        file.take(limits.bytes_per_file.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(EdgeError::io("read", &path))?;
        if bytes.len() as u64 > limits.bytes_per_file {
            return Err(EdgeError::FileTooLarge { path, limit: limits.bytes_per_file });
        }
        files.push(ReturnedFile { name, bytes });
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    tracing::info!(name: "raw_packets.read", files = files.len());
    Ok(files)
}

fn is_packet_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    let hidden = name.starts_with('.') || name.starts_with("~$");
    !hidden && matches!(extension.as_deref(), Some("csv" | "tsv" | "txt" | "xlsx"))
}
