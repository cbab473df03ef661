//! The place of the one night that runs on a database, and who holds it.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{SubsecRound as _, Utc};
use fs4::FileExt;
use recovery_queue::DatabaseUrl;

use crate::cli::Failure;
use crate::files;
use crate::service::{Database, another_night};

/// Holds the place of the one night that runs on a database, as long as the value lives; a killed process holds nothing.
///
/// A file of SQLite has one machine: a lock file beside it is locked, whatever folder the night is started in. On
/// PostgreSQL the database is locked; another file may be locked, too.
#[derive(Debug)]
pub struct NightLock {
    _file: Option<File>,
    _database: Option<Database>,
}

impl NightLock {
    /// Takes the place.
    ///
    /// # Errors
    ///
    /// Another night, told with who runs it since when; a lock file that cannot be made.
    pub fn take(url: &DatabaseUrl, file: Option<&Path>) -> Result<Self, Failure> {
        let beside = match (file, url) {
            (Some(file), _) => Some(file.to_owned()),
            (None, DatabaseUrl::Sqlite(path)) => Some(beside(path)),
            (None, _) => None,
        };
        Ok(Self {
            _file: beside.as_deref().map(locked).transpose()?,
            _database: Database::only_night(url, &holder())?,
        })
    }
}

/// Who runs the night, as it stands in the lock file and in the server's list of sessions.
fn holder() -> String {
    format!("process {} since {}", std::process::id(), Utc::now().trunc_subsecs(0).to_rfc3339())
}

/// Names the lock file of a database: one for all links to it.
fn beside(database: &Path) -> PathBuf {
    let whole = fs::canonicalize(database).unwrap_or_else(|_| {
        // It is yet to be made; its folder may be there.
        let folder = database.parent().filter(|folder| *folder != Path::new(""));
        let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
        match (folder, database.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => database.to_owned(),
        }
    });
    let mut name = whole.into_os_string();
    name.push(".night-lock");
    name.into()
}

fn locked(path: &Path) -> Result<File, Failure> {
    files::create_own(path)?;
    let cannot = |error: std::io::Error| {
        Failure::new(format_args!("{}: cannot be locked: {error}", path.display()))
            .remedy("name a lock file that you may write, by --lock")
    };
    let mut file = File::options().read(true).write(true).open(path).map_err(cannot)?;
    if FileExt::try_lock(&file).is_err() {
        let mut by = String::new();
        // Where it cannot be read it is told without.
        let _ = file.read_to_string(&mut by);
        return Err(another_night(path.display(), by.trim()));
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(cannot)?;
    writeln!(file, "{}", holder()).map_err(cannot)?;
    Ok(file)
}
