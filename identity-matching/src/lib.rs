#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod birth_date;
mod blocking;
pub mod cluster;
mod decide;
mod document;
mod email;
pub mod evaluate;
mod explain;
pub mod index;
mod key;
mod mask;
mod name;
mod normalise;
mod phone;
mod placeholder;
mod plate;
mod policy;
mod record;
mod region;
mod text;
mod unusable;

pub use birth_date::BirthDate;
pub use blocking::{BlockingKey, BlockingKind};
pub use decide::{
    Agreement, CandidateEvidence, Confidence, Considered, Decision, DeterministicMatcher, Evidence,
    KeyEvidence, KeyUse, MatchError, Matcher, Outcome, PolicyStamp, Rule, Standing, SubjectView,
    UnknownReason, UnmatchedReason, Verdict,
};
pub use document::{
    DocumentNumber, DocumentReading, DocumentRule, DocumentType, DocumentTypeConflict,
    DocumentTypes,
};
pub use email::{AddressUse, EmailProvider, EmailRules};
pub use explain::{Change, Explanation, ReadKey, ValueReading};
pub use key::{DocumentTypeId, Field, HashKey, HeldKey, Key, KeyForm, KeyKind, Reading, Source};
pub use mask::Masked;
pub use name::Name;
pub use normalise::{NormaliseOptions, Normalised, Normaliser, RecordReader};
pub use placeholder::Placeholders;
pub use plate::Plate;
pub use policy::{
    AddressRules, ContradictionRules, KindRules, Policy, PolicyError, PolicyRules, WeakRule,
    WeakRules,
};
pub use record::{DocumentParts, RawDocument, Record};
pub use region::{Region, UnknownRegion};
pub use unusable::{Unusable, UnusableReason};
