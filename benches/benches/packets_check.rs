//! How long does it take to plan and write packets, and to check what comes back?
//!
//! A thousand sources, each owing three KPIs, one packet each. `check` is the whole way from bytes to
//! checked KPI values, in each form that a packet is issued in.

#![allow(missing_docs, reason = "the macros of criterion make undocumented functions")]

use std::hint::black_box;

use chrono::NaiveDate;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use raw_packets::{
    CheckOptions, CsvProfile, GapStatus, InMemoryRequest, Language, MetricScope, PacketForm,
    PacketOptions, PacketPlan, ReturnedFile, SourceFacts, Template,
};

const PACKETS: u32 = 1_000;

fn request() -> InMemoryRequest {
    let year = NaiveDate::from_ymd_opt(2024, 1, 1).expect("a day that exists");
    let mut request = InMemoryRequest::new(MetricScope::period(year, "year"));
    for number in 0..PACKETS {
        let source = format!("es:sanctions:source_{number:04}");
        request.add_source(SourceFacts {
            sanction_source_id: source.clone(),
            label: format!("Source {number}"),
            source_url: "https://example.org/".to_owned(),
            ..SourceFacts::default()
        });
        for kpi in Template::official_review().kpis() {
            request.add_gap(&source, &kpi.kpi_id, GapStatus::MissingMetric);
        }
    }
    request
}

fn plan(request: &InMemoryRequest, form: PacketForm) -> PacketPlan {
    let options = PacketOptions::default().with_form(form);
    PacketPlan::new(request, &Template::official_review(), &options).expect("names are unique")
}

fn returned(plan: &PacketPlan) -> Vec<ReturnedFile> {
    let fill = |packet: &raw_packets::Packet| {
        let mut cells = packet.cells().to_vec();
        for (column, value) in [
            ("evidence_date", "2025-03-31"),
            ("evidence_quote", "En 2024 se presentaron 1200 recursos y se estimaron 300."),
            ("recurso_presentado_count", "1200"),
            ("recurso_estimado_count", "300"),
            ("anulaciones_formales_count", "60"),
            ("resolution_delay_p90_days", "182.5"),
        ] {
            let at = plan.template().position(column).expect("a column of the template");
            value.clone_into(&mut cells[at]);
        }
        ReturnedFile::new(packet.file_name(), plan.filled_file(packet, &cells))
    };
    plan.packets().iter().map(fill).collect()
}

fn packets(criterion: &mut Criterion) {
    let request = request();
    let mut group = criterion.benchmark_group("packets");
    group.throughput(Throughput::Elements(u64::from(PACKETS))).sample_size(10);
    group.bench_function("plan", |bencher| {
        bencher.iter(|| plan(black_box(&request), PacketForm::default()));
    });
    for form in [
        PacketForm::Csv(CsvProfile::Plain),
        PacketForm::Csv(CsvProfile::ExcelEu),
        PacketForm::Xlsx(Language::En),
    ] {
        let plan = plan(&request, form);
        group.bench_function(format!("issue {form}"), |bencher| {
            bencher.iter(|| plan.packets().iter().map(|p| plan.issued_file(p)).collect::<Vec<_>>());
        });
        let files = returned(&plan);
        assert!(plan.check(&files, CheckOptions::default()).is_ready());
        group.bench_function(format!("check {form}"), |bencher| {
            bencher.iter(|| plan.check(black_box(&files), CheckOptions::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, packets);
criterion_main!(benches);
