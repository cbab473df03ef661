//! The edge of the crate: reads the catalogue from a file, writes the queue, keeps runs.
//!
//! Readers take bytes and a name to call them by, so that nothing here opens a file, and every
//! problem is told with file, line, column, value and remedy.

mod catalogue;
mod json;
mod problem;
mod runs;
mod write;

pub use self::{
    catalogue::{CatalogueFile, read_catalogue},
    problem::FileProblem,
    runs::{RunHistory, RunHistoryError, SavedRun},
    write::{write_queue_csv, write_queue_json},
};
