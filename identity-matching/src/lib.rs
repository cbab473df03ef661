#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod decide;
pub mod evaluate;
mod explain;
pub mod index;
mod key;
mod kinds;
mod normalise;
mod policy;
pub mod review;
mod text;
mod weak;

pub use decide::{
    Agreement, CandidateEvidence, Compared, Confidence, Considered, Decision, DeterministicMatcher,
    Disagreement, Evidence, Judge, Judged, KeyEvidence, KeyUse, KindSet, MatchError, Matcher,
    Outcome, PolicyStamp, Rejections, Rule, RuleNameError, Standing, SubjectView,
    UnknownConfidence, UnknownReason, UnmatchedReason, Verdict, judge,
};
pub use explain::{Change, Explanation, ReadKey, ValueReading};
pub use key::{
    DocumentTypeId, Field, HashKey, HeldKey, Key, KeyForm, KeyKind, KindCodeError, Masked, Reading,
    Source,
};
pub use kinds::document::{
    DocumentNumber, DocumentReading, DocumentRule, DocumentType, DocumentTypeConflict,
    DocumentTypes,
};
pub use kinds::email::{AddressUse, EmailProvider, EmailRules};
pub use kinds::{
    Characters, CheckDigits, IdentifierKind, KindConflict, OwnKind, OwnKindError, OwnKindRules,
    RawValue, Sink,
};
pub use normalise::{
    NormaliseOptions, Normalised, Normaliser, OptionsError, OwnValue, Placeholders, READING,
    RawDocument, Record, RecordReader, UnknownUnusableReason, Unusable, UnusableReason,
};
pub use policy::{
    AddressRules, Agree, ConditionError, Differ, DoubtRules, KindRules, MatchRule, Policy,
    PolicyError, PolicyRules, ReadingConflict, Require, WeakRules,
};
pub use text::{Region, UnknownRegion};
pub use weak::{BirthDate, BlockingKey, BlockingKind, Name, Plate};
