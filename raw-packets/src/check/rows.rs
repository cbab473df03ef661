//! Returned packets of rows: which rows were answered, and what is wrong with them, to the cell.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::cell::{Context, Judged, Value, read_cell, said};
use super::header::Columns;
use super::identify::read_file;
use super::row::RowCheck;
use super::sheet::TableCheck;
use super::shift::{Fell, straighten};
use super::{CheckOptions, ReturnedFile, is_filled, not_a_packet};
use crate::digest::sha256;
use crate::finding::{Finding, PacketStatus, Problem};
use crate::plan::{RowPacket, RowPlan, key_of};
use crate::read::{MAX_ROWS, Oddity, Sheet, SheetRow};
use crate::template::{Labels, Language, Role, Template};

/// For how many rows of a file that were not issued it is looked which issued one may be meant.
const LOOKED_FOR: usize = 20;

/// The result of checking returned packets of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRows {
    files: Vec<CheckedRowFile>,
    ignored: Vec<Finding>,
    language: Language,
}

/// One returned file with rows of packets.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRowFile {
    name: String,
    sha256: String,
    status: PacketStatus,
    findings: Vec<Finding>,
    answers: Vec<RowAnswer>,
    unanswered: u64,
    language: Language,
}

/// One row that was filled in without a fault.
#[derive(Debug, Clone, PartialEq)]
pub struct RowAnswer {
    key: Vec<String>,
    file: String,
    row: u64,
    columns: Vec<AnsweredColumn>,
    language: Language,
}

/// What one column of an answered row says, and where.
#[derive(Debug, Clone, PartialEq)]
struct AnsweredColumn {
    name: String,
    value: Value,
    cell: Option<String>,
}

impl CheckedRows {
    /// Returns the files with rows of packets, by name.
    #[must_use]
    pub fn files(&self) -> &[CheckedRowFile] {
        &self.files
    }

    /// Returns what is said of files that hold no packet.
    #[must_use]
    pub fn ignored(&self) -> &[Finding] {
        &self.ignored
    }

    /// Returns the language of the findings.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Returns every finding, file by file.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.files.iter().flat_map(|file| &file.findings).chain(&self.ignored)
    }

    /// Returns the rows that were filled in well, file by file.
    pub fn answers(&self) -> impl Iterator<Item = &RowAnswer> {
        self.files.iter().flat_map(|file| &file.answers)
    }

    /// Says whether nothing keeps anything out.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.findings().any(Finding::is_error)
    }
}

impl CheckedRowFile {
    /// Returns the file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 of its bytes, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns how far it is: `ready`, `empty_packet` where no row was filled in, or what is wrong with it.
    #[must_use]
    pub fn status(&self) -> PacketStatus {
        self.status
    }

    /// Returns what is wrong or odd, the most urgent first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns the rows that were filled in well.
    #[must_use]
    pub fn answers(&self) -> &[RowAnswer] {
        &self.answers
    }

    /// Returns how many issued rows of the file were not filled in.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// Makes the finding of a service that knows something against the file as a whole: it is taken elsewhere, say.
    #[must_use]
    pub fn refused(&self, message: &str, remedy: &str) -> Finding {
        Finding::new(self.language, &Problem::Service { message, remedy }).in_file(&self.name)
    }
}

impl RowAnswer {
    /// Returns the key of the row, in the order of the template's key columns.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// Returns the file that the row stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the row as a spreadsheet counts, the header being row 1.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Returns the text of a column; `None` where it is blank, no text or unknown.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        match &self.column(column)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number of a column; `None` where it is blank, no number or unknown.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<Decimal> {
        match self.column(column)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the day of a column; `None` where it is blank, no day or unknown.
    #[must_use]
    pub fn date(&self, column: &str) -> Option<NaiveDate> {
        match self.column(column)?.value {
            Value::Date(day) => Some(day),
            _ => None,
        }
    }

    /// Makes the finding of a service that knows something against what a column says: whom it names is not there, say.
    ///
    /// It stands at the cell, and shows none of its value.
    #[must_use]
    pub fn refused(&self, column: &str, message: &str, remedy: &str) -> Finding {
        let mut finding = Finding::new(self.language, &Problem::Service { message, remedy })
            .in_file(&self.file)
            .at_row(self.row);
        finding.column = Some(column.to_owned());
        finding.cell = self.column(column).and_then(|of| of.cell.clone());
        finding
    }

    fn column(&self, name: &str) -> Option<&AnsweredColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl RowPlan {
    /// Checks returned files against the plan; pure, and in any order of files the same.
    ///
    /// A row is found by its key, in whichever file it stands. Rows that were not filled in, or did not come back, are no
    /// damage: they are simply not answered yet.
    #[must_use]
    pub fn check(&self, returned: &[ReturnedFile], options: CheckOptions) -> CheckedRows {
        let language = options.language.unwrap_or(self.form().language());
        let mut files: Vec<&ReturnedFile> = returned.iter().collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| a.bytes.cmp(&b.bytes)));
        let check = Rows::new(self, language, options.as_of);
        let mut checked = CheckedRows { files: Vec::new(), ignored: Vec::new(), language };
        for file in files {
            let template = self.template();
            let filled = |sheet: &Sheet| is_filled(template, &check.labels, sheet);
            let sheet = read_file(file, &check.labels, &filled);
            if check.labels.are_enough(sheet.header.iter().map(String::as_str)) {
                checked.files.push(check.file(file, &sheet));
            } else {
                checked.ignored.push(not_a_packet(language, file, &sheet).0);
            }
        }
        refuse_contradictions(&mut checked);
        for file in &mut checked.files {
            file.settle();
        }
        checked
    }
}

/// The issued rows by key, and what they are checked with.
struct Rows<'p> {
    template: &'p Template,
    labels: Labels,
    issued: HashMap<Vec<&'p str>, &'p [String]>,
    keys: std::collections::BTreeSet<&'p str>,
    language: Language,
    as_of: Option<NaiveDate>,
}

impl<'p> Rows<'p> {
    fn new(plan: &'p RowPlan, language: Language, as_of: Option<NaiveDate>) -> Self {
        let template = plan.template();
        let rows = || plan.packets().iter().flat_map(RowPacket::rows);
        Self {
            template,
            labels: Labels::new(template),
            issued: rows().map(|row| (key_of(template, row), row.as_slice())).collect(),
            keys: rows().flat_map(|row| key_of(template, row)).collect(),
            language,
            as_of,
        }
    }

    fn file(&self, file: &ReturnedFile, sheet: &Sheet) -> CheckedRowFile {
        let mut checked = CheckedRowFile {
            name: file.name.clone(),
            sha256: sha256(&file.bytes),
            status: PacketStatus::Ready,
            findings: Vec::new(),
            answers: Vec::new(),
            unanswered: 0,
            language: self.language,
        };
        let mut table = TableCheck::of(sheet, &self.labels, self.template, self.language);
        let judged = table.check(false, &self.keys, &mut checked.findings);
        checked.status = checked.status.worse(table.status);
        let Some((columns, bad_header)) = judged else { return checked.in_file() };
        if sheet.rows_beyond > 0 {
            let problem = Problem::RowsBeyond { most: MAX_ROWS };
            checked.findings.push(Finding::new(self.language, &problem).at_row(sheet.header_row));
        }
        let mut looked_for = 0;
        for row in &sheet.rows {
            let key = self.key(row, &columns);
            let key: Vec<&str> = key.iter().map(AsRef::as_ref).collect();
            let issued = self.issued.get(&key).copied().or_else(|| {
                looked_for += 1;
                (looked_for <= LOOKED_FOR).then(|| self.meant(sheet, &columns, row)).flatten()
            });
            let Some(issued) = issued else {
                checked.findings.push(self.unknown(sheet, &columns, row));
                continue;
            };
            let check = self.row(sheet, &columns, issued);
            self.judge(&check, sheet, row, !bad_header, &mut checked);
        }
        checked.in_file()
    }

    fn row<'a>(
        &'a self,
        sheet: &'a Sheet,
        columns: &'a Columns,
        issued: &'a [String],
    ) -> RowCheck<'a> {
        let width = sheet.header.iter().rposition(|label| !label.is_empty()).map_or(0, |at| at + 1);
        RowCheck {
            context: Context {
                template: self.template,
                decimal_mark: sheet.decimal_mark,
                as_of: self.as_of,
                stale: false,
                undecoded: sheet.oddities.iter().any(|o| matches!(o, Oddity::Encoding { .. })),
                odd_quotes: sheet.odd_quotes,
                keys: &self.keys,
                language: self.language,
            },
            issued,
            packet: None,
            width,
            upright: &sheet.upright,
            columns,
        }
    }

    /// Judges a row and takes what it answers, where nothing is wrong with it.
    fn judge(
        &self,
        check: &RowCheck<'_>,
        sheet: &Sheet,
        row: &SheetRow,
        takes: bool,
        checked: &mut CheckedRowFile,
    ) {
        let fell = sheet.delimiter.map_or(Fell::Not, |mark| straighten(check, row, mark));
        match fell {
            Fell::Not => {}
            Fell::Joined(joined) => {
                checked.findings.extend(joined.findings);
                drop(check.values(&joined.row, &mut checked.findings));
                return;
            }
            Fell::Unclear(finding) => {
                checked.findings.push(finding);
                return;
            }
        }
        let before = checked.findings.len();
        let values = check.values(row, &mut checked.findings);
        let wrong =
            check.is_refused(&values) || checked.findings[before..].iter().any(Finding::is_error);
        if check.is_unfilled(row) {
            checked.unanswered += 1;
        } else if takes && !wrong {
            let columns = self.template.columns().iter().zip(values).enumerate();
            let columns = columns.map(|(at, (column, value))| AnsweredColumn {
                name: column.name.clone(),
                value: value.unwrap_or(Value::Blank),
                cell: check.cell_name(row.number, at),
            });
            checked.answers.push(RowAnswer {
                key: key_of(self.template, check.issued).into_iter().map(str::to_owned).collect(),
                file: checked.name.clone(),
                row: row.number,
                columns: columns.collect(),
                language: self.language,
            });
        }
    }

    /// Tells of a row that was not issued, at the first of its keys.
    fn unknown(&self, sheet: &Sheet, columns: &Columns, row: &SheetRow) -> Finding {
        let blank = vec![String::new(); self.template.columns().len()];
        let at = self.template.columns().iter().position(|column| column.role == Role::Key);
        let finding = Finding::new(self.language, &Problem::RowUnknown);
        self.row(sheet, columns, &blank).locate(finding, row, at.unwrap_or_default())
    }

    /// Returns what stands in the key columns of a row.
    fn key<'s>(&self, row: &'s SheetRow, columns: &Columns) -> Vec<Cow<'s, str>> {
        let keys = self.template.columns().iter().zip(&columns.positions);
        keys.filter(|(column, _)| column.role == Role::Key)
            .map(|(column, at)| {
                let cell = at.and_then(|at| row.cells.get(at));
                cell.map_or_else(Default::default, |cell| said(column, cell))
            })
            .collect()
    }

    /// Finds the one issued row whose keys can be meant by those of a row that a program has damaged.
    fn meant(&self, sheet: &Sheet, columns: &Columns, row: &SheetRow) -> Option<&'p [String]> {
        let mut found = self.issued.values().filter(|issued| {
            let check = self.row(sheet, columns, issued);
            self.template.columns().iter().enumerate().all(|(at, column)| {
                let foreign = |cell| {
                    let judged = read_cell(&check.context, column, &issued[at], cell);
                    matches!(judged, Judged::Foreign(_))
                };
                column.role != Role::Key || !check.cell(row, at).is_some_and(foreign)
            })
        });
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

/// Refuses rows that stand twice and say different things; of those that say the same, one is taken.
fn refuse_contradictions(checked: &mut CheckedRows) {
    let language = checked.language;
    let mut by_key: BTreeMap<&[String], Vec<(usize, usize)>> = BTreeMap::new();
    for (of, file) in checked.files.iter().enumerate() {
        for (at, answer) in file.answers.iter().enumerate() {
            by_key.entry(&answer.key).or_default().push((of, at));
        }
    }
    let mut told: Vec<(usize, usize, Finding)> = Vec::new();
    for places in by_key.into_values().filter(|places| places.len() > 1) {
        let answer = |(of, at): (usize, usize)| &checked.files[of].answers[at];
        let says = |place| {
            let columns = answer(place).columns.iter();
            columns.map(|column| (&column.name, &column.value)).collect::<Vec<_>>()
        };
        let first = answer(places[0]);
        let same = places.iter().all(|place| says(*place) == says(places[0]));
        for (nth, place) in places.iter().enumerate().skip(usize::from(same)) {
            let other = if nth == 0 { answer(places[1]) } else { first };
            let (file, row) = (other.file.as_str(), other.row);
            let problem = if same {
                Problem::RowAgain { file, row }
            } else {
                Problem::RowTwice { file, row }
            };
            let own = answer(*place);
            let mut finding = Finding::new(language, &problem).in_file(&own.file).at_row(own.row);
            // The first cell that was filled in.
            let filled = own.columns.iter().rev().find(|column| column.value != Value::Blank);
            finding.cell = filled.and_then(|column| column.cell.clone());
            finding.column = filled.map(|column| column.name.clone());
            told.push((place.0, place.1, finding));
        }
    }
    // From behind, so that the places stay what they are.
    told.sort_unstable_by_key(|(of, at, _)| std::cmp::Reverse((*of, *at)));
    for (of, at, finding) in told {
        checked.files[of].answers.remove(at);
        checked.files[of].findings.push(finding);
    }
}

impl CheckedRowFile {
    /// Names the file in every finding.
    fn in_file(mut self) -> Self {
        for finding in &mut self.findings {
            finding.file.clone_from(&self.name);
        }
        self
    }

    /// Says how far the file is, once everything is found, and puts the urgent first.
    fn settle(&mut self) {
        self.findings.sort_by_key(|f| {
            (!f.is_error(), f.cell.is_some(), std::cmp::Reverse(f.reason.priority()), f.row)
        });
        let status = if self.findings.iter().any(Finding::is_error) {
            PacketStatus::InvalidRow
        } else if self.answers.is_empty() {
            PacketStatus::EmptyPacket
        } else {
            PacketStatus::Ready
        };
        self.status = self.status.worse(status);
    }
}
