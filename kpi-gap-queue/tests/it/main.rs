//! What the crate promises, from the outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod laws;
mod official_review;
mod runs;
mod standing;
