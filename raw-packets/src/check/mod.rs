//! Returned packets against the plan: every finding in one pass, and the proof that all are well.

mod cell;
mod correct;
mod date;
mod file;
mod header;
mod identify;
mod number;
mod row;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use self::cell::Context;
use self::correct::ReturnedRow;
use self::file::{blank_rows, of_oddity};
use self::header::read_header;
use self::identify::{Known, looks_like_a_packet, read, stem};
use self::row::{RawRow, RowCheck};
use crate::finding::{Finding, PacketStatus, Reason};
use crate::load::{KpiRow, LeftOut, Load, Provenance, Stamp, sha256};
use crate::plan::{Packet, PacketPlan};
use crate::read::{Oddity, Sheet, SheetRow};

/// Is a file as it came back: its name without folders, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReturnedFile {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl ReturnedFile {
    /// Makes a returned file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Holds what a check may vary in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CheckOptions {
    /// Today, after which no evidence can be dated; `None` allows any day.
    pub as_of: Option<NaiveDate>,
}

impl CheckOptions {
    /// Makes options for a check on the day `as_of`.
    #[must_use]
    pub fn as_of(as_of: NaiveDate) -> Self {
        Self { as_of: Some(as_of) }
    }
}

/// Is one packet after the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPacket {
    packet: Option<Packet>,
    file: String,
    sha256: Option<String>,
    required: bool,
    status: PacketStatus,
    findings: Vec<Finding>,
    row: Option<RawRow>,
    returned: Option<ReturnedRow>,
}

impl CheckedPacket {
    /// Returns the packet as issued; `None` for a file that belongs to none.
    #[must_use]
    pub fn packet(&self) -> Option<&Packet> {
        self.packet.as_ref()
    }

    /// Returns the file's name as returned, or as issued where it did not come back.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Says whether the plan asks for this packet now.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Returns how far the packet is.
    #[must_use]
    pub fn status(&self) -> PacketStatus {
        self.status
    }

    /// Returns everything that was found in the packet, the most urgent first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Says which packets a load takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Accept {
    /// All of them, or nothing is loaded.
    #[default]
    All,
    /// The ready ones; what stays out is recorded.
    Valid,
}

/// Is returned where a strict load finds packets that are not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{not_ready} of {total} packets are not ready, so nothing is loaded; work through the fix queue, \
     or ask for the valid packets alone"
)]
pub struct NotReady {
    /// How many packets are not ready.
    pub not_ready: usize,
    /// How many packets there are.
    pub total: usize,
}

/// Is a plan whose returned packets were checked: the only thing that a load can be made of.
///
/// ```
/// use raw_packets::{
///     Accept, CheckOptions, GapStatus, InMemoryRequest, MetricScope, PacketOptions, PacketPlan,
///     PacketStatus, SourceFacts, Stamp, Template,
/// };
///
/// let mut request = InMemoryRequest::new(MetricScope::all_time());
/// request
///     .add_source(SourceFacts { sanction_source_id: "es:a".into(), ..Default::default() })
///     .add_gap("es:a", "kpi:formal_annulment_rate", GapStatus::MissingMetric);
/// let plan = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default())?;
///
/// let checked = plan.check(&[], CheckOptions::default());
/// assert_eq!(checked.packets()[0].status(), PacketStatus::MissingPacketFile);
/// let stamp = Stamp::new("ana", chrono::DateTime::UNIX_EPOCH);
/// assert!(checked.load(Accept::All, &stamp).is_err());
/// # Ok::<(), raw_packets::PlanError>(())
/// ```
///
/// A plan that was not checked has no `load`:
///
/// ```compile_fail
/// fn load(plan: raw_packets::PacketPlan, stamp: raw_packets::Stamp) {
///     plan.load(raw_packets::Accept::All, &stamp);
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPlan<'p> {
    plan: &'p PacketPlan,
    packets: Vec<CheckedPacket>,
    ignored: Vec<Finding>,
}

impl PacketPlan {
    /// Checks returned files against the plan; pure, and in any order of files the same.
    #[must_use]
    pub fn check(&self, returned: &[ReturnedFile], options: CheckOptions) -> CheckedPlan<'_> {
        let span = tracing::info_span!("raw_packets.check", files = returned.len());
        let _entered = span.enter();
        let checked = self.checked(returned, options);
        tracing::info!(
            name: "raw_packets.checked",
            packets = checked.packets.len(),
            ready = checked.count(PacketStatus::Ready),
            findings = checked.findings().count(),
        );
        checked
    }

    fn checked(&self, returned: &[ReturnedFile], options: CheckOptions) -> CheckedPlan<'_> {
        let mut files: Vec<&ReturnedFile> = returned.iter().collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| a.bytes.cmp(&b.bytes)));
        let known = Known::new(self);
        let mut ignored = Vec::new();
        let mut by_packet: BTreeMap<usize, Vec<(&ReturnedFile, Sheet)>> = BTreeMap::new();
        let mut strangers = Vec::new();
        for file in files {
            let sheet = read(file, self.template());
            match known.packet_of(file, &sheet) {
                Some(at) => by_packet.entry(at).or_default().push((file, sheet)),
                None if looks_like_a_packet(&sheet, self.template()) => {
                    strangers.push(stranger(file));
                }
                None => ignored.push(not_a_packet(file)),
            }
        }
        let mut packets = Vec::new();
        for (at, packet) in known.all.iter().enumerate() {
            let required = at < self.packets().len();
            match by_packet.remove(&at) {
                Some(copies) => packets.push(self.check_copies(packet, &copies, required, options)),
                None if required => packets.push(missing(packet)),
                None => {}
            }
        }
        packets.extend(strangers);
        refuse_duplicate_keys(&mut packets);
        for packet in &mut packets {
            packet.findings.sort_by_key(|f| (std::cmp::Reverse(f.reason.priority()), f.row));
        }
        CheckedPlan { plan: self, packets, ignored }
    }

    fn check_copies(
        &self,
        packet: &Packet,
        copies: &[(&ReturnedFile, Sheet)],
        required: bool,
        options: CheckOptions,
    ) -> CheckedPacket {
        // The file with the issued name counts; of others the first by name.
        let main = copies.iter().position(|(file, _)| stem(&file.name) == stem(packet.file_name()));
        let main = main.unwrap_or_default();
        let (file, sheet) = &copies[main];
        let mut checked = self.check_packet(packet, file, sheet, required, options);
        if stem(&file.name) != stem(packet.file_name()) {
            let message = format!("the file was issued as `{}`", packet.file_name());
            let remedy = "nothing needs to be done: the packet was found by its content";
            let finding = Finding::new(Reason::FILE_RENAMED, "file-renamed", message, remedy);
            checked.findings.push(finding.in_file(&file.name));
        }
        for (at, (copy, _)) in copies.iter().enumerate() {
            if at == main {
                continue;
            }
            let same = copy.bytes == file.bytes;
            let finding = if same {
                let message = format!("a copy of `{}`", file.name);
                let remedy = "nothing needs to be done; delete the copy";
                Finding::new(Reason::FILE_IGNORED, "duplicate-file", message, remedy)
            } else {
                let message = format!("another version of `{}`", file.name);
                let remedy = "keep the one that counts and delete the other";
                Finding::new(Reason::DUPLICATE_METRIC_KEY, "duplicate-row", message, remedy)
            };
            checked.refuse(finding.in_file(&copy.name));
        }
        checked
    }

    fn check_packet(
        &self,
        packet: &Packet,
        file: &ReturnedFile,
        sheet: &Sheet,
        required: bool,
        options: CheckOptions,
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
        self.check_sheet(packet, sheet, options, &mut checked);
        if !required && checked.status == PacketStatus::Ready {
            let message = "no gap asks for this packet now";
            let remedy = "nothing needs to be done; loading it changes only what differs";
            let finding = Finding::new(Reason::ALREADY_LOADED, "already-loaded", message, remedy);
            checked.findings.push(finding);
        }
        for finding in &mut checked.findings {
            finding.file.clone_from(&file.name);
        }
        checked
    }

    fn check_sheet(
        &self,
        packet: &Packet,
        sheet: &Sheet,
        options: CheckOptions,
        checked: &mut CheckedPacket,
    ) {
        for oddity in &sheet.oddities {
            let finding = of_oddity(oddity);
            let status = match oddity {
                Oddity::Empty => PacketStatus::EmptyPacket,
                Oddity::Unreadable(_) => PacketStatus::InvalidHeaders,
                Oddity::Encoding { .. } => PacketStatus::InvalidRow,
                Oddity::Utf16 => PacketStatus::Ready,
            };
            checked.status = worse(checked.status, status);
            checked.findings.push(finding);
        }
        if matches!(checked.status, PacketStatus::EmptyPacket | PacketStatus::InvalidHeaders) {
            return;
        }
        if sheet.packet_id.as_ref().is_some_and(|id| *id != packet.id()) {
            let message = "the packet was issued at another time, from other facts";
            let remedy = "nothing needs to be done, if it is the latest one that was issued";
            checked.findings.push(Finding::new(
                Reason::PACKET_STALE,
                "packet-stale",
                message,
                remedy,
            ));
        }
        let (columns, header) = read_header(sheet, self.template());
        let bad_header = header.iter().any(Finding::is_error);
        checked.findings.extend(header);
        let filled: Vec<&SheetRow> = sheet.rows.iter().filter(|row| !row.is_blank()).collect();
        blank_rows(sheet, &filled, &mut checked.findings);
        let check = RowCheck {
            context: Context {
                template: self.template(),
                decimal_mark: sheet.decimal_mark,
                as_of: options.as_of,
            },
            packet,
            sheet,
            columns: &columns,
        };
        let (status, row) = match filled[..] {
            _ if bad_header => (PacketStatus::InvalidHeaders, None),
            [] => (PacketStatus::EmptyPacket, None),
            [row] if sheet.rows_beyond == 0 => {
                checked.returned = Some(check.returned(row));
                if check.is_unfilled(row) {
                    (PacketStatus::EmptyPacket, None)
                } else {
                    match check.check(row, &mut checked.findings) {
                        Some(row) => (PacketStatus::Ready, Some(row)),
                        None => (PacketStatus::InvalidRow, None),
                    }
                }
            }
            [_, ..] => {
                for row in &filled {
                    let _ = check.check(row, &mut checked.findings);
                }
                (PacketStatus::MultipleRows, None)
            }
        };
        if status == PacketStatus::EmptyPacket {
            let message = "nothing was filled in";
            let remedy = "fill in the evidence and the numbers from the publication";
            checked.findings.push(Finding::new(
                Reason::EMPTY_PACKET,
                "empty-packet",
                message,
                remedy,
            ));
        }
        if status == PacketStatus::MultipleRows {
            let total = filled.len() as u64 + sheet.rows_beyond;
            let message = format!("the packet has {total} rows; one was issued");
            let remedy = "keep the row of this source and delete the others";
            let at = filled.get(1).map_or(0, |row| row.number);
            let finding = Finding::new(Reason::MULTIPLE_ROWS, "row-unexpected", message, remedy);
            checked.findings.push(finding.at_row(at));
        }
        checked.status = worse(checked.status, status);
        if checked.status == PacketStatus::Ready {
            checked.row = row;
        }
    }
}

impl<'p> CheckedPlan<'p> {
    /// Returns the plan that the packets were checked against.
    #[must_use]
    pub fn plan(&self) -> &'p PacketPlan {
        self.plan
    }

    /// Returns the packets: the plan's in its order, then others that came back.
    #[must_use]
    pub fn packets(&self) -> &[CheckedPacket] {
        &self.packets
    }

    /// Returns the files that are no packets at all.
    #[must_use]
    pub fn ignored(&self) -> &[Finding] {
        &self.ignored
    }

    /// Returns every finding, packet by packet.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.packets.iter().flat_map(|packet| &packet.findings).chain(&self.ignored)
    }

    /// Counts the packets with one status.
    #[must_use]
    pub fn count(&self, status: PacketStatus) -> usize {
        self.packets.iter().filter(|packet| packet.status == status).count()
    }

    /// Says whether every packet is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.count(PacketStatus::Ready) == self.packets.len()
    }

    /// Turns the ready packets into KPI rows for one transaction.
    ///
    /// With [`Accept::All`] one packet that is not ready keeps everything out; with
    /// [`Accept::Valid`] the others are recorded in [`Load::left_out`]. The same checked plan gives the
    /// same rows, whether for a dry run or a real one.
    pub fn load(&self, accept: Accept, stamp: &Stamp) -> Result<Load, NotReady> {
        let not_ready: Vec<_> =
            self.packets.iter().filter(|p| p.status != PacketStatus::Ready).collect();
        if accept == Accept::All && !not_ready.is_empty() {
            return Err(NotReady { not_ready: not_ready.len(), total: self.packets.len() });
        }
        let left_out = not_ready.into_iter().map(|packet| {
            let reasons: BTreeSet<&str> = packet
                .findings
                .iter()
                .filter(|finding| finding.is_error())
                .map(|finding| finding.reason.as_str())
                .collect();
            LeftOut {
                packet: packet.file.clone(),
                status: packet.status.as_str().to_owned(),
                reasons: reasons.into_iter().map(str::to_owned).collect(),
            }
        });
        let left_out: Vec<LeftOut> = left_out.collect();
        let rows: Vec<_> = self.packets.iter().flat_map(|packet| packet.kpi_rows(stamp)).collect();
        tracing::info!(name: "raw_packets.transformed", rows = rows.len(), left_out = left_out.len());
        Ok(Load::new(rows, left_out, stamp.clone()))
    }
}

impl CheckedPacket {
    fn refuse(&mut self, finding: Finding) {
        if finding.is_error() {
            self.status = worse(self.status, PacketStatus::InvalidRow);
            self.row = None;
        }
        self.findings.push(finding);
    }

    fn metric_keys(&self) -> Vec<String> {
        let (Some(packet), Some(row)) = (&self.packet, &self.row) else { return Vec::new() };
        let key = packet.key();
        let metric_key = |kpi: &str| {
            KpiRow::key_of(kpi, &key.sanction_source_id, row.period_date, &key.period_granularity)
        };
        row.kpis.iter().map(|(kpi, _)| metric_key(kpi)).collect()
    }

    fn kpi_rows(&self, stamp: &Stamp) -> Vec<KpiRow> {
        let (Some(packet), Some(row), Some(sha256)) = (&self.packet, &self.row, &self.sha256)
        else {
            return Vec::new();
        };
        let key = packet.key();
        let kpi_row = |(metric_key, (kpi_id, value)): (String, &(String, _))| {
            let value: &crate::formula::KpiValue = value;
            KpiRow {
                metric_key,
                sanction_source_id: key.sanction_source_id.clone(),
                kpi_id: kpi_id.clone(),
                period_date: row.period_date,
                period_granularity: key.period_granularity.clone(),
                value: value.value,
                numerator: value.numerator,
                denominator: value.denominator,
                source_record_pk: row.source_record_id.clone(),
                evidence_date: row.evidence_date,
                evidence_quote: row.evidence_quote.clone(),
                source_url: row.source_url.clone(),
                provenance: Provenance {
                    packet: self.file.clone(),
                    row: row.row,
                    sha256: sha256.clone(),
                    loaded_by: stamp.by.clone(),
                    loaded_at: stamp.at,
                },
            }
        };
        self.metric_keys().into_iter().zip(&row.kpis).map(kpi_row).collect()
    }
}

fn stranger(file: &ReturnedFile) -> CheckedPacket {
    let message = "the packet belongs to no source of this catalogue and period";
    let remedy =
        "check it with the catalogue and the period that it was issued for, or take it away";
    let finding = Finding::new(Reason::PACKET_UNKNOWN, "packet-unknown", message, remedy);
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

fn not_a_packet(file: &ReturnedFile) -> Finding {
    let message = "the file has not the columns of a packet, and is not read";
    let remedy = "nothing needs to be done, if it is no packet";
    Finding::new(Reason::FILE_IGNORED, "source-error", message, remedy).in_file(&file.name)
}

fn missing(packet: &Packet) -> CheckedPacket {
    let message = "the packet did not come back";
    let remedy = "fill it in, or issue it again and put it into the folder under this name";
    let finding = Finding::new(Reason::MISSING_PACKET_FILE, "row-missing", message, remedy);
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
fn refuse_duplicate_keys(packets: &mut [CheckedPacket]) {
    let mut seen: HashMap<String, String> = HashMap::new();
    for packet in packets {
        for key in packet.metric_keys() {
            match seen.get(&key) {
                Some(first) => {
                    let message = format!("`{key}` is in `{first}`, too");
                    let remedy = "keep the packet that counts and take the other away";
                    let finding = Finding::new(
                        Reason::DUPLICATE_METRIC_KEY,
                        "duplicate-row",
                        message,
                        remedy,
                    );
                    let row = packet.row.as_ref().map(|row| row.row);
                    let mut finding = finding.in_file(&packet.file.clone());
                    finding.row = row.or(finding.row);
                    packet.refuse(finding);
                    break;
                }
                None => drop(seen.insert(key, packet.file.clone())),
            }
        }
    }
}

/// Returns the status that comes first in the fix queue.
fn worse(a: PacketStatus, b: PacketStatus) -> PacketStatus {
    if b.priority() > a.priority() { b } else { a }
}
