//! libphonenumber's metadata and rules, asked about digits.

use rlibphonenumber::{
    CountryCodeSource, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberType,
    get_national_significant_number_owned,
};

use super::{
    number::Phone,
    plan::{Number, Use},
};
use crate::key::Reading;
use crate::key::UnusableReason;
use crate::text::Region;

/// Returns the calling code by which a region's numbers are read; 0 without a region.
pub(super) fn country_code(region: Option<Region>) -> u16 {
    region
        .and_then(|region| rlibphonenumber::Region::from_code(region.as_str()).ok())
        .and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region))
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or_default()
}

/// Reads digits, after a `+` or by the region.
///
/// Nothing but digits and a leading `+` reaches the parser: letters would become digits, and rlibphonenumber 2.2.15
/// panics on a `tel:` behind `;phone-context=`.
pub(super) fn number(digits: &str, plus: bool, region: Option<Region>) -> Number {
    assigned(&parse(digits, plus, region)?)
}

/// Returns what an assigned number is for, where that matters.
pub(super) fn usage(digits: &str, plus: bool, region: Option<Region>) -> Option<Use> {
    match PHONE_NUMBER_UTIL.get_number_type(&parse(digits, plus, region).ok()?) {
        PhoneNumberType::Mobile => Some(Use::Mobile),
        PhoneNumberType::TollFree => Some(Use::TollFree),
        _ => None,
    }
}

/// Tells whether a country calling code is assigned.
pub(super) fn is_country_code(code: u16) -> bool {
    PHONE_NUMBER_UTIL.get_region_for_country_code(code.into()).is_some()
}

fn parse(digits: &str, plus: bool, region: Option<Region>) -> Result<PhoneNumber, UnusableReason> {
    let default =
        region.and_then(|region| rlibphonenumber::Region::from_code(region.as_str()).ok());
    let mut number = String::with_capacity(digits.len() + 1);
    if plus {
        number.push('+');
    }
    number.push_str(digits);
    PHONE_NUMBER_UTIL.parse_and_keep_raw_input(&number, default).map_err(|error| match error {
        ParseError::InvalidCountryCode if default.is_none() && !plus => UnusableReason::NoRegion,
        ParseError::InvalidCountryCode => UnusableReason::NotAssigned,
        ParseError::NotANumber(_) => UnusableReason::Malformed,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn | ParseError::TooLongNsn => {
            UnusableReason::WrongLength
        }
    })
}

/// Decides about a number that could be read.
fn assigned(parsed: &PhoneNumber) -> Number {
    if !PHONE_NUMBER_UTIL.is_valid_number(parsed) {
        let possible = PHONE_NUMBER_UTIL.is_possible_number(parsed);
        return Err(if possible {
            UnusableReason::NotAssigned
        } else {
            UnusableReason::WrongLength
        });
    }
    let national = get_national_significant_number_owned(parsed);
    let reading = match parsed.country_code_source() {
        CountryCodeSource::FromNumberWithPlusSign => Reading::PLUS,
        CountryCodeSource::FromNumberWithIdd => Reading::INTERNATIONAL_PREFIX,
        CountryCodeSource::FromNumberWithoutPlusSign => Reading::COUNTRY_CODE,
        _ => Reading::DEFAULT_REGION,
    };
    let country_code = u16::try_from(parsed.country_code).map_err(|_| UnusableReason::Malformed)?;
    phone(country_code, &national, reading).ok_or(UnusableReason::WrongLength)
}

fn phone(country_code: u16, national: &str, reading: Reading) -> Option<Phone> {
    let national_length = u8::try_from(national.len()).ok()?;
    let number = national.parse().ok()?;
    (national_length <= Phone::NATIONAL_MAX).then_some(Phone {
        country_code,
        national: number,
        national_length,
        reading,
    })
}
