//! What numbering plans say of digits: by libphonenumber's metadata (feature `phone-metadata`), else by the table of common
//! countries alone.

use super::number::Phone;
use crate::key::UnusableReason;

#[cfg(not(feature = "phone-metadata"))]
pub(super) use super::common::{country_code, is_country_code, number, usage};
#[cfg(feature = "phone-metadata")]
pub(super) use super::libphonenumber::{country_code, is_country_code, number, usage};

/// What digits are by a plan: an assigned number, or why they are none.
pub(super) type Number = Result<Phone, UnusableReason>;

/// What a number is for, where that matters to how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Mobile,
    TollFree,
}
