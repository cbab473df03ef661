//! Which packet a returned file is: by its name, else by its content.

use std::collections::{BTreeSet, HashMap};

use super::ReturnedFile;
use crate::plan::{Packet, PacketPlan};
use crate::read::{Oddity, Sheet, Unreadable, read_csv};
use crate::template::{Fill, Template};

/// What the name of an error sheet has behind that of its packet.
pub(super) const ERRORS: &str = "__errors";

/// The packets of a plan, by name and by content.
pub(super) struct Known<'p> {
    pub(super) all: Vec<&'p Packet>,
    by_stem: HashMap<String, usize>,
    by_key: HashMap<(&'p str, String), usize>,
    source_at: Option<usize>,
    record_at: Option<usize>,
    template: &'p Template,
}

impl<'p> Known<'p> {
    pub(super) fn new(plan: &'p PacketPlan) -> Self {
        let template = plan.template();
        let all: Vec<_> = plan.packets().iter().chain(plan.settled()).collect();
        let prefix = template.record_prefix();
        let key =
            |p: &'p Packet| (p.key().sanction_source_id.as_str(), p.key().source_record_id(prefix));
        Self {
            by_stem: all.iter().enumerate().map(|(at, p)| (stem(p.file_name()), at)).collect(),
            by_key: all.iter().enumerate().map(|(at, p)| (key(p), at)).collect(),
            source_at: template.filled_with(&Fill::Source),
            record_at: template.filled_with(&Fill::SourceRecordId),
            template,
            all,
        }
    }

    /// Finds the packet of a file: by its name, else by the keys of its first filled row.
    pub(super) fn packet_of(&self, file: &ReturnedFile, sheet: &Sheet) -> Option<usize> {
        let stem = stem(&file.name);
        // An error sheet comes back under its own name, perhaps with a key that is still to be mended.
        let issued =
            self.by_stem.get(&stem).or_else(|| self.by_stem.get(stem.strip_suffix(ERRORS)?));
        if let Some(at) = issued {
            return Some(*at);
        }
        let row = sheet.rows.iter().find(|row| !row.is_blank())?;
        let cell = |at: usize| {
            let name = &self.template.columns()[at].name;
            let position = sheet.header.iter().position(|label| label == name)?;
            row.cells.get(position).map(|cell| crate::guard::unguard(&cell.text).trim())
        };
        let (source, record) = (cell(self.source_at?)?, cell(self.record_at?)?);
        self.by_key.get(&(source, record.to_owned())).copied()
    }
}

pub(super) fn stem(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase()
}

pub(super) fn read(file: &ReturnedFile, template: &Template) -> Sheet {
    let unreadable = |why| Sheet { oddities: vec![Oddity::Unreadable(why)], ..Sheet::default() };
    if file.bytes.starts_with(b"PK\x03\x04") {
        // An OpenDocument's first part is its media type, stored as it is, at a fixed place.
        let open_document = b"mimetypeapplication/vnd.oasis.opendocument";
        if file.bytes.get(30..).is_some_and(|rest| rest.starts_with(open_document)) {
            return unreadable(Unreadable::OpenDocument);
        }
        if file.name.to_lowercase().ends_with(".numbers") {
            return unreadable(Unreadable::Numbers);
        }
        #[cfg(feature = "xlsx")]
        return crate::workbook::read_workbook(&file.bytes);
        #[cfg(not(feature = "xlsx"))]
        return unreadable(Unreadable::NotBuiltIn);
    }
    if file.bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return unreadable(Unreadable::Before2007);
    }
    read_csv(&file.bytes, |label| template.position(label).is_some())
}

/// Says whether a file was a packet once: at least half of the template's labels are there.
pub(super) fn looks_like_a_packet(sheet: &Sheet, template: &Template) -> bool {
    let labels: BTreeSet<&str> = sheet.header.iter().map(String::as_str).collect();
    let known = template.columns().iter().filter(|c| labels.contains(c.name.as_str())).count();
    known * 2 >= template.columns().len()
}
