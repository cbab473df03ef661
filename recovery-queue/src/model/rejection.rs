//! Leads of a backlog that a seed leaves out: each alone, counted and named.

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::model::key::{MAX_KEY_BYTES, SourcePk};

/// Why a seed left a lead out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// Its key is longer than [`MAX_KEY_BYTES`].
    KeyTooLong,
    /// `lead_date` is no date.
    DateUnreadable,
    /// `lead_date` has a time and no zone.
    DateWithoutZone,
    /// `lead_date` is `infinity` or `-infinity`.
    DateInfinite,
    /// `lead_date` lies before the year 1 or after the year 9999.
    DateOutOfRange,
    /// `lead_version` is no UTF-8 or holds a NUL byte.
    VersionUnreadable,
    /// `lead_priority` is no whole number of 64 bits.
    PriorityUnreadable,
}

impl RejectReason {
    /// Lists every reason.
    pub const ALL: [Self; 7] = [
        Self::KeyTooLong,
        Self::DateUnreadable,
        Self::DateWithoutZone,
        Self::DateInfinite,
        Self::DateOutOfRange,
        Self::VersionUnreadable,
        Self::PriorityUnreadable,
    ];

    /// Gives the code, as it is stored and written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::KeyTooLong => "key_too_long",
            Self::DateUnreadable => "date_unreadable",
            Self::DateWithoutZone => "date_without_zone",
            Self::DateInfinite => "date_infinite",
            Self::DateOutOfRange => "date_out_of_range",
            Self::VersionUnreadable => "version_unreadable",
            Self::PriorityUnreadable => "priority_unreadable",
        }
    }

    /// Says in words what is wrong with so many leads, or with one.
    pub(crate) fn of_leads(self, leads: u64) -> String {
        match self {
            Self::KeyTooLong => format!("{leads} lead keys are longer than {MAX_KEY_BYTES} bytes"),
            Self::DateUnreadable => format!("lead_date of {leads} leads is no date"),
            Self::DateWithoutZone => {
                format!("lead_date of {leads} leads has a time without a zone")
            }
            Self::DateInfinite => format!("lead_date of {leads} leads is infinite"),
            Self::DateOutOfRange => {
                format!("lead_date of {leads} leads lies outside the years 1 to 9999")
            }
            Self::VersionUnreadable => {
                format!("lead_version of {leads} leads is no UTF-8 or holds a NUL byte")
            }
            Self::PriorityUnreadable => {
                format!("lead_priority of {leads} leads is no whole number")
            }
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::KeyTooLong => "use shorter keys or their digests",
            Self::DateUnreadable => "write dates as 2026-01-31 or 2026-01-31T12:00:00Z",
            Self::DateWithoutZone => {
                "add the zone, as in 2026-01-31T12:00:00Z or 2026-01-31T07:00:00-05:00"
            }
            Self::DateInfinite => "leave the date NULL where it is not known",
            Self::DateOutOfRange => "correct the date at the source, or leave it NULL",
            Self::VersionUnreadable => "mend the bytes at the source, or write them as hex(…)",
            Self::PriorityUnreadable => "make it an integer; NULL counts as 0",
        }
    }

    /// The number that stands for it in a stage; 1 and 5 are those of keys that no lead can have.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::KeyTooLong => 2,
            Self::DateUnreadable => 3,
            Self::DateWithoutZone => 4,
            Self::DateInfinite => 6,
            Self::DateOutOfRange => 7,
            Self::VersionUnreadable => 8,
            Self::PriorityUnreadable => 9,
        }
    }
}

impl std::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for RejectReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// A lead that a seed left out, by its name and without the value that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// Its key; absent where the key itself is what is wrong.
    pub source_pk: Option<SourcePk>,
    /// The SHA-256 of its key, in hexadecimal.
    pub key_hash: String,
    /// The length of its key in bytes.
    pub key_bytes: u64,
    /// Why it was left out.
    pub reason: RejectReason,
}

impl Rejection {
    /// How many of them a summary lists.
    pub const LISTED: usize = 20;

    /// Names the lead of a key.
    #[must_use]
    pub fn new(key: &str, reason: RejectReason) -> Self {
        let key_hash = HEXLOWER.encode(&Sha256::digest(key.as_bytes()));
        let source_pk = SourcePk::new(key).ok();
        Self { source_pk, key_hash, key_bytes: key.len() as u64, reason }
    }
}
