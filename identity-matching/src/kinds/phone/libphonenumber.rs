//! The judge: libphonenumber's metadata and rules, for everything that the fast path leaves.

use rlibphonenumber::{
    CountryCodeSource, PHONE_NUMBER_UTIL, ParseError, PhoneNumber,
    get_national_significant_number_owned,
};

use super::{Outcome, Phone, alias};
use crate::key::Reading;
use crate::normalise::UnusableReason;
use crate::text;
use crate::text::Region;
use crate::text::filler;

/// Schemes that stand before a number in links.
const SCHEMES: [&str; 4] = ["tel:", "sms:", "callto:", "whatsapp:"];

/// Reads one number of at most [`text::LONGEST_VALUE`] bytes.
pub(super) fn read(raw: &str, region: Option<Region>) -> Outcome {
    let mut folded = String::with_capacity(raw.len());
    text::fold(raw, &mut folded);
    let written = folded.trim();
    if written.is_empty() {
        return Outcome::Nothing;
    }
    let number = without_link(written);
    if !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Outcome::Unusable(if filler::is_filler(written) {
            UnusableReason::Placeholder
        } else {
            UnusableReason::Malformed
        });
    }
    match parse(&number, region) {
        Ok(parsed) => assigned(&parsed, region, &number),
        Err(UnusableReason::NoRegion) => Outcome::Unusable(UnusableReason::NoRegion),
        Err(reason) => Outcome::Unusable(placeholder_or(reason, &number)),
    }
}

/// Returns the calling code by which a region's numbers are read; 0 without a region.
pub(super) fn country_code(region: Option<Region>) -> u16 {
    region
        .and_then(|region| rlibphonenumber::Region::from_code(region.as_str()).ok())
        .and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region))
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or_default()
}

/// Drops the scheme and the parameters of a `tel:` link; its `phone-context` gives a local number the
/// country.
///
/// Parameters never reach the parser: rlibphonenumber 2.2.15 panics on a `tel:` behind
/// `;phone-context=`. Source: RFC 3966.
fn without_link(written: &str) -> String {
    let scheme = SCHEMES.iter().find_map(|scheme| {
        let start = written.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| written[scheme.len()..].trim_start())
    });
    let mut parts = scheme.unwrap_or(written).split(';');
    let number = parts.next().unwrap_or_default().trim();
    let context = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let global = value.trim().strip_prefix('+')?;
        let digits = !global.is_empty() && global.bytes().all(|byte| byte.is_ascii_digit());
        (digits && name.trim().eq_ignore_ascii_case("phone-context")).then_some(global)
    });
    match context {
        Some(context) if !number.starts_with('+') => format!("+{context}{number}"),
        _ => number.to_owned(),
    }
}

fn parse(number: &str, region: Option<Region>) -> Result<PhoneNumber, UnusableReason> {
    let default =
        region.and_then(|region| rlibphonenumber::Region::from_code(region.as_str()).ok());
    PHONE_NUMBER_UTIL.parse_and_keep_raw_input(number, default).map_err(|error| match error {
        ParseError::InvalidCountryCode if default.is_none() && !number.contains('+') => {
            UnusableReason::NoRegion
        }
        ParseError::InvalidCountryCode => UnusableReason::NotAssigned,
        ParseError::NotANumber(_) => UnusableReason::Malformed,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn | ParseError::TooLongNsn => {
            UnusableReason::WrongLength
        }
    })
}

/// Decides about a number that could be read: it is assigned, or a legacy form, or nothing.
fn assigned(parsed: &PhoneNumber, region: Option<Region>, number: &str) -> Outcome {
    let national = get_national_significant_number_owned(parsed);
    let Ok(country_code) = u16::try_from(parsed.country_code) else {
        return Outcome::Unusable(UnusableReason::Malformed);
    };
    let mut reading = match parsed.country_code_source() {
        CountryCodeSource::FromNumberWithPlusSign => Reading::PLUS,
        CountryCodeSource::FromNumberWithIdd => Reading::INTERNATIONAL_PREFIX,
        CountryCodeSource::FromNumberWithoutPlusSign => Reading::COUNTRY_CODE,
        _ => Reading::DEFAULT_REGION,
    };
    if !parsed.extension().is_empty() {
        reading = reading.with(Reading::EXTENSION_DROPPED);
    }
    if PHONE_NUMBER_UTIL.is_valid_number(parsed) {
        return match phone(country_code, &national, reading) {
            Some(phone) => Outcome::Number(phone),
            None => Outcome::Unusable(UnusableReason::WrongLength),
        };
    }
    // Today's number behind a legacy form counts when the plan assigns it.
    if let Some(today) = alias::modernise(country_code, &national)
        && let Ok(modern) = parse(&format!("+{country_code}{today}"), region)
        && PHONE_NUMBER_UTIL.is_valid_number(&modern)
        && let Some(modern) =
            phone(country_code, &get_national_significant_number_owned(&modern), reading)
        && let Some(subscriber) = alias::subscriber(modern)
    {
        return if super::filler::is_phone(country_code, modern.national, modern.national_length) {
            Outcome::Unusable(UnusableReason::Placeholder)
        } else {
            let reading = reading.with(Reading::LEGACY_FORM);
            Outcome::Subscriber { subscriber, country_code, reading }
        };
    }
    let reason = if PHONE_NUMBER_UTIL.is_possible_number(parsed) {
        UnusableReason::NotAssigned
    } else {
        UnusableReason::WrongLength
    };
    Outcome::Unusable(placeholder_or(reason, number))
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

/// Names a filler as such also where no plan could assign it: `000000000`.
fn placeholder_or(reason: UnusableReason, number: &str) -> UnusableReason {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let filler = digits.len() >= 3 && filler::is_repeated_or_run(&digits);
    if filler { UnusableReason::Placeholder } else { reason }
}
