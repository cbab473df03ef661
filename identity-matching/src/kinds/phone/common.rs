//! The plans of common countries alone, for a build without libphonenumber's metadata.

use super::{
    fast,
    number::Phone,
    plan::{Number, Use},
    plans::PLANS,
};
use crate::{key::UnusableReason, text::Region, weak::blocking};

/// Returns the calling code by which a region's numbers are read; 0 without a region, or one that the table has not.
pub(super) fn country_code(region: Option<Region>) -> u16 {
    let plan =
        region.and_then(|region| PLANS.iter().find(|plan| Region::known(plan.region) == region));
    plan.map_or(0, |plan| plan.code)
}

/// Tells whether a country calling code may be assigned: it has as many digits as its zone gives.
pub(super) fn is_country_code(code: u16) -> bool {
    code > 0 && blocking::country_code_of(code.into()) == u64::from(code)
}

/// Reads digits, after a `+` or by the region; numbers that the table does not settle have a plan that is not known.
pub(super) fn number(digits: &str, plus: bool, region: Option<Region>) -> Number {
    if digits.is_empty() {
        return Err(UnusableReason::Malformed);
    }
    if !plus && region.is_none() {
        return Err(UnusableReason::NoRegion);
    }
    let written = if plus { format!("+{digits}") } else { digits.to_owned() };
    let found = fast::read(written.as_bytes(), region);
    found.filter(|phone| phone.national_length <= Phone::NATIONAL_MAX).ok_or(match digits.len() {
        ..=6 | 16.. => UnusableReason::WrongLength,
        _ => UnusableReason::UnknownPlan,
    })
}

/// The table does not tell what a number is for.
pub(super) fn usage(_: &str, _: bool, _: Option<Region>) -> Option<Use> {
    None
}
