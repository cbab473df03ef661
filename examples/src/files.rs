//! Files that are either whole or not there.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use fs4::FileExt;
use raw_packets::value::guard;

use crate::failure::{self, Failure};

/// How the names of files begin that are being written.
const PARTIAL: &str = ".partial-";

/// The mode of what a run writes: its owner's alone, unless `--file-mode` says otherwise.
static MODE: AtomicU32 = AtomicU32::new(0o600);

/// Sets the mode of the files that this process makes from now on.
pub fn set_mode(mode: u32) {
    MODE.store(mode, Ordering::Relaxed);
}

/// Returns the mode of the files that this process makes.
#[must_use]
pub fn mode() -> u32 {
    MODE.load(Ordering::Relaxed)
}

/// A file that is written under a temporary name beside its place and appears there only when committed.
///
/// A reader sees the old content or the new, never a part; two writers do not mix; dropped without
/// [`commit`](Self::commit) it leaves nothing behind. A new file is its owner's alone ([`set_mode`]); one that is
/// replaced keeps its mode.
///
/// A symbolic link stays, and the file that it leads to is replaced. A device, a pipe or a socket is never
/// replaced: it is opened at once and written through.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    out: Out,
}

#[derive(Debug)]
enum Out {
    Partial(BufWriter<tempfile::NamedTempFile>),
    Through(BufWriter<fs::File>),
}

impl AtomicFile {
    /// Begins a file; missing parent folders are made.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written, named, with the remedy.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let path = target(path)?;
        let cannot = |error: &dyn Display| unwritable(&path, error);
        if is_special(&path) {
            let file = fs::File::options().write(true).open(&path).map_err(|e| cannot(&e))?;
            return Ok(Self { out: Out::Through(BufWriter::new(file)), path });
        }
        let folder = create_parent(&path)?;
        tell_leftovers(folder);
        let partial = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempfile_in(folder)
            .map_err(|error| cannot(&error))?;
        // As long as it is locked, somebody writes it; a disk without locks tells no leftovers.
        let _ = FileExt::try_lock(partial.as_file());
        Ok(Self { out: Out::Partial(BufWriter::new(partial)), path })
    }

    /// Refuses a place that cannot be written, before anything is done; nothing is opened that others wait at.
    ///
    /// # Errors
    ///
    /// As [`AtomicFile::create`].
    pub fn check(path: &Path) -> Result<(), Failure> {
        if is_special(&target(path)?) { Ok(()) } else { Self::create(path).map(drop) }
    }

    /// Puts the file in its place, on the disk.
    ///
    /// # Errors
    ///
    /// The disk's; the old content stays then.
    pub fn commit(self) -> Result<(), Failure> {
        let Self { path, out } = self;
        let cannot = |error: &dyn Display| unwritable(&path, error);
        match out {
            Out::Partial(partial) => {
                let partial = partial.into_inner().map_err(|error| cannot(error.error()))?;
                give_mode(partial.path(), &path).map_err(|error| cannot(&error))?;
                partial.as_file().sync_all().map_err(|error| cannot(&error))?;
                partial.persist(&path).map_err(|error| cannot(&error.error))?;
            }
            Out::Through(mut file) => match file.flush() {
                // Whoever read the pipe has seen enough.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    return Err(cannot(&error));
                }
                _ => {}
            },
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Partial(file) => file.write(bytes),
            Out::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::Partial(file) => file.flush(),
            Out::Through(file) => file.flush(),
        }
    }
}

/// Follows symbolic links to the place that is to be written, which may be yet to be.
fn target(path: &Path) -> Result<PathBuf, Failure> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..MOST {
        match fs::symlink_metadata(&place) {
            // What such a link says is no path: it leads to an open file, a pipe for instance.
            Ok(found) if found.is_symlink() && is_special(&place) => return Ok(place),
            Ok(found) if found.is_symlink() => {
                let link = fs::read_link(&place).map_err(|error| unwritable(path, &error))?;
                place = place.parent().unwrap_or(Path::new("")).join(link);
            }
            Ok(found) if found.is_dir() => return Err(unwritable(path, &"it is a folder")),
            _ => return Ok(place),
        }
    }
    Err(unwritable(path, &"it is a circle of links"))
}

/// Says whether something is there, at the end of all links, that is neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Tells of files that a killed run has left in a folder, once for each folder.
fn tell_leftovers(folder: &Path) {
    static SEEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.insert(folder.to_owned()) {
        return;
    }
    for left in leftovers(folder) {
        failure::warn(format_args!(
            "{}: a run that was killed has left this file; delete it",
            left.display()
        ));
    }
}

/// Finds the files that nobody writes any more.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let partial = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PARTIAL));
    let dead = partial.filter(|entry| {
        entry.file_type().is_ok_and(|kind| kind.is_file())
            && fs::File::open(entry.path()).is_ok_and(|file| FileExt::try_lock(&file).is_ok())
    });
    dead.map(|entry| entry.path()).collect()
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

/// Gives a file the mode of the one that it replaces, or of what this process makes.
#[cfg(unix)]
fn give_mode(partial: &Path, replaced: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match fs::metadata(replaced) {
        Ok(old) => old.permissions().mode() & 0o777,
        Err(_) => MODE.load(Ordering::Relaxed),
    };
    fs::set_permissions(partial, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn give_mode(_partial: &Path, _replaced: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes an empty file of the mode that this process gives, where there is none: a database that others fill.
///
/// # Errors
///
/// The disk's.
pub fn create_own(path: &Path) -> Result<(), Failure> {
    create_parent(path)?;
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE.load(Ordering::Relaxed));
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unwritable(path, &error)),
        _ => Ok(()),
    }
}

/// Returns a text as a cell of a CSV file that a person opens: what cannot be seen is shown, and a spreadsheet takes it
/// for no formula.
///
/// ```
/// use reference_runners::files::cell;
///
/// assert_eq!(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
/// assert_eq!(cell("L-\u{202e}1"), "L-⟨U+202E⟩1");
/// ```
#[must_use]
pub fn cell(text: &str) -> String {
    guard(text).into_owned()
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

/// Reads a file of settings: text in UTF-8, a byte order mark left out.
///
/// # Errors
///
/// As [`open`], and a file in another encoding.
pub fn text(path: &Path) -> Result<String, Failure> {
    let mut text = io::read_to_string(open(path)?).map_err(|error| {
        let failure = Failure::new(format_args!("{}: cannot be read: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::InvalidData => failure.remedy("save the file as UTF-8 text"),
            _ => failure,
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
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

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone_and_a_replaced_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.csv");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        write_atomic(&path, b"1").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write_atomic(&path, b"2").unwrap();
        assert_eq!(mode(), 0o640);
        let database = folder.path().join("new").join("own.sqlite");
        create_own(&database).unwrap();
        create_own(&database).unwrap();
        assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_what_is_no_file_is_written_through() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        symlink("below/report.html", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        for content in ["one", "two"] {
            write_atomic(&at("second"), content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("below/report.html")).unwrap(), content);
        }
        assert!(at("link").is_symlink() && at("second").is_symlink());
        symlink("circle", at("circle")).unwrap();
        assert!(write_atomic(&at("circle"), b"").is_err());
        let before = fs::metadata("/dev/null").unwrap();
        symlink("/dev/null", at("nowhere")).unwrap();
        for device in [PathBuf::from("/dev/null"), at("nowhere")] {
            AtomicFile::check(&device).unwrap();
            write_atomic(&device, b"gone").unwrap();
        }
        let after = fs::metadata("/dev/null").unwrap();
        assert!(before.file_type().is_char_device() && after.file_type().is_char_device());
        assert!(at("nowhere").is_symlink());

        // A pipe of the process, as `>(…)` of a shell gives it.
        let (mut reader, writer) = io::pipe().unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&writer);
        write_atomic(&PathBuf::from(format!("/dev/fd/{fd}")), b"through").unwrap();
        drop(writer);
        let mut read = String::new();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert_eq!(read, "through");
    }

    #[test]
    fn what_a_killed_run_left_is_found_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(".partial-abc");
        fs::write(&left, "half a report").unwrap();
        let writing = AtomicFile::create(&folder.path().join("report.html")).unwrap();
        assert_eq!(leftovers(folder.path()), [left]);
        drop(writing);
    }
}
