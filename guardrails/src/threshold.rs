use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of offenders that is too many: a count, a ratio of the population, or both.
///
/// It is crossed when **either** limit is exceeded. The default has neither and is never crossed.
/// Written as text it is a count (`"10"`), a percentage (`"2.5%"`) or both (`"10, 2.5%"`).
///
/// ```
/// use guardrails::Threshold;
///
/// let some: Threshold = "10, 2.5%".parse().unwrap();
/// assert!(!some.is_crossed(10, Some(400)).unwrap());
/// assert!(some.is_crossed(11, Some(4_000)).unwrap());
/// assert!("250%".parse::<Threshold>().is_err());
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The greatest count of offenders that is still let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The greatest ratio of offenders to the population, from 0 to 1, that is still let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// The reason why a threshold is not valid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// The ratio is not within 0 to 1 (0 % to below 100 %).
    #[error("the ratio {ratio} lies outside 0 % to 100 %")]
    RatioOutOfRange {
        /// The ratio as it was given.
        ratio: String,
    },
    /// The ratio lets the whole population through, so that the threshold is never crossed.
    #[error(
        "a threshold of 100 % lets everything through and can never be crossed; lower it, or leave it out"
    )]
    NeverCrossed,
    /// The text is neither a count nor a percentage.
    #[error("`{text}` is neither a count such as `10` nor a percentage such as `2.5%`")]
    Unreadable {
        /// The text as it was given.
        text: String,
    },
    /// The warn threshold lets more through than the fail threshold, so that it never warns.
    #[error("the warn threshold ({warn}) is never crossed before the fail threshold ({fail})")]
    WarnAboveFail {
        /// The warn threshold.
        warn: Threshold,
        /// The fail threshold.
        fail: Threshold,
    },
}

impl Threshold {
    /// The threshold that is never crossed.
    pub const NEVER: Self = Self { count: None, ratio: None };
    /// The threshold that the first offender crosses.
    pub const ANY: Self = Self { count: Some(0), ratio: None };

    /// Lets at most `count` offenders through.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self { count: Some(count), ratio: None }
    }

    /// Lets at most `ratio` of the population through: from 0 to below 1, since 1 would let everything through.
    pub fn ratio(ratio: f64) -> Result<Self, ThresholdError> {
        if (0.0..1.0).contains(&ratio) {
            Ok(Self { count: None, ratio: Some(ratio) })
        } else if (ratio - 1.0).abs() < f64::EPSILON {
            Err(ThresholdError::NeverCrossed)
        } else {
            Err(ThresholdError::RatioOutOfRange { ratio: ratio.to_string() })
        }
    }

    /// Writes the threshold as it is read; nothing for one that is never crossed.
    pub(crate) fn written(&self) -> Option<String> {
        let ratio = self.ratio.map(|ratio| format!("{}%", percent(ratio)));
        let parts: Vec<String> =
            self.count.map(|count| count.to_string()).into_iter().chain(ratio).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Returns whether the offenders are too many, or `None` where only a ratio is set and there is
    /// no population to take it of.
    #[must_use]
    pub fn is_crossed(&self, offenders: u64, population: Option<u64>) -> Option<bool> {
        if self.count.is_some_and(|most| offenders > most) {
            return Some(true);
        }
        match (self.ratio, population) {
            (None, _) => Some(false),
            (Some(_), None) => None,
            (Some(_), Some(0)) => Some(offenders > 0),
            (Some(most), Some(all)) => Some(offenders as f64 / all as f64 > most),
        }
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.count, self.ratio) {
            (None, None) => f.write_str("never"),
            (Some(count), None) => write!(f, "more than {count}"),
            (None, Some(ratio)) => write!(f, "more than {} %", percent(ratio)),
            (Some(count), Some(ratio)) => {
                write!(f, "more than {count} or {} %", percent(ratio))
            }
        }
    }
}

/// Percent without the noise of binary fractions: at most six decimals, none that are zero.
fn percent(ratio: f64) -> f64 {
    (ratio * 1e8).round() / 1e6
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || ThresholdError::Unreadable { text: text.to_owned() };
        let mut threshold = Self::NEVER;
        for part in text.split(',').map(str::trim) {
            if let Some(percent) = part.strip_suffix('%') {
                let percent: f64 = percent.trim().parse().map_err(|_| unreadable())?;
                let Self { ratio, .. } =
                    Self::ratio(percent / 100.0).map_err(|error| match error {
                        ThresholdError::RatioOutOfRange { .. } => {
                            ThresholdError::RatioOutOfRange { ratio: part.to_owned() }
                        }
                        other => other,
                    })?;
                if std::mem::replace(&mut threshold.ratio, ratio).is_some() {
                    return Err(unreadable());
                }
            } else {
                let count = part.parse().map_err(|_| unreadable())?;
                if threshold.count.replace(count).is_some() {
                    return Err(unreadable());
                }
            }
        }
        Ok(threshold)
    }
}

/// The two thresholds of a check, independent of each other: when it warns and when it fails.
///
/// A fail threshold alone never makes a check warn, and the other way round.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Crossed: `warn`.
    pub warn: Threshold,
    /// Crossed: `fail`.
    pub fail: Threshold,
}

impl Default for Thresholds {
    /// Never warns, and fails on the first offender.
    fn default() -> Self {
        Self { warn: Threshold::NEVER, fail: Threshold::ANY }
    }
}

impl Thresholds {
    /// Pairs the two, unless the warn threshold could never be crossed first.
    pub fn new(warn: Threshold, fail: Threshold) -> Result<Self, ThresholdError> {
        for Threshold { ratio, .. } in [warn, fail] {
            ratio.map_or(Ok(Threshold::NEVER), Threshold::ratio)?;
        }
        let useless = |warn: Option<f64>, fail: Option<f64>| match (warn, fail) {
            (None, _) => true,
            (Some(w), Some(f)) => w >= f,
            (Some(_), None) => false,
        };
        let as_number = |count: Option<u64>| count.map(|c| c as f64);
        if warn != Threshold::NEVER
            && useless(as_number(warn.count), as_number(fail.count))
            && useless(warn.ratio, fail.ratio)
        {
            return Err(ThresholdError::WarnAboveFail { warn, fail });
        }
        Ok(Self { warn, fail })
    }
}
