//! Everything that a check can say, once, so that each language says all of it.

mod english;
mod spanish;

use rust_decimal::Decimal;

use super::date::DateDamage;
use super::number::NumberDamage;
use crate::formula::EvaluateError;
use crate::read::Unreadable;
use crate::template::Language;

/// What is wrong or odd, with what a sentence about it needs.
#[derive(Debug, Clone)]
pub(crate) enum Problem<'a> {
    // Of a file as a whole.
    Encoding,
    Utf16,
    EmptyFile,
    Unreadable(&'a Unreadable),
    BlankRow,
    Renamed { issued: &'a str },
    Copy { of: &'a str },
    OtherVersion { of: &'a str },
    Stranger,
    NoPacket,
    Missing,
    Stale,
    AlreadyLoaded,
    NothingFilledIn,
    SeveralRows { total: u64 },
    DuplicateKey { key: &'a str, first: &'a str },
    // Of the header.
    LabelTwice,
    LabelRenamed { column: &'a str },
    LabelMissing { column: &'a str },
    LabelExtra,
    LabelsMoved,
    // Of a cell.
    CellTooLong { most: usize },
    ErrorValue,
    Formula,
    IssuedGone { issued: &'a str },
    KeyDate { damage: DateDamage, issued: &'a str },
    LeadingZerosLost { issued: &'a str },
    KeyScientific { issued: &'a str },
    KeyCase { issued: &'a str },
    KeyChanged { issued: &'a str },
    IssuedAtAnotherTime { now: &'a str },
    ReadOnlyChanged { issued: &'a str },
    EvidenceDateMissing,
    EvidenceQuoteMissing,
    NumberMissing,
    CellMissing,
    NumberAsDate,
    Number { damage: NumberDamage, unit: Option<&'a str>, mark: char },
    OutOfBounds { greater: bool, exclusive: bool, limit: Decimal },
    FutureEvidence,
    Date { damage: DateDamage },
    NoAddress,
    LettersLost,
    TextTooShort { length: usize, least: usize },
    NotAllowed { allowed: &'a [String] },
    ExtraCell,
    // Of several cells together.
    RequiredWhenFilled { when: &'a str },
    PartGreaterThanWhole { of: &'a str, whole: Decimal },
    Kpi { kpi_id: &'a str, formula: &'a str, fault: KpiFault<'a> },
}

/// Why no KPI follows from the figures.
#[derive(Debug, Clone)]
pub(crate) enum KpiFault<'a> {
    Evaluate(&'a EvaluateError),
    LessThan { value: Decimal, limit: Decimal },
    GreaterThan { value: Decimal, limit: Decimal },
}

impl Problem<'_> {
    /// Returns what is wrong, and what to do about it.
    pub(crate) fn tell(&self, language: Language) -> (String, String) {
        match language {
            Language::En => english::tell(self),
            Language::Es => spanish::tell(self),
        }
    }
}
