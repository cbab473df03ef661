//! The kinds of identifiers, and how their values are read.

pub(crate) mod document;
pub(crate) mod email;
pub(crate) mod phone;
