#![doc = include_str!("../README.md")]

mod birth_date;
mod blocking;
mod document;
mod email;
mod key;
mod mask;
mod name;
mod normalise;
mod phone;
mod placeholder;
mod plate;
mod record;
mod region;
mod text;
mod unusable;

pub use birth_date::BirthDate;
pub use blocking::{BlockingKey, BlockingKind};
pub use key::{DocumentTypeId, Field, HashKey, HeldKey, Key, KeyForm, KeyKind, Reading, Source};
pub use mask::Masked;
pub use name::Name;
pub use normalise::{NormaliseOptions, Normalised, Normaliser, RecordReader};
pub use placeholder::Placeholders;
pub use plate::Plate;
pub use record::{DocumentParts, RawDocument, Record};
pub use region::{Region, UnknownRegion};
pub use unusable::{Unusable, UnusableReason};
