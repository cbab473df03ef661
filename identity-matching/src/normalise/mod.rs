//! Normalising: from records as they were written to keys.

mod listed;
mod normaliser;
mod options;
mod placeholders;
mod record;

pub use self::normaliser::{Normaliser, RecordReader};
pub use self::options::{NormaliseOptions, OptionsError, READING};
pub use self::placeholders::Placeholders;
pub use self::record::{OwnValue, RawDocument, Record};
