//! The evidence chain and the status that its first missing link gives.

use std::{fmt, str::FromStr};

/// The first link of a pair's evidence chain that is missing.
///
/// The order of the variants is the order of the chain: a pair that moves to a greater status has
/// come closer to [`GapStatus::Ready`].
///
/// ```
/// use kpi_gap_queue::GapStatus;
///
/// assert!(GapStatus::MissingMetric < GapStatus::Ready);
/// assert_eq!("missing_evidence".parse(), Ok(GapStatus::MissingEvidence));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapStatus {
    /// The expected source is not in the catalogue.
    MissingSource,
    /// No value for the pair in the scope.
    MissingMetric,
    /// A value, but no source record behind it.
    MissingSourceRecord,
    /// A source record, but the evidence date or the evidence quote is blank.
    MissingEvidence,
    /// The whole chain is there.
    Ready,
}

impl GapStatus {
    /// Lists every status in the order of the chain.
    pub const ALL: [Self; 5] = [
        Self::MissingSource,
        Self::MissingMetric,
        Self::MissingSourceRecord,
        Self::MissingEvidence,
        Self::Ready,
    ];

    /// Classifies a pair by the links that it has.
    ///
    /// ```
    /// use kpi_gap_queue::{Chain, GapStatus};
    ///
    /// let chain = Chain { source: true, metric: true, source_record: true, evidence: false };
    /// assert_eq!(GapStatus::of(chain), GapStatus::MissingEvidence);
    /// ```
    #[must_use]
    pub const fn of(chain: Chain) -> Self {
        if !chain.source {
            Self::MissingSource
        } else if !chain.metric {
            Self::MissingMetric
        } else if !chain.source_record {
            Self::MissingSourceRecord
        } else if !chain.evidence {
            Self::MissingEvidence
        } else {
            Self::Ready
        }
    }

    /// Returns the status as reports and flags write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingSource => "missing_source",
            Self::MissingMetric => "missing_metric",
            Self::MissingSourceRecord => "missing_source_record",
            Self::MissingEvidence => "missing_evidence",
            Self::Ready => "ready",
        }
    }

    /// Tells whether somebody has to act on a pair of this status.
    #[must_use]
    pub const fn is_actionable(self) -> bool {
        !matches!(self, Self::Ready)
    }

    /// Returns the place of the status in [`GapStatus::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for GapStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for GapStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus { text: text.to_owned() })
    }
}

impl serde::Serialize for GapStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for GapStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Reports a text that names no [`GapStatus`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no gap status; use one of missing_source, missing_metric, \
     missing_source_record, missing_evidence, ready"
)]
pub struct UnknownStatus {
    /// The text that was read.
    pub text: String,
}

/// The links of the evidence chain that a pair has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each link is there or it is not")]
pub struct Chain {
    /// The source is in the catalogue.
    pub source: bool,
    /// A value exists in the scope.
    pub metric: bool,
    /// The value names its source record.
    pub source_record: bool,
    /// Evidence date and evidence quote are both given.
    pub evidence: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_from_its_own_text() {
        for status in GapStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(GapStatus::ALL[status.index()], status);
        }
        assert!("Ready".parse::<GapStatus>().is_err());
    }

    #[test]
    fn the_first_missing_link_decides_whatever_comes_after_it() {
        for bits in 0..16_u8 {
            let links = [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0, bits & 8 != 0];
            let [source, metric, source_record, evidence] = links;
            let first_missing = links.iter().position(|link| !link).unwrap_or(4);
            let status = GapStatus::of(Chain { source, metric, source_record, evidence });
            assert_eq!(status.index(), first_missing);
        }
    }
}
