//! The codes of findings: one for each cause, with its severity and its page of documentation.

use std::fmt;

use serde::{Serialize, Serializer};

/// The gravity of a finding: whether it keeps the packet from being loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The packet cannot be loaded.
    Error,
    /// The packet can be loaded; someone should know.
    Note,
}

macro_rules! codes {
    ($($(#[doc = $title:literal])+ $name:ident = $word:literal, $severity:ident, $page:literal;)*) => {
        /// The cause of a finding: a code of Frictionless where one fits, else one of this crate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $title])+ $name,)*
        }

        impl Code {
            /// Every code, in the order of their pages.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the word that reports use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Returns whether a packet with such a finding is refused.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Returns the cause in one sentence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($title),+).trim(),)* }
            }

            /// Returns the page of documentation: how it comes about, and what to do.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => $page,)* }
            }
        }
    };
}

codes! {
    // Of a file as a whole.
    /// The file's letters are in an encoding that cannot be told, or bytes were damaged.
    EncodingError = "encoding-error", Error,
        "Excel's plain `CSV` is in the encoding of the machine, which loses accents elsewhere; a copy that broke off is filled up with NUL bytes. Save the file as `CSV UTF-8` or as a workbook, or copy it anew. Nothing is guessed: the quoted evidence is word for word.";
    /// The file is in UTF-16 or UTF-32, which was recognised.
    EncodingDetected = "encoding-detected", Note,
        "Excel's `Unicode text` and LibreOffice's `Unicode (UTF-16)` are so. The file was read; nothing needs to be done.";
    /// The file is empty.
    SourceError = "source-error", Error,
        "Nothing stands in the file or its sheet. Start again from the issued packet.";
    /// The file is of a kind that is not read, is damaged or has a password.
    FormatError = "format-error", Error,
        "Workbooks (`.xlsx`, `.xlsm`, `.xlsb`, `.xls`, `.ods`) and CSV files are read. Save a file of another kind as one of these; take a password off before.";
    /// All cells of a row stand in one column.
    OneColumn = "one-column", Error,
        "An office program that expects another delimiter puts each line into column A, and saves it so. In Excel choose Data, Text to Columns, Delimited, Comma; in LibreOffice name the separator in the dialog that opens the file. The form `excel-eu` is for countries with a decimal comma.";
    /// Single quotes stand around the cells of a CSV file, or a double one was left open.
    QuoteCharacter = "quote-character", Error,
        "RFC 4180 knows double quotes only, in pairs; one within a text is doubled. Save the file from a spreadsheet, or correct the quotes around the cells.";
    /// The header does not stand in the first row.
    HeaderRow = "header-row", Error,
        "A title or notes were written above it. Delete the rows above the header; notes may stand in a column of their own.";
    /// Rows without any text stand among the others.
    BlankRow = "blank-row", Note, "Blank rows are not read, in any number.";
    /// The file has another name than the issued one.
    FileRenamed = "file-renamed", Note, "The packet was found by its keys. Nothing needs to be done.";
    /// The file is a copy of another, byte for byte.
    DuplicateFile = "duplicate-file", Note, "One of the two counts. The other may be deleted.";
    /// The file is the packet as issued, beside a copy that is filled in.
    UnfilledCopy = "unfilled-copy", Note, "The filled copy counts. The other may be deleted.";
    /// The file is no packet, or of a kind that is not read, and was left alone.
    FileIgnored = "file-ignored", Note,
        "Files without the columns of a packet, folders, links, archives, scans and web pages are named and not read. If it is a packet, put it into the folder itself as a workbook or a CSV file.";
    /// The packet did not come back.
    RowMissing = "row-missing", Error, "Fill it in, or issue it again and put it into the folder.";
    /// The packet belongs to no source of the catalogue in this period.
    PacketUnknown = "packet-unknown", Error,
        "It was issued for another catalogue or another period. Check it with those, or take it away.";
    /// The packet was issued at another time, from other facts.
    PacketStale = "packet-stale", Note, "If it is the latest one that was issued, nothing needs to be done.";
    /// No gap asks for the packet now.
    AlreadyLoaded = "already-loaded", Note, "Loading it changes only what differs.";
    /// Nothing was filled in.
    EmptyPacket = "empty-packet", Error, "Fill in the evidence and the figures from the publication.";
    /// There are rows beside the one that was issued.
    RowUnexpected = "row-unexpected", Error,
        "A packet has one row: no totals, no second header, no rows of other sources. Keep the row of the packet's source and delete the others; rows of other sources belong in their own packets. Remarks may stand in a column of their own.";
    /// The same value or row comes from two packets, or two versions of one.
    DuplicateRow = "duplicate-row", Error, "Keep the one that counts and take the other away.";
    /// The service that issued the packet refuses what a cell says.
    RowRefused = "row-refused", Error,
        "The cell is well-formed, and the service knows something against it: whom it names is not there, it was decided since, or the writer may not decide. The finding says what, and what to do.";
    // Of a workbook.
    /// Another sheet of the workbook than the issued one was read.
    SheetChosen = "sheet-chosen", Note, "It is the only one that is filled in.";
    /// A sheet of the workbook is not read, and holds something.
    SheetIgnored = "sheet-ignored", Note, "What it says is for people. Nothing of it is loaded.";
    /// A comment hangs on a cell.
    CellComment = "cell-comment", Note, "What it says is for people. Nothing of it is loaded.";
    /// A row that was read is hidden or filtered out in the workbook.
    RowHidden = "row-hidden", Note, "Show all rows and see whether it is meant.";
    // Of the header.
    /// Issued columns are missing.
    MissingLabel = "missing-label", Error, "Put the columns back with their content, or start again from the issued packet.";
    /// A column is there twice.
    DuplicateLabel = "duplicate-label", Error, "Keep the issued one and delete the other.";
    /// A column has another label that can only mean the issued one.
    IncorrectLabel = "incorrect-label", Note, "It was read under the issued name: capitals, accents, blanks and the title of the column are known.";
    /// A column was not issued.
    ExtraLabel = "extra-label", Note, "It is not read, and may be kept for remarks.";
    /// Columns stand in another order than issued.
    LabelOrder = "label-order", Note, "They were read by their names.";
    // Of a cell.
    /// A cell stands beyond the last column, or a text fell apart at the delimiter.
    ExtraCell = "extra-cell", Error,
        "A text with the delimiter in it has to stand in double quotes, as office programs write it.";
    /// The decimal comma of a number was read as the delimiter, so that cells moved to the right.
    CommaShift = "comma-shift", Error,
        "In a file with commas between the cells, `182,5` without quotes is two cells. Write the number with a point, or save the file with semicolons.";
    /// A cell holds more than a spreadsheet can keep.
    CellTooLong = "cell-too-long", Error, "Shorten it to what proves the figures.";
    /// A cell holds a formula, or the error of one.
    FormulaCell = "formula-cell", Error,
        "A formula may give something else tomorrow, and its error is no figure. Copy the cell and paste its value (in Excel and LibreOffice Paste Special, Values), or write the value.";
    /// A cell that says which row this is was changed.
    KeyAltered = "key-altered", Error,
        "Keys are issued and come back unchanged. If the figures are those of the key in the cell, they belong in that source's packet.";
    /// A key lost its leading zeros.
    LeadingZeroLost = "leading-zero-lost", Error, "A spreadsheet took the key for a number. Format the cell as text and write the key again.";
    /// A key was written in another form, which can only mean the issued one.
    KeyRewritten = "key-rewritten", Note, "An office program writes a date or an accent in its own way on saving. Nothing needs to be done.";
    /// A cell for reading only was cleared, though it is needed.
    ReadonlyMissing = "readonly-missing", Error, "Write what was issued again.";
    /// A cell for reading only was changed.
    ReadonlyChanged = "readonly-changed", Note, "The change is ignored.";
    /// The evidence has no date or no quotation.
    EvidenceMissing = "evidence-missing", Error, "Write it down from the publication that proves the figures.";
    /// A cell breaks a rule of its column: blank, out of bounds, too short, in the future or not allowed.
    ConstraintError = "constraint-error", Error, "Compare the cell with the publication.";
    /// A cell does not hold what its column asks for.
    TypeError = "type-error", Error, "Write a number with the digits 0 to 9, a day as YYYY-MM-DD, an address that starts with https://.";
    /// A number has the marks of another country, or may mean two numbers.
    LocaleNumber = "locale-number", Error,
        "`12.000` is twelve where the point is the decimal mark (English, Mexico, Peru) and twelve thousand where it separates thousands (Spain, Argentina, Germany). Write the number without marks of thousands. Where only one reading fits, it is offered as a repair.";
    /// A number of a column with fractions would be another where the mark separates thousands.
    ThousandsPossible = "thousands-possible", Note, "It was read in the file's own form. Write it without the mark if thousands are meant.";
    /// A number is in scientific notation.
    ScientificNotation = "scientific-notation", Error, "A spreadsheet shows long numbers so and may drop digits. Format the cell as a number without decimals and write it again.";
    /// There is more than a number in the cell: a unit, a percentage, a range, a bound, a footnote.
    UnitMismatch = "unit-mismatch", Error, "Write only the number, in the unit of the column.";
    /// The minus of a number is none to a computer, or stands behind it, or brackets mean it.
    NumberSign = "number-sign", Error, "Write the hyphen of the keyboard in front of the number.";
    /// The spreadsheet turned a number into a date.
    NumberAsDate = "number-as-date", Error, "Format the cell as a number and write the number again.";
    /// The spreadsheet turned a date into its number of days.
    DateSerial = "date-serial", Error, "Format the cell as a date, or write YYYY-MM-DD. Two epochs are in use, so that a number may mean two days.";
    /// A date is written in the form of a country, with a time, or with two digits for the year.
    LocaleDate = "locale-date", Error, "Write YYYY-MM-DD. Where only one day can be meant, it is offered as a repair.";
    /// Day and month of a date can be exchanged.
    DateAmbiguous = "date-ambiguous", Error, "Write YYYY-MM-DD. Nothing is offered, for both days exist.";
    // Of several cells together.
    /// The figures of a row contradict each other.
    RowConstraint = "row-constraint", Error, "Compare them with the publication.";
    /// A KPI that was asked for does not follow from what was filled in.
    KpiUnanswered = "kpi-unanswered", Note, "An optional figure is blank. Fill it in if it was published; the gap stays open else.";
}

impl Code {
    /// Writes the reference of all codes as Markdown.
    ///
    /// ```
    /// assert!(raw_packets::Code::reference().contains("## `locale-number`"));
    /// ```
    #[must_use]
    pub fn reference() -> String {
        let mut text = String::from(
            "# Findings of a check\n\nEvery code that a check of returned packets can give. \
             An error keeps the packet from being loaded; a note does not.\n",
        );
        for code in Self::ALL {
            let kind = if code.severity() == Severity::Error { "error" } else { "note" };
            let more = [
                "\n## `",
                code.as_str(),
                "` (",
                kind,
                ")\n\n",
                code.title(),
                "\n\n",
                code.page(),
                "\n",
            ];
            text.extend(more);
        }
        text
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
