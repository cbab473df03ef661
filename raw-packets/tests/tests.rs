//! The integration tests of `raw-packets`, in one binary.

#[path = "tests/sink.rs"]
mod sink;
