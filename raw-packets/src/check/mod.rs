//! Returned packets against the plan: every finding in one pass, and the proof that all are well.

mod cell;
mod checked;
mod file;
mod header;
mod identify;
mod packet;
mod returned;
mod row;
mod rows;
mod sheet;
mod shift;

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

pub use self::checked::{Accept, CheckedPlan, NotReady};
pub(crate) use self::header::reasons_label;
pub(crate) use self::identify::ERRORS;
use self::identify::{Known, is_filled, stem};
pub use self::packet::CheckedPacket;
pub use self::returned::ReturnedFile;
pub(crate) use self::returned::ReturnedSheet;
pub use self::rows::{CheckedRowFile, CheckedRows, RowAnswer};
use self::sheet::SheetCheck;
use crate::digest::sha256;
use crate::finding::{Finding, PacketStatus, Problem};
use crate::plan::{Packet, PacketPlan};
use crate::read::Sheet;
use crate::template::Language;

/// Options of checking returned packets; every field has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// Today, after which no evidence can be dated; `None` allows any day.
    pub as_of: Option<NaiveDate>,
    /// The language of findings, remedies and error sheets; `None` takes that of the plan's form,
    /// English where it has none.
    pub language: Option<Language>,
}

impl CheckOptions {
    /// Sets the day of the check, after which no evidence can be dated.
    #[must_use]
    pub fn with_as_of(mut self, day: NaiveDate) -> Self {
        self.as_of = Some(day);
        self
    }

    /// Sets the language of findings, remedies and error sheets.
    #[must_use]
    pub fn with_language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }
}

impl PacketPlan {
    /// Checks returned files against the plan; pure, and in any order of files the same.
    #[must_use]
    pub fn check(&self, returned: &[ReturnedFile], options: CheckOptions) -> CheckedPlan<'_> {
        let span = tracing::info_span!("raw_packets.check", files = returned.len());
        let _entered = span.enter();
        let check = Check {
            plan: self,
            as_of: options.as_of,
            language: options.language.unwrap_or(self.options().form.language()),
        };
        let checked = check.files(returned);
        tracing::info!(
            name: "raw_packets.checked",
            packets = checked.packets.len(),
            ready = checked.count(PacketStatus::Ready),
            findings = checked.findings().count(),
        );
        checked
    }
}

/// A check of one set of files.
struct Check<'p> {
    plan: &'p PacketPlan,
    as_of: Option<NaiveDate>,
    language: Language,
}

impl<'p> Check<'p> {
    fn files(&self, returned: &[ReturnedFile]) -> CheckedPlan<'p> {
        let mut files: Vec<&ReturnedFile> = returned.iter().collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| a.bytes.cmp(&b.bytes)));
        let known = Known::new(self.plan);
        let mut ignored = Vec::new();
        let mut by_packet: BTreeMap<usize, Vec<(&ReturnedFile, Sheet)>> = BTreeMap::new();
        let mut strangers = Vec::new();
        let mut unread = None;
        for file in files {
            let sheet = known.read(file);
            match known.packet_of(file, &sheet) {
                Some(at) => by_packet.entry(at).or_default().push((file, sheet)),
                None if known.looks_like_a_packet(&sheet) => {
                    strangers.push(self.stranger(file, known.other_period(&sheet).as_deref()));
                }
                None => {
                    let (finding, may_hold_one) = not_a_packet(self.language, file, &sheet);
                    ignored.push(finding);
                    if may_hold_one {
                        unread.get_or_insert(file.name.as_str());
                    }
                }
            }
        }
        let elsewhere = self.rows_elsewhere(&known, &by_packet);
        let mut packets = Vec::new();
        for (at, packet) in known.all.iter().enumerate() {
            let required = at < self.plan.packets().len();
            match by_packet.remove(&at) {
                Some(copies) => packets.push(self.copies(&known, packet, &copies, required)),
                None if required => {
                    packets.push(self.missing(packet, elsewhere.get(&at), unread));
                }
                None => {}
            }
        }
        packets.extend(strangers);
        self.refuse_duplicate_keys(&mut packets);
        for packet in &mut packets {
            // What is wrong with the file or its rows comes before what is wrong with cells.
            packet.findings.sort_by_key(|f| {
                (!f.is_error(), f.cell.is_some(), std::cmp::Reverse(f.reason.priority()), f.row)
            });
        }
        CheckedPlan { plan: self.plan, packets, ignored, language: self.language }
    }

    /// Finds the rows of packets that came back within the file of another.
    fn rows_elsewhere(
        &self,
        known: &Known<'_>,
        by_packet: &BTreeMap<usize, Vec<(&ReturnedFile, Sheet)>>,
    ) -> HashMap<usize, (String, u64)> {
        let mut elsewhere = HashMap::new();
        for (of, (file, sheet)) in
            by_packet.iter().flat_map(|(of, copies)| copies.iter().map(move |copy| (of, copy)))
        {
            let columns = header::Columns::new(sheet, &known.labels, self.plan.template());
            for row in &sheet.rows {
                if let Some(at) = known.of_row(row, &columns).filter(|at| at != of) {
                    elsewhere.entry(at).or_insert_with(|| (file.name.clone(), row.number));
                }
            }
        }
        elsewhere
    }

    fn copies(
        &self,
        known: &Known<'_>,
        packet: &Packet,
        copies: &[(&ReturnedFile, Sheet)],
        required: bool,
    ) -> CheckedPacket {
        // The file with the issued name counts, of others the first by name; but one that is filled in
        // counts before one that is not.
        let named = |at: &usize| stem(&copies[*at].0.name) == stem(packet.file_name());
        let filled: Vec<usize> =
            (0..copies.len()).filter(|at| known.is_filled(&copies[*at].1)).collect();
        let among = if filled.is_empty() { (0..copies.len()).collect() } else { filled };
        let main = among.iter().copied().find(named).unwrap_or(among[0]);
        let (file, sheet) = &copies[main];
        let mut checked = self.packet(known, packet, file, sheet, required);
        if !named(&main) {
            let finding = self.finding(&Problem::Renamed { issued: packet.file_name() });
            checked.findings.push(finding.in_file(&file.name));
        }
        for (at, (copy, _)) in copies.iter().enumerate() {
            if at == main {
                continue;
            }
            let of = file.name.as_str();
            let problem = if copy.bytes == file.bytes {
                Problem::Copy { of }
            } else if !among.contains(&at) {
                Problem::UnfilledCopy { filled: of }
            } else {
                Problem::OtherVersion { of }
            };
            checked.refuse(self.finding(&problem).in_file(&copy.name));
        }
        checked
    }

    fn packet(
        &self,
        known: &Known<'_>,
        packet: &Packet,
        file: &ReturnedFile,
        sheet: &Sheet,
        required: bool,
    ) -> CheckedPacket {
        let mut checked = CheckedPacket {
            sha256: Some(sha256(&file.bytes)),
            packet: Some(packet.clone()),
            required,
            ..CheckedPacket::new(&file.name, PacketStatus::Ready)
        };
        let issued_as = sheet.packet_id.as_ref().or(file.packet_id.as_ref());
        let check = SheetCheck {
            template: self.plan.template(),
            known,
            packet,
            sheet,
            stale: issued_as.is_some_and(|id| id != packet.id()),
            as_of: self.as_of,
            language: self.language,
        };
        check.check(&mut checked);
        // A queue that was cut asks for less than is open.
        if !required && packet.is_complete() && checked.status == PacketStatus::Ready {
            checked.findings.push(self.finding(&Problem::AlreadyLoaded));
        }
        for finding in &mut checked.findings {
            finding.file.clone_from(&file.name);
        }
        checked
    }

    fn finding(&self, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, problem)
    }

    fn stranger(&self, file: &ReturnedFile, period: Option<&str>) -> CheckedPacket {
        let problem = period.map_or(Problem::Stranger, |issued| Problem::OtherPeriod { issued });
        CheckedPacket {
            sha256: Some(sha256(&file.bytes)),
            findings: vec![self.finding(&problem).in_file(&file.name)],
            ..CheckedPacket::new(&file.name, PacketStatus::InvalidRow)
        }
    }

    fn missing(
        &self,
        packet: &Packet,
        elsewhere: Option<&(String, u64)>,
        unread: Option<&str>,
    ) -> CheckedPacket {
        let problem = match elsewhere {
            Some((file, row)) => Problem::RowElsewhere { file, row: *row },
            None => Problem::Missing { beside: unread },
        };
        CheckedPacket {
            packet: Some(packet.clone()),
            required: true,
            findings: vec![self.finding(&problem).in_file(packet.file_name())],
            ..CheckedPacket::new(packet.file_name(), PacketStatus::MissingPacketFile)
        }
    }

    /// Refuses the later of two packets that would write the same value.
    fn refuse_duplicate_keys(&self, packets: &mut [CheckedPacket]) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for packet in packets {
            for key in packet.metric_keys() {
                let Some(first) = seen.get(&key) else {
                    seen.insert(key, packet.file.clone());
                    continue;
                };
                let problem = Problem::DuplicateKey { key: &key, first };
                let mut finding = self.finding(&problem).in_file(&packet.file.clone());
                finding.row = packet.row.as_ref().map(|row| row.row);
                packet.refuse(finding);
                break;
            }
        }
    }
}

/// Names a file that is no packet; says whether one may be in it all the same.
fn not_a_packet(language: Language, file: &ReturnedFile, sheet: &Sheet) -> (Finding, bool) {
    use crate::read::{Oddity, Unreadable};
    let unread = sheet.oddities.iter().find_map(|oddity| match oddity {
        Oddity::Unreadable(Unreadable::Not(why)) => Some(Problem::NotRead(why)),
        Oddity::Unreadable(why) => Some(Problem::FileUnreadable(why)),
        _ => None,
    });
    let may_hold_one = unread.is_some();
    let problem = unread.unwrap_or(Problem::NoPacket);
    (Finding::new(language, &problem).in_file(&file.name), may_hold_one)
}
