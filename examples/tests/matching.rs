//! Explaining and evaluating decisions from the outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::runner::{Run, run, runner};

const PERSONS: &str = "person_key,phone,document,document_type,document_country,email,full_name
P1,987654312,45678913,DNI,PE,ana.rojas@correo.pe,Ana Rojas Quispe
P2,912345876,41234567,DNI,PE,,Luis Paz Soto
P2,,,,,luis.paz@correo.pe,
";
const LEADS: &str = "id,external_id,phone,document,document_type,email,first_name
1,L1,+51 987 654 312,,,,Ana
2,L2,987654312,41234568,DNI,,Ana
3,,no tiene,,,,
4,L4,,,,luis.paz@correo.pe,Luis
";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("persons.csv"), PERSONS).unwrap();
        fs::write(folder.path().join("leads.csv"), LEADS).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: &str) -> &Self {
        fs::write(self.0.path().join(name), content).unwrap();
        self
    }

    fn explain(&self, flags: &[&str]) -> Run {
        let mut command = runner("explain_match");
        command.current_dir(self.0.path()).args(["--persons", "persons.csv"]).args(flags);
        run(&mut command)
    }

    fn evaluate(&self, flags: &[&str]) -> Run {
        let mut command = runner("evaluate_matching");
        command
            .current_dir(self.0.path())
            .args(["--leads", "leads.csv", "--persons", "persons.csv", "--truth", "truth.csv"])
            .args(flags);
        run(&mut command)
    }
}

#[test]
fn a_lead_of_the_file_is_explained_by_its_key_with_identifiers_masked() {
    let folder = Folder::new();
    let done = folder.explain(&["--leads", "leads.csv", "--source-pk", "L2", "--json", "out.json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("not matched, WEAK_MATCH_ONLY"), "{}", done.stdout);
    assert!(done.stdout.contains("P1 has another value of a kind of which a person has one"));
    assert!(done.stdout.contains("differs in PE DNI: ****4568 and ****8913"), "{}", done.stdout);
    assert!(!done.stdout.contains("987654312"), "{}", done.stdout);
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["decision"]["outcome"]["reason"], "WEAK_MATCH_ONLY");
    assert_eq!(json["decision"]["evidence"]["policy"]["version"], "1");
}

#[test]
fn a_lead_given_by_its_fields_is_explained_and_shown_when_asked() {
    let done = Folder::new().explain(&["--phone", "987 654 312", "--show-identifiers"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("matched P1 by PHONE_EXACT"), "{}", done.stdout);
    assert!(done.stdout.contains("+51987654312"), "{}", done.stdout);
}

#[test]
fn a_lead_that_is_not_there_and_a_lead_not_named_could_not_run() {
    let folder = Folder::new();
    for flags in [
        &["--leads", "leads.csv", "--source-pk", "L9"][..],
        &[],
        &["--region", "QQ", "--phone", "1"],
        &["--leads", "missing.csv", "--source-pk", "L1"],
    ] {
        let failed = folder.explain(flags);
        assert_eq!(failed.code, 4, "{flags:?}: {}", failed.stderr);
        assert!(failed.stdout.is_empty() && !failed.stderr.is_empty());
    }
}

#[test]
fn a_policy_that_contradicts_itself_is_refused_with_the_rule() {
    let folder = Folder::new();
    folder.write("policy.toml", "[kinds.phone]\nmax_persons_per_key = 99\n");
    let failed = folder.explain(&["--phone", "987654312", "--policy", "policy.toml"]);
    assert_eq!(failed.code, 4);
    assert!(failed.stderr.contains("policy.toml"), "{}", failed.stderr);
    assert!(failed.stderr.contains("phone.corroboration_cap"), "{}", failed.stderr);
}

#[test]
fn the_policy_is_printed_as_it_is_read_and_one_of_the_former_form_is_refused_with_the_new_one() {
    let folder = Folder::new();
    let printed = folder.explain(&["--print-policy"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    assert!(printed.stdout.contains("name = \"PHONE_EXACT\""), "{}", printed.stdout);
    folder.write("printed.toml", &printed.stdout);
    let again = folder.explain(&["--print-policy", "--policy", "printed.toml"]);
    assert_eq!(again.stdout, printed.stdout);

    folder.write("former.toml", "[phone]\nmax_persons_per_key = 1\n");
    let refused = folder.explain(&["--phone", "987654312", "--policy", "former.toml"]);
    assert_eq!(refused.code, 4);
    assert!(refused.stderr.contains("former form"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("[kinds.phone]\nmax_persons_per_key = 1"),
        "{}",
        refused.stderr
    );
}

#[test]
fn decisions_are_judged_by_the_truth_and_compared_with_another_policy() {
    let folder = Folder::new();
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\nL2,\n3,\nL4,P2\n");
    folder.write(
        "other.toml",
        "version = \"2\"\n\
         [[rules]]\nname = \"DOCUMENT_EXACT\"\nrequire = [\"document exact\"]\ngrant = \"high\"\n\
         [[rules]]\nname = \"PHONE_EXACT\"\nrequire = [\"phone exact\"]\nveto = [\"document\"]\ngrant = \"high\"\n",
    );
    let done =
        folder.evaluate(&["--json", "out.json", "--what-if", "other.toml", "--review-population"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("precision 1.0000, recall 1.0000, F1 1.0000"), "{}", done.stdout);
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["evaluation"]["counts"]["right"], 2);
    assert_eq!(json["evaluation"]["counts"]["rightly_nobody"], 2);
    assert_eq!(json["what_if"]["worse_total"], 1);
    assert_eq!(json["population"]["persons_total"], 2);
}

#[test]
fn a_policy_that_reads_records_otherwise_is_compared_over_records_read_its_own_way() {
    let folder = Folder::new();
    // A role's address, a phone that is a filler to the other policy, and one that shares nine last digits.
    let persons = "person_key,phone,email,full_name
P1,,ventas@empresa.pe,Ana Rojas
P2,987654312,,Luis Paz
P3,+51 1 434 5223,,Eva Ruiz
";
    let leads = "id,phone,email,first_name
L1,,ventas@empresa.pe,Ana Rojas
L2,987654312,,Luis Paz
L3,9914345223,,Eva Ruiz
";
    folder.write("persons.csv", persons).write("leads.csv", leads);
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\nL2,P2\nL3,P3\n");
    for (policy, lead, moved) in [
        ("[addresses]\nroles = \"key\"\n", "L1", "MISSING_IDENTIFIERS -> MATCHED"),
        ("[placeholders]\nphone = [\"987654312\"]\n", "L2", "MATCHED -> MISSING_IDENTIFIERS"),
        ("[weak]\nphone_tail_digits = 9\n", "L3", "WEAK_MATCH_ONLY -> MISSING_IDENTIFIERS"),
    ] {
        folder.write("other.toml", policy);
        let done = folder.evaluate(&["--json", "out.json", "--what-if", "other.toml"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let json: Value =
            serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
        let found = &json["what_if"];
        assert_eq!(found["changed_total"], 1, "{policy}: {found}");
        assert_eq!(found["changes"][0]["subject"], lead, "{policy}: {found}");
        assert_eq!(found["moves"][moved], 1, "{policy}: {found}");
    }
}

#[test]
fn a_kind_of_the_policys_own_is_read_from_the_columns_that_it_names() {
    let folder = Folder::new();
    folder.write("policy.toml", crate::own_kinds::POLICY);
    folder.write(
        "persons.csv",
        "person_key,phone,card,second_card\nP1,,20481357,20481358\nP2,987654312,20481399,\n",
    );
    folder.write("leads.csv", "id,phone,card\nL1,,2048-1358\nL2,,20481399\nL3,,2048\n");
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\nL2,P2\nL3,\n");
    let done = folder.evaluate(&["--json", "out.json", "--policy", "policy.toml"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["evaluation"]["counts"]["right"], 2);
    assert_eq!(json["evaluation"]["counts"]["rightly_nobody"], 1);
}

#[test]
fn what_cannot_be_read_in_a_file_is_refused_by_its_line_or_found_in_its_field() {
    let folder = Folder::new();
    let header = "id,phone,document,document_type,document_country,email,first_name\n";
    let long = "7".repeat(900_000);
    let mut leads = format!(
        "{header}1,{long},,,,,\n2,,{long},DNI,PE,,\n3,,,,,{long},\n4,,,,,,{long}\n5,,45678913,,,,\n6,,54362315K,DNI,PE,,\n7,,45678913,DNI,QQ,,\n8,{long},{long},,,,\n"
    )
    .into_bytes();
    leads.extend_from_slice(b"9,\xff\xfe,,,,,\n10,\0,,,,,\n");
    fs::write(folder.0.path().join("leads.csv"), leads).unwrap();
    folder.write("truth.csv", "source_pk,person_key\n1,\n2,\n3,\n4,\n5,\n6,\n7,\n");
    let done = folder.evaluate(&["--json", "out.json"]);
    assert_eq!(done.code, 5, "{}", done.stderr);
    for line in [9, 10, 11] {
        assert!(done.stderr.contains(&format!("leads.csv: line {line}")), "{}", done.stderr);
    }
    assert!(done.stderr.len() < 5_000 && done.stdout.len() < 5_000, "no value is repeated");
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    // All seven that were read were judged: the fifth is the first person's number, untyped.
    assert_eq!(json["evaluation"]["decisions_total"], 7);
    assert_eq!(json["evaluation"]["wrong_total"], 1);
    for (lead, remedy) in [("1", "longer than any"), ("6", "check digit"), ("7", "ISO 3166-1")] {
        let done = folder.explain(&["--leads", "leads.csv", "--source-pk", lead]);
        assert!(done.stdout.contains(remedy), "{lead}: {}", done.stdout);
    }
}

#[test]
fn refused_rows_of_any_file_show_in_the_exit_code() {
    let folder = Folder::new();
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\nL1,P2\nL9,P1\n");
    let done = folder.evaluate(&[]);
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("truth.csv: line 3"), "{}", done.stderr);
    assert!(done.stdout.contains("3 leads are not in the truth"), "{}", done.stdout);
    assert!(done.stdout.contains("1 rows of the truth name no lead"), "{}", done.stdout);
}

#[test]
fn a_lead_that_stands_there_twice_is_judged_once_counted_and_listed() {
    let folder = Folder::new();
    folder.write("leads.csv", &format!("{LEADS}9,L1,987654312,,,,Ana\n"));
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\nL2,\n3,\nL4,P2\n");
    let done = folder.evaluate(&["--json", "out.json"]);
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stdout.contains("1 rows give a lead that stands before them"), "{}", done.stdout);
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["duplicate_leads_total"], 1);
    assert_eq!(json["duplicate_leads_listed"][0], "L1");
    assert_eq!(json["evaluation"]["decisions_total"], 4);
    assert_eq!(json["leads_without_truth_total"], 0);
}

#[test]
fn what_is_wrong_with_the_population_is_listed_with_documents_masked() {
    let folder = Folder::new();
    let persons = format!("{PERSONS}P3,,45678913,DNI,PE,,Ana Rojas\nP2,,43267815,DNI,PE,,\n");
    folder.write("persons.csv", &persons);
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\n");
    let done = folder.evaluate(&["--review-population"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("P1, P3 share ****8913"), "{}", done.stdout);
    assert!(done.stdout.contains("P2 has ****4567 and ****7815 of PE"), "{}", done.stdout);
    assert!(!done.stdout.contains("45678913"), "{}", done.stdout);
}

#[test]
fn what_gives_no_key_of_a_population_is_counted_with_its_reason_and_the_first_persons() {
    let folder = Folder::new();
    let bad: Vec<_> = (1..=7).map(|n| format!("B{n},12,,,,")).collect();
    folder.write(
        "persons.csv",
        &format!("person_key,phone,document,document_type,document_country,email\nP1,987654312,12,DNI,PE,n/a\n{}\n", bad.join("\n")),
    );
    folder.write("truth.csv", "source_pk,person_key\nL1,P1\n");
    let done = folder.evaluate(&["--json", "out.json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let told = "7 × phone WRONG_LENGTH (the value is too short or too long for its type or country), \
                such as ** of B1, B2, B3, B4, B5, …";
    assert!(done.stderr.contains(told), "{}", done.stderr);
    let json: Value =
        serde_json::from_slice(&fs::read(folder.0.path().join("out.json")).unwrap()).unwrap();
    let rows = json["unusable_values"].as_array().unwrap();
    let counted = |field: &str, total: u64, persons: usize| {
        rows.iter().any(|row| {
            row["field"] == field
                && row["values_total"] == total
                && row["listed"].as_array().unwrap().len() == persons
        })
    };
    assert!(
        counted("phone", 7, 5) && counted("document", 1, 1) && counted("email", 1, 1),
        "{rows:?}"
    );
}
