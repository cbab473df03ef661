//! Bytes into a sheet: a header and rows of cells, whatever program wrote the file.

mod encoding;
mod kind;
mod sheet;
mod text;

pub(crate) use self::kind::{Kind, kind_of};
pub(crate) use self::sheet::{
    Builder, Cell, Form, Oddity, Remark, Sheet, SheetRow, Unreadable, column_letters,
};
#[cfg(feature = "xlsx")]
pub(crate) use self::sheet::{FORM_LABELS, laid_out};
pub(crate) use self::text::read_csv;

/// How long a cell may be, in characters: the limit of the spreadsheets that wrote it.
pub(crate) const MAX_CELL: usize = 32_767;

/// How many rows of a file are read; a packet has one, and what lies beyond is counted only.
pub(crate) const MAX_ROWS: usize = 1_000;

/// The reason why a file of a folder was not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotRead {
    /// It is a folder.
    Folder,
    /// It is a symbolic link, which could lead anywhere.
    Symlink,
    /// It is larger than any packet.
    TooLarge {
        /// The most bytes.
        limit: u64,
    },
    /// It may not be read.
    NoPermission,
    /// It is of a kind that holds no packet: `pdf`, `image`, `zip`, `html` and the like.
    Kind(&'static str),
}
