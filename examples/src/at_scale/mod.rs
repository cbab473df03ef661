//! Matching beyond one machine: rows that an engine joins, and the two programs at its ends.
//!
//! `keys` turns records into rows of sealed keys, an engine (a warehouse, a cluster) joins them by plain SQL, and
//! `decide` turns each lead's group of rows into a decision. Both stream: memory holds one chunk.

mod decide;
mod decided;
mod groups;
mod reading;
pub mod records;
mod rows;
mod secret;

pub use self::decide::Decider;
pub use self::decided::Decided;
pub use self::groups::{GroupColumn, GroupReader};
pub use self::reading::ReadingArgs;
pub use self::rows::{
    Column, DECISIONS, Format, GROUPS, KEYS, RowWriter, Rows, Type, Value, standard_input,
};
pub use self::secret::SecretArgs;

use data_encoding::BASE64;
use identity_matching::index::IndexKey;

use crate::cli::Failure;

/// Writes bytes as text that every engine carries unchanged (RFC 4648).
#[must_use]
pub fn to_text(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Reads what [`to_text`] wrote.
///
/// # Errors
///
/// A text that is no such one; the message shows none of it.
pub fn from_text(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64.decode(text.as_bytes()).map_err(|error| {
        Failure::new(format_args!("`sealed` holds no base64 ({error})"))
            .remedy("hand the column over as `keys` wrote it")
    })
}

/// Splits a key into two integers of 64 bits, highest first.
#[must_use]
pub fn halves(key: IndexKey) -> [i64; 2] {
    let bytes = key.to_bytes();
    let (high, low) = bytes.split_at(8);
    // The bits as they are, whatever the sign says.
    [high, low].map(|half| i64::from_be_bytes(half.try_into().expect("eight of sixteen bytes")))
}

/// Joins what [`halves`] split.
///
/// # Errors
///
/// Two integers that are no key.
pub fn from_halves(high: i64, low: i64) -> Result<IndexKey, Failure> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    IndexKey::from_bytes(bytes).ok_or_else(|| {
        Failure::new("`hi` and `lo` are no key")
            .remedy("hand both columns over as `keys` wrote them, as 64-bit integers")
    })
}
