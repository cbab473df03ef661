//! The edge: the only module that touches files.

mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};

pub use self::read::{ReadLimits, read_packets};
pub use self::write::{Written, write_packets};

/// The folder of what stands beside the packets, so that the packets stand alone.
const PACKAGE: &str = "package";

/// An error of reading or writing a folder of packets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}; check that it is there and that you may {action} it", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A symbolic link stands where a packet should.
    #[error("{}: a symbolic link is no packet; put the file itself there", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// The folder holds more files than any set of packets.
    #[error("{}: more than {limit} files; name the folder with the returned packets alone", path.display())]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
        /// The most files.
        limit: usize,
    },
}

impl EdgeError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
