//! The strict cycle: plan, fill in, check, load.

use raw_packets::{
    Accept, CsvProfile, Effect, InMemorySink, MetricScope, MetricSink, PacketOptions, PacketPlan,
    PacketStatus, Run, RunStatus, Template,
};

use crate::support::{
    KPIS, SOURCES, all_returned, as_of, filled, found, plan, request, returned, scope, stamp,
};

#[test]
fn four_sources_give_four_packets_and_a_summary_that_says_ok() {
    let plan = plan();
    let names: Vec<_> = plan.packets().iter().map(raw_packets::Packet::file_name).collect();
    assert_eq!(names[0], "es-sanctions-contencioso-sentencias__2024-01-01__year.csv");
    assert_eq!(names.len(), 4);
    let summary = plan.summary(stamp().at, "packets");
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["status"], "ok");
    assert_eq!(json["queue_report_status"], "degraded");
    assert_eq!(json["metric_scope"]["label"], "period");
    assert_eq!(json["statuses_filter"], serde_json::json!(["missing_metric"]));
    assert_eq!(json["totals"]["queue_rows_seen_total"], 12);
    assert_eq!(json["totals"]["sources_actionable_total"], 4);
    assert_eq!(json["totals"]["sources_skipped_missing_template_total"], 0);
    assert_eq!(json["packets_preview"][0]["kpis_missing_total"], 3);
    assert_eq!(json["checks"]["packets_complete_for_actionable_sources"], true);
    assert_eq!(json["packet_files"].as_array().unwrap().len(), 4);
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "checks",
            "default_source_id",
            "generated_at",
            "include_ready",
            "metric_scope",
            "output_dir",
            "packet_files",
            "packets_emitted_total",
            "packets_preview",
            "queue_report_status",
            "queue_totals",
            "status",
            "statuses_filter",
            "totals"
        ]
    );
}

#[test]
fn an_issued_packet_is_prefilled_and_waits_for_the_rest() {
    let plan = plan();
    let template = plan.template();
    let cell = |name: &str| plan.packets()[0].cells()[template.position(name).unwrap()].as_str();
    assert_eq!(cell("sanction_source_id"), "es:sanctions:contencioso_sentencias");
    assert_eq!(cell("period_date"), "2024-01-01");
    assert_eq!(cell("source_id"), "boe_api_legal");
    assert_eq!(
        cell("source_record_id"),
        "official_review_raw:es-sanctions-contencioso-sentencias:2024-01-01:year"
    );
    assert_eq!(cell("expected_metrics"), "recurso_presentado_count,resolution_days");
    assert_eq!(cell("procedural_kpis_expected"), KPIS.join(","));
    assert_eq!(cell("procedural_metric_rows_total"), "0");
    for blank in
        ["evidence_date", "evidence_quote", "recurso_presentado_count", "resolution_delay_p90_days"]
    {
        assert_eq!(cell(blank), "");
    }
}

#[test]
fn filled_packets_become_three_kpi_rows_each() {
    let plan = plan();
    let checked = plan.check(&all_returned(&plan), as_of());
    assert!(checked.is_ready(), "{:?}", found(&checked));
    assert_eq!(found(&checked), Vec::<String>::new());
    let load = checked.load(Accept::All, &stamp()).unwrap();
    assert_eq!(load.rows().len(), SOURCES.len() * KPIS.len());
    let row = |kpi: &str| load.rows().iter().find(|row| row.kpi_id == kpi).unwrap();
    let rate = row("kpi:recurso_estimation_rate");
    assert_eq!(
        rate.metric_key,
        "kpi:recurso_estimation_rate|es:sanctions:contencioso_sentencias|2024-01-01|year"
    );
    assert_eq!(rate.value.to_string(), "0.25");
    assert_eq!(rate.numerator.unwrap().to_string(), "300");
    assert_eq!(rate.denominator.unwrap().to_string(), "1200");
    assert_eq!(
        rate.source_record_pk,
        "official_review_raw:es-sanctions-contencioso-sentencias:2024-01-01:year"
    );
    assert_eq!(rate.evidence_date.to_string(), "2025-03-31");
    assert_eq!((rate.provenance.row, rate.provenance.loaded_by.as_str()), (2, "ana"));
    assert_eq!(rate.provenance.sha256.len(), 64);
    assert_eq!(row("kpi:resolution_delay_p90_days").value.to_string(), "182.5");
    assert_eq!(row("kpi:resolution_delay_p90_days").numerator, None);
}

#[test]
fn a_second_load_changes_nothing_and_a_correction_is_undone() {
    let plan = plan();
    let mut sink = InMemorySink::new();
    let load = plan.check(&all_returned(&plan), as_of()).load(Accept::All, &stamp()).unwrap();
    let dry = sink.load(&load, Run::Dry).unwrap();
    assert_eq!(sink.rows().len(), 0);
    assert_eq!(sink.load(&load, Run::Commit).unwrap(), dry);
    assert_eq!(dry.count(Effect::Inserted), 12);
    assert_eq!(sink.load(&load, Run::Commit).unwrap().count(Effect::Unchanged), 12);

    let mut cells = filled(&plan, &plan.packets()[0]);
    cells[plan.template().position("recurso_estimado_count").unwrap()] = "301".to_owned();
    let bytes = raw_packets::packet_csv(plan.template(), &[cells], CsvProfile::ExcelEu);
    let corrected = [raw_packets::ReturnedFile::new(plan.packets()[0].file_name(), bytes)];
    let load = plan.check(&corrected, as_of()).load(Accept::Valid, &stamp()).unwrap();
    assert_eq!(load.left_out().len(), 3);
    assert_eq!(load.left_out()[0].reasons, ["missing_packet_file"]);
    let receipt = sink.load(&load, Run::Commit).unwrap();
    assert_eq!((receipt.count(Effect::Corrected), receipt.count(Effect::Unchanged)), (1, 2));
    let before = sink.rows().cloned().collect::<Vec<_>>();
    sink.undo(load.id(), &stamp()).unwrap();
    assert_ne!(before, sink.rows().cloned().collect::<Vec<_>>());
    assert!(sink.rows().any(|row| row.value.to_string() == "0.25"));
}

#[test]
fn one_packet_that_is_not_ready_keeps_everything_out_of_a_strict_load() {
    let plan = plan();
    let mut files = all_returned(&plan);
    files.pop();
    let checked = plan.check(&files, as_of());
    let refused = checked.load(Accept::All, &stamp()).unwrap_err();
    assert_eq!((refused.not_ready, refused.total), (1, 4));
    let valid = checked.load(Accept::Valid, &stamp()).unwrap();
    assert_eq!(valid.rows().len(), 9);
    assert_eq!(valid.left_out()[0].status, "missing_packet_file");
}

#[test]
fn a_packet_that_no_gap_asks_for_any_more_may_still_come_back() {
    let open = plan();
    let mut request = raw_packets::InMemoryRequest::new(scope());
    for source in raw_packets::PacketRequest::sources(&self::request(scope())) {
        request.add_source(raw_packets::SourceFacts { kpis_covered_total: 3, ..source });
    }
    let plan =
        PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default()).unwrap();
    assert_eq!(plan.packets().len(), 0);
    assert_eq!(plan.status(), RunStatus::Ok);
    let checked = plan.check(&all_returned(&open), as_of());
    assert!(checked.is_ready());
    assert!(found(&checked).iter().all(|finding| finding == "already_loaded/already-loaded"));
    assert_eq!(checked.load(Accept::All, &stamp()).unwrap().rows().len(), 12);
}

#[test]
fn a_packet_that_a_cut_queue_leaves_out_is_not_said_to_be_loaded_already() {
    let open = plan();
    let mut request = raw_packets::InMemoryRequest::new(scope());
    for source in raw_packets::PacketRequest::sources(&self::request(scope())) {
        request.add_source(source);
    }
    let cut =
        PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default()).unwrap();
    let checked = cut.check(&all_returned(&open), as_of());
    assert!(checked.is_ready());
    assert_eq!(found(&checked), Vec::<String>::new());
}

#[test]
fn a_packet_that_could_never_be_loaded_is_refused_when_it_is_planned() {
    let mut request = request(scope());
    request.add_gap(SOURCES[0], "kpi:satisfaction", raw_packets::GapStatus::MissingMetric);
    let error = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default());
    let said = error.unwrap_err().to_string();
    assert!(said.contains("kpi:satisfaction") && said.contains(SOURCES[0]), "{said}");
}

#[test]
fn in_all_time_scope_the_person_names_the_period() {
    let plan = PacketPlan::new(
        &request(MetricScope::all_time()),
        &Template::official_review(),
        &PacketOptions::default(),
    )
    .unwrap();
    assert_eq!(plan.packets()[0].file_name(), "es-sanctions-contencioso-sentencias__na__year.csv");
    let file = returned(&plan, &plan.packets()[0], CsvProfile::Plain);
    let checked = plan.check(&[file], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::InvalidRow);
    assert_eq!(checked.packets()[0].findings()[0].reason.as_str(), "missing_required_metadata");

    let mut cells = filled(&plan, &plan.packets()[0]);
    cells[1] = "2023-01-01".to_owned();
    let bytes = raw_packets::packet_csv(plan.template(), &[cells], CsvProfile::Plain);
    let file = raw_packets::ReturnedFile::new(plan.packets()[0].file_name(), bytes);
    let load = plan.check(&[file], as_of()).load(Accept::Valid, &stamp()).unwrap();
    assert!(load.rows()[0].metric_key.ends_with("|2023-01-01|year"));
}

#[test]
fn sources_that_become_one_file_are_refused() {
    let mut request = request(scope());
    request.add_source(raw_packets::SourceFacts {
        sanction_source_id: "es-sanctions-teac-resolutions".to_owned(),
        ..Default::default()
    });
    let error = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default())
        .unwrap_err();
    assert!(error.to_string().contains("rename one"), "{error}");
    let options = PacketOptions::default().with_statuses([]);
    let none = PacketPlan::new(&request, &Template::official_review(), &options).unwrap_err();
    assert_eq!(none, raw_packets::PlanError::NoStatuses);
}
