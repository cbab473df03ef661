//! Problems and remedies in English.

use super::problem::labels;
use super::{KpiFault, Problem, Whose, shortened};
use crate::formula::EvaluateError;
use crate::read::{NotRead, Unreadable};
use crate::template::Language;
use crate::value::{DateDamage, NumberDamage, NumberReading};

const NOTHING: &str = "nothing needs to be done";
const SAVE: &str = "save the file as `CSV UTF-8`";
const COMPARE: &str = "compare it with the publication";
const EVIDENCE: &str = "write it down from the publication that proves the figures";
const UNPACK: &str = "unpack it, and put its files into the folder";
const DAY: &str = "write the day as YYYY-MM-DD, such as 2025-03-31";

#[expect(clippy::too_many_lines, reason = "a table of sentences, one entry each")]
pub(super) fn tell(problem: &Problem<'_>) -> (String, String) {
    match problem {
        Problem::Encoding => {
            ("the file is not in UTF-8, so letters with accents are lost".into(), SAVE.into())
        }
        Problem::NulBytes => (
            "the file has NUL bytes: it is damaged, or copying it was interrupted".into(),
            "copy it again from where it was saved".into(),
        ),
        Problem::Decoded { encoding } => {
            (format!("the file is in {encoding}; it was read anyway"), NOTHING.into())
        }
        Problem::EmptyFile => {
            ("the file is empty".into(), "start again from the issued packet".into())
        }
        Problem::Unreadable(why) | Problem::FileUnreadable(why) => unreadable(why),
        Problem::OneColumn { delimiter } => {
            let [marks, mark] = delimiter_words(*delimiter);
            (
                format!(
                    "all cells are in one column: the {marks} were not read as delimiters"
                ),
                format!(
                    "in Excel choose Data, Text to Columns, {mark}; then save it as `CSV UTF-8`"
                ),
            )
        }
        Problem::SingleQuotes => (
            "the cells are in single quotes; a CSV file has double quotes or none".into(),
            "save it from a spreadsheet as `CSV UTF-8`".into(),
        ),
        Problem::HeaderBelow { row } => (
            format!("the header is in row {row}; it was issued in the first row"),
            "delete the rows above the header".into(),
        ),
        Problem::BlankRows { rows } => {
            (format!("blank, and not read: {}", row_words(rows)), NOTHING.into())
        }
        Problem::Renamed { issued } => (
            format!("the file was issued as `{issued}`"),
            format!("{NOTHING}: the packet was found by its content"),
        ),
        Problem::Copy { of } => {
            (format!("a copy of `{of}`"), format!("{NOTHING}; delete the copy"))
        }
        Problem::UnfilledCopy { filled } => (
            format!("not filled in; `{filled}` is, and counts"),
            format!("{NOTHING}; delete the blank one"),
        ),
        Problem::OtherVersion { of } => (
            format!("another version of `{of}`"),
            "keep the one that counts and delete the other".into(),
        ),
        Problem::Stranger => (
            "the packet belongs to no source of this catalogue and period".into(),
            "check it with the catalogue that it was issued for, or remove it".into(),
        ),
        Problem::OtherPeriod { issued } => (
            format!("the packet is of another period, `{issued}`"),
            "check it with --period-date and --period-granularity of its own, or remove it"
                .into(),
        ),
        Problem::NoPacket => (
            "the file does not have the columns of a packet and was not read".into(),
            format!("{NOTHING}, if it is no packet"),
        ),
        Problem::NotRead(why) => not_read(why),
        Problem::Missing { beside: None } => (
            "the packet did not come back".into(),
            "fill it in, or issue it again and put it into the folder under this name".into(),
        ),
        Problem::Missing { beside: Some(file) } => (
            format!("no file of this packet was read; `{file}` could not be"),
            "if it is in there, put it into the folder itself, as .xlsx or `CSV UTF-8`".into(),
        ),
        Problem::RowElsewhere { file, row } => (
            format!("its row came back in another file: `{file}`, row {row}"),
            "put that row into the packet that was issued under this name".into(),
        ),
        Problem::Stale => (
            "the packet was issued at another time, from other facts".into(),
            format!("{NOTHING}, if it is the latest one that was issued"),
        ),
        Problem::AlreadyLoaded => (
            "no gap asks for this packet now".into(),
            format!("{NOTHING}; loading it changes only what differs"),
        ),
        Problem::NothingFilledIn => (
            "nothing was filled in".into(),
            "fill in the evidence and the numbers from the publication".into(),
        ),
        Problem::SeveralRows { total, others } => (
            format!("the packet has {total} rows; one was issued"),
            format!("keep the row of this source and delete {}", row_words(others)),
        ),
        Problem::SeveralSources { rows } => (
            format!("the file holds several sources: {rows}"),
            "keep the row of this source, and put the others into their own packets".into(),
        ),
        Problem::DuplicateKey { key, first } => (
            format!("`{key}` is in `{first}`, too"),
            "keep the packet that counts and remove the other".into(),
        ),
        Problem::SheetChosen { read, unfilled } => (
            format!("the sheet `{read}` was read, because `{unfilled}` is not filled in"),
            format!("{NOTHING}; delete the blank sheet"),
        ),
        Problem::SheetDiffers { sheet, read } => (
            format!("the sheets `{sheet}` and `{read}` are filled in with different values"),
            "keep the one that counts and delete or clear the other".into(),
        ),
        Problem::SheetIgnored { sheet, says } => (
            format!("the sheet `{sheet}` is not read; it says: {says}"),
            "check whether it matters for the figures".into(),
        ),
        Problem::Comment { says } => {
            (format!("a comment says: {says}"), "check whether it matters for the figures".into())
        }
        Problem::RowHidden => (
            "the row is hidden or filtered out in the workbook; it was read".into(),
            "show all rows and check whether it is intended".into(),
        ),
        Problem::LabelTwice => {
            ("this column is there twice".into(), "keep the issued one and delete the other".into())
        }
        Problem::LabelRenamed { labels } => {
            (format!("read under the issued names: {labels}"), NOTHING.into())
        }
        Problem::LabelsMissing { columns } => (
            match columns.as_slice() {
                [one] => format!("the column `{one}` is missing"),
                several => format!("{} columns are missing: {}", several.len(), listed(several)),
            },
            "put them back with their content, or start again from the issued packet".into(),
        ),
        Problem::LabelsExtra { labels } => match labels.as_slice() {
            [_] => (
                "this column was not issued, and is not read".into(),
                "delete it, or leave it for yourself".into(),
            ),
            several => (
                format!("{} columns were not issued: {}", several.len(), listed(several)),
                "they are not read: delete them, or leave them for yourself".into(),
            ),
        },
        Problem::HeaderGone => (
            "the row with the labels is gone; the first row holds values".into(),
            "copy the first row of the issued packet in above them".into(),
        ),
        Problem::LabelsMoved => (
            "the columns are in another order than issued; they were read by their names".into(),
            NOTHING.into(),
        ),
        Problem::CellTooLong { most } => (
            format!("the cell holds more than {most} characters"),
            "shorten it to what proves the figures".into(),
        ),
        Problem::ErrorValue => (
            "the cell holds the error of a formula".into(),
            "write the value itself, from the publication".into(),
        ),
        Problem::TooNarrow => (
            "the column was too narrow to show the value, so only `#` was saved".into(),
            "widen the column in the spreadsheet and save again".into(),
        ),
        Problem::Formula { typed: true, .. } => (
            "the cell holds a formula".into(),
            "copy the cell, and paste it with Paste Special, Values".into(),
        ),
        Problem::Formula { typed: false, text: true } => (
            "the cell holds a formula".into(),
            "write the value itself; put a space before a quotation that begins so".into(),
        ),
        Problem::Formula { typed: false, text: false } => {
            ("the cell holds a formula".into(), "write the value itself".into())
        }
        Problem::IssuedGone { issued, .. } => {
            (format!("the issued `{issued}` is gone"), again(issued))
        }
        Problem::KeyDate { damage, issued } => {
            (format!("{}; `{issued}` was issued", date(*damage)), again(issued))
        }
        Problem::LeadingZerosLost { issued } => (
            format!("leading zeros were lost; `{issued}` was issued"),
            format!("format the cell as text and write `{issued}` again"),
        ),
        Problem::KeyScientific { issued } => {
            let message = number(NumberDamage::Scientific);
            (format!("{message}; `{issued}` was issued"), again(issued))
        }
        Problem::KeyMangled { issued } => {
            (format!("written differently; `{issued}` was issued"), again(issued))
        }
        Problem::KeyOf { issued, whose: Whose::AnotherPacket } => (
            format!("the key of another source or period; `{issued}` was issued"),
            "put these figures into the packet that they belong to".into(),
        ),
        Problem::KeyOf { issued, whose: Whose::Nobody } => (
            format!("this was changed from `{issued}`"),
            "write it again, if the figures are of this source and period".into(),
        ),
        Problem::KeyRewritten { issued } => {
            (format!("written differently; it can only mean `{issued}`"), NOTHING.into())
        }
        Problem::IssuedAtAnotherTime { now } => (
            format!("the packet was issued at another time; now it says `{now}`"),
            format!("{NOTHING}, if the packet is the latest one that was issued"),
        ),
        Problem::ReadOnlyChanged { issued } => (
            format!("a read-only cell was changed from `{}`", shortened(issued, 40)),
            format!("{NOTHING}: the change is ignored"),
        ),
        Problem::EvidenceDateMissing => {
            ("the date of the evidence is missing".into(), EVIDENCE.into())
        }
        Problem::EvidenceQuoteMissing => ("the quoted evidence is missing".into(), EVIDENCE.into()),
        Problem::NumberMissing => {
            ("a number is missing".into(), "write the number that was published".into())
        }
        Problem::CellMissing => ("a required cell is blank".into(), "fill it in".into()),
        Problem::NumberAsDate => (
            "the spreadsheet turned the number into a date or a time".into(),
            "format the cell as a number, and write the number again".into(),
        ),
        Problem::Number { damage, text, readings, unit, mark } => {
            if let (NumberDamage::Ambiguous, [one, other]) = (damage, readings) {
                return ambiguous(text, one, other);
            }
            let unit = unit.map(|unit| format!(" of {unit}")).unwrap_or_default();
            let remedy = match damage {
                NumberDamage::NoFigure => {
                    "write the number; if none was published, say so in a column of your own".into()
                }
                NumberDamage::Minus | NumberDamage::Brackets => {
                    "write the hyphen of the keyboard in front of the digits, such as -5".into()
                }
                _ => format!("write only the number{unit}, with digits and at most one `{mark}`"),
            };
            (number(*damage).into(), remedy)
        }
        Problem::ThousandsPossible { read, also, mark } => (
            format!("read as {read}; where `{mark}` separates thousands it is {also}"),
            format!("{NOTHING}, if it is {read}; else write {also}"),
        ),
        Problem::OutOfBounds { greater, bound } => {
            let side = if *greater { "greater" } else { "less" };
            let or_equal = if bound.exclusive { "" } else { " or equal to" };
            (format!("the number must be {side} than{or_equal} {}", bound.limit), COMPARE.into())
        }
        Problem::FutureEvidence { as_of } => {
            (format!("evidence cannot be dated in the future, after {as_of}"), DAY.into())
        }
        Problem::LongAgo { first } => (
            format!(
                "evidence is dated {first} or later; spreadsheets show 1 as the first day of 1900"
            ),
            DAY.into(),
        ),
        Problem::Date { damage, .. } => (date(*damage).into(), DAY.into()),
        Problem::NoAddress => (
            "this is not the address of a web page".into(),
            "copy the address from the browser; it starts with https://".into(),
        ),
        Problem::LettersLost => (
            "letters of the text were lost when it was saved".into(),
            "write them again, and save the file as `CSV UTF-8` or as a workbook".into(),
        ),
        Problem::TextTooShort { length, least, .. } => (
            format!("the text has {length} letters; at least {least} are needed"),
            "quote the whole sentence of the publication".into(),
        ),
        Problem::NotAllowed { allowed } => (
            "this is not one of the allowed texts".into(),
            format!("use one of: {}", labels(allowed, Language::En)),
        ),
        Problem::ExtraCell => (
            "there is a cell after the last column".into(),
            "delete it; if a text has the delimiter in it, put the text in quotation marks".into(),
        ),
        Problem::CommaInText => (
            "a comma of this text was read as the delimiter and moved the cells after it"
                .into(),
            "put the text in quotation marks, as a spreadsheet does on saving".into(),
        ),
        Problem::CommaInNumber { number, meant } => (
            format!("the comma of `{number}` was read as the delimiter"),
            format!("write `{meant}`, or save the file with semicolons"),
        ),
        Problem::RowFellApart { surplus } => (
            format!("the row has {surplus} cells too many: commas in numbers or texts split them"),
            "write numbers without commas, and put texts with commas in quotation marks".into(),
        ),
        Problem::QuoteLeftOpen => (
            "a quotation mark in the row is not closed, so cells were joined".into(),
            "save the packet from a spreadsheet, which doubles quotation marks within a text"
                .into(),
        ),
        Problem::RequiredWhenFilled { when } => (
            format!("needed, since `{when}` is filled in"),
            format!("fill it in, or clear `{when}`"),
        ),
        Problem::RequiredWhenIs { when, is } => (
            format!("needed, since `{when}` says `{}`", is.en),
            format!("fill it in, or change `{when}`"),
        ),
        Problem::RowUnknown => (
            "no row with this key was issued: it is of another service or database, or the key was changed".into(),
            "return it where it was issued, or copy the row from the issued packet again".into(),
        ),
        Problem::RowTwice { file, row } => (
            format!("the row is also in `{file}`, row {row}, with other values"),
            "keep the one that counts and delete the other".into(),
        ),
        Problem::RowAgain { file, row } => (
            format!("the row is also in `{file}`, row {row}, with the same values"),
            NOTHING.into(),
        ),
        Problem::RowsBeyond { most } => (
            format!("the file has more than {most} rows, which is more than was issued"),
            "return each packet in a file of its own".into(),
        ),
        Problem::Service { message, remedy } => ((*message).into(), (*remedy).into()),
        Problem::PartGreaterThanWhole { of, whole } => (
            format!("the part is greater than `{of}`, which is {whole}"),
            "compare both with the publication".into(),
        ),
        Problem::Kpi { kpi_id, formula, fault } => (
            format!("`{kpi_id}`: {}", kpi(fault)),
            format!("compare the figures of `{formula}` with the publication"),
        ),
        Problem::KpiUnanswered { kpi_id, formula } => (
            format!("`{kpi_id}` was asked for, and cannot be computed from what is filled in"),
            format!("fill these in, if they were published: `{formula}`"),
        ),
    }
}

/// Lists a few names, and how many more there are.
fn listed(names: &[impl AsRef<str>]) -> String {
    let shown = names.iter().take(3).map(|name| format!("`{}`", name.as_ref()));
    let shown: Vec<String> = shown.collect();
    let more = names.len().saturating_sub(3);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// Names rows, of which there may be one.
fn row_words(rows: &str) -> String {
    if rows.contains(|c: char| !c.is_ascii_digit()) {
        format!("rows {rows}")
    } else {
        format!("row {rows}")
    }
}

/// Names the character between cells, in the plural and as Excel's dialogue does.
fn delimiter_words(delimiter: char) -> [&'static str; 2] {
    match delimiter {
        ';' => ["semicolons", "Semicolon"],
        '\t' => ["tabs", "Tab"],
        '|' => ["bars", "Other, |"],
        _ => ["commas", "Comma"],
    }
}

fn again(issued: &str) -> String {
    format!("write `{issued}` again")
}

/// Tells both meanings of a number with a mark that separates thousands or decimals.
fn ambiguous(text: &str, one: &NumberReading, other: &NumberReading) -> (String, String) {
    let mark = if text.contains(',') { ',' } else { '.' };
    let (decimal, grouped) = if one.mark == mark { (one, other) } else { (other, one) };
    let (decimal, grouped) = (decimal.value, grouped.value);
    let [of_decimal, of_groups] = match mark {
        '.' => ["English, Mexico", "Spain, Germany"],
        _ => ["Spain, Germany", "English, Mexico"],
    };
    (
        format!(
            "{decimal} with a decimal `{mark}` ({of_decimal}), {grouped} with `{mark}` for thousands ({of_groups})"
        ),
        format!("write {decimal} or {grouped}, without a mark of thousands"),
    )
}

fn unreadable(why: &Unreadable) -> (String, String) {
    let save = "save it as a workbook (.xlsx) or as `CSV UTF-8`";
    let anew = "open it in a spreadsheet and save it again, as .xlsx or as `CSV UTF-8`";
    let (message, remedy) = match why {
        Unreadable::TooLarge { limit } => {
            (format!("the workbook unpacks to more than {limit} bytes"), anew)
        }
        Unreadable::TooManyParts { parts } => {
            (format!("the workbook has {parts} parts; no packet has so many"), anew)
        }
        Unreadable::Damaged { problem } if problem.is_empty() => {
            ("the workbook cannot be read: it is damaged".to_owned(), anew)
        }
        Unreadable::Damaged { problem } => {
            (format!("the workbook cannot be read: {problem}"), anew)
        }
        Unreadable::NotBuiltIn => {
            ("the file is a workbook, which this program was built without".to_owned(), SAVE)
        }
        Unreadable::Password => (
            "the workbook has a password".to_owned(),
            "take the password off (Excel: File, Info, Protect Workbook, Encrypt) and save it",
        ),
        Unreadable::Not(NotRead::Kind("zip")) => ("the file is an archive".to_owned(), UNPACK),
        Unreadable::Not(NotRead::Kind(kind)) => (format!("the file is {}", kind_of(kind)), save),
        Unreadable::Not(why) => return not_read(why),
    };
    (message, remedy.to_owned())
}

fn kind_of(kind: &str) -> &str {
    match kind {
        "flat-odf" => "a flat OpenDocument (.fods)",
        "numbers" => "a document of Numbers",
        "html" => "a web page, whatever its name says",
        "spreadsheetml" => "XML of Excel 2003 (SpreadsheetML)",
        "json" => "JSON, which no spreadsheet writes",
        "mail" => "a message (mail)",
        "pdf" => "a PDF",
        "image" => "a picture",
        "zip" => "an archive",
        "xml" => "XML, which no spreadsheet opens as a table",
        "database" => "a file of a database",
        "document" => "a text document, no workbook",
        _ => "of a kind that is not read",
    }
}

fn not_read(why: &NotRead) -> (String, String) {
    let (message, remedy) = match why {
        NotRead::Folder => {
            ("a folder, and not read".to_owned(), "put its files into the folder of the packets")
        }
        NotRead::Symlink => {
            ("a symbolic link, and not read".to_owned(), "put the file itself into the folder")
        }
        NotRead::TooLarge { limit } => (
            format!("larger than {limit} bytes, more than a packet may have; not read"),
            "remove it, or save the packet again",
        ),
        NotRead::NoPermission => {
            ("may not be read by this user".to_owned(), "change who may read the file")
        }
        NotRead::Kind("zip") => ("an archive; not read".to_owned(), UNPACK),
        NotRead::Kind(kind) => (
            format!("{}; not read", kind_of(kind)),
            "if it is a packet, save it as a workbook (.xlsx) or as `CSV UTF-8`",
        ),
    };
    (message, remedy.to_owned())
}

fn date(damage: DateDamage) -> &'static str {
    match damage {
        DateDamage::Serial => "the spreadsheet turned the date into a number of days",
        DateDamage::NotIso => "the date is not written YYYY-MM-DD",
        DateDamage::OneCountry => "the date is written as one country does, not YYYY-MM-DD",
        DateDamage::TwoDigitYear => "the year of the date has only two digits",
        DateDamage::Ambiguous => "day and month cannot be told apart",
        DateDamage::TimeOnly => "this is a time of day without a date",
        DateDamage::NoDay => "a part of the date is missing: day, month and year are needed",
        DateDamage::NoSuchDay => "this day does not exist",
        DateDamage::MoreThanADate => "there is more than a date in the cell",
        DateDamage::NoDate => "this is not a date",
    }
}

fn number(damage: NumberDamage) -> &'static str {
    match damage {
        NumberDamage::NotWhole => "this is not a whole number",
        NumberDamage::Scientific => {
            "the spreadsheet shows this number in scientific notation, and digits may be lost"
        }
        NumberDamage::Ambiguous | NumberDamage::Locale => {
            "this number has marks of thousands or decimals that the file's form does not have"
        }
        NumberDamage::Marks => {
            "this number has points, commas or blanks where no country writes them"
        }
        NumberDamage::Percent => "this is a percentage",
        NumberDamage::Range => "this is a range, not a number",
        NumberDamage::Approximate => {
            "this is an approximate number or a limit, not the number itself"
        }
        NumberDamage::Fraction => "this is a fraction, or a date",
        NumberDamage::Minus => "the minus sign is not the hyphen in front of the digits",
        NumberDamage::Brackets => "in accounting, brackets around a number make it negative",
        NumberDamage::MoreThanANumber => "there is more than a number in the cell",
        NumberDamage::OtherDigits => "these are not the digits 0 to 9",
        NumberDamage::TooLong => "the number has more digits than can be kept exactly",
        NumberDamage::NoFigure => "the cell says that there is no figure",
        NumberDamage::NoNumber => "this is not a number",
    }
}

fn kpi(fault: &KpiFault<'_>) -> String {
    match fault {
        KpiFault::Evaluate(EvaluateError::MissingMeasure { measure }) => {
            format!("the measure `{measure}` has no value")
        }
        KpiFault::Evaluate(EvaluateError::DivisionByZero { formula }) => {
            format!("the formula `{formula}` divides by zero")
        }
        KpiFault::Evaluate(EvaluateError::OutOfRange { formula }) => {
            format!(
                "the formula `{formula}` gives a number that is too large or too long to be kept exactly"
            )
        }
        KpiFault::LessThan { value, limit } => format!("the value {value} is less than {limit}"),
        KpiFault::GreaterThan { value, limit } => {
            format!("the value {value} is greater than {limit}")
        }
    }
}
