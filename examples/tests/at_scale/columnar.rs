//! Arrow and Parquet: the same rows as in CSV, whatever types an engine writes, and what is refused of them.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, DictionaryArray, Float64Array,
    Int16Array, Int32Array, Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Field, Schema};
use reference_runners::at_scale::{Format, GROUPS, GroupReader};

use super::{Data, as_csv, decided, join, rows};

/// Writes columns of one length as a stream of two batches, or as one of Parquet by the name of the file.
fn write(path: &Path, columns: &[(&str, ArrayRef)]) {
    let fields =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let half = batch.num_rows() / 2;
    let halves = [batch.slice(0, half), batch.slice(half, batch.num_rows() - half)];
    let file = File::create(path).unwrap();
    #[cfg(feature = "parquet")]
    if path.extension().is_some_and(|name| name == "parquet") {
        let mut out = parquet::arrow::ArrowWriter::try_new(file, schema, None).unwrap();
        for batch in &halves {
            out.write(batch).unwrap();
        }
        out.close().unwrap();
        return;
    }
    let mut out = StreamWriter::try_new(file, &schema).unwrap();
    for batch in &halves {
        out.write(batch).unwrap();
    }
    out.finish().unwrap();
}

/// Reads what a program wrote as the same text that it writes as CSV.
fn read(path: &Path) -> Vec<Vec<String>> {
    let file = File::open(path).unwrap();
    let batches: Vec<RecordBatch> = match path.extension().and_then(|name| name.to_str()) {
        #[cfg(feature = "parquet")]
        Some("parquet") => {
            let file = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1_000);
            file.unwrap().map(Result::unwrap).collect()
        }
        _ => StreamReader::try_new(file, None).unwrap().map(Result::unwrap).collect(),
    };
    let mut rows = Vec::new();
    for batch in batches {
        let text =
            |array: &ArrayRef| arrow_cast::cast(array, &arrow_schema::DataType::Utf8).unwrap();
        let columns: Vec<ArrayRef> = batch.columns().iter().map(text).collect();
        for row in 0..batch.num_rows() {
            let cell = |array: &ArrayRef| {
                let array = array.as_any().downcast_ref::<StringArray>().unwrap();
                if array.is_null(row) { String::new() } else { array.value(row).to_owned() }
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    rows
}

/// How an engine may write a column of text.
fn as_text(values: &[Option<&str>], kind: usize) -> ArrayRef {
    match kind % 4 {
        0 => Arc::new(values.iter().copied().collect::<StringArray>()),
        1 => Arc::new(values.iter().copied().collect::<LargeStringArray>()),
        2 => {
            let mut views = StringViewBuilder::new();
            for value in values {
                views.append_option(*value);
            }
            Arc::new(views.finish())
        }
        _ => Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>()),
    }
}

/// The formats of the build, by the names of their files.
fn formats() -> &'static [&'static str] {
    if cfg!(feature = "parquet") { &["arrow", "parquet"] } else { &["arrow"] }
}

/// Columns of a table of CSV, blanks as nulls.
fn columns(
    text: &str,
    kind: impl Fn(usize, &[Option<&str>]) -> ArrayRef,
) -> Vec<(String, ArrayRef)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |(at, name): (usize, String)| {
        let cells: Vec<_> =
            rows.iter().map(|row| Some(&row[at]).filter(|text| !text.is_empty())).collect();
        (name, kind(at, &cells))
    };
    names.into_iter().enumerate().map(column).collect()
}

fn named(columns: &[(String, ArrayRef)]) -> Vec<(&str, ArrayRef)> {
    columns.iter().map(|(name, array)| (name.as_str(), Arc::clone(array))).collect()
}

fn numbers(values: &[Option<&str>]) -> Vec<Option<i64>> {
    values.iter().map(|value| value.map(|text| text.parse().unwrap())).collect()
}

#[test]
fn records_and_groups_are_read_alike_in_every_form_of_text() {
    let data = Data::new(60, 150);
    for of in ["leads", "persons"] {
        let expected: Vec<Vec<String>> =
            data.keys(of).iter().map(|row| row.iter().map(str::to_owned).collect()).collect();
        let text = fs::read_to_string(data.path(&format!("{of}.csv"))).unwrap();
        for (turn, format) in (0..4).flat_map(|turn| formats().iter().map(move |name| (turn, name)))
        {
            let from = data.path(&format!("records.{format}"));
            write(&from, &named(&columns(&text, |at, cells| as_text(cells, at + turn))));
            let to = format!("keys.{format}");
            let done = data.program("keys", &["--of", of, "--format", format], &from, &to);
            assert_eq!(done.code, 0, "{}", done.stderr);
            assert_eq!(read(&data.path(&to)), expected, "{of} {format} {turn}");
        }
    }
    let groups = as_csv(&join(&data.keys("leads"), &data.keys("persons")));
    for (turn, format) in (0..4).flat_map(|turn| formats().iter().map(move |name| (turn, name))) {
        let whole = |at: usize, cells: &[Option<&str>]| -> ArrayRef {
            match (GROUPS[at].name, turn) {
                ("part", 0) => Arc::new(
                    numbers(cells)
                        .iter()
                        .map(|n| n.map(|n| i16::try_from(n).unwrap()))
                        .collect::<Int16Array>(),
                ),
                ("holders", 1) => Arc::new(
                    numbers(cells)
                        .iter()
                        .map(|n| n.map(i64::unsigned_abs))
                        .collect::<UInt64Array>(),
                ),
                ("part" | "holders", 2) => Arc::new(
                    numbers(cells)
                        .iter()
                        .map(|n| n.map(|n| i32::try_from(n).unwrap()))
                        .collect::<Int32Array>(),
                ),
                ("part" | "hi" | "lo" | "holders", 0..3) => {
                    Arc::new(Int64Array::from(numbers(cells)))
                }
                _ => as_text(cells, at + turn),
            }
        };
        let from = data.path(&format!("groups.{format}"));
        write(&from, &named(&columns(&groups, whole)));
        let to = format!("decisions.{format}");
        let done = data.program("decide", &["--format", format], &from, &to);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let header = "source_pk,status,person_key,match_rule,confidence,fail_reason,evidence,record_digest,stamp";
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(header.split(',')).unwrap();
        for row in read(&data.path(&to)) {
            text.write_record(row).unwrap();
        }
        let text = String::from_utf8(text.into_inner().unwrap()).unwrap();
        assert_eq!(decided(&text), data.in_memory(), "{format} {turn}");
    }
}

#[test]
fn whole_numbers_and_days_are_read_as_their_text() {
    let data = Data::new(0, 0);
    let leads = "id,phone,document,document_type,birth_date,last_name\n\
                 17,987654321,12345678,DNI,1990-02-03,Rojas\n18,,1234567,DNI,,Paz\n";
    fs::write(data.path("leads.csv"), leads).unwrap();
    let expected: Vec<Vec<String>> =
        data.keys("leads").iter().map(|row| row.iter().map(str::to_owned).collect()).collect();
    let typed = columns(leads, |at, cells| match at {
        0 => Arc::new(
            numbers(cells).iter().map(|n| n.map(i64::unsigned_abs)).collect::<UInt64Array>(),
        ),
        1 => Arc::new(Int64Array::from(numbers(cells))),
        2 => Arc::new(
            numbers(cells)
                .iter()
                .map(|n| n.map(|n| i32::try_from(n).unwrap()))
                .collect::<Int32Array>(),
        ),
        4 => Arc::new(Date32Array::from(vec![Some(7_338), None])),
        _ => as_text(cells, 0),
    });
    for format in formats() {
        let from = data.path(&format!("leads.{format}"));
        write(&from, &named(&typed));
        let to = format!("keys.{format}");
        let done = data.program("keys", &["--of", "leads", "--format", format], &from, &to);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(read(&data.path(&to)), expected, "{format}");
    }
}

/// Columns of one row of a type that is not read everywhere.
fn others() -> Vec<ArrayRef> {
    vec![
        Arc::new(Float64Array::from(vec![987_654_321.0])),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(BinaryArray::from(vec![&b"P1"[..]])),
        Arc::new(TimestampMicrosecondArray::from(vec![1])),
        Arc::new(Date32Array::from(vec![1])),
        Arc::new(Int64Array::from(vec![1])),
    ]
}

#[test]
fn a_column_of_another_type_is_refused_by_name_with_its_type_and_what_it_must_be() {
    let data = Data::new(0, 0);
    let one = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let refused = |program: &str, flags: &[&str], columns: &[(&str, ArrayRef)]| {
        for format in formats() {
            let from = data.path(&format!("rows.{format}"));
            write(&from, columns);
            let flags = [flags, &["--format", format]].concat();
            let done = data.program(program, &flags, &from, "out");
            assert_eq!(done.code, 4, "{columns:?}: {}", done.stderr);
            assert!(done.stderr.contains("what to do: "), "{}", done.stderr);
            for (name, array) in columns {
                if array.data_type() != &arrow_schema::DataType::Utf8 {
                    let kind = array.data_type();
                    let told = format!("the column {name} is of the type {kind}, and must be ");
                    assert!(done.stderr.contains(&told), "{told}: {}", done.stderr);
                }
            }
        }
    };
    let is_number = |name: &str| ["part", "hi", "lo", "holders"].contains(&name);
    for at in 0..GROUPS.len() {
        for other in others() {
            let name = GROUPS[at].name;
            let kind = other.data_type();
            let fits = match name {
                "lead" | "person" => kind.is_integer() || kind == &arrow_schema::DataType::Date32,
                name => is_number(name) && kind.is_integer(),
            };
            if fits {
                continue;
            }
            let mut columns: Vec<_> = GROUPS.iter().map(|column| (column.name, one("1"))).collect();
            columns[at].1 = other;
            refused("decide", &[], &columns);
        }
    }
    for (of, names) in [
        ("leads", &["id", "external_id", "phone", "document", "email", "birth_date", "card"][..]),
        ("persons", &["person_key", "phone", "document_type", "full_name", "second_card"]),
    ] {
        for at in 0..names.len() {
            for other in &others()[..4] {
                let mut columns: Vec<_> = names.iter().map(|name| (*name, one("1"))).collect();
                columns[at].1 = Arc::clone(other);
                refused("keys", &["--of", of], &columns);
            }
        }
    }
}

#[test]
fn a_column_that_is_missing_twice_there_or_null_is_refused_by_name() {
    let data = Data::new(20, 40);
    let groups = as_csv(&join(&data.keys("leads"), &data.keys("persons")));
    let refused = |columns: &[(&str, ArrayRef)], told: &str| {
        for format in formats() {
            let from = data.path(&format!("rows.{format}"));
            write(&from, columns);
            let done = data.program("decide", &["--format", format], &from, "out");
            assert!(done.code == 4 && done.stderr.contains(told), "{told}: {}", done.stderr);
        }
    };
    let text = columns(&groups, |_, cells| as_text(cells, 0));
    for (at, column) in GROUPS.iter().enumerate() {
        let mut without = named(&text);
        without.remove(at);
        refused(&without, &format!("the rows lack the columns {}; they have ", column.name));
        let mut twice = named(&text);
        twice.push((column.name, Arc::clone(&text[at].1)));
        refused(&twice, &format!("the rows have the column {} twice", column.name));
        let mut null = named(&text);
        null[at].1 = Arc::new(NullArray::new(text[0].1.len()));
        let number = ["part", "hi", "lo", "holders"].contains(&column.name);
        let why = if number { "holds no whole number of 64 bits" } else { "is blank" };
        refused(&null, &format!(": `{}` {why}", column.name));
    }
    // The same of CSV.
    let joined = rows(&groups);
    for (at, column) in GROUPS.iter().enumerate() {
        let blanked = joined.iter().map(|row| {
            std::array::from_fn(
                |place| if place == at { String::new() } else { row[place].to_owned() },
            )
        });
        fs::write(data.path("rows.csv"), as_csv(&blanked.collect::<Vec<_>>())).unwrap();
        let done = data.program("decide", &[], &data.path("rows.csv"), "out");
        let told = format!(": `{}` ", column.name);
        assert!(done.code == 4 && done.stderr.contains(&told), "{told} {}", done.stderr);
    }
    let one = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    for (columns, told) in [
        (vec![("phone", one("987654321"))], "has no column id, nor external_id; it has phone"),
        (vec![("id", one("1")), ("first_name", one("Ana"))], "has no column phone, nor document"),
    ] {
        write(&data.path("leads.arrow"), &columns);
        let flags = ["--of", "leads", "--format", "arrow"];
        let done = data.program("keys", &flags, &data.path("leads.arrow"), "out");
        assert!(done.code == 4 && done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    write(
        &data.path("leads.arrow"),
        &[
            ("id", Arc::new(StringArray::from(vec![None, Some("1")]))),
            ("phone", Arc::new(NullArray::new(2))),
        ],
    );
    let flags = ["--of", "leads", "--format", "arrow"];
    let done = data.program("keys", &flags, &data.path("leads.arrow"), "out");
    assert!(
        done.code == 5 && done.stderr.contains("row 1 is refused: neither `id`"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_stream_that_is_cut_short_or_damaged_is_refused_and_never_a_panic() {
    let data = Data::new(8, 20);
    let groups = as_csv(&join(&data.keys("leads"), &data.keys("persons")));
    let columns = columns(&groups, |at, cells| as_text(cells, at));
    for (format, name) in [(Format::Arrow, "arrow"), (Format::Parquet, "parquet")] {
        if !formats().contains(&name) {
            continue;
        }
        let path = data.path(&format!("rows.{name}"));
        write(&path, &named(&columns));
        let whole = fs::read(&path).unwrap();
        let reads = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let mut rows = match GroupReader::open(format, File::open(&path).unwrap()) {
                Ok(rows) => rows,
                Err(failure) => return Err(failure.to_string()),
            };
            loop {
                match rows.advance() {
                    Ok(true) => {}
                    Ok(false) => return Ok(rows.row()),
                    Err(failure) => return Err(failure.to_string()),
                }
            }
        };
        let total = reads(&whole).unwrap();
        assert!(total > 8);
        for cut in (0..whole.len()).step_by(97) {
            // Arrow may end at the border of a batch: such a group is cut short, and told so by `decide`.
            let read = reads(&whole[..cut]);
            assert!(read.as_ref().is_err() || read.is_ok_and(|rows| rows < total), "{cut}");
        }
        for at in (0..whole.len()).step_by(13) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = reads(&damaged);
        }
    }
}
