//! Which packet a returned file is: by its name, else by its content.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::cell::said;
use super::header::Columns;
use super::returned::ReturnedFile;
use crate::plan::{Packet, PacketPlan};
use crate::read::{Kind, NotRead, Oddity, Sheet, SheetRow, Unreadable, kind_of, read_csv};
use crate::template::{Fill, Labels, Role, Template};
use crate::value::is_blank;

/// What the name of an error sheet has behind that of its packet.
pub(crate) const ERRORS: &str = "__errors";

/// The packets of a plan, by name and by content.
pub(super) struct Known<'p> {
    pub(super) all: Vec<&'p Packet>,
    pub(super) labels: Labels,
    /// Every key cell of every packet.
    pub(super) keys: BTreeSet<&'p str>,
    by_stem: HashMap<String, usize>,
    by_key: HashMap<(&'p str, &'p str), usize>,
    source_at: Option<usize>,
    record_at: Option<usize>,
    period_at: Option<usize>,
    template: &'p Template,
}

impl<'p> Known<'p> {
    pub(super) fn new(plan: &'p PacketPlan) -> Self {
        let template = plan.template();
        let all: Vec<_> = plan.packets().iter().chain(plan.settled()).collect();
        let (source_at, record_at) =
            (template.filled_with(&Fill::Source), template.filled_with(&Fill::SourceRecordId));
        let cell =
            |packet: &'p Packet, at: Option<usize>| at.map_or("", |at| packet.cells()[at].as_str());
        let key_columns: Vec<usize> = (template.columns().iter().enumerate())
            .filter(|(_, column)| column.role == Role::Key)
            .map(|(at, _)| at)
            .collect();
        let keys =
            all.iter().flat_map(|packet| key_columns.iter().map(|at| packet.cells()[*at].as_str()));
        Self {
            labels: Labels::new(template),
            keys: keys.filter(|key| !key.is_empty()).collect(),
            by_stem: all.iter().enumerate().map(|(at, p)| (stem(p.file_name()), at)).collect(),
            by_key: all
                .iter()
                .enumerate()
                .map(|(at, p)| ((cell(p, source_at), cell(p, record_at)), at))
                .collect(),
            source_at,
            record_at,
            period_at: template.filled_with(&Fill::PeriodDate),
            template,
            all,
        }
    }

    /// Finds the packet that was issued under a file's name.
    pub(super) fn of_name(&self, name: &str) -> Option<usize> {
        let stem = stem(name);
        // An error sheet comes back under its own name, perhaps with a key that is still to be mended.
        let issued =
            self.by_stem.get(&stem).or_else(|| self.by_stem.get(stem.strip_suffix(ERRORS)?));
        issued.copied()
    }

    /// Finds the packet of a file: by its name, else by the keys of a row.
    pub(super) fn packet_of(&self, file: &ReturnedFile, sheet: &Sheet) -> Option<usize> {
        let columns = Columns::new(sheet, &self.labels, self.template);
        self.of_name(&file.name)
            .or_else(|| sheet.rows.iter().find_map(|row| self.of_row(row, &columns)))
    }

    /// Finds the packet whose keys stand in a row.
    pub(super) fn of_row(&self, row: &SheetRow, columns: &Columns) -> Option<usize> {
        let (source, record) =
            (self.cell(row, columns, self.source_at)?, self.cell(row, columns, self.record_at)?);
        self.by_key.get(&(&*source, &*record)).copied()
    }

    /// Returns the period of a file that is a packet of a known source in a period that is not asked for.
    pub(super) fn other_period<'s>(&self, sheet: &'s Sheet) -> Option<Cow<'s, str>> {
        let columns = Columns::new(sheet, &self.labels, self.template);
        let row = sheet.rows.first()?;
        let source = self.cell(row, &columns, self.source_at)?;
        let known = self.all.iter().any(|packet| packet.key().sanction_source_id == source);
        self.cell(row, &columns, self.period_at).filter(|period| known && !is_blank(period))
    }

    fn cell<'s>(
        &self,
        row: &'s SheetRow,
        columns: &Columns,
        at: Option<usize>,
    ) -> Option<Cow<'s, str>> {
        let at = at?;
        let cell = row.cells.get(columns.positions[at]?)?;
        Some(said(&self.template.columns()[at], cell))
    }

    /// Reads a file as a table.
    pub(super) fn read(&self, file: &ReturnedFile) -> Sheet {
        read_file(file, &self.labels, &|sheet| self.is_filled(sheet))
    }

    /// Says whether anything stands in a column that is issued blank.
    pub(super) fn is_filled(&self, sheet: &Sheet) -> bool {
        is_filled(self.template, &self.labels, sheet)
    }

    /// Says whether a file was a packet once: at least half of the template's labels are there.
    pub(super) fn looks_like_a_packet(&self, sheet: &Sheet) -> bool {
        self.labels.are_enough(sheet.header.iter().map(String::as_str))
    }
}

/// Reads a file as a table; of a workbook's sheets the one that is filled in.
#[cfg_attr(not(feature = "xlsx"), expect(unused_variables, reason = "only workbooks have sheets"))]
pub(super) fn read_file(
    file: &ReturnedFile,
    labels: &Labels,
    is_filled: &dyn Fn(&Sheet) -> bool,
) -> Sheet {
    let unreadable = |why| Sheet { oddities: vec![Oddity::Unreadable(why)], ..Sheet::default() };
    if let Some(why) = &file.not_read {
        return unreadable(Unreadable::Not(why.clone()));
    }
    match kind_of(&file.bytes) {
        Kind::Text => read_csv(&file.bytes, labels),
        Kind::Encrypted => unreadable(Unreadable::Password),
        Kind::Other(kind) => unreadable(Unreadable::Not(NotRead::Kind(kind))),
        #[cfg(feature = "xlsx")]
        kind @ (Kind::Xlsx | Kind::Xlsb | Kind::Xls | Kind::Ods) => {
            crate::workbook::read_workbook(&file.bytes, kind, labels, is_filled)
        }
        #[cfg(not(feature = "xlsx"))]
        Kind::Xlsx | Kind::Xlsb | Kind::Xls | Kind::Ods => unreadable(Unreadable::NotBuiltIn),
    }
}

/// Says whether anything stands in a column that is issued blank.
pub(super) fn is_filled(template: &Template, labels: &Labels, sheet: &Sheet) -> bool {
    let columns = Columns::new(sheet, labels, template);
    let blank_when_issued =
        template.columns().iter().zip(&columns.positions).filter_map(|(column, position)| {
            position.filter(|_| column.role == Role::Capture && column.fill.is_none())
        });
    let blank_when_issued: Vec<usize> = blank_when_issued.collect();
    sheet.rows.iter().any(|row| {
        let filled = |at: &usize| row.cells.get(*at).is_some_and(|cell| !is_blank(&cell.text));
        blank_when_issued.iter().any(filled)
    })
}

/// Returns a file's name without what stands behind a point; no packet's name has one within.
pub(super) fn stem(name: &str) -> String {
    name.split_once('.').map_or(name, |(stem, _)| stem).to_lowercase()
}
