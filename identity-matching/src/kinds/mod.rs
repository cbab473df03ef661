//! The kinds of identifiers, and how their values are read.

pub(crate) mod document;
pub(crate) mod email;
mod kind;
mod normalised;
pub(crate) mod own;
pub(crate) mod phone;
mod placeholders;
mod raw;
mod registry;

pub use kind::{IdentifierKind, Sink};
pub use normalised::Normalised;
pub use own::{Characters, CheckDigits, OwnKind, OwnKindError, OwnKindRules};
pub(crate) use placeholders::PlaceholderSet;
pub use raw::RawValue;
pub use registry::KindConflict;
pub(crate) use registry::{KINDS_MAX, Kinds};
