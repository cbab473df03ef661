//! Weak evidence: names, plates and dates of birth, and the keys under which they are found.

mod birth_date;
pub(crate) mod blocking;
mod name;
mod plate;

pub use birth_date::BirthDate;
pub use blocking::{BlockingKey, BlockingKind};
pub use name::Name;
pub use plate::Plate;
