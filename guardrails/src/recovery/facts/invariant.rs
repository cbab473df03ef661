/// A statement that must hold for every member of a population, by name.
///
/// The list is open: a store and its checks agree on further names with [`Invariant::named`]. The population is
/// what the invariant is about; its size is the denominator of the check.
///
/// ```
/// use guardrails::recovery::Invariant;
///
/// const NO_CLAIM_TWICE: Invariant = Invariant::named("no_claim_twice");
/// assert_eq!(NO_CLAIM_TWICE.to_string(), "no_claim_twice");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Invariant(&'static str);

impl Invariant {
    /// No lead that is `matched` is in the backlog. Population: matched leads. Key: the lead's
    /// `source_pk`.
    pub const MATCHED_NOT_IN_BACKLOG: Self = Self("matched_not_in_backlog");
    /// The person of every matched lead has an origin. Population: matched leads. Key: the lead's
    /// `source_pk`.
    pub const MATCHED_HAS_ORIGIN: Self = Self("matched_has_origin");
    /// The lead of every origin is linked to the origin's person. Population: origins. Key: the
    /// person's key.
    pub const ORIGIN_HAS_LINK: Self = Self("origin_has_link");
    /// Every matched lead has a link. Population: matched leads. Key: the lead's `source_pk`.
    pub const MATCHED_HAS_LINK: Self = Self("matched_has_link");
    /// The link of every matched lead leads to the person that the queue names. Population: matched
    /// leads that have a link. Key: the lead's `source_pk`.
    pub const LINK_TO_SAME_PERSON: Self = Self("link_to_same_person");
    /// A lead's key is written in one way in every table: no key of a link, origin, claim or ledger
    /// row differs from the queue's only in case, surrounding blanks, leading zeros or a trailing
    /// `.0`, and none is blank. Population: distinct keys over all tables. Key: the odd spelling.
    pub const SOURCE_PK_IN_ONE_FORMAT: Self = Self("source_pk_in_one_format");
    /// By the ledger every lead is in the state that the queue says. Population: leads of the queue.
    /// Key: the lead's `source_pk`.
    pub const LEDGER_AGREES_WITH_QUEUE: Self = Self("ledger_agrees_with_queue");

    /// Every link leads to a person who is there, by the service's own record of persons. Population: links. Key: the
    /// lead's `source_pk`.
    pub const LINK_TARGET_EXISTS: Self = Self("link_target_exists");
    /// Every lead of the backlog could be taken by the last seed. Population: leads of the queue, and those left out.
    /// Key: the lead's `source_pk`, or the SHA-256 of a key that is no key.
    pub const BACKLOG_LEAD_TAKEN: Self = Self("backlog_lead_taken");
    /// No lead is linked to a person who was rejected for it. Population: rejections that hold. Key: the lead's
    /// `source_pk`.
    pub const REJECTED_NOT_LINKED: Self = Self("rejected_not_linked");
    /// The clock is not behind what it said before. Population: clocks, one. Key: `clock`.
    pub const CLOCK_GOES_FORWARD: Self = Self("clock_goes_forward");

    /// The invariants that this crate's own checks ask for.
    pub const BUILT_IN: [Self; 11] = [
        Self::MATCHED_NOT_IN_BACKLOG,
        Self::MATCHED_HAS_ORIGIN,
        Self::ORIGIN_HAS_LINK,
        Self::MATCHED_HAS_LINK,
        Self::LINK_TO_SAME_PERSON,
        Self::SOURCE_PK_IN_ONE_FORMAT,
        Self::LEDGER_AGREES_WITH_QUEUE,
        Self::LINK_TARGET_EXISTS,
        Self::BACKLOG_LEAD_TAKEN,
        Self::REJECTED_NOT_LINKED,
        Self::CLOCK_GOES_FORWARD,
    ];

    /// Names an invariant, in `snake_case`.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.0)
    }
}
