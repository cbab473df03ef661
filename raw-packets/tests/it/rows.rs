//! Packets of rows: issued, filled in and taken back, whatever happened to them on the way.

use raw_packets::{
    CellType, CheckOptions, CheckedRows, Choice, Code, Column, CsvProfile, Language, PacketForm,
    PacketOptions, PacketPlan, PacketStatus, PlanError, ReturnedFile, Role, RowPacket, RowPlan,
    RowRule, Template, TemplateBuilder, Text,
};

use crate::support::{forms, request, scope};

fn key(name: &str) -> Column {
    let mut column = Column::capture(name, CellType::Text).required();
    column.role = Role::Key;
    column
}

fn shown(name: &str) -> Column {
    let mut column = Column::capture(name, CellType::Text);
    column.role = Role::Context;
    column
}

/// Questions on orders: what is shown, an answer from a list, and who must be named for one of the answers.
fn template() -> Template {
    template_of(["keep", "cancel", "move"])
}

fn template_of<C: Into<Choice>>(answers: [C; 3]) -> Template {
    TemplateBuilder::of_rows("order-questions", Text::same("Questions on orders"))
        .column(key("batch"))
        .column(key("order_id"))
        .column(shown("customer"))
        .column(Column::capture("answer", CellType::Text).one_of(answers))
        .column(Column::capture("moved_to", CellType::Text))
        .column(Column::capture("until", CellType::Date))
        .rule(RowRule::RequiredWhenIs {
            column: "answer".into(),
            is: vec!["move".into()],
            then: vec!["moved_to".into()],
        })
        .build()
        .unwrap()
}

const ORDERS: [&str; 4] = ["A-001", "A-002", "0003", "A-004"];

fn rows() -> Vec<Vec<String>> {
    let row = |order: &str| ["7", order, "M. Soto, hija", "", "", ""].map(str::to_owned).to_vec();
    ORDERS.map(row).to_vec()
}

fn plan(form: PacketForm) -> RowPlan {
    RowPlan::new(&template(), form, vec![RowPacket::new("Monday 7", rows())]).unwrap()
}

fn plain() -> RowPlan {
    plan(PacketForm::Csv(CsvProfile::Plain))
}

/// Writes the packet's file with these answers, by order.
fn filled(plan: &RowPlan, answers: &[(&str, [&str; 3])]) -> Vec<u8> {
    let mut rows = rows();
    for (order, cells) in answers {
        let row = rows.iter_mut().find(|row| row[1] == *order).unwrap();
        for (cell, text) in row[3..].iter_mut().zip(cells) {
            (*text).clone_into(cell);
        }
    }
    let filled = RowPlan::new(plan.template(), plan.form(), vec![RowPacket::new("x", rows)]);
    let filled = filled.unwrap();
    filled.file(&filled.packets()[0]).bytes
}

fn check(plan: &RowPlan, files: &[(&str, Vec<u8>)]) -> CheckedRows {
    let files: Vec<_> =
        files.iter().map(|(name, bytes)| ReturnedFile::new(*name, bytes.clone())).collect();
    plan.check(&files, CheckOptions::default())
}

fn found(checked: &CheckedRows) -> Vec<(Code, Option<String>)> {
    checked.findings().map(|finding| (finding.code, finding.cell.clone())).collect()
}

fn answered(checked: &CheckedRows) -> Vec<(&str, &str)> {
    checked.answers().map(|row| (row.key()[1].as_str(), row.text("answer").unwrap())).collect()
}

#[test]
fn the_rows_that_were_filled_in_come_back_from_every_form_and_the_others_are_open() {
    for form in forms() {
        let plan = plan(form);
        let answers = [("A-002", ["cancel", "", ""]), ("0003", ["move", "Lima", "2026-03-01"])];
        let checked = check(&plan, &[("monday-7", filled(&plan, &answers))]);
        assert_eq!(found(&checked), [], "{form}");
        assert_eq!(answered(&checked), [("A-002", "cancel"), ("0003", "move")], "{form}");
        let moved = checked.answers().nth(1).unwrap();
        assert_eq!(moved.text("moved_to"), Some("Lima"));
        assert_eq!(moved.date("until").unwrap().to_string(), "2026-03-01");
        assert_eq!((moved.row(), checked.files()[0].unanswered()), (4, 2), "{form}");
        let untouched = check(&plan, &[("monday-7", plan.file(&plan.packets()[0]).bytes)]);
        assert_eq!(untouched.files()[0].status(), PacketStatus::EmptyPacket, "{form}");
        assert!(untouched.is_ready(), "{form}");
    }
}

#[test]
fn what_is_wrong_is_found_to_the_cell_and_the_other_rows_are_taken() {
    let plan = plain();
    let answers = [
        ("A-001", ["move", "", ""]),
        ("A-002", ["Cancel", "", ""]),
        ("0003", ["keep", "", "01/02/2026"]),
        ("A-004", ["cancel", "", ""]),
    ];
    let checked = check(&plan, &[("f.csv", filled(&plan, &answers))]);
    let mut cells = found(&checked);
    cells.sort();
    assert_eq!(
        cells,
        [
            (Code::ConstraintError, Some("D3".to_owned())),
            (Code::DateAmbiguous, Some("F4".to_owned())),
            (Code::RowConstraint, Some("E2".to_owned())),
        ]
    );
    assert_eq!(answered(&checked), [("A-004", "cancel")]);
    assert_eq!(checked.files()[0].status(), PacketStatus::InvalidRow);
}

#[test]
fn a_key_that_was_changed_is_told_with_the_row_that_it_can_mean() {
    let plan = plain();
    let text = String::from_utf8(filled(&plan, &[("0003", ["keep", "", ""])])).unwrap();
    let lost = check(&plan, &[("f.csv", text.replace(",0003,", ",3,").into_bytes())]);
    assert_eq!(found(&lost), [(Code::LeadingZeroLost, Some("B4".to_owned()))]);
    assert_eq!(lost.findings().next().unwrap().repair.as_deref(), Some("0003"));
    let strange = check(&plan, &[("f.csv", text.replace("7,0003,", "9,Z-9,").into_bytes())]);
    assert_eq!(found(&strange), [(Code::PacketUnknown, Some("A4".to_owned()))]);
    assert_eq!(answered(&lost), []);
    assert_eq!(answered(&strange), []);
}

#[test]
fn one_row_with_two_answers_gives_neither_and_twice_the_same_answer_gives_one() {
    let plan = plain();
    let one = filled(&plan, &[("A-001", ["keep", "", ""]), ("A-002", ["keep", "", ""])]);
    let other = filled(&plan, &[("A-001", ["cancel", "", ""]), ("A-002", ["keep", "", ""])]);
    let checked = check(&plan, &[("a.csv", one), ("b.csv", other)]);
    assert_eq!(answered(&checked), [("A-002", "keep")]);
    let twice: Vec<_> = checked.findings().filter(|f| f.code == Code::DuplicateRow).collect();
    assert_eq!(twice.len(), 2);
    assert!(twice.iter().all(|finding| finding.cell.as_deref() == Some("D2")), "{twice:?}");
    assert!(twice[0].message.contains("b.csv"), "{}", twice[0].message);
    let again: Vec<_> = checked.findings().filter(|f| f.code == Code::DuplicateFile).collect();
    assert_eq!((again.len(), again[0].is_error()), (1, false));
}

#[test]
fn what_is_shown_is_not_compared_where_the_plan_leaves_it_out() {
    let issued = plain();
    let bare = rows().into_iter().map(|mut row| {
        row[2].clear();
        row
    });
    let packets = vec![RowPacket::new("Monday 7", bare.collect())];
    let bare = RowPlan::new(&template(), issued.form(), packets).unwrap();
    let bytes = filled(&issued, &[("A-001", ["keep", "", ""])]);
    assert_eq!(found(&check(&bare, &[("f.csv", bytes.clone())])), []);
    let changed = String::from_utf8(bytes).unwrap().replacen("Soto", "Sota", 1).into_bytes();
    assert_eq!(
        found(&check(&issued, &[("f.csv", changed)])),
        [(Code::ReadonlyChanged, Some("C2".to_owned()))]
    );
}

#[test]
fn a_service_can_refuse_a_cell_and_a_file_that_is_no_packet_is_named() {
    let plan = plain();
    let files = [
        ("f.csv", filled(&plan, &[("A-001", ["move", "Nowhere", ""])])),
        ("notes.txt", b"hello".to_vec()),
    ];
    let checked = check(&plan, &files);
    let answer = checked.answers().next().unwrap();
    let told = answer.refused("moved_to", "there is no such place", "name another").to_string();
    assert!(told.contains("f.csv, row 2") && told.contains("E2"), "{told}");
    assert!(!told.contains("Nowhere"), "{told}");
    let whole = checked.files()[0].refused("it is taken elsewhere", "take it there");
    assert_eq!((whole.file.as_str(), whole.cell.is_none()), ("f.csv", true));
    assert!(whole.is_error());
    assert_eq!(checked.ignored().len(), 1);
}

#[test]
fn what_cannot_be_issued_is_refused() {
    let form = PacketForm::Csv(CsvProfile::Plain);
    let plan = |packets| RowPlan::new(&template(), form, packets).unwrap_err();
    let twice = vec![RowPacket::new("a", rows()), RowPacket::new("b", rows())];
    assert!(plan(twice).to_string().contains("row 1 of the packet `b` has the key of another row"));
    assert!(matches!(plan(vec![RowPacket::new("a", Vec::new())]), PlanError::RowCount { .. }));
    let short = vec![RowPacket::new("a", vec![vec!["7".to_owned()]])];
    assert!(plan(short).to_string().contains("number of cells"));
    let of_values = RowPlan::new(&Template::official_review(), form, Vec::new());
    assert_eq!(of_values.unwrap_err(), PlanError::NotOfRows);
    let of_rows = PacketPlan::new(&request(scope()), &template(), &PacketOptions::default());
    assert_eq!(of_rows.unwrap_err(), PlanError::OfRows);
}

#[test]
fn a_template_of_rows_is_data_like_any_other() {
    let json = template().to_json();
    assert_eq!(json.parse::<Template>().unwrap(), template());
    assert!(!json.contains("evidence"), "{json}");
    for (from, to, says) in [
        ("\"role\": \"key\"", "\"role\": \"context\"", "no column has the role `key`"),
        ("\"is\": [\n          \"move\"", "\"is\": [\n          \"go\"", "lists every text"),
        ("\"name\": \"order-questions\"", "\"name\": \" \"", "blank"),
    ] {
        let unsound = json.replace(from, to);
        assert_ne!(unsound, json, "{from}");
        let error = unsound.parse::<Template>().unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// The same questions with answers that are called something else in Spanish.
fn labelled() -> Template {
    let label = |en: &str, es: &str| Text { en: en.to_owned(), es: es.to_owned() };
    template_of([
        Choice::new("keep", label("keep it", "mantener")),
        Choice::new("cancel", label("cancel", "anular")),
        Choice::new("move", label("move it", "más tarde")),
    ])
}

#[test]
fn a_choice_is_taken_by_its_value_and_by_what_it_is_called_in_any_language() {
    let template = labelled();
    assert_eq!(template.to_json().parse::<Template>().unwrap(), template);
    for form in forms() {
        let mut issued = rows();
        // What is proposed is shown as it is called, and is no answer until it is changed.
        issued[3][3] = "cancel".to_owned();
        let plan = RowPlan::new(&template, form, vec![RowPacket::new("x", issued)]).unwrap();
        let untouched = check(&plan, &[("f", plan.file(&plan.packets()[0]).bytes)]);
        assert_eq!(found(&untouched), [], "{form}");
        assert_eq!(answered(&untouched), [], "{form}");
        let answers = [
            ("A-001", ["mantener", "", ""]),
            ("A-002", ["keep it", "", ""]),
            ("0003", ["más tarde", "Lima", ""]),
            ("A-004", ["move", "Lima", ""]),
        ];
        let checked = check(&plan, &[("f", filled(&plan, &answers))]);
        assert_eq!(found(&checked), [], "{form}");
        assert_eq!(
            answered(&checked),
            [("A-001", "keep"), ("A-002", "keep"), ("0003", "move"), ("A-004", "move")]
        );
        // Two languages that say the same contradict nothing.
        let twice = [("A-001", ["keep", "", ""])];
        let twice = check(&plan, &[("f", filled(&plan, &answers)), ("g", filled(&plan, &twice))]);
        assert!(twice.is_ready(), "{form}");

        let wrong = [("A-001", ["mas tarde", "Lima", ""]), ("A-002", ["más tarde", "", ""])];
        let options = CheckOptions::default().with_language(Language::Es);
        let checked = plan.check(&[ReturnedFile::new("f", filled(&plan, &wrong))], options);
        let told: Vec<_> = checked.findings().collect();
        assert_eq!(told[0].repair.as_deref(), Some("más tarde"), "{form}");
        assert!(told[0].remedy.contains("mantener, anular, más tarde"), "{}", told[0].remedy);
        assert!(told[1].message.contains("dice `más tarde`"), "{}", told[1].message);
    }
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_offers_choices_as_they_are_called_in_its_language() {
    for form in forms() {
        let PacketForm::Xlsx(language) = form else { continue };
        let plan = RowPlan::new(&labelled(), form, vec![RowPacket::new("x", rows())]).unwrap();
        let bytes = plan.file(&plan.packets()[0]).bytes;
        let mut book = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut sheet = String::new();
        let mut part = book.by_name("xl/worksheets/sheet1.xml").unwrap();
        std::io::Read::read_to_string(&mut part, &mut sheet).unwrap();
        let list = match language {
            Language::En => "keep it,cancel,move it",
            Language::Es => "mantener,anular,más tarde",
        };
        assert!(sheet.contains(list), "{form}: {sheet}");
    }
}

#[test]
fn a_text_that_means_two_choices_or_none_is_no_choice() {
    let json = labelled().to_json();
    for (from, to) in
        [("\"mantener\"", "\"Anular\""), ("\"mantener\"", "\" \""), ("\"keep\"", "\"move\"")]
    {
        let error = json.replace(from, to).parse::<Template>().unwrap_err().to_string();
        assert!(error.contains("the column `answer` cannot allow"), "{error}");
    }
}
