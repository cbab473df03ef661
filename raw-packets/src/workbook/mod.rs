//! Packets as workbooks (feature `xlsx`): written with locked keys and validation, read back typed.

mod read;
mod write;

pub(crate) use self::read::read_workbook;
pub(crate) use self::write::packet_workbook;

/// The sheet with the packet's row.
pub(crate) const SHEET: &str = "packet";

/// The hidden sheet with the packet's id.
const HIDDEN: &str = "_packet";
