//! Reads a folder of returned packets, within limits.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::EdgeError;
use crate::check::ReturnedFile;

/// The most bytes of a descriptor: those of a hundred thousand packets.
const MAX_DESCRIPTOR: u64 = 1 << 30;

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

/// Reads the returned packets of a folder: its `.csv`, `.tsv`, `.txt` and `.xlsx` files, and those of
/// other spreadsheet forms, so that the check can say what is wrong with them.
///
/// Where the descriptor that [`write_packets`](super::write_packets) wrote lies in the folder, it says
/// which packet was issued under which name, so that a stale one is noticed.
///
/// Folders within it, hidden files, lock files of spreadsheets and other kinds of files are not read.
/// Symbolic links are refused, since they could lead anywhere. What is read is at most as much as
/// `limits` allow; beyond, the folder is refused whole.
pub fn read_packets(dir: &Path, limits: ReadLimits) -> Result<Vec<ReturnedFile>, EdgeError> {
    let mut issued = issued_ids(dir)?;
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
        let mut file = ReturnedFile::new(name, bytes);
        file.packet_id = issued.remove(&file.name);
        files.push(file);
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    tracing::info!(name: "raw_packets.read", files = files.len());
    Ok(files)
}

/// Reads the ids of the packets by file name, as the descriptor in a folder says; none without one.
///
/// What is no descriptor says nothing: whoever returns packets need not return it.
pub(super) fn issued_ids(dir: &Path) -> Result<BTreeMap<String, String>, EdgeError> {
    #[derive(serde::Deserialize)]
    struct Descriptor {
        resources: Vec<Resource>,
    }
    #[derive(serde::Deserialize)]
    struct Resource {
        path: serde_json::Value,
        #[serde(rename = "packetId")]
        packet_id: Option<String>,
    }
    let path = dir.join("datapackage.json");
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return Ok(BTreeMap::new());
    }
    let file = fs::File::open(&path).map_err(EdgeError::io("read", &path))?;
    let descriptor: Result<Descriptor, _> =
        serde_json::from_reader(io::BufReader::new(file.take(MAX_DESCRIPTOR)));
    let resources = descriptor.map(|descriptor| descriptor.resources).unwrap_or_default();
    let id_of =
        |resource: Resource| Some((resource.path.as_str()?.to_owned(), resource.packet_id?));
    Ok(resources.into_iter().filter_map(id_of).collect())
}

fn is_packet_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
    let hidden = name.starts_with('.') || name.starts_with("~$");
    !hidden
        && matches!(
            extension.as_deref(),
            Some("csv" | "tsv" | "txt" | "xlsx" | "xls" | "xlsm" | "ods" | "numbers")
        )
}
