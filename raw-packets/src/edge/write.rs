//! Writes a plan's packets to a folder, each whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use fs4::FileExt;

use super::EdgeError;
use super::read::{Issued, ReadLimits, issued};
use crate::digest::sha256;
use crate::plan::PacketPlan;

/// The file by whose lock two exports to one folder take turns.
const LOCK: &str = ".packets.lock";

/// How the names of files begin that are being written.
const PARTIAL: &str = ".packet-";

/// The result of an export to a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// The packets that are now there as issued.
    pub packets: Vec<PathBuf>,
    /// The packets that were left as they are, for they are not as an export wrote them.
    pub kept: Vec<PathBuf>,
}

/// Writes the packets of a plan to `dir`, which is made where it does not exist, and beside them what
/// makes the folder a Data Package 2.0, and a text that tells people how to fill them in.
///
/// Every file is written under a temporary name and renamed, and a lock in the folder makes two
/// exports take turns; what an export that was cut off left under temporary names is removed.
///
/// A file of a packet's name that is not byte for byte as an export wrote it may be somebody's work, wherever
/// in it they typed: it is kept, and [`Written::kept`] names it. To have it issued anew, take it away.
pub fn write_packets(dir: &Path, plan: &PacketPlan) -> Result<Written, EdgeError> {
    fs::create_dir_all(dir).map_err(EdgeError::io("write", dir))?;
    let lock_path = dir.join(LOCK);
    // Never cut short what stands there: it may be a link to something else.
    let lock = fs::File::options().create(true).truncate(false).write(true).open(&lock_path);
    let lock = lock.map_err(EdgeError::io("write", &lock_path))?;
    FileExt::lock(&lock).map_err(EdgeError::io("write", &lock_path))?;
    let package = dir.join(super::PACKAGE);
    refuse_link(&package)?;
    sweep(dir)?;
    sweep(&package)?;
    let issued_before = issued(dir)?;
    let work = touched(dir, plan, &issued_before)?;
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
    // A file that is kept is of the issue that it was of.
    let package = plan.data_package_of(|packet| {
        let kept = work.contains(packet.file_name());
        if kept {
            issued_before.get(packet.file_name()).and_then(|issued| issued.packet_id.clone())
        } else {
            Some(packet.id().to_owned())
        }
    });
    for file in package {
        write_atomically(&dir.join(file.path), &file.bytes)?;
    }
    for file in plan.guides() {
        write_atomically(&dir.join(file.path), &file.bytes)?;
    }
    tracing::info!(
        name: "raw_packets.written",
        packets = written.packets.len(),
        kept = written.kept.len(),
    );
    Ok(written)
}

/// Refuses a symbolic link where a file or folder is to be written: it could lead anywhere.
fn refuse_link(path: &Path) -> Result<(), EdgeError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(EdgeError::Symlink { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Removes what an export that was cut off left under temporary names; the lock says that none goes on.
fn sweep(dir: &Path) -> Result<(), EdgeError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(EdgeError::io("read", dir))?,
    };
    for entry in entries {
        let entry = entry.map_err(EdgeError::io("read", dir))?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_file(entry.path()).map_err(EdgeError::io("write", &entry.path()))?;
        }
    }
    Ok(())
}

/// Reads a file, or as much of it as tells that it is no packet.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = ReadLimits::default().bytes_per_file.saturating_add(1);
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the names of the files that stand where packets go and are not as an export wrote them.
fn touched(
    dir: &Path,
    plan: &PacketPlan,
    issued: &BTreeMap<String, Issued>,
) -> Result<BTreeSet<String>, EdgeError> {
    let mut touched = BTreeSet::new();
    for packet in plan.packets() {
        let name = packet.file_name();
        let path = dir.join(name);
        refuse_link(&path)?;
        let bytes = match read_bounded(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            bytes => bytes.map_err(EdgeError::io("read", &path))?,
        };
        let as_written = issued.get(name).and_then(|issued| issued.hash.as_deref());
        let untouched = as_written == Some(&format!("sha256:{}", sha256(&bytes)))
            // An export that was cut off wrote packets before it wrote the descriptor.
            || bytes == plan.issued_file(packet).bytes;
        if !untouched {
            touched.insert(name.to_owned());
        }
    }
    Ok(touched)
}

/// Writes a file under a temporary name in its folder and renames it.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EdgeError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(EdgeError::io("write", dir))?;
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
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
