//! A wrong value of a flag: the error names what is allowed, the exit code is 4, and nothing is written.

use crate::runner::{run, runner};

#[test]
fn a_wrong_value_is_told_with_what_is_allowed() {
    let number = "write a whole number";
    let cases: [(&str, &[&str], &str); 26] = [
        ("recovery_cycle", &["--guardrails", "some"], "[possible values: auto, full, touched]"),
        ("run_night", &["--guardrails", "some"], "[possible values: auto, full, touched]"),
        ("run_night", &["--time-zone", "Mars/Base"], "such as America/Lima"),
        ("run_night", &["--file-mode", "999"], "three octal digits"),
        ("seed_queue", &["--whole=yes"], "unexpected value 'yes' for '--whole'"),
        ("seed_queue", &["--cool-down", "soon"], number),
        ("validate_impact", &["--cool-down", "99999"], "not in 0..=8760"),
        ("recover_leads", &["--region", "XX"], "such as PE, ES or MX"),
        ("recover_leads", &["--batch-size", "0"], "not in 1..=10000"),
        ("recover_leads", &["--workers", "two"], number),
        ("verify_guardrails", &["--format", "xml"], "[possible values: text, json,"),
        ("verify_guardrails", &["--only", "nothing"], "known are: drain,"),
        ("export_packets", &["--form", "doc"], "use plain, excel-us,"),
        ("check_packets", &["--statuses", "late"], "use missing_source,"),
        ("load_packets", &["--period-date", "2025-13-01"], "YYYY-MM-DD"),
        ("export_review", &["--form", "doc"], "use plain, excel-us,"),
        ("export_review", &["--limit", "many"], number),
        ("load_review", &["--language", "fr"], "use en or es"),
        ("review_report", &["--days", "week"], number),
        ("metrics_server", &["--bind", "here"], "such as 127.0.0.1:8080"),
        ("queue_admin", &["lead", "reopen", "--reason", "no"], "such as OUT_OF_REGION"),
        ("queue_admin", &["migrate", "--partitions", "1"], "not in 2..=1024"),
        ("explain_match", &["--region", "1"], "such as PE, ES or MX"),
        ("map_tables", &["--region", "1"], "such as PE, ES or MX"),
        ("decide", &["--format", "xml"], "[possible values: csv,"),
        ("keys", &["--of", "cars"], "[possible values: "),
    ];
    for (name, flags, allowed) in cases {
        let folder = tempfile::tempdir().unwrap();
        let told = run(runner(name).current_dir(folder.path()).args(flags));
        assert_eq!((told.code, told.stdout.as_str()), (4, ""), "{name} {flags:?}: {told:?}");
        assert!(told.stderr.contains(allowed), "{name} {flags:?}: {}", told.stderr);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "{name} {flags:?} wrote something");
    }
}
