#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
pub mod conformance;
mod decide;
pub mod evaluate;
mod explain;
pub mod index;
mod key;
mod kinds;
mod matcher;
mod normalise;
mod policy;
pub mod review;
mod text;
mod weak;

pub use decide::{
    Agreement, CandidateEvidence, Compared, Considered, Decision, DeterministicMatcher,
    Disagreement, Evidence, Judge, Judged, Judgement, KeyEvidence, KeyUse, KindSet, MatchError,
    Outcome, PolicyStamp, Rejections, Standing, UnknownReason, UnmatchedReason, judge,
};
pub use explain::{Change, Explanation, ReadKey, ValueReading};
pub use index::SubjectView;
pub use key::{
    DocumentTypeId, Field, HashKey, HeldKey, Key, KeyForm, KeyKind, KindCodeError, Masked, Reading,
    UnknownKeyForm, UnknownUnusableReason, Unusable, UnusableReason, ValueSource,
};
pub use kinds::document::{
    DocumentNumber, DocumentReading, DocumentRule, DocumentType, DocumentTypeConflict,
    DocumentTypes,
};
pub use kinds::email::{AddressUse, EmailProvider, EmailRules};
pub use kinds::{
    Characters, CheckDigits, IdentifierKind, KindConflict, Normalised, OwnKind, OwnKindError,
    OwnKindRules, RawValue, Sink,
};
pub use matcher::Matcher;
pub use normalise::{
    NormaliseOptions, Normaliser, OptionsError, OwnValue, Placeholders, READING, RawDocument,
    Record, RecordReader,
};
pub use policy::{
    AddressRules, Agree, ConditionError, Confidence, Differ, DoubtRules, KindRules, MatchRule,
    Policy, PolicyError, PolicyRules, ReadingConflict, Require, Rule, RuleNameError,
    UnknownConfidence, WeakRules,
};
pub use text::{Region, UnknownRegion};
pub use weak::{BirthDate, BlockingKey, BlockingKind, Name, Plate};
