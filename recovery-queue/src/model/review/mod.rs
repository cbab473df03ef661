//! Leads that people decide: the cases they are given, what they decide, and what a load of decisions does.

pub(crate) mod agreement;
pub(crate) mod figures;
pub(crate) mod judge;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::key::{PersonKey, SourcePk};
use crate::model::resolver::FailReason;

/// A packet of cases to record as given out: to whom, under which policy, and each lead with the fingerprint of what it
/// shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewReviewPacket {
    /// The packet's key, unique in the store.
    pub packet: String,
    /// Whom it is given to; `None` = whoever may decide.
    pub reviewer: Option<String>,
    /// Who gives it out.
    pub issued_by: String,
    /// The policy that the cases were judged by, in the service's words.
    pub policy: String,
    /// Whether identifiers are shown in full.
    pub full: bool,
    /// How many reviewers must decide alike before a decision is applied: 1 or 2.
    ///
    /// 0 = nobody is asked, for the decisions are there, such as claims that name a lead and a person: they are applied and
    /// undone as others are, also where the lead has left its backlog, and count in no figure of the review.
    pub reviews_needed: u8,
    /// The leads, each with the fingerprint of its data, candidates and policy.
    pub cases: Vec<(SourcePk, String)>,
}

impl NewReviewPacket {
    /// Makes a packet for whoever may decide, masked, with one review needed.
    #[must_use]
    pub fn new(
        packet: impl Into<String>,
        issued_by: impl Into<String>,
        policy: impl Into<String>,
        cases: Vec<(SourcePk, String)>,
    ) -> Self {
        Self {
            packet: packet.into(),
            reviewer: None,
            issued_by: issued_by.into(),
            policy: policy.into(),
            full: false,
            reviews_needed: 1,
            cases,
        }
    }
}

/// What a person decides of a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// The lead is this person.
    Link(PersonKey),
    /// The lead is none of the candidates.
    NoneOfThese,
    /// The lead is a person who was not known; the service has made the person under this key.
    NewPerson(PersonKey),
    /// Nothing is decided yet: the case comes back at this time.
    Later(DateTime<Utc>),
    /// Values of the lead that could not be read are corrected in the service's own tables, by its
    /// [`CorrectionSink`](crate::CorrectionSink): the lead is decided anew. Holds a digest of the corrected values, keyed by
    /// the service, for the store keeps no identifier.
    Corrected(String),
}

impl ReviewDecision {
    /// The word of [`Link`](Self::Link), as it is stored.
    pub const LINK: &'static str = "link";
    /// The word of [`NoneOfThese`](Self::NoneOfThese).
    pub const NONE_OF_THESE: &'static str = "none_of_these";
    /// The word of [`NewPerson`](Self::NewPerson).
    pub const NEW_PERSON: &'static str = "new_person";
    /// The word of [`Later`](Self::Later).
    pub const LATER: &'static str = "later";
    /// The word of [`Corrected`](Self::Corrected).
    pub const CORRECTED: &'static str = "corrected";

    /// Lists the words of all decisions.
    pub const WORDS: [&'static str; 5] =
        [Self::LINK, Self::NONE_OF_THESE, Self::NEW_PERSON, Self::LATER, Self::CORRECTED];

    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Link(_) => Self::LINK,
            Self::NoneOfThese => Self::NONE_OF_THESE,
            Self::NewPerson(_) => Self::NEW_PERSON,
            Self::Later(_) => Self::LATER,
            Self::Corrected(_) => Self::CORRECTED,
        }
    }

    /// Gives the person that the lead is said to be.
    #[must_use]
    pub fn person(&self) -> Option<&PersonKey> {
        match self {
            Self::Link(person) | Self::NewPerson(person) => Some(person),
            Self::NoneOfThese | Self::Later(_) | Self::Corrected(_) => None,
        }
    }

    /// Gives the digest of the corrected values.
    #[must_use]
    pub fn corrected(&self) -> Option<&str> {
        match self {
            Self::Corrected(digest) => Some(digest),
            _ => None,
        }
    }

    /// Says whether the lead is to be decided anew.
    #[must_use]
    pub const fn is_decided_anew(&self) -> bool {
        matches!(self, Self::NoneOfThese | Self::Corrected(_))
    }

    /// Gives when the case comes back.
    #[must_use]
    pub fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Later(until) => Some(*until),
            _ => None,
        }
    }
}

/// One person's decision of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Review {
    /// The packet that the case was given out in.
    pub packet: String,
    /// The lead.
    pub source_pk: SourcePk,
    /// The fingerprint of the lead's data, candidates and policy as they are now: another than that of the packet makes the
    /// decision stale.
    pub fingerprint: String,
    /// What was decided.
    pub decision: ReviewDecision,
    /// The persons who were shown and are not the lead, if the decision says so: remembered as rejected.
    pub candidates: Vec<PersonKey>,
    /// Who decided.
    pub decided_by: String,
    /// Why; may be blank.
    pub comment: String,
}

impl Review {
    /// Makes a decision without candidates and comment.
    pub fn new(
        packet: impl Into<String>,
        source_pk: SourcePk,
        fingerprint: impl Into<String>,
        decision: ReviewDecision,
        decided_by: impl Into<String>,
    ) -> Self {
        Self {
            packet: packet.into(),
            source_pk,
            fingerprint: fingerprint.into(),
            decision,
            candidates: Vec::new(),
            decided_by: decided_by.into(),
            comment: String::new(),
        }
    }

    /// Adds the persons who were shown.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<PersonKey>) -> Self {
        self.candidates = candidates;
        self
    }

    /// Adds why.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = comment.into();
        self
    }
}

/// Decisions to apply in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReviewLoad {
    /// Who loads them.
    pub by: String,
    /// The decisions.
    pub reviews: Vec<Review>,
    /// Whether one refused decision keeps all out; else the others are applied.
    pub strict: bool,
}

impl ReviewLoad {
    /// Makes a strict load.
    pub fn new(by: impl Into<String>, reviews: Vec<Review>) -> Self {
        Self { by: by.into(), reviews, strict: true }
    }

    /// Applies the decisions that are not refused.
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.strict = false;
        self
    }

    /// Gives the load's id: a digest of what it decides, so that the same decisions have the same id.
    #[must_use]
    pub fn id(&self) -> String {
        let mut facts: Vec<[&str; 7]> = Vec::with_capacity(self.reviews.len());
        let until: Vec<String> = self
            .reviews
            .iter()
            .map(|review| review.decision.until().map(|at| at.to_rfc3339()).unwrap_or_default())
            .collect();
        for (review, until) in self.reviews.iter().zip(&until) {
            facts.push([
                &review.packet,
                review.source_pk.as_str(),
                review.decision.word(),
                review.decision.person().map_or("", PersonKey::as_str),
                until,
                review.decision.corrected().unwrap_or_default(),
                &review.decided_by,
            ]);
        }
        facts.sort_unstable();
        let mut hash = Sha256::new();
        for part in facts.iter().flatten() {
            // Lengths go in front, so that no two lists of facts hash alike.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        format!("review-{first:016x}")
    }
}

/// Why a decision is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReviewRefusal {
    /// No such packet was given out by this store.
    UnknownPacket,
    /// The packet did not hold the lead.
    UnknownCase,
    /// Who decided is not on the list of reviewers.
    NotAReviewer,
    /// The packet was given to another reviewer.
    OtherReviewer,
    /// The lead's data, its candidates or the policy are not what the case showed.
    Changed,
    /// The lead was matched since.
    Matched,
    /// The lead left its backlog or was cancelled since.
    Withdrawn,
    /// The case was decided otherwise already, and that was not undone.
    Decided,
    /// Another decision of the load is about the same lead; where they differ, both are refused.
    Twice,
    /// The person of the decision was rejected for the lead.
    Rejected,
}

impl ReviewRefusal {
    /// Says whether the decision was made on what is no longer so.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Changed | Self::Matched | Self::Withdrawn)
    }

    /// Gives the reason in a sentence.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::UnknownPacket => "no such packet was given out by this database",
            Self::UnknownCase => "the packet did not hold this lead",
            Self::NotAReviewer => "who decided is not on the list of reviewers",
            Self::OtherReviewer => "the packet was given to another reviewer",
            Self::Changed => {
                "the lead's data, its candidates or the policy changed since the packet was given out"
            }
            Self::Matched => "the lead was matched since the packet was given out",
            Self::Withdrawn => "the lead left its backlog since the packet was given out",
            Self::Decided => "the case was decided otherwise already",
            Self::Twice => "another row decides this lead, too",
            Self::Rejected => "the person was rejected for this lead",
        }
    }

    /// Gives what to do about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::UnknownPacket | Self::UnknownCase => {
                "load it into the database that it was exported from, or export it again"
            }
            Self::NotAReviewer => "have somebody on the list decide, or add the name to the list",
            Self::OtherReviewer => {
                "have the reviewer of the packet decide, or export it for this one"
            }
            Self::Changed => "export the lead again and decide on what it shows now",
            Self::Matched | Self::Withdrawn => "take the row out: nothing is left to decide",
            Self::Decided => "undo the load that decided it first, or take the row out",
            Self::Twice => "keep the one that counts",
            Self::Rejected => "decide for another person, or undo the load that rejected this one",
        }
    }
}

/// What a load of decisions did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewReceipt {
    /// The load's id, by which it is undone; `None` where it changed nothing.
    pub load: Option<String>,
    /// Leads linked to a person.
    pub linked: u64,
    /// Leads linked to a person who is new.
    pub new_persons: u64,
    /// Leads that are none of their candidates.
    pub none_of_these: u64,
    /// Cases that come back later.
    pub later: u64,
    /// Leads of which values were corrected.
    pub corrected: u64,
    /// Pairs of a lead and a person that were rejected.
    pub rejected_pairs: u64,
    /// Decisions that wait for a second reviewer.
    pub waiting: u64,
    /// Decisions that contradict the first reviewer's; nothing was applied.
    pub disagreeing: u64,
    /// Decisions that were loaded before.
    pub unchanged: u64,
    /// Decisions that hold now, by their place in the load: not those that wait, disagree or were loaded before.
    #[serde(skip)]
    pub applied: Vec<usize>,
    /// Refused decisions, by their place in the load.
    pub refused: Vec<(usize, ReviewRefusal)>,
}

/// What undoing a load put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewUndone {
    /// Leads whose link was undone.
    pub unlinked: u64,
    /// Leads that stand again where they stood before.
    pub restored: u64,
    /// Pairs that are no longer rejected.
    pub allowed_pairs: u64,
    /// All decisions taken back, those that waited or were put off too.
    pub reviews: u64,
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReviewEffect {
    /// It holds.
    Applied,
    /// It waits for a second reviewer.
    Waiting,
    /// The second reviewer decided otherwise; it holds for nothing.
    Disagreeing,
    /// It was the first of two that agree; the second was applied.
    Confirmed,
}

impl ReviewEffect {
    /// Lists every effect.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Waiting, Self::Disagreeing, Self::Confirmed];

    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Disagreeing => "disagreeing",
            Self::Confirmed => "confirmed",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.code() == code)
    }
}

/// One recorded decision that was not undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewRow {
    /// The lead.
    pub source_pk: SourcePk,
    /// The packet that the case was given out in.
    pub packet: String,
    /// The load that brought the decision.
    pub load: String,
    /// The word of the decision.
    pub decision: String,
    /// The person, where it names one.
    pub person_key: Option<PersonKey>,
    /// When the case comes back, where it was put off.
    pub until: Option<DateTime<Utc>>,
    /// Who decided.
    pub decided_by: String,
    /// Why.
    pub comment: String,
    /// Why the lead had failed.
    pub fail_reason: Option<FailReason>,
    /// When it was loaded.
    pub decided_at: DateTime<Utc>,
    /// When the case was given out.
    pub issued_at: DateTime<Utc>,
    /// What became of it.
    pub effect: ReviewEffect,
    /// How many reviewers were asked for.
    pub reviews_needed: u8,
}

/// One load of decisions, undone or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewLoadRow {
    /// Its id, by which it is undone.
    pub load: String,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
    /// Who loaded it.
    pub loaded_by: String,
    /// How many decisions it brought; those on a lead that was forgotten are gone.
    pub reviews: u64,
    /// When it was undone, if it was.
    pub undone_at: Option<DateTime<Utc>>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

/// One change of the list of who may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewerChange {
    /// Whose name.
    pub name: String,
    /// Whether it was put on the list; else it was taken off.
    pub may_decide: bool,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Who changed the list.
    pub changed_by: String,
    /// Why.
    pub reason: String,
}

/// One case that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReviewCase {
    /// The lead.
    pub source_pk: SourcePk,
    /// The packet.
    pub packet: String,
    /// Whom the packet was given to.
    pub reviewer: Option<String>,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// The fingerprint of what the case showed.
    #[serde(skip)]
    pub fingerprint: String,
    /// How many reviewers were asked for.
    pub reviews_needed: u8,
    /// When the lead came into being.
    pub lead_at: DateTime<Utc>,
    /// Why the lead failed; `None` where it has not, or no more.
    pub fail_reason: Option<FailReason>,
    /// Whether the lead still waits in the backlog.
    pub open: bool,
    /// Whether the packet's decision of the case was loaded, and not undone.
    pub decided: bool,
}
