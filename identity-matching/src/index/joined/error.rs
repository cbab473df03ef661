//! Why the rows of a group cannot be decided on.

/// Reports that the rows of one group do not fit one another; what the engine joined is wrong or cut short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A key is counted that the subject does not have.
    #[error(
        "a count belongs to the key {key}, which this subject does not have: the keys were made of other data or under another policy; make them anew"
    )]
    ForeignKey {
        /// The key, masked.
        key: String,
    },
    /// One key is counted differently in two places, or as held by nobody.
    #[error(
        "the key {key} is counted as held by {one} persons and by {other}: count each key once, persons once each, and leave out keys that nobody holds"
    )]
    Counts {
        /// The key, masked.
        key: String,
        /// One count.
        one: u32,
        /// The other.
        other: u32,
    },
    /// Not all holders of a key were joined, or more than were counted.
    #[error(
        "the key {key} is held by {counted} persons as counted, and {found} were joined: the group is cut short, or persons changed while it was joined; join it anew"
    )]
    CutShort {
        /// The key, masked.
        key: String,
        /// How many were counted.
        counted: u32,
        /// How many were joined.
        found: u32,
    },
    /// A person shares no key with the subject for which it would be joined.
    #[error(
        "a joined person shares no key with its subject: rows of two groups are mixed, or a key above its cap was joined"
    )]
    ForeignPerson,
    /// A person stands twice in one group.
    #[error("a person stands twice in one group: hand over each person once, with all its records")]
    Twice,
    /// A person differs from what an earlier group says of it.
    #[error(
        "a person differs between two groups: a record is missing in one of them, or the person changed while it was joined; join it anew"
    )]
    PersonDiffers,
}
