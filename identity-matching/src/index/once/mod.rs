//! A population that is read once: only those persons are kept who can matter to given subjects.

mod builder;
mod filter;
mod glance;

pub use builder::{Relevant, RelevantBuilder, Remainder};
pub use filter::{SubjectFilter, SubjectKeys};
pub use glance::Glance;
