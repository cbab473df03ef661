//! What is wrong with a returned packet, to the cell, and what to do about it.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::check::Problem;
use crate::template::Language;

/// Says how far a returned packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketStatus {
    /// The packet did not come back.
    MissingPacketFile,
    /// Columns are missing, renamed or doubled, or there is no table at all.
    InvalidHeaders,
    /// There is more than the one row that was issued.
    MultipleRows,
    /// Nothing was filled in.
    EmptyPacket,
    /// At least one cell is wrong.
    InvalidRow,
    /// The packet can be loaded.
    Ready,
}

impl PacketStatus {
    /// Every status, in the order of the fix queue.
    pub const ALL: [Self; 6] = [
        Self::MissingPacketFile,
        Self::InvalidHeaders,
        Self::MultipleRows,
        Self::EmptyPacket,
        Self::InvalidRow,
        Self::Ready,
    ];

    /// Returns the name that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingPacketFile => "missing_packet_file",
            Self::InvalidHeaders => "invalid_headers",
            Self::MultipleRows => "multiple_rows",
            Self::EmptyPacket => "empty_packet",
            Self::InvalidRow => "invalid_row",
            Self::Ready => "ready",
        }
    }

    /// Returns the packet's priority in the fix queue; 0 for a ready one, which is not in it.
    #[must_use]
    pub const fn priority(self) -> u8 {
        match self {
            Self::MissingPacketFile => 100,
            Self::InvalidHeaders => 90,
            Self::MultipleRows => 85,
            Self::EmptyPacket => 80,
            Self::InvalidRow => 70,
            Self::Ready => 0,
        }
    }
}

impl PacketStatus {
    /// Returns the status that comes first in the fix queue.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other.priority() > self.priority() { other } else { self }
    }
}

impl fmt::Display for PacketStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names why a row or a file is refused or noted, with its priority in the fix queue.
///
/// The reasons that bounds of a template name are of this type, too; so it is a word and no closed
/// list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    word: Cow<'static, str>,
    priority: u8,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $priority:literal;)*) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Self = Self { word: Cow::Borrowed($word), priority: $priority };)*
        }
    };
}

reasons! {
    /// The packet's file did not come back.
    MISSING_PACKET_FILE = "missing_packet_file", 100;
    /// The header is not the issued one.
    INVALID_HEADERS = "invalid_headers", 90;
    /// There is a row beyond the one that was issued.
    MULTIPLE_ROWS = "multiple_rows", 85;
    /// Nothing was filled in.
    EMPTY_PACKET = "empty_packet", 80;
    /// A cell that says what the row is about is blank or no such thing.
    MISSING_REQUIRED_METADATA = "missing_required_metadata", 100;
    /// A number is blank, or no number.
    INVALID_NUMERIC = "invalid_numeric", 100;
    /// A key cell is not as it was issued.
    KEY_ALTERED = "key_altered", 100;
    /// A cell holds a formula.
    FORMULA_CELL = "formula_cell", 100;
    /// The packet belongs to no source of the catalogue in this scope.
    PACKET_UNKNOWN = "packet_unknown", 100;
    /// The date of the evidence is blank, or no date.
    INVALID_EVIDENCE_DATE = "invalid_evidence_date", 90;
    /// A date is no date.
    INVALID_DATE = "invalid_date", 90;
    /// The quoted evidence is too short to prove anything.
    SHORT_EVIDENCE_QUOTE = "short_evidence_quote", 90;
    /// The file is not in UTF-8.
    INVALID_ENCODING = "invalid_encoding", 90;
    /// A cell holds more than a spreadsheet cell can.
    CELL_TOO_LONG = "cell_too_long", 90;
    /// A rate lies outside its range.
    RATE_OUT_OF_RANGE = "rate_out_of_range", 70;
    /// A part is greater than its whole, or a cell is required by another.
    RULE_BROKEN = "rule_broken", 70;
    /// A text is none of the allowed ones.
    VALUE_NOT_ALLOWED = "value_not_allowed", 70;
    /// A cell stands beyond the last column.
    EXTRA_CELL = "extra_cell", 70;
    /// The value is there twice, in two packets.
    DUPLICATE_METRIC_KEY = "duplicate_metric_key", 60;
    /// A cell for reading only was changed; the change is ignored.
    READONLY_CHANGED = "readonly_changed", 0;
    /// The packet was issued before other values came in.
    PACKET_STALE = "packet_stale", 0;
    /// The source's pairs have their values already; loading changes them only where they differ.
    ALREADY_LOADED = "already_loaded", 0;
    /// Columns stand in another order, or there is one more.
    COLUMNS_MOVED = "columns_moved", 0;
    /// Rows without any text stand between or below.
    BLANK_ROW = "blank_row", 0;
    /// The file has another name than the issued one.
    FILE_RENAMED = "file_renamed", 0;
    /// The file is not a packet at all.
    FILE_IGNORED = "file_ignored", 0;
}

impl Reason {
    /// Makes a reason of a template.
    pub(crate) fn of_template(word: &str, priority: u8) -> Self {
        Self { word: Cow::Owned(word.to_owned()), priority }
    }

    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.word
    }

    /// Returns the reason's priority in the fix queue; 0 for what is only noted.
    #[must_use]
    pub const fn priority(&self) -> u8 {
        self.priority
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word)
    }
}

/// Says whether a finding keeps a packet from being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The packet cannot be loaded.
    Error,
    /// The packet can be loaded; someone should know.
    Note,
}

/// Is one thing that is wrong, or odd, in a returned packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The file, as it was returned or, where it is missing, as it was issued.
    pub file: String,
    /// The row as a spreadsheet counts, the header being row 1.
    pub row: Option<u64>,
    /// The column's label.
    pub column: Option<String>,
    /// The cell as a spreadsheet names it, such as `G2`.
    pub cell: Option<String>,
    /// The value found, cut to 80 characters.
    pub value: Option<String>,
    /// Why the packet is refused, or what is noted.
    pub reason: Reason,
    /// The damage by name: a code of Frictionless where one fits, else one of this crate.
    pub code: &'static str,
    /// Whether the packet can be loaded all the same.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The value that the cell must have meant, where there is only one; it is offered, never
    /// applied silently.
    pub repair: Option<String>,
    /// The language of the message and the remedy.
    #[serde(skip)]
    pub language: Language,
}

/// How much of a value a finding shows, in characters.
const SHOWN: usize = 80;

impl Finding {
    pub(crate) fn new(
        language: Language,
        reason: Reason,
        code: &'static str,
        problem: &Problem<'_>,
    ) -> Self {
        let (message, remedy) = problem.tell(language);
        let severity = if reason.priority == 0 { Severity::Note } else { Severity::Error };
        Self {
            file: String::new(),
            row: None,
            column: None,
            cell: None,
            value: None,
            reason,
            code,
            severity,
            message,
            remedy,
            repair: None,
            language,
        }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }

    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    pub(crate) fn with_value(mut self, value: &str) -> Self {
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        self.value = Some(shown);
        self
    }

    pub(crate) fn with_repair(mut self, repair: Option<String>) -> Self {
        self.repair = repair;
        self
    }

    /// Says whether the finding keeps the packet from being loaded.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [row_word, column_word, cell_word, only] = match self.language {
            Language::En => ["row", "column", "cell", "it can only mean"],
            Language::Es => ["fila", "columna", "celda", "solo puede ser"],
        };
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ", {row_word} {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", {column_word} `{column}`")?;
        }
        if let Some(cell) = &self.cell {
            write!(f, " ({cell_word} {cell})")?;
        }
        write!(f, ": {}: {}", self.reason, self.message)?;
        if let Some(value) = &self.value {
            write!(f, ": `{value}`")?;
        }
        write!(f, "; {}", self.remedy)?;
        if let Some(repair) = &self.repair {
            write!(f, " ({only} `{repair}`)")?;
        }
        Ok(())
    }
}
