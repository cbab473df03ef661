//! Packets as workbooks (feature `xlsx`): written with locked keys and validation, read back typed.

mod beside;
mod ods;
mod parts;
mod read;
mod sheet;
mod write;
mod xml;

pub(crate) use self::read::read_workbook;
pub(crate) use self::sheet::MarkedSheet;
pub(crate) use self::write::packet_workbook;

/// The sheet with the packet's row.
pub(crate) const SHEET: &str = "packet";

/// The hidden sheet with the packet's id.
const HIDDEN: &str = "_packet";

/// The names of the sheet that tells how a packet is filled in, by language.
const INSTRUCTIONS: [&str; 2] = ["instructions", "instrucciones"];

/// The names of the upright sheet, which shows a packet's one row as fields below each other, by language.
const FORMS: [&str; 2] = ["form", "formulario"];

/// The author of the notes that are ours, by which a person's comments are told apart.
const AUTHOR: &str = "raw-packets";

/// How many columns are read.
const MAX_COLUMNS: usize = 1_024;
