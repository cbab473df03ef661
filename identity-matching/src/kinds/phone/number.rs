//! One number, and what one written number comes to.

use crate::key::{Reading, UnusableReason};
use crate::text;

/// Is one number that a numbering plan assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Phone {
    /// Country calling code.
    pub(super) country_code: u16,
    /// The national number as an integer; its leading zeros are in `national_length`.
    pub(super) national: u64,
    /// How many digits the national number has.
    pub(super) national_length: u8,
    pub(super) reading: Reading,
}

impl Phone {
    /// Most digits of a national number that fit an integer behind any country code.
    pub(super) const NATIONAL_MAX: u8 = 16;

    /// Adds marks of how it was read.
    pub(super) const fn with(self, marks: Reading) -> Self {
        Self { reading: self.reading.with(marks), ..self }
    }

    /// Returns country calling code and national number as one integer.
    pub(super) fn e164(self) -> u64 {
        let length = self.national_length.min(Self::NATIONAL_MAX);
        u64::from(self.country_code) * POWERS[usize::from(length)] + self.national
    }
}

/// Powers of ten, as far as a national number goes.
pub(super) const POWERS: [u64; Phone::NATIONAL_MAX as usize + 1] = {
    let mut powers = [1; Phone::NATIONAL_MAX as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Is what one written number comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Number(Phone),
    /// A number that is meant by what was written, and is not what was written.
    Alias(Phone),
    /// Only the subscriber behind a legacy form that no plan assigns any more, as a number of today.
    Subscriber {
        subscriber: u64,
        country_code: u16,
        reading: Reading,
    },
    Unusable {
        reason: UnusableReason,
        /// The digits of a number that is no key, and whether a `+` stands before them.
        digits: Option<(u64, u8, bool)>,
    },
}

impl Outcome {
    pub(super) const fn unusable(reason: UnusableReason) -> Self {
        Self::Unusable { reason, digits: None }
    }

    /// Says of digits that they are no number; a filler is named as such also where no plan could assign it.
    pub(super) fn not_a_number(reason: UnusableReason, digits: &str, plus: bool) -> Self {
        let filler = digits.len() >= 3 && text::filler::is_repeated_or_run(digits.as_bytes());
        if filler && reason != UnusableReason::NoRegion {
            return Self::unusable(UnusableReason::Placeholder);
        }
        let length = u8::try_from(digits.len()).unwrap_or(u8::MAX);
        let number = digits.parse().ok().map(|number| (number, length, plus));
        Self::Unusable { reason, digits: number }
    }

    /// Adds marks of how it was read.
    pub(super) fn with(self, marks: Reading) -> Self {
        match self {
            Self::Number(phone) => Self::Number(phone.with(marks)),
            Self::Alias(phone) => Self::Alias(phone.with(marks)),
            Self::Subscriber { subscriber, country_code, reading } => {
                Self::Subscriber { subscriber, country_code, reading: reading.with(marks) }
            }
            unusable @ Self::Unusable { .. } => unusable,
        }
    }
}
