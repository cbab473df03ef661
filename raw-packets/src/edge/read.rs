//! Reads a folder of returned packets, within limits.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::EdgeError;
use crate::check::ReturnedFile;
use crate::package::GUIDES;
use crate::read::NotRead;

/// The most bytes of a descriptor: those of a hundred thousand packets.
const MAX_DESCRIPTOR: u64 = 1 << 30;

/// The limits of what is read from a folder.
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

/// Reads the returned packets of a folder: every file in it, by whatever name it came back.
///
/// What a file is, is told by its content when it is checked. What cannot be read, a folder, a link, a file
/// that is too large, is named in its place and never a reason to refuse the others. Where the descriptor
/// that [`write_packets`](super::write_packets) wrote lies in the folder, it says which packet was issued
/// under which name, so that a stale one is noticed.
///
/// What an export wrote beside the packets, hidden files and those that systems leave are passed over. More
/// files than `limits` allow are refused whole.
pub fn read_packets(dir: &Path, limits: ReadLimits) -> Result<Vec<ReturnedFile>, EdgeError> {
    let mut issued = issued(dir)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(EdgeError::io("read", dir))? {
        let entry = entry.map_err(EdgeError::io("read", dir))?;
        // A name in another encoding is shown with marks in the place of its letters.
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_no_ones_work(&name) {
            continue;
        }
        if files.len() == limits.files {
            return Err(EdgeError::TooManyFiles { path: dir.to_owned(), limit: limits.files });
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(EdgeError::io("read", &path))?;
        let mut file = if kind.is_symlink() {
            ReturnedFile::not_read(name, NotRead::Symlink)
        } else if kind.is_dir() {
            ReturnedFile::not_read(name, NotRead::Folder)
        } else {
            read_file(&path, name, limits)?
        };
        file.packet_id = issued.remove(&file.name).and_then(|issued| issued.packet_id);
        files.push(file);
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    tracing::info!(name: "raw_packets.read", files = files.len());
    Ok(files)
}

fn read_file(path: &Path, name: String, limits: ReadLimits) -> Result<ReturnedFile, EdgeError> {
    let limit = limits.bytes_per_file;
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(ReturnedFile::not_read(name, NotRead::NoPermission));
        }
        file => file.map_err(EdgeError::io("read", path))?,
    };
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large, even one that grows meanwhile.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(EdgeError::io("read", path))?;
    Ok(if bytes.len() as u64 > limit {
        ReturnedFile::not_read(name, NotRead::TooLarge { limit })
    } else {
        ReturnedFile::new(name, bytes)
    })
}

/// What the descriptor of a folder says of one file in it.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    /// The id of the packet that was issued under the name.
    pub(super) packet_id: Option<String>,
    /// The hash of the file as it was written.
    pub(super) hash: Option<String>,
}

/// Reads what was issued by file name, as the descriptor in a folder says; nothing without one.
///
/// What is no descriptor says nothing: whoever returns packets need not return it.
pub(super) fn issued(dir: &Path) -> Result<BTreeMap<String, Issued>, EdgeError> {
    #[derive(serde::Deserialize)]
    struct Descriptor {
        resources: Vec<Resource>,
    }
    #[derive(serde::Deserialize)]
    struct Resource {
        path: Option<serde_json::Value>,
        #[serde(rename = "packetId")]
        packet_id: Option<String>,
        hash: Option<String>,
    }
    let path = dir.join("datapackage.json");
    if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
        return Ok(BTreeMap::new());
    }
    let file = fs::File::open(&path).map_err(EdgeError::io("read", &path))?;
    let descriptor: Result<Descriptor, _> =
        serde_json::from_reader(io::BufReader::new(file.take(MAX_DESCRIPTOR)));
    let resources = descriptor.map(|descriptor| descriptor.resources).unwrap_or_default();
    let of = |resource: Resource| {
        let path = resource.path?.as_str()?.to_owned();
        Some((path, Issued { packet_id: resource.packet_id, hash: resource.hash }))
    };
    Ok(resources.into_iter().filter_map(of).collect())
}

/// Says whether a name is one that an export, an office program or a system leaves beside the packets.
fn is_no_ones_work(name: &str) -> bool {
    let own = ["datapackage.json", "return.datapackage.json", super::PACKAGE];
    let systems = ["thumbs.db", "desktop.ini", "icon\r", "__macosx", "ehthumbs.db"];
    own.contains(&name)
        || GUIDES.iter().any(|(_, guide)| *guide == name)
        || systems.contains(&name.to_lowercase().as_str())
        || name.starts_with('.')
        || name.starts_with("~$")
}
