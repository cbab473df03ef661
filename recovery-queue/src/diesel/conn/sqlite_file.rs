//! A file of SQLite, and what may be done with it.

use std::fmt;
use std::fmt::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use crate::model::error::ConfigError;

/// A file of SQLite by its name, and whether it may be made and written.
///
/// It is its path wherever a [`Path`] is asked for.
///
/// ```
/// use recovery_queue::DatabaseUrl;
///
/// let DatabaseUrl::Sqlite(file) = DatabaseUrl::parse("sqlite://crm.sqlite?mode=ro")? else { unreachable!() };
/// assert!(file.is_read_only() && file.ends_with("crm.sqlite"));
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SqliteFile {
    path: PathBuf,
    access: Access,
}

/// SQLite's own words: `mode=rwc`, `mode=rw`, `mode=ro`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Create,
    Existing,
    ReadOnly,
}

impl SqliteFile {
    /// Names a file that is made where it is missing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), access: Access::Create }
    }

    /// Reads `PATH` or `PATH?mode=…`, as it follows `sqlite:`.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let (path, settings) = text.split_once('?').unwrap_or((text, ""));
        let mut file = Self::new(path);
        for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
            file.access = match setting {
                "mode=ro" => Access::ReadOnly,
                "mode=rw" => Access::Existing,
                "mode=rwc" => Access::Create,
                other => {
                    let name = other.split('=').next().unwrap_or_default();
                    return Err(ConfigError::new(
                        "database URL",
                        format!("sqlite:…?{name}=…"),
                        "there is no such setting",
                        "write mode=ro, mode=rw or mode=rwc, or nothing; a path that holds a ? stands without sqlite:",
                    ));
                }
            };
        }
        Ok(file)
    }

    /// Returns the same file, of which nothing can be written; it is never made.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// Says whether nothing of it can be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }

    /// Gives the name by which SQLite opens the file; a file that is missing is made only where that was asked for.
    ///
    /// # Errors
    /// A path that is not UTF-8, and one where there is no file, which is not to be made.
    pub fn address(&self) -> Result<String, ConfigError> {
        let wrong = |reason, remedy| {
            ConfigError::new("database path", self.path.display().to_string(), reason, remedy)
        };
        let Some(path) = self.path.to_str() else {
            return Err(wrong("it is not UTF-8", "use another path"));
        };
        let mode = match self.access {
            Access::Create => return Ok(path.to_owned()),
            _ if !self.path.is_file() => {
                return Err(wrong("there is no such file", "check the path; it is not made"));
            }
            Access::Existing => "rw",
            Access::ReadOnly => "ro",
        };
        let mut address = String::from("file:");
        for byte in path.bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.~:\\".contains(&byte) {
                address.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
        Ok(format!("{address}?mode={mode}"))
    }
}

impl From<PathBuf> for SqliteFile {
    fn from(path: PathBuf) -> Self {
        Self::new(path)
    }
}

impl Deref for SqliteFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for SqliteFile {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for SqliteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_obeyed_and_any_other_setting_refused_without_its_value() {
        assert!(SqliteFile::parse("a.db?mode=ro").unwrap().is_read_only());
        assert!(!SqliteFile::parse("a.db?mode=rwc").unwrap().is_read_only());
        let said = SqliteFile::parse("a.db?cache=s3cret").unwrap_err().to_string();
        assert!(said.contains("cache") && !said.contains("s3cret"), "{said}");
    }

    #[test]
    fn an_address_means_the_path_whatever_its_characters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ñ 100%?#.db");
        let file = SqliteFile::new(path.clone());
        assert_eq!(file.address().unwrap(), path.to_str().unwrap());
        assert!(file.clone().read_only().address().unwrap_err().to_string().contains("no such"));
        std::fs::write(&path, "").unwrap();
        let address = file.read_only().address().unwrap();
        assert!(address.ends_with("%C3%B1%20100%25%3F%23.db?mode=ro"), "{address}");
    }
}
