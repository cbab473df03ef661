//! Writing a file as a whole or not at all.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::CsvStoreError;

/// How the names of files begin that are being written.
const PARTIAL: &str = ".partial-";

/// Replaces a file under a temporary name beside it; a reader sees the old content or the new.
///
/// A symbolic link stays, and the file that it leads to is replaced. A file that is replaced keeps its mode, a new one gets
/// `mode`.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CsvStoreError> {
    let io = |error| CsvStoreError::io("write", path)(error);
    let place = target(path);
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(io)?;
    let mut file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    give_mode(file.path(), &place, mode).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(&place).map_err(|error| io(error.error))?;
    Ok(())
}

/// Follows symbolic links to the place that is to be written, which may be yet to be.
fn target(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..MOST {
        let Ok(link) = fs::read_link(&place) else { break };
        place = place.parent().unwrap_or(Path::new("")).join(link);
    }
    place
}

#[cfg(unix)]
fn give_mode(partial: &Path, replaced: &Path, new: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(replaced).map_or(new, |old| old.permissions().mode() & 0o777);
    fs::set_permissions(partial, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn give_mode(_partial: &Path, _replaced: &Path, _new: u32) -> std::io::Result<()> {
    Ok(())
}
