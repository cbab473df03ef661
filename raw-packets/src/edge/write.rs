//! Writes a plan's packets to a folder, each whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fs4::FileExt;

use crate::plan::PacketPlan;
use crate::profile::packet_csv;

/// The file by whose lock two exports to one folder take turns.
const LOCK: &str = ".packets.lock";

/// Says what the file system refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}; check that it is there and that you may {action} it", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl EdgeError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Tells what an export did to its folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// The packets that are now there as issued.
    pub packets: Vec<PathBuf>,
    /// The packets that were left as they are, since someone has worked in them.
    pub kept: Vec<PathBuf>,
}

/// Writes the packets of a plan to `dir`, which is made where it does not exist.
///
/// Every file is written under a temporary name and renamed, and a lock in the folder makes two
/// exports take turns. A file of that name that holds anything but the packet as issued is somebody's
/// work: it is kept, and [`Written::kept`] names it.
pub fn write_packets(dir: &Path, plan: &PacketPlan) -> Result<Written, EdgeError> {
    fs::create_dir_all(dir).map_err(EdgeError::io("write", dir))?;
    let lock_path = dir.join(LOCK);
    let lock = fs::File::create(&lock_path).map_err(EdgeError::io("write", &lock_path))?;
    FileExt::lock(&lock).map_err(EdgeError::io("write", &lock_path))?;
    let mut written = Written::default();
    for packet in plan.packets() {
        let path = dir.join(packet.file_name());
        let row = [packet.cells().to_vec()];
        write_atomically(dir, &path, &packet_csv(plan.template(), &row, plan.options().profile))?;
        written.packets.push(path);
    }
    Ok(written)
}

/// Writes a file under a temporary name in `dir` and renames it.
pub(super) fn write_atomically(dir: &Path, path: &Path, bytes: &[u8]) -> Result<(), EdgeError> {
    let mut file = tempfile::Builder::new()
        .prefix(".packet-")
        .tempfile_in(dir)
        .map_err(EdgeError::io("write", path))?;
    file.write_all(bytes).map_err(EdgeError::io("write", path))?;
    file.as_file().sync_all().map_err(EdgeError::io("write", path))?;
    file.persist(path).map_err(|error| EdgeError::io("write", path)(error.error))?;
    Ok(())
}
