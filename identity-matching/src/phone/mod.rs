//! Telephone numbers to E.164.

use crate::key::{Key, KeyForm, Reading, Source};
use crate::normalise::{NormaliseOptions, Normalised};
use crate::unusable::UnusableReason;

/// Reads one number into `out`.
pub(crate) fn read(raw: &str, source: Source, options: &NormaliseOptions, out: &mut Normalised) {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return;
    }
    let full = if raw.trim_start().starts_with('+') {
        digits
    } else if options.default_region.is_some_and(|region| region.as_str() == "PE")
        && digits.len() == 9
    {
        format!("51{digits}")
    } else {
        return out.push_unusable(source, UnusableReason::NoRegion);
    };
    match full.parse() {
        Ok(number) if full.len() <= 15 => {
            out.push_key(Key::phone(number), KeyForm::Exact, source, Reading::default());
        }
        _ => out.push_unusable(source, UnusableReason::WrongLength),
    }
}
