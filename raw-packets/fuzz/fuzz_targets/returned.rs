//! Any bytes as a returned packet, CSV or workbook: no panic, and only a sound row becomes a load.
#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use raw_packets::{
    Accept, CheckOptions, GapStatus, InMemoryRequest, Language, MetricScope, PacketOptions, PacketPlan,
    ReturnedFile, SourceFacts, LoadStamp, Template,
};

fuzz_target!(|bytes: &[u8]| {
    let mut request = InMemoryRequest::new(MetricScope::all_time());
    request
        .add_source(SourceFacts { sanction_source_id: "es:a".into(), ..Default::default() })
        .add_gap("es:a", "kpi:formal_annulment_rate", GapStatus::MissingMetric);
    let template = Template::official_review();
    let plan = PacketPlan::new(&request, &template, &PacketOptions::default())
        .expect("one source has no other to collide with");
    let file = ReturnedFile::new(plan.packets()[0].file_name(), bytes);
    let language = if bytes.len() % 2 == 0 { Language::En } else { Language::Es };
    let checked = plan.check(&[file], CheckOptions::default().with_language(language));
    let stamp = LoadStamp::new("fuzz", DateTime::UNIX_EPOCH);
    let _ = checked.report(stamp.at);
    for packet in checked.packets() {
        let _ = (checked.error_sheet(packet), checked.repaired(packet));
    }
    assert_eq!(checked.load(Accept::All, &stamp).is_ok(), checked.is_ready());
});

