//! What disagrees in a store, by kind.

use serde::{Serialize, Serializer};

/// In which way the rows of a lead, or of a person, disagree.
///
/// None of them comes about by the store's own writes; each is left by something else that wrote to its tables or removed
/// what they rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InconsistencyKind {
    /// A state, link or origin refers to a lead that the queue does not hold. Put right: the row is removed.
    RowWithoutLead,
    /// The lead is in more than one state. Put right: it has the state that its link, or the lack of one, gives it.
    InSeveralStates,
    /// The lead is in no state. Put right: it is matched where it is linked, else pending.
    InNoState,
    /// The lead is linked and not matched. Put right: it is matched to the person of the link.
    LinkedNotMatched,
    /// The lead is matched to another person than it is linked to. Put right: the link holds.
    MatchedToAnother,
    /// The lead is matched and not linked. Put right: it is pending.
    MatchedWithoutLink,
    /// The lead is linked to a person who is gone, by the view of persons that is recorded. Put right: the link is undone,
    /// with its history, and the lead is pending.
    PersonGone,
    /// A person has links and no origin, or an origin that is not linked. Put right: the first linked lead is the origin.
    OriginWrong,
    /// By the ledger another number of leads is open than by the queue. Put right: an event makes up the difference.
    LedgerDiffers,
    /// The lead is matched and linked, and its backlog's view still gives it: the view does not read the links, or reads
    /// another key. Only the view's owner can put it right.
    LeakedThoughLinked,
}

impl InconsistencyKind {
    /// Lists every kind, in the order in which they are put right.
    pub const ALL: [Self; 10] = [
        Self::RowWithoutLead,
        Self::InSeveralStates,
        Self::InNoState,
        Self::LinkedNotMatched,
        Self::MatchedToAnother,
        Self::MatchedWithoutLink,
        Self::PersonGone,
        Self::OriginWrong,
        Self::LedgerDiffers,
        Self::LeakedThoughLinked,
    ];

    /// Gives the word, as it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RowWithoutLead => "row_without_lead",
            Self::InSeveralStates => "in_several_states",
            Self::InNoState => "in_no_state",
            Self::PersonGone => "person_gone",
            Self::LinkedNotMatched => "linked_not_matched",
            Self::MatchedToAnother => "matched_to_another",
            Self::MatchedWithoutLink => "matched_without_link",
            Self::OriginWrong => "origin_wrong",
            Self::LedgerDiffers => "ledger_differs",
            Self::LeakedThoughLinked => "leaked_though_linked",
        }
    }

    /// Says whether the store can put it right.
    #[must_use]
    pub const fn can_be_mended(self) -> bool {
        !matches!(self, Self::LeakedThoughLinked)
    }
}

impl std::fmt::Display for InconsistencyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for InconsistencyKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// What disagrees in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Inconsistency {
    /// In which way.
    pub kind: InconsistencyKind,
    /// How many leads, persons or rows.
    pub count: u64,
    /// The first of them by key, at most [`LISTED`](Self::LISTED): the lead's key, the person's where origins disagree.
    pub keys: Vec<String>,
}

impl Inconsistency {
    /// How many keys are listed.
    pub const LISTED: usize = 20;

    /// Makes an inconsistency of all its keys.
    #[must_use]
    pub fn of(kind: InconsistencyKind, mut keys: Vec<String>) -> Self {
        let count = keys.len() as u64;
        keys.sort_unstable();
        keys.truncate(Self::LISTED);
        Self { kind, count, keys }
    }
}
