//! Files that are either whole or not there.

use std::fmt::Display;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// A file that is written under a temporary name beside its place and appears there only when committed.
///
/// A reader sees the old content or the new, never a part; two writers do not mix; dropped without
/// [`commit`](Self::commit) it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    partial: BufWriter<tempfile::NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file; missing parent folders are made.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, named, with the remedy.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        if path.is_dir() {
            return Err(unwritable(path, &"it is a folder"));
        }
        let folder = create_parent(path)?;
        let partial = tempfile::Builder::new()
            .prefix(".partial-")
            .tempfile_in(folder)
            .map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), partial: BufWriter::new(partial) })
    }

    /// Puts the file in its place, on the disk.
    ///
    /// # Errors
    ///
    /// The disk's; the old content stays then.
    pub fn commit(self) -> Result<(), Failure> {
        let Self { path, partial } = self;
        let cannot = |error: &dyn Display| unwritable(&path, error);
        let partial = partial.into_inner().map_err(|error| cannot(error.error()))?;
        // The temporary file is readable by its owner alone; what a runner writes is read by others.
        widen(partial.path()).map_err(|error| cannot(&error))?;
        partial.as_file().sync_all().map_err(|error| cannot(&error))?;
        partial.persist(&path).map_err(|error| cannot(&error.error))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.partial.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.partial.flush()
    }
}

/// Makes the folder that a file is to lie in, and returns it.
///
/// # Errors
///
/// A folder that cannot be made, named with the file and the remedy.
pub fn create_parent(path: &Path) -> Result<&Path, Failure> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|error| unwritable(path, &error))?;
    Ok(folder)
}

/// Writes a whole file at once, as [`AtomicFile`] does.
///
/// # Errors
///
/// Those of [`AtomicFile`].
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), Failure> {
    write_with(path, |file| file.write_all(content))
}

/// As [`write_atomic`], for content that is streamed by `fill` rather than held in memory.
///
/// # Errors
///
/// Those of [`AtomicFile`]; what `fill` returns is told as an error of this file.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut AtomicFile) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let mut whole = AtomicFile::create(path)?;
    fill(&mut whole).map_err(|error| unwritable(path, &error))?;
    whole.commit()
}

fn unwritable(path: &Path, why: &dyn Display) -> Failure {
    Failure::new(format_args!("{}: cannot be written: {why}", path.display()))
        .remedy("choose a folder that exists and that you may write to")
}

/// Gives the file the mode that a plainly created file has here.
#[cfg(unix)]
fn widen(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn widen(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Opens a file for reading, or says which one is missing and what to do.
///
/// # Errors
///
/// A file that is not there, is a folder or may not be read.
pub fn open(path: &Path) -> Result<fs::File, Failure> {
    let cannot = |why: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: cannot be read: {why}", path.display()))
            .remedy("check the path and that you may read the file")
    };
    let file = fs::File::open(path).map_err(|error| cannot(&error))?;
    let meta = file.metadata().map_err(|error| cannot(&error))?;
    if meta.is_dir() {
        return Err(cannot(&"it is a folder"));
    }
    Ok(file)
}

/// The folder for what a runner makes when it is told no other place.
#[must_use]
pub fn default_out_dir() -> PathBuf {
    PathBuf::from("out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        write_atomic(&path, b"old").unwrap();
        let failed = write_with(&path, |file| {
            file.write_all(b"ne")?;
            Err(std::io::Error::other("the disk is full"))
        });
        assert!(failed.unwrap_err().to_string().contains("the disk is full"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_whose_parent_is_a_file_names_the_file_and_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plain");
        fs::write(&file, "").unwrap();
        let said = write_atomic(&file.join("below.txt"), b"").unwrap_err().to_string();
        assert!(said.contains("below.txt") && said.contains("what to do"), "{said}");
    }
}
