//! A plan of four official sources, and a person who fills packets in.

use chrono::{DateTime, NaiveDate, Utc};
#[cfg(feature = "xlsx")]
use raw_packets::Language;
use raw_packets::{
    CheckOptions, CheckedPlan, CsvProfile, GapStatus, InMemoryRequest, LoadStamp, MetricScope,
    Packet, PacketForm, PacketOptions, PacketPlan, ReturnedFile, SourceFacts, Template, packet_csv,
};

pub(crate) const KPIS: [&str; 3] =
    ["kpi:recurso_estimation_rate", "kpi:formal_annulment_rate", "kpi:resolution_delay_p90_days"];

pub(crate) const SOURCES: [&str; 4] = [
    "es:sanctions:contencioso_sentencias",
    "es:sanctions:defensor_pueblo_quejas",
    "es:sanctions:teac_resolutions",
    "es:sanctions:tear_resolutions",
];

/// What an error says, and what lies behind it; no part of the chain is told twice.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut chain = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        assert!(chain.iter().all(|above| !above.contains(&said)), "{said} again in {chain:?}");
        chain.push(said);
        cause = deeper.source();
    }
    chain.join(": ")
}

pub(crate) fn scope() -> MetricScope {
    MetricScope::period(NaiveDate::from_ymd_opt(2024, 1, 1).unwrap(), "year")
}

pub(crate) fn request(scope: MetricScope) -> InMemoryRequest {
    let mut request = InMemoryRequest::new(scope);
    for source in SOURCES {
        request.add_source(SourceFacts {
            sanction_source_id: source.to_owned(),
            label: format!("Label of {source}"),
            organismo: "Organismo, S.A.".to_owned(),
            source_url: "https://example.org/".to_owned(),
            expected_metrics: vec!["recurso_presentado_count".into(), "resolution_days".into()],
            kpis_expected: KPIS.map(str::to_owned).to_vec(),
            ..SourceFacts::default()
        });
        for kpi in KPIS {
            request.add_gap(source, kpi, GapStatus::MissingMetric);
        }
    }
    request
}

pub(crate) fn plan() -> PacketPlan {
    plan_in(PacketForm::default())
}

pub(crate) fn plan_in(form: PacketForm) -> PacketPlan {
    let options = PacketOptions::default().with_form(form);
    PacketPlan::new(&request(scope()), &Template::official_review(), &options).unwrap()
}

/// Returns every form that a packet is issued in.
pub(crate) fn forms() -> Vec<PacketForm> {
    #[cfg_attr(not(feature = "xlsx"), expect(unused_mut, reason = "workbooks follow"))]
    let mut forms: Vec<_> = CsvProfile::ALL.into_iter().map(PacketForm::Csv).collect();
    #[cfg(feature = "xlsx")]
    forms.extend([Language::En, Language::Es].map(PacketForm::Xlsx));
    forms
}

pub(crate) fn stamp() -> LoadStamp {
    LoadStamp::new("ana", DateTime::<Utc>::UNIX_EPOCH)
}

pub(crate) fn as_of() -> CheckOptions {
    CheckOptions::default().with_as_of(NaiveDate::from_ymd_opt(2026, 11, 1).unwrap())
}

/// Returns the packet's row with every blank cell filled in.
pub(crate) fn filled(plan: &PacketPlan, packet: &Packet) -> Vec<String> {
    let mut cells = packet.cells().to_vec();
    for (name, value) in [
        ("evidence_date", "2025-03-31"),
        ("evidence_quote", "En 2024 se presentaron 1.200 recursos y se estimaron 300."),
        ("recurso_presentado_count", "1200"),
        ("recurso_estimado_count", "300"),
        ("anulaciones_formales_count", "60"),
        ("resolution_delay_p90_days", "182.5"),
    ] {
        value.clone_into(&mut cells[plan.template().position(name).unwrap()]);
    }
    cells
}

/// Returns the packet filled in and saved in a profile.
pub(crate) fn returned(plan: &PacketPlan, packet: &Packet, profile: CsvProfile) -> ReturnedFile {
    let bytes = packet_csv(plan.template(), &[filled(plan, packet)], profile);
    ReturnedFile::new(packet.file_name(), bytes)
}

/// Returns every packet of the plan, filled in.
pub(crate) fn all_returned(plan: &PacketPlan) -> Vec<ReturnedFile> {
    plan.packets().iter().map(|packet| returned(plan, packet, CsvProfile::Plain)).collect()
}

/// Returns the reasons and codes of everything that was found.
pub(crate) fn found(checked: &CheckedPlan<'_>) -> Vec<String> {
    checked.findings().map(|f| format!("{}/{}", f.reason, f.code)).collect()
}

/// Returns how many cases a law is tried on: those that `PROPTEST_CASES` asks for, else so many.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::Config;
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default(),
        None => Config::with_cases(cases),
    }
}
