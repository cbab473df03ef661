//! Reading catalogues and values: every problem is told with its place and its remedy.

use kpi_gap_queue::{
    GapPolicy, Metric,
    files::{FileProblem, MetricsSummary, read_catalogue, read_metrics},
};
use proptest::prelude::*;

fn problem(json: &str) -> FileProblem {
    read_catalogue("catalog.json", json.as_bytes()).unwrap_err()
}

fn metrics(csv: &[u8]) -> Result<(Vec<Metric>, Vec<FileProblem>, MetricsSummary), FileProblem> {
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    let names = GapPolicy::default().names;
    let summary = read_metrics(
        "metrics.csv",
        csv,
        &names,
        |_, metric| held.push(metric),
        |problem| refused.push(problem),
    )?;
    Ok((held, refused, summary))
}

#[test]
fn each_kind_of_broken_catalogue_is_told_with_line_column_value_and_remedy() {
    for (json, line, column, value, says) in [
        ("{\n  \"kpis\": [}\n", 2, "12", "", "this is not JSON"),
        ("", 1, "1", "", "this is not JSON"),
        ("[]", 1, "1", "[]", "an object is expected"),
        ("{\"sources\": {}}", 1, "13 (`sources`)", "{}", "a list is expected"),
        (
            "{\"sources\": [\n  {\"label\": \"x\"}]}",
            2,
            "3 (`sources[0]`)",
            "{\"label\": \"x\"}",
            "`source_id` is missing",
        ),
        ("{\"kpis\": [{\"kpi_id\": 7}]}", 1, "22 (`kpis[0].kpi_id`)", "7", "a text is expected"),
        ("{\"kpis\": [{\"kpi_id\": \" \"}]}", 1, "22 (`kpis[0].kpi_id`)", " ", "id is blank"),
        (
            "{\"expected_sources\": [\"a|b\"]}",
            1,
            "23 (`expected_sources[0]`)",
            "a|b",
            "cannot be part of a key",
        ),
        (
            "{\"expected_sources\": [\"é\",\n \"é\"]}",
            2,
            "2 (`expected_sources[1]`)",
            "é",
            "there twice, first in line 1",
        ),
        ("{\"kpis\": [], \"kpis\": []}", 1, "22 (`kpis`)", "[]", "this key is there twice"),
        (
            "{\"sources\": [{\"source_id\": \"a\", \"expected_kpis\": [\"k\"]}]}",
            1,
            "51 (`sources[0].expected_kpis[0]`)",
            "k",
            "not defined",
        ),
    ] {
        let found = problem(json);
        assert_eq!(
            (found.line, &*found.column, &*found.value),
            (line, column, value),
            "{json}: {found}"
        );
        assert!(found.problem.contains(says), "{json}: {found}");
        assert!(!found.remedy.is_empty(), "{json}: {found}");
    }
    let found = read_catalogue("catalog.json", b"{\n\"kpis\": \"\xff\"}").unwrap_err();
    assert_eq!((found.line, &*found.column, &*found.problem), (2, "10", "the text is not UTF-8"));
}

#[test]
fn a_catalogue_without_expected_sources_expects_those_that_it_describes() {
    let json = br#"{"sources": [{"source_id": "a", "colour": 1}], "kpis": null, "note": ""}"#;
    let read = read_catalogue("catalog.json", json).unwrap();
    assert_eq!(read.catalogue.expected_sources, ["a"]);
    assert_eq!(read.keys_ignored, ["note", "sources[0].colour"]);
    assert_eq!(read_catalogue("c", b"{}").unwrap().catalogue.kpis, []);
}

#[test]
fn values_are_read_by_column_name_in_any_order_with_line_breaks_in_quotes() {
    let csv = b"\xef\xbb\xbfvalue,KPI_ID , sanction_source_id,colour,evidence_quote\r\n\
        0.5,k,s,red,\"first line\nsecond line\"\r\n,,,,\r\n,k2,s,,\r\n";
    let (held, refused, summary) = metrics(csv).unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].evidence_quote, "first line\nsecond line");
    assert_eq!(held[0].key(), "k|s");
    assert_eq!(refused, []);
    assert_eq!(summary.columns_ignored, ["colour"]);
    assert_eq!(
        summary.columns_missing,
        ["period_date", "period_granularity", "source_record_pk", "evidence_date"]
    );
    assert_eq!((summary.rows_read_total, summary.rows_without_value_total), (2, 1));
}

#[test]
fn a_broken_row_is_refused_by_line_and_the_rest_is_read() {
    let csv = b"sanction_source_id,kpi_id,period_date,value\n\
        s,k,2025-12-31,1\n\
        s,k,31/12/2025,1\n\
        s,k,2024-12-31,\"1,5\"\n\
        s,,2024-12-31,1\n\
        s,k,2024-12-31\n\
        s|t,k,2024-12-31,1\n\
        s,k,2025-12-31,2\n\
        s,\xff,2024-12-31,2\n\
        s,k,2023-12-31,3\n";
    let (held, refused, summary) = metrics(csv).unwrap();
    assert_eq!(held.iter().map(|metric| metric.value.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let told: Vec<_> = refused.iter().map(|p| (p.line, &*p.column, &*p.value)).collect();
    assert_eq!(
        told,
        [
            (3, "`period_date`", "31/12/2025"),
            (4, "`value`", "1,5"),
            (5, "`kpi_id`", ""),
            (6, "3", ""),
            (7, "`sanction_source_id`", "s|t"),
            (8, "`metric_key`", "k|s|2025-12-31"),
            (9, "`kpi_id`", "\u{fffd}"),
        ]
    );
    assert!(refused.iter().all(|problem| !problem.remedy.is_empty()));
    assert_eq!((summary.rows_read_total, summary.rows_refused_total), (9, 7));
}

#[test]
fn a_wrong_header_ends_the_reading_and_names_the_columns() {
    for csv in ["", "kpi_id,value\nk,1\n", "sanction_source_id;kpi_id\ns;k\n", "kpi_id,kpi_id\n"] {
        let found = metrics(csv.as_bytes()).unwrap_err();
        assert_eq!(found.line, 1, "{csv}");
        assert!(found.remedy.contains("sanction_source_id,kpi_id,period_date"), "{found}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        json in "[{}\\[\\]\":,a-z0-9 \\n]{0,80}",
    ) {
        let _ = read_catalogue("catalog.json", &bytes);
        let _ = read_catalogue("catalog.json", json.as_bytes());
        let _ = metrics(&bytes);
    }

    #[test]
    fn every_row_is_held_without_value_or_refused(
        rows in prop::collection::vec("[sk,|\"]{0,6},[k\\xff]{0,1},[0-9-]{0,10},[0-9.,]{0,3}", 0..20),
    ) {
        let csv = format!("sanction_source_id,kpi_id,period_date,value\n{}\n", rows.join("\n"));
        let (held, refused, summary) = metrics(csv.as_bytes()).unwrap();
        prop_assert_eq!(refused.len() as u64, summary.rows_refused_total);
        prop_assert_eq!(
            summary.rows_read_total,
            held.len() as u64 + summary.rows_without_value_total + summary.rows_refused_total
        );
    }
}
