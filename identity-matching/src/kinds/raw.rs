//! One value as it was written.

use std::fmt;

/// One value as it was written; parts that are not known are empty.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RawValue<'a> {
    /// The value.
    pub value: &'a str,
    /// The code of its type within its kind, such as `DNI`.
    pub kind: &'a str,
    /// The country that issued it; the record's region when empty.
    pub country: &'a str,
}

impl<'a> From<&'a str> for RawValue<'a> {
    fn from(value: &'a str) -> Self {
        Self { value, ..Self::default() }
    }
}

impl fmt::Debug for RawValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawValue").finish_non_exhaustive()
    }
}
