//! The laws of packets, on random packets.

use proptest::prelude::*;
use raw_packets::{
    Accept, Effect, Finding, InMemorySink, Load, MetricSink as _, PacketPlan, PacketStatus,
    ReturnedFile, Role, Run,
};

use crate::support::{
    KPIS, all_returned, as_of, cases, filled, forms, found, plan, plan_in, stamp,
};

/// Gives a filled row: figures and a quotation of any characters that a cell can hold.
fn figures() -> impl Strategy<Value = (u32, u32, u32, u32, String)> {
    (
        1_u32..1_000_000,
        0_u32..=100,
        0_u32..=100,
        1_u32..100_000,
        // Marks that combine with the letter before are no letters of their own; what follows a letter
        // as in UTF-8 that was misread is refused for that.
        "[ -~À-ʯͰ-ҁ٠-٩一-鿿😀-😿]{20,60}",
    )
        .prop_map(|(filed, upheld, annulled, days, quote)| {
            (filed, filed * (upheld / 2) / 100, filed * (annulled / 2) / 100, days, quote)
        })
        .prop_filter("20 letters are seen", |(.., quote)| quote.trim().chars().count() >= 20)
        .prop_filter("no letters look misread", |(.., quote)| {
            raw_packets::value::repaired_mojibake(quote).is_none()
        })
}

fn fill(plan: &PacketPlan, at: usize, figures: &(u32, u32, u32, u32, String)) -> Vec<String> {
    let mut cells = filled(plan, &plan.packets()[at]);
    cells[5].clone_from(&figures.4);
    cells[6] = figures.0.to_string();
    cells[7] = figures.1.to_string();
    cells[8] = figures.2.to_string();
    cells[9] = format!("{}.{}", figures.3 / 10, figures.3 % 10);
    cells
}

fn load(plan: &PacketPlan, files: &[ReturnedFile]) -> Load {
    let checked = plan.check(files, as_of());
    assert!(
        checked.is_ready(),
        "{:?}",
        checked.findings().map(ToString::to_string).collect::<Vec<_>>()
    );
    checked.load(Accept::All, &stamp()).unwrap()
}

/// Returns the columns that nobody is asked to fill in.
fn issued_columns() -> Vec<usize> {
    let plan = plan();
    let columns = plan.template().columns().iter().enumerate();
    columns.filter(|(_, column)| column.role != Role::Capture).map(|(at, _)| at).collect()
}

/// A change of a cell's text.
type Change = fn(&str) -> String;

/// What a spreadsheet, or a person at one, may do to a number, a day or a key: one change each.
const CHANGES: [(&str, Change); 46] = [
    ("points for thousands", |text| thousands(text, '.')),
    ("commas for thousands", |text| thousands(text, ',')),
    ("spaces for thousands", |text| thousands(text, '\u{202f}')),
    ("apostrophes for thousands", |text| thousands(text, '’')),
    ("decimal comma", |text| text.replace('.', ",")),
    ("points and decimal comma", |text| thousands(text, '#').replace('.', ",").replace('#', ".")),
    ("three decimals", |text| format!("{text}.000")),
    ("two decimals", |text| format!("{text}.00")),
    ("percent", |text| format!("{text} %")),
    ("unit behind", |text| format!("{text} recursos")),
    ("currency before", |text| format!("€{text}")),
    ("about", |text| format!("≈{text}")),
    ("range", |text| format!("{text}-{text}1")),
    ("brackets", |text| format!("({text})")),
    ("minus sign", |text| format!("\u{2212}{text}")),
    ("minus behind", |text| format!("{text}-")),
    ("scientific", |text| format!("{}E+03", text.get(..1).unwrap_or_default())),
    ("invisible around", |text| format!("\u{200e}\u{a0}{text}\u{feff}")),
    ("apostrophe before", |text| format!("'{text}")),
    ("full stop behind", |text| format!("{text}.")),
    ("leading zeros", |text| format!("00{text}")),
    ("capitals", str::to_uppercase),
    ("day first", |text| day(text, "%d/%m/%Y")),
    ("month first", |text| day(text, "%-m/%-d/%Y")),
    ("two digits of the year", |text| day(text, "%d.%m.%y")),
    ("month in words", |text| day(text, "%-d %B %Y")),
    ("basic form", |text| day(text, "%Y%m%d")),
    ("with a time", |text| day(text, "%Y-%m-%d 00:00:00")),
    ("number of days", |text| {
        let epoch = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
        let days = text.parse::<chrono::NaiveDate>().map(|day| (day - epoch).num_days());
        days.map_or_else(|_| text.to_owned(), |days| days.to_string())
    }),
    ("error value", |_| "#¡VALOR!".to_owned()),
    ("thin spaces for thousands", |text| thousands(text, '\u{2009}')),
    ("blanks for thousands and decimal comma", |text| thousands(text, ' ').replace('.', ",")),
    ("no width within", |text| text.chars().flat_map(|c| [c, '\u{200b}']).collect()),
    ("full width", |text| {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_digit());
        text.chars().map(|c| wide(c).unwrap_or(c)).collect()
    }),
    ("a hundredth with its sign", |text| format!("{text}%")),
    ("percent in words", |text| format!("{text} por ciento")),
    ("thousand in words", |text| format!("{text} mil")),
    ("no cents", |text| format!("{text},-")),
    ("footnote", |text| format!("{text} (1)")),
    ("formula that keeps digits", |text| format!("=\"{text}\"")),
    ("sum", |text| format!("={text}+0")),
    ("twice on two lines", |text| format!("{text}\n{text}")),
    ("too narrow", |_| "#######".to_owned()),
    ("long hyphens", |text| text.replace('-', "–")),
    ("Roman month", |text| {
        let roman = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
        let month = |day: &chrono::NaiveDate| roman[chrono::Datelike::month0(day) as usize];
        let day = text.parse::<chrono::NaiveDate>();
        day.map_or_else(
            |_| text.to_owned(),
            |day| day.format(&format!("%d-{}-%Y", month(&day))).to_string(),
        )
    }),
    ("time alone", |_| "10:30".to_owned()),
];

/// Groups the digits in front of a point by threes.
fn thousands(text: &str, mark: char) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && whole.bytes().all(|b| b.is_ascii_digit()) {
            grouped.push(mark);
        }
        grouped.push(digit);
    }
    grouped + rest
}

fn day(text: &str, form: &str) -> String {
    let day = text.parse::<chrono::NaiveDate>();
    day.map_or_else(|_| text.to_owned(), |day| day.format(form).to_string())
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_single_change_that_a_spreadsheet_may_make_never_loads_as_another_value(
        figures in figures(),
        change in prop::sample::select(CHANGES.to_vec()),
        column in prop::sample::select(vec![0_usize, 1, 2, 4, 6, 7, 8, 9]),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        quoted: bool,
    ) {
        let plan = plan();
        let mut cells = fill(&plan, 0, &figures);
        // What a quotation may hold is told by other laws.
        cells[5] = filled(&plan, &plan.packets()[0])[5].clone();
        let written = |cells: &[String], quoted: bool| {
            let mark = if delimiter == b';' { "," } else { "." };
            let localised = |(at, cell): (usize, &String)| {
                if at == 9 { cell.replace('.', mark) } else { cell.clone() }
            };
            let row: Vec<String> = cells.iter().enumerate().map(localised).collect();
            let columns = plan.template().columns().iter().map(|column| column.name.clone());
            let style = if quoted { csv::QuoteStyle::Necessary } else { csv::QuoteStyle::Never };
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).quote_style(style).from_writer(Vec::new());
            writer.write_record(columns).unwrap();
            writer.write_record(&row).unwrap();
            ReturnedFile::new(plan.packets()[0].file_name(), writer.into_inner().unwrap())
        };
        let facts = |file: ReturnedFile| {
            let checked = plan.check(&[file], as_of());
            let repaired = checked.repaired(&checked.packets()[0]);
            let load = checked.load(Accept::Valid, &stamp()).unwrap();
            let rows = load.rows().iter();
            let facts: Vec<_> = rows.map(|row| (row.metric_key.clone(), row.value, row.numerator, row.denominator, row.evidence_date)).collect();
            (facts, repaired.map(|file| ReturnedFile::new(file.path, file.bytes)))
        };
        let (before, _) = facts(written(&cells, true));
        prop_assert_eq!(before.len(), 3);
        cells[column] = (change.1)(&cells[column]);
        let (after, repaired) = facts(written(&cells, quoted));
        prop_assert!(after.is_empty() || after == before, "{} of {}: {:?}", change.0, column, cells[column]);
        if let Some(repaired) = repaired {
            let (after, _) = facts(repaired);
            prop_assert!(after.is_empty() || after == before, "repaired: {} of {}: {:?}", change.0, column, cells[column]);
        }
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn what_is_written_in_any_form_is_read_as_the_same(all in proptest::collection::vec(figures(), 4)) {
        let mut facts = Vec::new();
        for form in forms() {
            let plan = plan_in(form);
            let files: Vec<_> = plan.packets().iter().enumerate().map(|(at, packet)| {
                ReturnedFile::new(packet.file_name(), plan.filled_file(packet, &fill(&plan, at, &all[at])))
            }).collect();
            let rows: Vec<_> = load(&plan, &files).rows().iter().map(|row| {
                let quote = row.evidence_quote.clone();
                let at = plan.packets().iter().position(|p| p.key().sanction_source_id == row.sanction_source_id).unwrap();
                assert_eq!(quote, all[at].4.trim());
                (row.metric_key.clone(), row.value, row.numerator, row.denominator, quote)
            }).collect();
            facts.push(rows);
        }
        prop_assert!(facts.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn the_order_of_rows_columns_and_files_changes_nothing(
        order in Just((0..18_usize).collect::<Vec<_>>()).prop_shuffle(),
        files in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
        blank_rows in 0..3_usize,
    ) {
        let plan = plan();
        let straight = all_returned(&plan);
        let shuffled: Vec<ReturnedFile> = files.iter().map(|at| {
            let text = &straight[*at];
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.bytes.as_slice());
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for (row, record) in records.iter().enumerate() {
                for _ in 0..if row == 1 { blank_rows } else { 0 } {
                    writer.write_record(order.iter().map(|_| "")).unwrap();
                }
                writer.write_record(order.iter().map(|at| &record[*at])).unwrap();
            }
            ReturnedFile::new(text.name.clone(), writer.into_inner().unwrap())
        }).collect();
        let facts = |files: &[ReturnedFile]| load(&plan, files).rows().iter()
            .map(|row| (row.metric_key.clone(), row.value, row.evidence_quote.clone())).collect::<Vec<_>>();
        prop_assert_eq!(facts(&straight), facts(&shuffled));
        let by_file = plan.check(&shuffled, as_of());
        let again: Vec<_> = shuffled.iter().rev().cloned().collect();
        prop_assert_eq!(found(&by_file), found(&plan.check(&again, as_of())));
    }

    #[test]
    fn each_change_of_a_single_issued_cell_is_found(
        column in prop::sample::select(issued_columns()),
        value in "[ -~]{0,30}",
    ) {
        let plan = plan();
        let issued = filled(&plan, &plan.packets()[0]);
        let template = plan.template();
        prop_assume!(value.trim() != issued[column].trim());
        let mut cells = issued;
        cells[column] = value;
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(template.columns().iter().map(|column| &column.name)).unwrap();
        writer.write_record(&cells).unwrap();
        let file = ReturnedFile::new(plan.packets()[0].file_name(), writer.into_inner().unwrap());
        let checked = plan.check(&[file], as_of());
        let name = Some(template.columns()[column].name.clone());
        let counts = template.columns()[column].name.ends_with("_total");
        let found = checked.packets()[0].findings().iter().any(|finding| finding.column == name);
        // What is held by now changes with every load, and is no damage.
        prop_assert!(found || counts && cells[column].trim().parse::<u64>().is_ok());
    }

    #[test]
    fn no_bytes_make_the_check_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        at in 0..400_usize,
    ) {
        let plan = plan();
        let mut file = all_returned(&plan).remove(0);
        let at = at.min(file.bytes.len());
        file.bytes.splice(at..at, bytes.iter().copied());
        let name = file.name.clone();
        let checked = plan.check(&[file, ReturnedFile::new("x.csv", bytes)], as_of());
        let _ = checked.report(stamp().at);
        prop_assert_eq!(checked.packets()[0].file(), name);
    }

    #[test]
    fn a_captured_cell_is_taken_exactly_as_written_or_refused_in_its_place(
        column in prop::sample::select(vec![3_usize, 4, 6, 7, 8, 9]),
        value in "[0-9]{1,5}|-?[0-9]{1,6}[.,][0-9]{1,4}|20[0-3][0-9]-[01][0-9]-[0-3][0-9]|[0-9]{1,2}/[0-9]{1,2}/20[0-9]{2}|https?://[a-z.]{0,8}|[ -~]{0,12}",
    ) {
        let plan = plan();
        let mut cells = filled(&plan, &plan.packets()[0]);
        cells[column].clone_from(&value);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(plan.template().columns().iter().map(|column| &column.name)).unwrap();
        writer.write_record(&cells).unwrap();
        let file = ReturnedFile::new(plan.packets()[0].file_name(), writer.into_inner().unwrap());
        let checked = plan.check(&[file], as_of());
        let packet = &checked.packets()[0];
        if packet.status() != PacketStatus::Ready {
            // A count that is a number may still be at odds with the others.
            let name = &plan.template().columns()[column].name;
            let here = |f: &Finding| f.column.as_ref() == Some(name) || f.code.as_str() == "row-constraint";
            prop_assert!(packet.findings().iter().any(here), "{value}");
            return Ok(());
        }
        let load = checked.load(Accept::Valid, &stamp()).unwrap();
        let row = |kpi: usize| load.rows().iter().find(|row| row.kpi_id == KPIS[kpi]).unwrap();
        let taken = match column {
            3 => row(0).source_url.clone(),
            4 => row(0).evidence_date.to_string(),
            6 => row(0).denominator.unwrap().to_string(),
            7 => row(0).numerator.unwrap().to_string(),
            8 => row(1).numerator.unwrap().to_string(),
            _ => row(2).value.to_string(),
        };
        if column >= 6 {
            let number = |text: &str| text.trim().parse::<rust_decimal::Decimal>().unwrap();
            prop_assert_eq!(number(&taken), number(&value));
        } else {
            prop_assert_eq!(taken, value.trim());
        }
    }

    #[test]
    fn the_order_of_several_rows_changes_no_finding(
        rows in prop::collection::vec(("[0-9a-z,]{0,5}", "[0-9/-]{0,10}"), 2..5)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let plan = plan();
        let found = |rows: &[(String, String)]| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let columns = plan.template().columns();
            writer.write_record(columns.iter().map(|column| &column.name)).unwrap();
            for (number, date) in rows {
                let mut cells = filled(&plan, &plan.packets()[0]);
                cells[4].clone_from(date);
                cells[6].clone_from(number);
                writer.write_record(&cells).unwrap();
            }
            let name = plan.packets()[0].file_name();
            let file = ReturnedFile::new(name, writer.into_inner().unwrap());
            let checked = plan.check(&[file], as_of());
            let packet = &checked.packets()[0];
            let mut found: Vec<_> = packet.findings().iter()
                .map(|f| (f.code.as_str(), f.column.clone(), f.value.clone(), f.repair.clone())).collect();
            found.sort();
            (packet.status(), found)
        };
        prop_assert_eq!(found(&rows.0), found(&rows.1));
    }

    #[test]
    fn a_checked_plan_loads_what_is_ready_and_nothing_else(
        damage in prop::collection::vec((0..4_usize, 0..18_usize, "[ -~]{0,12}"), 0..5),
        missing in prop::option::of(0..4_usize),
    ) {
        let plan = plan();
        let mut all: Vec<Vec<String>> =
            plan.packets().iter().map(|packet| filled(&plan, packet)).collect();
        for (packet, column, value) in damage {
            all[packet][column] = value;
        }
        let files: Vec<_> = plan.packets().iter().zip(&all).enumerate()
            .filter(|(at, _)| Some(*at) != missing)
            .map(|(_, (packet, cells))| {
                ReturnedFile::new(packet.file_name(), plan.filled_file(packet, cells))
            })
            .collect();
        let checked = plan.check(&files, as_of());
        prop_assert_eq!(checked.load(Accept::All, &stamp()).is_ok(), checked.is_ready());
        let load = checked.load(Accept::Valid, &stamp()).unwrap();
        let ready = checked.count(PacketStatus::Ready);
        prop_assert_eq!(load.rows().len(), ready * 3);
        prop_assert_eq!(load.left_out().len(), checked.packets().len() - ready);
        let mut sink = InMemorySink::new();
        let dry = sink.load(&load, Run::Dry).unwrap();
        prop_assert_eq!(&sink.load(&load, Run::Commit).unwrap(), &dry);
        prop_assert_eq!(sink.load(&load, Run::Commit).unwrap().count(Effect::Unchanged), ready * 3);
        prop_assert_eq!(sink.left_out().unwrap().len(), usize::from(ready < checked.packets().len()));
    }

    #[test]
    fn a_repaired_packet_has_no_repair_left_and_an_error_sheet_comes_back_with_the_same_errors(
        damage in prop::collection::vec(
            (0..18_usize, "[ -~]{0,12}|[0-9]{1,2}/[0-9]{1,2}/2025|1[., ]200|0*[0-9]{5}"), 1..4),
        label in prop::option::of(0..18_usize),
    ) {
        let plan = plan();
        let mut cells = filled(&plan, &plan.packets()[0]);
        for (column, value) in damage {
            cells[column] = value;
        }
        let mut labels: Vec<String> =
            plan.template().columns().iter().map(|column| column.name.clone()).collect();
        if let Some(at) = label {
            labels[at] = labels[at].replace('_', " ").to_uppercase();
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&labels).unwrap();
        writer.write_record(&cells).unwrap();
        let file = ReturnedFile::new(plan.packets()[0].file_name(), writer.into_inner().unwrap());
        let checked = plan.check(&[file], as_of());
        // A formula goes back as a text, so that it does no harm; a text it may stay.
        let formula = checked.findings().any(|finding| finding.code.as_str() == "formula-cell");
        if formula {
            return Ok(());
        }
        if let Some(repaired) = checked.repaired(&checked.packets()[0]) {
            let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
            prop_assert!(again.repaired(&again.packets()[0]).is_none());
        }
        if let Some(sheet) = checked.error_sheet(&checked.packets()[0]) {
            let again = plan.check(&[ReturnedFile::new(sheet.path, sheet.bytes)], as_of());
            prop_assert_eq!(again.packets()[0].status(), checked.packets()[0].status());
        }
    }
}
