//! Problems and remedies in English.

use super::{KpiFault, Problem};
use crate::check::date::DateDamage;
use crate::check::number::NumberDamage;
use crate::formula::EvaluateError;
use crate::read::Unreadable;

const NOTHING: &str = "nothing needs to be done";
const SAVE: &str = "save the file as `CSV UTF-8`";
const COMPARE: &str = "compare it with the publication";
const EVIDENCE: &str = "write it down from the publication that proves the figures";

#[expect(clippy::too_many_lines, reason = "a table of sentences, one entry each")]
pub(super) fn tell(problem: &Problem<'_>) -> (String, String) {
    match problem {
        Problem::Encoding => {
            ("the file is not in UTF-8, so letters with accents are lost".into(), SAVE.into())
        }
        Problem::Utf16 => ("the file is in UTF-16; it was read all the same".into(), SAVE.into()),
        Problem::EmptyFile => {
            ("the file is empty".into(), "start again from the issued packet".into())
        }
        Problem::Unreadable(why) => (
            unreadable(why),
            "open it in a spreadsheet and save it anew, as a workbook or as `CSV UTF-8`".into(),
        ),
        Problem::BlankRow => ("the row is blank, and is not read".into(), "delete it".into()),
        Problem::Renamed { issued } => (
            format!("the file was issued as `{issued}`"),
            format!("{NOTHING}: the packet was found by its content"),
        ),
        Problem::Copy { of } => {
            (format!("a copy of `{of}`"), format!("{NOTHING}; delete the copy"))
        }
        Problem::OtherVersion { of } => (
            format!("another version of `{of}`"),
            "keep the one that counts and delete the other".into(),
        ),
        Problem::Stranger => (
            "the packet belongs to no source of this catalogue and period".into(),
            "check it with the catalogue and the period that it was issued for, or take it away"
                .into(),
        ),
        Problem::NoPacket => (
            "the file has not the columns of a packet, and is not read".into(),
            format!("{NOTHING}, if it is no packet"),
        ),
        Problem::Missing => (
            "the packet did not come back".into(),
            "fill it in, or issue it again and put it into the folder under this name".into(),
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
        Problem::SeveralRows { total } => (
            format!("the packet has {total} rows; one was issued"),
            "keep the row of this source and delete the others".into(),
        ),
        Problem::DuplicateKey { key, first } => (
            format!("`{key}` is in `{first}`, too"),
            "keep the packet that counts and take the other away".into(),
        ),
        Problem::LabelTwice => {
            ("this column is there twice".into(), "keep the issued one and delete the other".into())
        }
        Problem::LabelRenamed { column } => (
            format!("the column `{column}` was renamed"),
            format!("write `{column}` in the header again"),
        ),
        Problem::LabelMissing { column } => (
            format!("the column `{column}` is missing"),
            "put it back with its content, or start again from the issued packet".into(),
        ),
        Problem::LabelExtra => (
            "this column was not issued, and is not read".into(),
            "delete it, or leave it for yourself".into(),
        ),
        Problem::LabelsMoved => (
            "columns stand in another order than issued; they were read by their names".into(),
            NOTHING.into(),
        ),
        Problem::CellTooLong { most } => (
            format!("the cell holds more than {most} characters"),
            "shorten it to what proves the figures".into(),
        ),
        Problem::ErrorValue => ("the cell holds the error of a formula".into(), value_itself()),
        Problem::Formula => (
            "the cell holds a formula, or a text that a spreadsheet takes for one".into(),
            value_itself(),
        ),
        Problem::IssuedGone { issued } => (format!("the issued `{issued}` is gone"), again(issued)),
        Problem::KeyDate { damage, issued } => {
            (format!("{}; `{issued}` was issued", date(*damage)), again(issued))
        }
        Problem::LeadingZerosLost { issued } => {
            (format!("leading zeros were lost; `{issued}` was issued"), again(issued))
        }
        Problem::KeyScientific { issued } => {
            let message = number(NumberDamage::Scientific);
            (format!("{message}; `{issued}` was issued"), again(issued))
        }
        Problem::KeyCase { issued } => {
            (format!("the case of letters changed; `{issued}` was issued"), again(issued))
        }
        Problem::KeyChanged { issued } => (
            format!("a cell that says which row this is was changed; `{issued}` was issued"),
            again(issued),
        ),
        Problem::IssuedAtAnotherTime { now } => (
            format!("the packet was issued at another time; now it says `{now}`"),
            format!("{NOTHING}, if the packet is the latest one that was issued"),
        ),
        Problem::ReadOnlyChanged { issued } => (
            format!("a cell for reading only was changed from `{issued}`"),
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
            "the spreadsheet turned the number into a date".into(),
            "format the cell as a number, and write the number again".into(),
        ),
        Problem::Number { damage, unit, mark } => {
            let unit = unit.map(|unit| format!(" of {unit}")).unwrap_or_default();
            let remedy = format!("write only the number{unit}, with digits and one `{mark}`");
            (number(*damage).into(), remedy)
        }
        Problem::OutOfBounds { greater, exclusive, limit } => {
            let side = if *greater { "greater" } else { "less" };
            let or_equal = if *exclusive { "" } else { " or equal to" };
            (format!("the number must be {side} than{or_equal} {limit}"), COMPARE.into())
        }
        Problem::FutureEvidence => ("evidence cannot be dated in the future".into(), day_remedy()),
        Problem::Date { damage } => (date(*damage).into(), day_remedy()),
        Problem::NoAddress => (
            "this is no address of a page".into(),
            "copy the address from the browser; it starts with https://".into(),
        ),
        Problem::LettersLost => (
            "letters of the text were lost on the way".into(),
            "write them again, and save the file as `CSV UTF-8` or as a workbook".into(),
        ),
        Problem::TextTooShort { length, least } => (
            format!("the text has {length} characters; at least {least} are needed"),
            "quote the whole sentence of the publication".into(),
        ),
        Problem::NotAllowed { allowed } => (
            "this is none of the allowed texts".into(),
            format!("use one of: {}", allowed.join(", ")),
        ),
        Problem::ExtraCell => (
            "a cell stands beyond the last column".into(),
            "delete it; if a text has the delimiter in it, put the text in quotation marks".into(),
        ),
        Problem::RequiredWhenFilled { when } => (
            format!("needed, since `{when}` is filled in"),
            format!("fill it in, or clear `{when}`"),
        ),
        Problem::PartGreaterThanWhole { of, whole } => (
            format!("the part is greater than `{of}`, which is {whole}"),
            "compare both with the publication".into(),
        ),
        Problem::Kpi { kpi_id, formula, fault } => (
            format!("`{kpi_id}`: {}", kpi(fault)),
            format!("compare the figures of `{formula}` with the publication"),
        ),
    }
}

fn value_itself() -> String {
    "write the value itself; put an apostrophe before a text that starts so".to_owned()
}

fn again(issued: &str) -> String {
    format!("write `{issued}` again")
}

fn day_remedy() -> String {
    "write the day as YYYY-MM-DD, such as 2025-03-31".to_owned()
}

fn unreadable(why: &Unreadable) -> String {
    match why {
        Unreadable::TooLarge { limit } => {
            format!("the workbook unpacks to more than {limit} bytes; no packet does")
        }
        Unreadable::TooManyParts { parts } => {
            format!("the workbook has {parts} parts; no packet has")
        }
        Unreadable::Damaged { problem } if problem.is_empty() => {
            "the workbook cannot be read: it is damaged".to_owned()
        }
        Unreadable::Damaged { problem } => format!("the workbook cannot be read: {problem}"),
        Unreadable::NotBuiltIn => {
            "the file is a workbook, which this program was built without".to_owned()
        }
        Unreadable::Before2007 => "the file is a workbook of the kind before 2007".to_owned(),
        Unreadable::OpenDocument => "the file is a workbook in OpenDocument form".to_owned(),
        Unreadable::Numbers => "the file is a document of Numbers".to_owned(),
    }
}

fn date(damage: DateDamage) -> &'static str {
    match damage {
        DateDamage::Serial => "the spreadsheet turned the date into a number of days",
        DateDamage::NotIso => "the date is not written YYYY-MM-DD",
        DateDamage::OneCountry => "the date is written as one country does, not YYYY-MM-DD",
        DateDamage::TwoDigitYear => "the year of the date has only two digits",
        DateDamage::Ambiguous => "day and month cannot be told apart",
        DateDamage::NoSuchDay => "there is no such day",
        DateDamage::NoDate => "this is no date",
    }
}

fn number(damage: NumberDamage) -> &'static str {
    match damage {
        NumberDamage::NotWhole => "this is no whole number",
        NumberDamage::Scientific => {
            "the spreadsheet shows this number in scientific notation, and digits may be lost"
        }
        NumberDamage::Locale => "this number has the marks of another country than the file",
        NumberDamage::MoreThanANumber => "there is more than a number in the cell",
        NumberDamage::OtherDigits => "these are not the digits 0 to 9",
        NumberDamage::NoNumber => "this is no number",
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
            format!("the formula `{formula}` leaves the range of exact decimals")
        }
        KpiFault::LessThan { value, limit } => format!("the value {value} is less than {limit}"),
        KpiFault::GreaterThan { value, limit } => {
            format!("the value {value} is greater than {limit}")
        }
    }
}
