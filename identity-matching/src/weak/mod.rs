//! Weak evidence: names, plates and dates of birth, and the keys under which they are found.

/// Lets a value be read from text and written as text, in its folded form.
macro_rules! text_form {
    ($value:ty, $parse:expr, $write:expr) => {
        impl std::str::FromStr for $value {
            type Err = crate::key::UnusableReason;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parse: fn(&str) -> Result<Self, Self::Err> = $parse;
                parse(text)
            }
        }

        impl TryFrom<&str> for $value {
            type Error = crate::key::UnusableReason;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $value {
            type Error = crate::key::UnusableReason;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$value> for String {
            fn from(value: $value) -> Self {
                let write: fn(&$value) -> String = $write;
                write(&value)
            }
        }
    };
}
pub(crate) use text_form;

mod birth_date;
pub(crate) mod blocking;
mod name;
mod plate;

pub use birth_date::BirthDate;
pub use blocking::{BlockingKey, BlockingKind};
pub use name::Name;
pub use plate::Plate;
