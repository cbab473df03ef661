//! Writes a plan's packets to a folder, each whole or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs4::FileExt;

use super::EdgeError;
use crate::check::{CheckOptions, ReturnedFile};
use crate::finding::PacketStatus;
use crate::plan::PacketPlan;

/// The file by whose lock two exports to one folder take turns.
const LOCK: &str = ".packets.lock";

/// Tells what an export did to its folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// The packets that are now there as issued.
    pub packets: Vec<PathBuf>,
    /// The packets that were left as they are, since someone has worked in them.
    pub kept: Vec<PathBuf>,
}

/// Writes the packets of a plan to `dir`, which is made where it does not exist, and beside them what
/// makes the folder a Data Package 2.0.
///
/// Every file is written under a temporary name and renamed, and a lock in the folder makes two
/// exports take turns. A file of a packet's name in which anything was filled in is somebody's work: it
/// is kept, and [`Written::kept`] names it.
pub fn write_packets(dir: &Path, plan: &PacketPlan) -> Result<Written, EdgeError> {
    fs::create_dir_all(dir).map_err(EdgeError::io("write", dir))?;
    let lock_path = dir.join(LOCK);
    let lock = fs::File::create(&lock_path).map_err(EdgeError::io("write", &lock_path))?;
    FileExt::lock(&lock).map_err(EdgeError::io("write", &lock_path))?;
    let work = somebodys_work(dir, plan)?;
    let mut written = Written::default();
    for packet in plan.packets() {
        let path = dir.join(packet.file_name());
        if work.contains(packet.file_name()) {
            written.kept.push(path);
        } else {
            write_atomically(&path, &plan.issued_file(packet).bytes)?;
            written.packets.push(path);
        }
    }
    for file in plan.data_package() {
        write_atomically(&dir.join(file.path), &file.bytes)?;
    }
    tracing::info!(
        name: "raw_packets.written",
        packets = written.packets.len(),
        kept = written.kept.len(),
    );
    Ok(written)
}

/// Returns the names of the files that stand where packets go and in which somebody has worked.
fn somebodys_work(dir: &Path, plan: &PacketPlan) -> Result<BTreeSet<String>, EdgeError> {
    let mut standing = Vec::new();
    for packet in plan.packets() {
        let path = dir.join(packet.file_name());
        match fs::read(&path) {
            Ok(bytes) => standing.push(ReturnedFile::new(packet.file_name(), bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(EdgeError::io("read", &path)(error)),
        }
    }
    let mut work: BTreeSet<String> = standing.iter().map(|file| file.name.clone()).collect();
    for packet in plan.check(&standing, CheckOptions::default()).packets() {
        if packet.status() == PacketStatus::EmptyPacket {
            work.remove(packet.file());
        }
    }
    Ok(work)
}

/// Writes a file under a temporary name in its folder and renames it.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EdgeError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(EdgeError::io("write", dir))?;
    let mut file = tempfile::Builder::new()
        .prefix(".packet-")
        .tempfile_in(dir)
        .map_err(EdgeError::io("write", path))?;
    file.write_all(bytes).map_err(EdgeError::io("write", path))?;
    // The temporary file is its owner's alone; a packet is for others to fill in.
    widen(file.path()).map_err(EdgeError::io("write", path))?;
    file.as_file().sync_all().map_err(EdgeError::io("write", path))?;
    file.persist(path).map_err(|error| EdgeError::io("write", path)(error.error))?;
    Ok(())
}

/// Gives a file the mode that a plainly created one has.
#[cfg(unix)]
fn widen(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn widen(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
