//! A quite different template: a monthly survey of municipalities known by codes.

use chrono::NaiveDate;
use raw_packets::{
    Accept, CheckedPlan, CsvProfile, GapStatus, InMemoryRequest, MetricScope, PacketOptions,
    PacketPlan, PacketStatus, ReturnedFile, SourceFacts, Template, packet_csv,
};

use crate::support::{as_of, stamp};

const CODES: [&str; 3] = ["01059", "08019", "28079"];

fn survey() -> PacketPlan {
    let month = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
    let mut request = InMemoryRequest::new(MetricScope::period(month, "month"));
    for code in CODES {
        request.add_source(SourceFacts {
            sanction_source_id: code.to_owned(),
            label: "=Municipality".to_owned(),
            ..SourceFacts::default()
        });
        request.add_gap(code, "kpi:water_loss_rate", GapStatus::MissingMetric);
    }
    PacketPlan::new(&request, &Template::municipal_survey(), &PacketOptions::default()).unwrap()
}

fn row(plan: &PacketPlan, values: &[(&str, &str)]) -> Vec<String> {
    let mut cells = plan.packets()[0].cells().to_vec();
    for (column, value) in [
        ("operator", "public"),
        ("water_supplied_m3", "12500.5"),
        ("water_lost_m3", "2500.1"),
        ("households_total", "1000"),
        ("households_connected", "990"),
        ("signed_on", "2026-03-04"),
        ("evidence", "Meter book, page 12"),
    ]
    .iter()
    .chain(values)
    {
        (*value).clone_into(&mut cells[plan.template().position(column).unwrap()]);
    }
    cells
}

fn check<'p>(
    plan: &'p PacketPlan,
    values: &[(&str, &str)],
    profile: CsvProfile,
) -> CheckedPlan<'p> {
    let bytes = packet_csv(plan.template(), &[row(plan, values)], profile);
    plan.check(&[ReturnedFile::new(plan.packets()[0].file_name(), bytes)], as_of())
}

fn told(checked: &CheckedPlan<'_>) -> Vec<String> {
    let findings = checked.packets()[0].findings().iter();
    findings.map(|f| format!("{} {}", f.column.as_deref().unwrap_or_default(), f.reason)).collect()
}

#[test]
fn a_month_of_a_municipality_is_a_packet_of_its_own() {
    let plan = survey();
    assert_eq!(plan.packets()[0].file_name(), "01059__2026-02-01__month.csv");
    assert_eq!(plan.packets()[0].cells()[3], "municipal_survey:01059:2026-02-01:month");
}

#[test]
fn measures_become_kpis_by_formulas_and_a_blank_one_gives_none() {
    let plan = survey();
    for profile in CsvProfile::ALL {
        let checked = check(&plan, &[], profile);
        assert_eq!(told(&checked), Vec::<String>::new());
        let load = checked.load(Accept::Valid, &stamp()).unwrap();
        let values: Vec<_> =
            load.rows().iter().map(|r| (r.kpi_id.as_str(), r.value.to_string())).collect();
        assert_eq!(
            values,
            [
                ("kpi:connection_rate", "0.99".to_owned()),
                ("kpi:litres_per_household_day", "336.71".to_owned()),
                ("kpi:water_loss_rate", "0.2".to_owned()),
            ]
        );
        let loss = &load.rows()[2];
        assert_eq!(loss.numerator.unwrap().to_string(), "2500.1");
        assert_eq!(loss.metric_key, "kpi:water_loss_rate|01059|2026-02-01|month");
    }
    let blank = check(&plan, &[("water_lost_m3", "")], CsvProfile::Plain);
    let load = blank.load(Accept::Valid, &stamp()).unwrap();
    assert_eq!(load.rows().len(), 1, "{:?}", told(&blank));
    // The one that the gap asks for is not answered, which is told.
    assert_eq!(told(&blank), ["water_lost_m3 kpi_unanswered"]);
}

#[test]
fn a_leading_zero_that_a_spreadsheet_took_is_named_and_offered_back() {
    let plan = survey();
    let checked = check(&plan, &[("municipality", "1059")], CsvProfile::ExcelUs);
    let finding = &checked.packets()[0].findings()[0];
    assert_eq!(
        (finding.code.as_str(), finding.repair.as_deref()),
        ("leading-zero-lost", Some("01059"))
    );
    assert_eq!(checked.packets()[0].status(), PacketStatus::InvalidRow);
}

#[test]
fn rules_between_cells_and_allowed_texts_are_held() {
    let plan = survey();
    for (values, told_) in [
        (&[("operator", "Public")][..], "operator value_not_allowed"),
        (&[("temperature_min_celsius", "-3.5")], "remarks rule_broken"),
        (&[("temperature_min_celsius", "-3.5"), ("remarks", "Frost")], ""),
        (
            &[("temperature_min_celsius", "-300"), ("remarks", "Cold")],
            "temperature_min_celsius temperature_out_of_range",
        ),
        (&[("water_lost_m3", "12500.6")], "water_lost_m3 rule_broken"),
        (&[("households_connected", "-1")], "households_connected negative_measure"),
        (&[("households_total", "")], "households_total invalid_numeric"),
    ] {
        let checked = check(&plan, values, CsvProfile::Plain);
        let found = told(&checked);
        assert_eq!(found.first().map_or("", String::as_str), told_, "{found:?}");
    }
}

#[test]
fn the_error_sheet_of_the_survey_has_its_own_columns_and_comes_back_repaired() {
    let plan = survey();
    let checked = check(
        &plan,
        &[("municipality", "1059"), ("operator", "PUBLIC"), ("water_lost_m3", "2,500.1")],
        CsvProfile::Plain,
    );
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    let text = String::from_utf8(sheet.bytes).unwrap();
    assert!(text.starts_with("\u{feff}municipality,month,"), "{text}");
    assert!(text.contains("leading zeros were lost"), "{text}");
    let repaired = checked.repaired(&checked.packets()[0]).unwrap();
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    assert_eq!(again.packets()[0].status(), PacketStatus::Ready, "{:?}", told(&again));
}
