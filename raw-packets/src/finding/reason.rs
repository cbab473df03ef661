//! Why a packet is refused or noted, in the words of the fix queue.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// The reason why a row or a file is refused or noted, with its priority in the fix queue.
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
    /// A row of a packet of rows is there twice, and says different things.
    DUPLICATE_ROW = "duplicate_row", 60;
    /// The service that issued the packet refuses what a cell says.
    REFUSED = "refused", 60;
    /// A cell for reading only was changed; the change is ignored.
    READONLY_CHANGED = "readonly_changed", 0;
    /// The packet was issued before other values came in.
    PACKET_STALE = "packet_stale", 0;
    /// The source's pairs have their values already; loading changes them only where they differ.
    ALREADY_LOADED = "already_loaded", 0;
    /// The file is in another encoding than UTF-8, which was recognised.
    ENCODING_DETECTED = "encoding_detected", 0;
    /// A cell can mean another number in another country.
    NUMBER_NOTED = "number_noted", 0;
    /// A key was written in another form, which can only mean the issued one.
    KEY_REWRITTEN = "key_rewritten", 0;
    /// A KPI that a gap asks for does not follow from what was filled in.
    KPI_UNANSWERED = "kpi_unanswered", 0;
    /// Something stands beside the packet's row that is not read: a sheet, a comment, a hidden row.
    REMARK_NOTED = "remark_noted", 0;
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

    /// Returns the reason's priority in the fix queue; whether a packet is refused is said by
    /// [`Severity`](crate::Severity) alone.
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
