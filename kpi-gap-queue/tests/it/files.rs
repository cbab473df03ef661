//! Reading catalogues: every problem is told with its place and its remedy.

use kpi_gap_queue::files::{FileProblem, read_catalogue};
use proptest::prelude::*;

fn problem(json: &str) -> FileProblem {
    read_catalogue("catalog.json", json.as_bytes()).unwrap_err()
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

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        json in "[{}\\[\\]\":,a-z0-9 \\n]{0,80}",
    ) {
        let _ = read_catalogue("catalog.json", &bytes);
        let _ = read_catalogue("catalog.json", json.as_bytes());
    }
}
