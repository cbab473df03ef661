//! A population outside memory: hashed keys, encrypted weak evidence, and the file of an index.

pub(super) mod file;
pub(super) mod seal;
pub(super) mod stored;

pub use file::{FORMAT_VERSION, FileError, WeakEvidence};
pub use seal::Seal;
pub use stored::{DamagedPerson, StoredPerson};
