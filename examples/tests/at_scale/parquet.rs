//! Files of Parquet, and streams of Arrow in the types of engines, as DuckDB and pyarrow write them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::engines::{assert_same, python, scripts};
use super::{Data, decided, rows};
use crate::runner::{run, runner};

/// Runs a few lines of Python with DuckDB (`db`), in the folder of the data.
fn script(python: &Path, data: &Data, lines: &str) -> String {
    let begin = "import sys, duckdb, pyarrow as pa; db = duckdb.connect()";
    let mut command = Command::new(python);
    let done = run(command.current_dir(data.0.path()).args(["-c", &format!("{begin}\n{lines}")]));
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout
}

#[test]
fn what_duckdb_writes_as_parquet_and_arrow_is_read_in_its_own_types() {
    let Some(python) = python("what_duckdb_writes_as_parquet_and_arrow_is_read") else { return };
    let data = Data::new(200, 500);
    let to_csv = "db.execute(\"COPY (SELECT * FROM 'keys.parquet') TO 'keys.csv' (HEADER)\")";
    let expected = data.keys("persons");
    for codec in ["uncompressed", "snappy", "lz4_raw", "zstd"] {
        let write = format!(
            "typed = db.execute(\"SELECT * FROM read_csv('persons.csv')\")\n\
             print(','.join(str(column[1]) for column in typed.description))\n\
             db.execute(\"COPY (SELECT * FROM read_csv('persons.csv')) TO 'persons.parquet' (CODEC {codec})\")"
        );
        let types = script(&python, &data, &write);
        assert!(types.contains("DATE") && types.matches("BIGINT").count() >= 2, "{types}");
        let flags = ["--of", "persons", "--format", "parquet"];
        let done = data.program("keys", &flags, &data.path("persons.parquet"), "keys.parquet");
        assert_eq!(done.code, 0, "{codec}: {}", done.stderr);
        script(&python, &data, to_csv);
        assert_eq!(rows(&fs::read_to_string(data.path("keys.csv")).unwrap()), expected, "{codec}");
    }
    // Enumerations, and as pyarrow and pandas write them: dictionaries, large strings and views of strings.
    script(
        &python,
        &data,
        "table = pa.table(db.execute(\"SELECT * REPLACE (document_type::ENUM('DNI') AS document_type) FROM read_csv('persons.csv')\").to_arrow_table())\n\
         to = {'email': pa.large_string(), 'full_name': pa.string_view(), 'plate': pa.dictionary(pa.int8(), pa.string())}\n\
         table = table.set_column(table.schema.get_field_index('email'), 'email', table['email'].cast(to['email']))\n\
         table = table.set_column(table.schema.get_field_index('full_name'), 'full_name', table['full_name'].cast(to['full_name']))\n\
         table = table.set_column(table.schema.get_field_index('plate'), 'plate', table['plate'].dictionary_encode())\n\
         assert pa.types.is_dictionary(table.schema.field('document_type').type)\n\
         stream = pa.ipc.new_stream('persons.arrow', table.schema)\n\
         stream.write_table(table, max_chunksize=128)\n\
         stream.close()",
    );
    let flags = ["--of", "persons", "--format", "arrow"];
    let done = data.program("keys", &flags, &data.path("persons.arrow"), "keys.arrow");
    assert_eq!(done.code, 0, "{}", done.stderr);
    let to_csv = "import pyarrow.csv, pyarrow.parquet\n\
                  pa.parquet.write_table(pa.ipc.open_stream('keys.arrow').read_all(), 'keys.parquet')\n";
    script(
        &python,
        &data,
        &format!(
            "{to_csv}db.execute(\"COPY (SELECT * FROM 'keys.parquet') TO 'keys.csv' (HEADER)\")"
        ),
    );
    assert_eq!(rows(&fs::read_to_string(data.path("keys.csv")).unwrap()), expected);

    // What needs a codec that is not built in is refused with those that are.
    script(
        &python,
        &data,
        "db.execute(\"COPY (SELECT 'P1' AS person_key, '1' AS phone) TO 'odd.parquet' (CODEC gzip)\")",
    );
    let flags = ["--of", "persons", "--format", "parquet"];
    let done = data.program("keys", &flags, &data.path("odd.parquet"), "out");
    assert!(done.code == 4 && done.stderr.contains("Snappy, LZ4 or Zstandard"), "{}", done.stderr);
}

#[test]
fn a_night_goes_through_duckdb_in_parquet_alone() {
    let Some(python) = python("a_night_goes_through_duckdb_in_parquet_alone") else { return };
    let data = Data::new(300, 700);
    for of in ["leads", "persons"] {
        let write = format!(
            "db.execute(\"COPY (SELECT * FROM read_csv('{of}.csv', all_varchar = true)) TO '{of}.parquet'\")"
        );
        script(&python, &data, &write);
        let flags = ["--of", of, "--format", "parquet"];
        let to = format!("{of}_rows.parquet");
        let done = data.program("keys", &flags, &data.path(&format!("{of}.parquet")), &to);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    let join = format!(
        "sys.path.insert(0, {:?})\n\
         from duckdb_match import STEPS\n\
         for what, one in [('leads', 'lead'), ('persons', 'person')]:\n\
         \x20   db.execute(f\"CREATE VIEW {{what}} AS SELECT * FROM '{{what}}_rows.parquet' WHERE part = 0\")\n\
         \x20   db.execute(f\"CREATE VIEW {{one}}_keys AS SELECT * FROM '{{what}}_rows.parquet' WHERE part = 1\")\n\
         for step in ['holders', 'candidates']:\n\
         \x20   db.execute(f'CREATE TABLE {{step}} AS {{STEPS[step]}}')\n\
         db.execute(f\"COPY (SELECT * FROM ({{STEPS['groups']}}) ORDER BY lead, part, person) TO 'groups.parquet'\")",
        scripts().to_str().unwrap()
    );
    script(&python, &data, &join);
    let flags = ["--format", "parquet"];
    let done = data.program("decide", &flags, &data.path("groups.parquet"), "made.parquet");
    assert_eq!(done.code, 0, "{}", done.stderr);
    script(
        &python,
        &data,
        "db.execute(\"COPY (SELECT * FROM 'made.parquet') TO 'made.csv' (HEADER)\")",
    );
    let made = decided(&fs::read_to_string(data.path("made.csv")).unwrap());
    assert_same(&made, &data.in_memory());

    // A pipe has no end to begin with.
    let mut command = runner("decide");
    command.args(["--secret-file", data.path("secret").to_str().unwrap(), "--format", "parquet"]);
    let mut piped =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(piped.stdin.take());
    let done = piped.wait_with_output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(4) && told.contains("through a pipe"), "{told}");
}
