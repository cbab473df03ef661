//! Returned packets against the plan: every finding in one pass, and the proof that all are well.

mod cell;
mod checked;
mod correct;
mod date;
mod file;
mod header;
mod identify;
mod number;
mod packet;
mod problem;
mod row;
mod sheet;

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

pub(crate) use self::cell::is_blank;
pub use self::checked::{Accept, CheckedPlan, NotReady};
#[cfg(feature = "xlsx")]
pub(crate) use self::correct::MarkedSheet;
use self::identify::{Known, looks_like_a_packet, read, stem};
pub use self::packet::CheckedPacket;
pub(crate) use self::problem::Problem;
use self::sheet::SheetCheck;
use crate::finding::{Finding, PacketStatus, Reason};
use crate::load::sha256;
use crate::plan::{Packet, PacketPlan};
use crate::read::Sheet;
use crate::template::Language;

/// Is a file as it came back: its name without folders, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ReturnedFile {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The id of the packet that was issued under this name, where something beside the file says so;
    /// a workbook carries its own.
    pub packet_id: Option<String>,
}

impl ReturnedFile {
    /// Makes a returned file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), packet_id: None }
    }

    /// Says which packet was issued under the file's name, as [`Packet::id`] gave it then.
    ///
    /// By another id than the plan's the check knows that a packet is stale.
    #[must_use]
    pub fn issued_as(mut self, packet_id: impl Into<String>) -> Self {
        self.packet_id = Some(packet_id.into());
        self
    }
}

/// Holds what a check may vary in.
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
    /// Makes options for a check on the day `as_of`.
    #[must_use]
    pub fn as_of(as_of: NaiveDate) -> Self {
        Self { as_of: Some(as_of), ..Self::default() }
    }

    /// Says the findings in a language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
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
        let template = self.plan.template();
        let known = Known::new(self.plan);
        let mut ignored = Vec::new();
        let mut by_packet: BTreeMap<usize, Vec<(&ReturnedFile, Sheet)>> = BTreeMap::new();
        let mut strangers = Vec::new();
        for file in files {
            let sheet = read(file, template);
            match known.packet_of(file, &sheet) {
                Some(at) => by_packet.entry(at).or_default().push((file, sheet)),
                None if looks_like_a_packet(&sheet, template) => {
                    strangers.push(self.stranger(file));
                }
                None => ignored.push(self.not_a_packet(file)),
            }
        }
        let mut packets = Vec::new();
        for (at, packet) in known.all.iter().enumerate() {
            let required = at < self.plan.packets().len();
            match by_packet.remove(&at) {
                Some(copies) => packets.push(self.copies(packet, &copies, required)),
                None if required => packets.push(self.missing(packet)),
                None => {}
            }
        }
        packets.extend(strangers);
        self.refuse_duplicate_keys(&mut packets);
        for packet in &mut packets {
            packet.findings.sort_by_key(|f| (std::cmp::Reverse(f.reason.priority()), f.row));
        }
        CheckedPlan { plan: self.plan, packets, ignored, language: self.language }
    }

    fn copies(
        &self,
        packet: &Packet,
        copies: &[(&ReturnedFile, Sheet)],
        required: bool,
    ) -> CheckedPacket {
        // The file with the issued name counts; of others the first by name.
        let main = copies.iter().position(|(file, _)| stem(&file.name) == stem(packet.file_name()));
        let main = main.unwrap_or_default();
        let (file, sheet) = &copies[main];
        let mut checked = self.packet(packet, file, sheet, required);
        if stem(&file.name) != stem(packet.file_name()) {
            let problem = Problem::Renamed { issued: packet.file_name() };
            let finding = self.finding(Reason::FILE_RENAMED, "file-renamed", &problem);
            checked.findings.push(finding.in_file(&file.name));
        }
        for (at, (copy, _)) in copies.iter().enumerate() {
            if at == main {
                continue;
            }
            let of = file.name.as_str();
            let finding = if copy.bytes == file.bytes {
                self.finding(Reason::FILE_IGNORED, "duplicate-file", &Problem::Copy { of })
            } else {
                let problem = Problem::OtherVersion { of };
                self.finding(Reason::DUPLICATE_METRIC_KEY, "duplicate-row", &problem)
            };
            checked.refuse(finding.in_file(&copy.name));
        }
        checked
    }

    fn packet(
        &self,
        packet: &Packet,
        file: &ReturnedFile,
        sheet: &Sheet,
        required: bool,
    ) -> CheckedPacket {
        let mut checked = CheckedPacket {
            packet: Some(packet.clone()),
            file: file.name.clone(),
            sha256: Some(sha256(&file.bytes)),
            required,
            status: PacketStatus::Ready,
            findings: Vec::new(),
            row: None,
            returned: None,
        };
        let issued_as = sheet.packet_id.as_ref().or(file.packet_id.as_ref());
        let check = SheetCheck {
            template: self.plan.template(),
            packet,
            sheet,
            stale: issued_as.is_some_and(|id| *id != packet.id()),
            as_of: self.as_of,
            language: self.language,
        };
        check.check(&mut checked);
        if !required && checked.status == PacketStatus::Ready {
            let problem = Problem::AlreadyLoaded;
            checked.findings.push(self.finding(Reason::ALREADY_LOADED, "already-loaded", &problem));
        }
        for finding in &mut checked.findings {
            finding.file.clone_from(&file.name);
        }
        checked
    }

    fn finding(&self, reason: Reason, code: &'static str, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, reason, code, problem)
    }

    fn stranger(&self, file: &ReturnedFile) -> CheckedPacket {
        let finding = self.finding(Reason::PACKET_UNKNOWN, "packet-unknown", &Problem::Stranger);
        CheckedPacket {
            packet: None,
            file: file.name.clone(),
            sha256: Some(sha256(&file.bytes)),
            required: false,
            status: PacketStatus::InvalidRow,
            findings: vec![finding.in_file(&file.name)],
            row: None,
            returned: None,
        }
    }

    fn not_a_packet(&self, file: &ReturnedFile) -> Finding {
        self.finding(Reason::FILE_IGNORED, "source-error", &Problem::NoPacket).in_file(&file.name)
    }

    fn missing(&self, packet: &Packet) -> CheckedPacket {
        let finding = self.finding(Reason::MISSING_PACKET_FILE, "row-missing", &Problem::Missing);
        CheckedPacket {
            packet: Some(packet.clone()),
            file: packet.file_name().to_owned(),
            sha256: None,
            required: true,
            status: PacketStatus::MissingPacketFile,
            findings: vec![finding.in_file(packet.file_name())],
            row: None,
            returned: None,
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
                let finding = self.finding(Reason::DUPLICATE_METRIC_KEY, "duplicate-row", &problem);
                let mut finding = finding.in_file(&packet.file.clone());
                finding.row = packet.row.as_ref().map(|row| row.row);
                packet.refuse(finding);
                break;
            }
        }
    }
}
