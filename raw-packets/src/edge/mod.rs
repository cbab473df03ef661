//! The edge: the only module that touches files.

mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};

pub use self::read::{ReadLimits, read_packets};
pub use self::write::{Written, write_packets};

/// Says what stands between the packets and the file system.
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
    /// A file's name is not Unicode.
    #[error("{}: the file's name is not in Unicode; rename it", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link stands where a packet should.
    #[error("{}: a symbolic link is no packet; put the file itself there", path.display())]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// A file is larger than any packet.
    #[error("{}: larger than {limit} bytes, which no packet is; take the file away", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes.
        limit: u64,
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
