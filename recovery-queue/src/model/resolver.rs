//! The resolver: who decides what becomes of a lead.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::model::error::ConfigError;
use crate::model::evidence::Evidence;
use crate::model::key::{PersonKey, SourcePk};

/// Why a lead was not matched.
///
/// The codes are those of the deterministic matcher, `ERROR` for a lead whose resolver failed `max_attempts` times,
/// `PERSON_GONE` and `REJECTED`, which are the store's, and those that a service makes for itself ([`own`](Self::own)). They are ordered by
/// their codes.
///
/// ```
/// use recovery_queue::FailReason;
///
/// let reason = FailReason::own("OUT_OF_REGION")?;
/// assert_eq!(reason.code(), "OUT_OF_REGION");
/// assert_eq!(FailReason::own("NO_CANDIDATES")?, FailReason::NoCandidates);
/// assert!(FailReason::own("out of region").is_err());
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailReason {
    /// Several persons fit and none fits better.
    ConflictMultipleCandidates,
    /// The resolver failed for technical reasons as often as allowed.
    Error,
    /// The resolver's source does not know the lead.
    LeadNotFound,
    /// The lead has no usable strong key.
    MissingIdentifiers,
    /// No person holds a key of the lead.
    NoCandidates,
    /// The lead was matched, and the person was gone when the match was to be written.
    PersonGone,
    /// The lead was matched to a person whom somebody has rejected for it.
    Rejected,
    /// Only weak evidence points to somebody.
    WeakMatchOnly,
    /// A reason of the service's own.
    Own(OwnReason),
}

/// The code of a reason of a service's own; made by [`FailReason::own`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnReason(Arc<str>);

impl OwnReason {
    /// The longest code, in bytes.
    pub const MAX_BYTES: usize = 40;
}

impl FailReason {
    /// Lists every reason of this crate, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::ConflictMultipleCandidates,
        Self::Error,
        Self::LeadNotFound,
        Self::MissingIdentifiers,
        Self::NoCandidates,
        Self::PersonGone,
        Self::Rejected,
        Self::WeakMatchOnly,
    ];

    /// Makes a reason of the service's own, or gives the one of this crate that has the code.
    ///
    /// # Errors
    /// A code that is not upper snake case (`OUT_OF_REGION`) or is longer than [`OwnReason::MAX_BYTES`].
    pub fn own(code: &str) -> Result<Self, ConfigError> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        let starts = code.starts_with(|first: char| first.is_ascii_uppercase());
        if !starts || code.len() > OwnReason::MAX_BYTES || !code.split('_').all(is_word) {
            return Err(ConfigError::new(
                "fail reason",
                code.chars().take(60).collect::<String>(),
                "it is no code",
                "use upper snake case such as OUT_OF_REGION, 40 bytes at most",
            ));
        }
        Ok(Self::stored(code))
    }

    /// Gives the reason of a stored code, whatever its text is: none is dropped.
    pub(crate) fn stored(code: &str) -> Self {
        let own = || Self::Own(OwnReason(code.into()));
        Self::ALL.into_iter().find(|reason| reason.code() == code).unwrap_or_else(own)
    }

    /// Gives the code in upper snake case, as it is stored and written.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::ConflictMultipleCandidates => "CONFLICT_MULTIPLE_CANDIDATES",
            Self::Error => "ERROR",
            Self::LeadNotFound => "LEAD_NOT_FOUND",
            Self::MissingIdentifiers => "MISSING_IDENTIFIERS",
            Self::NoCandidates => "NO_CANDIDATES",
            Self::PersonGone => "PERSON_GONE",
            Self::Rejected => "REJECTED",
            Self::WeakMatchOnly => "WEAK_MATCH_ONLY",
            Self::Own(own) => &own.0,
        }
    }
}

impl Ord for FailReason {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for FailReason {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for FailReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl FromStr for FailReason {
    type Err = ConfigError;

    /// Reads a code; `no_match_found` and any lower case spelling of a code of this crate are read as their synonyms.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("no_match_found") {
            return Ok(Self::NoCandidates);
        }
        let known = Self::ALL.into_iter().find(|reason| text.eq_ignore_ascii_case(reason.code()));
        known.map_or_else(|| Self::own(text), Ok)
    }
}

/// One lead that a batch has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedLead {
    /// The lead's key.
    pub source_pk: SourcePk,
    /// When the lead came into being, by its backlog.
    pub lead_at: DateTime<Utc>,
    /// The version of the lead's data, where its backlog gives one.
    pub lead_version: Option<String>,
    /// How many technical attempts have failed before this one.
    pub attempts: u32,
    /// Persons whom somebody has rejected for the lead ([`LinkStore::reject_pair`](crate::LinkStore::reject_pair)): a
    /// match to one of them is settled as `REJECTED`.
    pub rejected: Vec<PersonKey>,
}

impl ClaimedLead {
    /// Makes a claimed lead; stores do this, and tests of a resolver.
    #[must_use]
    pub fn new(source_pk: SourcePk, lead_at: DateTime<Utc>) -> Self {
        Self { source_pk, lead_at, lead_version: None, attempts: 0, rejected: Vec::new() }
    }
}

/// A decision for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// The person.
    pub person_key: PersonKey,
    /// The rule that decided, such as `PHONE_EXACT`.
    pub rule: String,
    /// How sure the resolver is, in its own words (`high`, `0.97`).
    pub confidence: String,
    /// What it rests on.
    pub evidence: Option<Evidence>,
}

/// What becomes of one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The lead is this person.
    Matched(Match),
    /// The lead could not be matched; it is settled as `failed` until its data or the population changes.
    #[non_exhaustive]
    Unmatched {
        /// Why.
        reason: FailReason,
        /// What it rests on.
        evidence: Option<Evidence>,
        /// Opaque keys of the lead (digests, never identifiers): a person who comes to hold one of them
        /// wakes the lead up.
        wake_keys: Vec<String>,
    },
    /// The resolver failed on this lead; it is tried again later, with back-off.
    Error {
        /// What happened, without personal data.
        message: String,
    },
    /// Nothing is decided yet, and that is no failure: the lead stays pending and rests, and no attempt is counted.
    #[non_exhaustive]
    Later {
        /// How long it rests; more than a year counts as one.
        rest: Duration,
        /// Why, without personal data.
        message: String,
    },
}

/// The longest rest of a lead.
pub(crate) const LONGEST_REST: Duration = Duration::from_hours(366 * 24);

impl Resolution {
    /// Makes a match with no evidence text.
    pub fn matched(
        person_key: PersonKey,
        rule: impl Into<String>,
        confidence: impl Into<String>,
    ) -> Self {
        Self::Matched(Match {
            person_key,
            rule: rule.into(),
            confidence: confidence.into(),
            evidence: None,
        })
    }

    /// Makes a failure with no evidence text and no wake keys.
    #[must_use]
    pub fn unmatched(reason: FailReason) -> Self {
        Self::Unmatched { reason, evidence: None, wake_keys: Vec::new() }
    }

    /// Makes a technical error.
    pub fn error(message: impl Into<String>) -> Self {
        Self::Error { message: message.into() }
    }

    /// Puts the decision off: the lead stays pending, rests for so long, and no attempt is counted.
    ///
    /// ```
    /// use std::time::Duration;
    /// use recovery_queue::{ClaimedLead, RecoverOptions, Resolution, Settlement, SourcePk, Status};
    ///
    /// let lead = ClaimedLead::new(SourcePk::new("L-1")?, Default::default());
    /// let answer = Resolution::later(Duration::from_mins(1), "the lead changed");
    /// let told = Settlement::of(&answer, &lead, Default::default(), &RecoverOptions::default());
    /// assert_eq!((told.status, told.attempts), (Status::Pending, 0));
    /// # Ok::<(), recovery_queue::KeyError>(())
    /// ```
    pub fn later(rest: Duration, message: impl Into<String>) -> Self {
        Self::Later { rest, message: message.into() }
    }

    /// Adds evidence; a technical error has none and stays as it is.
    #[must_use]
    pub fn with_evidence(mut self, found: Evidence) -> Self {
        match &mut self {
            Self::Matched(matched) => matched.evidence = Some(found),
            Self::Unmatched { evidence, .. } => *evidence = Some(found),
            Self::Error { .. } | Self::Later { .. } => {}
        }
        self
    }

    /// Adds the keys whose appearance in the population wakes a failed lead up.
    #[must_use]
    pub fn with_wake_keys(mut self, keys: Vec<String>) -> Self {
        if let Self::Unmatched { wake_keys, .. } = &mut self {
            *wake_keys = keys;
        }
        self
    }
}

/// Why a resolver could not answer for a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Something in the batch is at fault: the batch is halved until the lead is alone.
    #[error("the batch could not be resolved: {0}")]
    Batch(String),
    /// The resolver as a whole cannot work now: the batch is given back, no attempt is counted.
    #[error("the resolver cannot work now: {0}")]
    Unavailable(String),
}

/// Decides, for a batch of leads, what becomes of each.
///
/// The resolver sees the batch and nothing else: no connection is handed out, so it cannot write behind the
/// queue's back. It answers one [`Resolution`] per lead, in the order of the leads. Any closure of that shape
/// is a resolver.
///
/// ```
/// use recovery_queue::{ClaimedLead, FailReason, Resolution, ResolveError, Resolver};
///
/// let mut nobody = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
///     Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
/// };
/// assert!(nobody.resolve(&[])?.is_empty());
/// # Ok::<(), ResolveError>(())
/// ```
pub trait Resolver {
    /// Resolves a batch: one resolution per lead, in order.
    ///
    /// # Errors
    /// [`ResolveError::Batch`] halves the batch; [`ResolveError::Unavailable`] gives it back whole.
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError>;

    /// Says whether the resolver waits for others, so that it must work under a lease and with no transaction open.
    fn needs_lease(&self) -> bool {
        false
    }

    /// Gives the way to begin leads before they are asked; a resolver that answers only when it is asked has none.
    fn ahead(&mut self) -> Option<&mut dyn Ahead> {
        None
    }
}

/// The part of a resolver that begins leads before they are asked, such as [`ReadAhead`](crate::ReadAhead)'s.
///
/// A store that can tell whether its database was changed by somebody else names the leads of the next batch while it
/// writes the batch in hand. What was begun answers for nothing but [`Resolver::resolve`] on the same leads, unchanged.
pub trait Ahead {
    /// Begins leads that are likely to be asked next, and returns at once.
    fn begin(&mut self, leads: Vec<ClaimedLead>);

    /// Drops what was begun, since the data that it was decided by may have changed.
    fn forget(&mut self);
}

impl<F> Resolver for F
where
    F: FnMut(&[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError>,
{
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        self(leads)
    }
}

impl Resolver for Box<dyn Resolver + '_> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        (**self).resolve(leads)
    }

    fn needs_lease(&self) -> bool {
        (**self).needs_lease()
    }

    fn ahead(&mut self) -> Option<&mut dyn Ahead> {
        (**self).ahead()
    }
}

impl Resolver for Box<dyn Resolver + Send + '_> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        (**self).resolve(leads)
    }

    fn needs_lease(&self) -> bool {
        (**self).needs_lease()
    }

    fn ahead(&mut self) -> Option<&mut dyn Ahead> {
        (**self).ahead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_in_either_case() {
        for reason in FailReason::ALL {
            assert_eq!(FailReason::own(reason.code()).unwrap(), reason);
            assert_eq!(reason.code().parse::<FailReason>().unwrap(), reason);
            assert_eq!(reason.code().to_lowercase().parse::<FailReason>().unwrap(), reason);
        }
        assert_eq!("no_match_found".parse::<FailReason>().unwrap(), FailReason::NoCandidates);
        assert_eq!("NOBODY".parse::<FailReason>().unwrap().code(), "NOBODY");
    }

    #[test]
    fn a_code_of_a_services_own_is_upper_snake_case_of_at_most_forty_bytes() {
        let longest = "X".repeat(40);
        for code in ["A", "OUT_OF_REGION", "RULE_7", "V2", &longest] {
            assert_eq!(FailReason::own(code).unwrap().to_string(), code);
        }
        let long = "X".repeat(41);
        for code in
            ["", "a", "nobody", "Nobody", "7_UP", "_A", "A_", "A__B", "A B", "A-B", "Ñ", &long]
        {
            let error = FailReason::own(code).unwrap_err().to_string();
            assert!(error.contains("OUT_OF_REGION"), "{error}");
        }
    }
}
