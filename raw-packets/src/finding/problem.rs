//! Everything that a check can say, once, so that each language says all of it.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::code::Code;
use super::reason::Reason;
use crate::formula::EvaluateError;
use crate::read::{NotRead, Unreadable};
use crate::template::{Bound, Choice, Language, Text};
use crate::value::{DateDamage, NumberDamage, NumberReading};

/// What is wrong or odd, with what a sentence about it needs.
#[derive(Debug, Clone)]
pub(crate) enum Problem<'a> {
    // Of a file as a whole.
    Encoding,
    NulBytes,
    Decoded {
        encoding: &'static str,
    },
    EmptyFile,
    Unreadable(&'a Unreadable),
    OneColumn {
        delimiter: char,
    },
    SingleQuotes,
    HeaderBelow {
        row: u64,
    },
    BlankRows {
        rows: String,
    },
    Renamed {
        issued: &'a str,
    },
    Copy {
        of: &'a str,
    },
    UnfilledCopy {
        filled: &'a str,
    },
    OtherVersion {
        of: &'a str,
    },
    Stranger,
    OtherPeriod {
        issued: &'a str,
    },
    NoPacket,
    NotRead(&'a NotRead),
    FileUnreadable(&'a Unreadable),
    Missing {
        beside: Option<&'a str>,
    },
    RowElsewhere {
        file: &'a str,
        row: u64,
    },
    Stale,
    AlreadyLoaded,
    NothingFilledIn,
    SeveralRows {
        total: u64,
        others: String,
    },
    SeveralSources {
        rows: String,
    },
    DuplicateKey {
        key: &'a str,
        first: &'a str,
    },
    // Of a packet of rows.
    RowUnknown,
    RowTwice {
        file: &'a str,
        row: u64,
    },
    RowAgain {
        file: &'a str,
        row: u64,
    },
    RowsBeyond {
        most: usize,
    },
    Service {
        message: &'a str,
        remedy: &'a str,
    },
    // Of a workbook.
    SheetChosen {
        read: &'a str,
        unfilled: &'a str,
    },
    SheetDiffers {
        sheet: &'a str,
        read: &'a str,
    },
    SheetIgnored {
        sheet: &'a str,
        says: &'a str,
    },
    Comment {
        says: &'a str,
    },
    RowHidden,
    // Of the header.
    LabelTwice,
    LabelRenamed {
        labels: String,
    },
    LabelsMissing {
        columns: Vec<&'a str>,
    },
    LabelsExtra {
        labels: Vec<String>,
    },
    HeaderGone,
    LabelsMoved,
    // Of a cell.
    CellTooLong {
        most: usize,
    },
    ErrorValue,
    TooNarrow,
    Formula {
        typed: bool,
        text: bool,
    },
    IssuedGone {
        issued: &'a str,
        key: bool,
    },
    KeyDate {
        damage: DateDamage,
        issued: &'a str,
    },
    LeadingZerosLost {
        issued: &'a str,
    },
    KeyScientific {
        issued: &'a str,
    },
    KeyMangled {
        issued: &'a str,
    },
    KeyOf {
        issued: &'a str,
        whose: Whose,
    },
    KeyRewritten {
        issued: &'a str,
    },
    IssuedAtAnotherTime {
        now: &'a str,
    },
    ReadOnlyChanged {
        issued: &'a str,
    },
    EvidenceDateMissing,
    EvidenceQuoteMissing,
    NumberMissing,
    CellMissing,
    NumberAsDate,
    Number {
        damage: NumberDamage,
        text: &'a str,
        readings: &'a [NumberReading],
        unit: Option<&'a str>,
        mark: char,
    },
    ThousandsPossible {
        read: Decimal,
        also: Decimal,
        mark: char,
    },
    OutOfBounds {
        greater: bool,
        bound: &'a Bound,
    },
    FutureEvidence {
        as_of: NaiveDate,
    },
    LongAgo {
        first: i32,
    },
    Date {
        damage: DateDamage,
        evidence: bool,
    },
    NoAddress,
    LettersLost,
    TextTooShort {
        length: usize,
        least: usize,
        evidence: bool,
    },
    NotAllowed {
        allowed: &'a [Choice],
    },
    ExtraCell,
    CommaInText,
    CommaInNumber {
        number: &'a str,
        meant: &'a str,
    },
    RowFellApart {
        surplus: usize,
    },
    QuoteLeftOpen,
    // Of several cells together.
    RequiredWhenFilled {
        when: &'a str,
    },
    RequiredWhenIs {
        when: &'a str,
        is: &'a Text,
    },
    PartGreaterThanWhole {
        of: &'a str,
        whole: Decimal,
    },
    Kpi {
        kpi_id: &'a str,
        formula: &'a str,
        fault: KpiFault<'a>,
    },
    KpiUnanswered {
        kpi_id: &'a str,
        formula: &'a str,
    },
}

/// Whose key stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of another packet of the plan.
    AnotherPacket,
    /// Nobody's that is known.
    Nobody,
}

/// Why no KPI follows from the figures.
#[derive(Debug, Clone)]
pub(crate) enum KpiFault<'a> {
    Evaluate(&'a EvaluateError),
    LessThan { value: Decimal, limit: Decimal },
    GreaterThan { value: Decimal, limit: Decimal },
}

/// Shortens what a sentence shows only to be recognised, and puts it on one line.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(most) {
        words.truncate(end);
        words.push('…');
    }
    words
}

impl Problem<'_> {
    /// Returns the cause by name.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::Encoding | Self::NulBytes | Self::LettersLost => Code::EncodingError,
            Self::Decoded { .. } => Code::EncodingDetected,
            Self::EmptyFile => Code::SourceError,
            Self::Unreadable(_) => Code::FormatError,
            Self::OneColumn { .. } => Code::OneColumn,
            Self::SingleQuotes | Self::QuoteLeftOpen => Code::QuoteCharacter,
            Self::HeaderBelow { .. } => Code::HeaderRow,
            Self::BlankRows { .. } => Code::BlankRow,
            Self::Renamed { .. } => Code::FileRenamed,
            Self::Copy { .. } | Self::RowAgain { .. } => Code::DuplicateFile,
            Self::UnfilledCopy { .. } => Code::UnfilledCopy,
            Self::OtherVersion { .. }
            | Self::SheetDiffers { .. }
            | Self::DuplicateKey { .. }
            | Self::RowTwice { .. } => Code::DuplicateRow,
            Self::Service { .. } => Code::RowRefused,
            Self::Stranger | Self::OtherPeriod { .. } | Self::RowUnknown => Code::PacketUnknown,
            Self::NoPacket | Self::NotRead(_) | Self::FileUnreadable(_) => Code::FileIgnored,
            Self::Missing { .. } | Self::RowElsewhere { .. } => Code::RowMissing,
            Self::Stale | Self::IssuedAtAnotherTime { .. } => Code::PacketStale,
            Self::AlreadyLoaded => Code::AlreadyLoaded,
            Self::NothingFilledIn => Code::EmptyPacket,
            Self::SeveralRows { .. } | Self::SeveralSources { .. } | Self::RowsBeyond { .. } => {
                Code::RowUnexpected
            }
            Self::SheetChosen { .. } => Code::SheetChosen,
            Self::SheetIgnored { .. } => Code::SheetIgnored,
            Self::Comment { .. } => Code::CellComment,
            Self::RowHidden => Code::RowHidden,
            Self::LabelTwice => Code::DuplicateLabel,
            Self::LabelRenamed { .. } => Code::IncorrectLabel,
            Self::LabelsMissing { .. } | Self::HeaderGone => Code::MissingLabel,
            Self::LabelsExtra { .. } => Code::ExtraLabel,
            Self::LabelsMoved => Code::LabelOrder,
            Self::CellTooLong { .. } => Code::CellTooLong,
            Self::ErrorValue | Self::Formula { .. } => Code::FormulaCell,
            Self::IssuedGone { key: false, .. } => Code::ReadonlyMissing,
            Self::KeyDate { damage, .. } | Self::Date { damage, .. } => date_code(*damage),
            Self::LeadingZerosLost { .. } => Code::LeadingZeroLost,
            Self::KeyScientific { .. } => Code::ScientificNotation,
            Self::IssuedGone { key: true, .. } | Self::KeyMangled { .. } | Self::KeyOf { .. } => {
                Code::KeyAltered
            }
            Self::KeyRewritten { .. } => Code::KeyRewritten,
            Self::ReadOnlyChanged { .. } => Code::ReadonlyChanged,
            Self::EvidenceDateMissing | Self::EvidenceQuoteMissing => Code::EvidenceMissing,
            Self::NumberMissing
            | Self::CellMissing
            | Self::OutOfBounds { .. }
            | Self::FutureEvidence { .. }
            | Self::LongAgo { .. }
            | Self::TextTooShort { .. }
            | Self::NotAllowed { .. } => Code::ConstraintError,
            Self::NumberAsDate => Code::NumberAsDate,
            Self::Number { damage, .. } => number_code(*damage),
            Self::ThousandsPossible { .. } => Code::ThousandsPossible,
            Self::NoAddress | Self::TooNarrow => Code::TypeError,
            Self::ExtraCell | Self::CommaInText | Self::RowFellApart { .. } => Code::ExtraCell,
            Self::CommaInNumber { .. } => Code::CommaShift,
            Self::RequiredWhenFilled { .. }
            | Self::RequiredWhenIs { .. }
            | Self::PartGreaterThanWhole { .. }
            | Self::Kpi { .. } => Code::RowConstraint,
            Self::KpiUnanswered { .. } => Code::KpiUnanswered,
        }
    }

    /// Returns the reason, with its place in the fix queue.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Encoding | Self::NulBytes | Self::LettersLost => Reason::INVALID_ENCODING,
            Self::Decoded { .. } => Reason::ENCODING_DETECTED,
            Self::EmptyFile | Self::NothingFilledIn => Reason::EMPTY_PACKET,
            Self::Unreadable(_)
            | Self::OneColumn { .. }
            | Self::HeaderGone
            | Self::SingleQuotes
            | Self::HeaderBelow { .. }
            | Self::LabelTwice
            | Self::LabelsMissing { .. } => Reason::INVALID_HEADERS,
            Self::BlankRows { .. } => Reason::BLANK_ROW,
            Self::Renamed { .. } => Reason::FILE_RENAMED,
            Self::Copy { .. }
            | Self::RowAgain { .. }
            | Self::UnfilledCopy { .. }
            | Self::NoPacket
            | Self::NotRead(_)
            | Self::FileUnreadable(_) => Reason::FILE_IGNORED,
            Self::OtherVersion { .. } | Self::SheetDiffers { .. } | Self::DuplicateKey { .. } => {
                Reason::DUPLICATE_METRIC_KEY
            }
            Self::RowTwice { .. } => Reason::DUPLICATE_ROW,
            Self::Service { .. } => Reason::REFUSED,
            Self::Stranger | Self::OtherPeriod { .. } | Self::RowUnknown => Reason::PACKET_UNKNOWN,
            Self::Missing { .. } | Self::RowElsewhere { .. } => Reason::MISSING_PACKET_FILE,
            Self::Stale | Self::IssuedAtAnotherTime { .. } => Reason::PACKET_STALE,
            Self::AlreadyLoaded => Reason::ALREADY_LOADED,
            Self::SeveralRows { .. } | Self::SeveralSources { .. } | Self::RowsBeyond { .. } => {
                Reason::MULTIPLE_ROWS
            }
            Self::SheetChosen { .. }
            | Self::SheetIgnored { .. }
            | Self::Comment { .. }
            | Self::RowHidden => Reason::REMARK_NOTED,
            Self::LabelRenamed { .. } | Self::LabelsExtra { .. } | Self::LabelsMoved => {
                Reason::COLUMNS_MOVED
            }
            Self::CellTooLong { .. } => Reason::CELL_TOO_LONG,
            Self::ErrorValue | Self::Formula { .. } => Reason::FORMULA_CELL,
            Self::IssuedGone { .. } | Self::NoAddress | Self::CellMissing => {
                Reason::MISSING_REQUIRED_METADATA
            }
            Self::KeyDate { .. }
            | Self::LeadingZerosLost { .. }
            | Self::KeyScientific { .. }
            | Self::KeyMangled { .. }
            | Self::KeyOf { .. } => Reason::KEY_ALTERED,
            Self::KeyRewritten { .. } => Reason::KEY_REWRITTEN,
            Self::ReadOnlyChanged { .. } => Reason::READONLY_CHANGED,
            Self::EvidenceDateMissing
            | Self::FutureEvidence { .. }
            | Self::LongAgo { .. }
            | Self::Date { evidence: true, .. } => Reason::INVALID_EVIDENCE_DATE,
            Self::Date { .. } => Reason::INVALID_DATE,
            Self::EvidenceQuoteMissing | Self::TextTooShort { evidence: true, .. } => {
                Reason::SHORT_EVIDENCE_QUOTE
            }
            Self::TooNarrow | Self::TextTooShort { .. } | Self::NotAllowed { .. } => {
                Reason::VALUE_NOT_ALLOWED
            }
            Self::NumberMissing | Self::NumberAsDate | Self::Number { .. } => {
                Reason::INVALID_NUMERIC
            }
            Self::ThousandsPossible { .. } => Reason::NUMBER_NOTED,
            Self::OutOfBounds { bound, .. } => Reason::of_template(&bound.reason, bound.priority),
            Self::ExtraCell
            | Self::CommaInText
            | Self::CommaInNumber { .. }
            | Self::RowFellApart { .. }
            | Self::QuoteLeftOpen => Reason::EXTRA_CELL,
            Self::RequiredWhenFilled { .. }
            | Self::RequiredWhenIs { .. }
            | Self::PartGreaterThanWhole { .. } => Reason::RULE_BROKEN,
            Self::Kpi { .. } => Reason::RATE_OUT_OF_RANGE,
            Self::KpiUnanswered { .. } => Reason::KPI_UNANSWERED,
        }
    }
}

/// Lists choices as they are called in a language.
pub(super) fn labels(choices: &[Choice], language: Language) -> String {
    choices.iter().map(|choice| choice.label.get(language)).collect::<Vec<_>>().join(", ")
}

fn date_code(damage: DateDamage) -> Code {
    match damage {
        DateDamage::Serial => Code::DateSerial,
        DateDamage::NotIso | DateDamage::OneCountry | DateDamage::TwoDigitYear => Code::LocaleDate,
        DateDamage::Ambiguous => Code::DateAmbiguous,
        DateDamage::TimeOnly
        | DateDamage::NoDay
        | DateDamage::NoSuchDay
        | DateDamage::MoreThanADate
        | DateDamage::NoDate => Code::TypeError,
    }
}

fn number_code(damage: NumberDamage) -> Code {
    match damage {
        NumberDamage::Scientific => Code::ScientificNotation,
        NumberDamage::Locale | NumberDamage::Ambiguous | NumberDamage::Marks => Code::LocaleNumber,
        NumberDamage::Percent
        | NumberDamage::Range
        | NumberDamage::Approximate
        | NumberDamage::MoreThanANumber => Code::UnitMismatch,
        NumberDamage::Minus | NumberDamage::Brackets => Code::NumberSign,
        NumberDamage::NotWhole
        | NumberDamage::Fraction
        | NumberDamage::OtherDigits
        | NumberDamage::TooLong
        | NumberDamage::NoFigure
        | NumberDamage::NoNumber => Code::TypeError,
    }
}
