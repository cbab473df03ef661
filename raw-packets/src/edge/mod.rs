//! The edge: the only module that touches files.

mod write;

pub use self::write::{EdgeError, Written, write_packets};
