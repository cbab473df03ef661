//! What rows of keys were made by.

use std::{fmt, str::FromStr};

use crate::{
    index::Seal,
    normalise::{NormaliseOptions, READING},
    policy::Policy,
};

/// The version of the rows that keys, records and decisions travel in.
const FORMAT: u32 = 1;

/// The mark on every row of records: under which format, reading, options, secret and policy its keys were made.
///
/// Keys that were made otherwise than those they are joined with never meet, which no count would show: a decision
/// under another stamp is refused. Written as `1.2.<options>.<secret>.<policy>`; none of its parts tells a value.
///
/// ```
/// use identity_matching::{HashKey, Policy, Region};
/// use identity_matching::index::{Seal, joined::Stamp};
///
/// let policy = Policy::default();
/// let (peru, chile) = (Region::parse("PE")?, Region::parse("CL")?);
/// let stamp = |region, secret| {
///     let seal = Seal::new(HashKey::new([secret; 16]));
///     Stamp::new(&policy.normalise_options(region), &policy, &seal)
/// };
/// let ours = stamp(peru, 1);
/// assert_eq!(ours.to_string().parse::<Stamp>()?, ours);
/// assert!(ours.check(&ours).is_ok());
/// assert!(ours.check(&stamp(chile, 1)).unwrap_err().to_string().contains("options"));
/// assert!(ours.check(&stamp(peru, 2)).unwrap_err().to_string().contains("secret"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    format: u32,
    reading: u32,
    options: String,
    secret: String,
    policy: String,
}

impl Stamp {
    /// Makes the stamp of keys that are read by options, looked up under a policy and sealed.
    #[must_use]
    pub fn new(options: &NormaliseOptions, policy: &Policy, seal: &Seal) -> Self {
        let mark = seal.mark();
        let (high, low) = mark.split_at(4);
        let word =
            |bytes: &[u8]| bytes.iter().fold(0_u64, |word, &byte| word << 8 | u64::from(byte));
        Self {
            format: FORMAT,
            reading: READING,
            options: format!("{:032x}", u128::from_be_bytes(options.fingerprint())),
            secret: format!("{:08x}{:016x}", word(high), word(low)),
            policy: policy.hash().to_owned(),
        }
    }

    /// Checks that subjects under another stamp may be decided under this one.
    ///
    /// # Errors
    ///
    /// [`StampError::Differs`], which names the first part that differs.
    pub fn check(&self, other: &Self) -> Result<(), StampError> {
        self.check_keys(other)?;
        if self.policy != other.policy {
            return Err(StampError::Differs {
                what: "another policy",
                remedy: "give both programs the same policy, and make the subjects' keys anew",
            });
        }
        Ok(())
    }

    /// Checks that keys of persons under another stamp meet those of subjects under this one: all but the policy's
    /// caps and rules, which do not change keys.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_keys(&self, other: &Self) -> Result<(), StampError> {
        let differs = |what, remedy| Err(StampError::Differs { what, remedy });
        if self.format != other.format || self.reading != other.reading {
            return differs(
                "another version of this program",
                "run one version of it everywhere, and make the keys anew",
            );
        }
        if self.options != other.options {
            return differs(
                "other options (region, placeholders, addresses, phone digits, own kinds)",
                "give both programs the same region and policy, and make the keys anew",
            );
        }
        if self.secret != other.secret {
            return differs(
                "another secret",
                "give both programs the same secret, and make the keys anew",
            );
        }
        Ok(())
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, reading, options, secret, policy } = self;
        write!(f, "{format}.{reading}.{options}.{secret}.{policy}")
    }
}

impl FromStr for Stamp {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, StampError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [format, reading, options, secret, policy] = parts[..] else {
            return Err(StampError::Unreadable);
        };
        let number = |text: &str| text.parse().map_err(|_| StampError::Unreadable);
        Ok(Self {
            format: number(format)?,
            reading: number(reading)?,
            options: options.to_owned(),
            secret: secret.to_owned(),
            policy: policy.to_owned(),
        })
    }
}

/// Reports that rows may not be decided on, since their keys were made otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StampError {
    /// The text is no stamp.
    #[error(
        "the stamp of a row cannot be read: hand over the column as the keys were written with it"
    )]
    Unreadable,
    /// A part of the stamps differs.
    #[error("the keys of a row were made under {what}: {remedy}")]
    Differs {
        /// What they were made under.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
}
