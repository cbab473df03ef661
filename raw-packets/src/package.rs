//! The folder of packets as a Data Package 2.0, so that a stock validator finds what went wrong.
//!
//! <https://datapackage.org/standard/data-package/>. Beside the packets stands `expected-rows.csv`, the
//! keys as issued: every packet has a foreign key to it (an altered key is found), and it has a foreign
//! key to all packets together (a deleted row is found). Two descriptors: as issued, with hashes; and for
//! the return, without hashes but with everything that a filled packet must hold.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::guard::guard;
use crate::load::sha256;
use crate::plan::{Packet, PacketPlan};
use crate::profile::{PacketForm, Profile, packet_csv};
use crate::template::{CellType, Column, Role};
#[cfg(feature = "xlsx")]
use crate::workbook::packet_workbook;

/// The profile that a descriptor names, without which validators take version 1.
const SCHEMA: &str = "https://datapackage.org/profiles/2.0/datapackage.json";

/// The folder of the tables that stand beside the packets, so that the packets stand alone.
const FOLDER: &str = "package";

/// Is one file of a data package: its path within the folder and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// The path, with `/`.
    pub path: String,
    /// What is in the file.
    pub bytes: Vec<u8>,
}

/// Says for which moment a descriptor holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Issued,
    Returned,
}

impl PacketPlan {
    /// Returns a packet's file as issued, in the plan's form.
    #[must_use]
    pub fn issued_file(&self, packet: &Packet) -> PackageFile {
        PackageFile {
            path: packet.file_name().to_owned(),
            bytes: self.filled_file(packet, packet.cells()),
        }
    }

    /// Returns a packet's file with these cells, in the plan's form: one text per column in its
    /// canonical form, as for [`packet_csv`].
    ///
    /// # Panics
    ///
    /// Where a cell has more than 32,767 characters and the form is a workbook.
    #[must_use]
    #[cfg_attr(
        not(feature = "xlsx"),
        expect(unused_variables, reason = "only a workbook carries the packet's id")
    )]
    pub fn filled_file(&self, packet: &Packet, cells: &[String]) -> Vec<u8> {
        match self.options().form {
            PacketForm::Csv(profile) => packet_csv(self.template(), &[cells.to_vec()], profile),
            #[cfg(feature = "xlsx")]
            PacketForm::Xlsx(language) => {
                packet_workbook(self.template(), cells, &packet.id(), language, &[])
                    .expect("a plan and a template hold nothing that is too long for a workbook")
            }
        }
    }

    /// Returns the files that make a folder of these packets a Data Package 2.0: the expected rows and
    /// the descriptors `return.datapackage.json` and `datapackage.json`, in the order of writing.
    ///
    /// None where there are no packets, for a data package has at least one resource; and none for
    /// workbooks, which stock validators read only with extensions.
    ///
    /// ```
    /// use raw_packets::{GapStatus, InMemoryRequest, MetricScope, PacketOptions, PacketPlan, SourceFacts, Template};
    ///
    /// let mut request = InMemoryRequest::new(MetricScope::all_time());
    /// request
    ///     .add_source(SourceFacts { sanction_source_id: "es:a".into(), ..Default::default() })
    ///     .add_gap("es:a", "kpi:formal_annulment_rate", GapStatus::MissingMetric);
    /// let plan = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default())?;
    /// let paths: Vec<_> = plan.data_package().into_iter().map(|file| file.path).collect();
    /// assert_eq!(paths, ["package/expected-rows.csv", "return.datapackage.json", "datapackage.json"]);
    /// # Ok::<(), raw_packets::PlanError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Never: JSON values and memory take every write.
    #[must_use]
    pub fn data_package(&self) -> Vec<PackageFile> {
        let Some(profile) = self.options().form.profile() else { return Vec::new() };
        if self.packets().is_empty() {
            return Vec::new();
        }
        let keys = self.issued_keys();
        let expected = PackageFile {
            path: format!("{FOLDER}/expected-rows.csv"),
            bytes: self.expected_rows(&keys),
        };
        let descriptor = |path: &str, moment| {
            let mut bytes =
                serde_json::to_vec_pretty(&self.descriptor(profile, moment, &keys, &expected))
                    .expect("a JSON value is written");
            bytes.push(b'\n');
            PackageFile { path: path.to_owned(), bytes }
        };
        let returned = descriptor("return.datapackage.json", Moment::Returned);
        let issued = descriptor("datapackage.json", Moment::Issued);
        vec![expected, returned, issued]
    }

    /// Returns the positions of the key columns that are issued with a value in every packet.
    fn issued_keys(&self) -> Vec<usize> {
        let issued =
            |at: &usize| self.packets().iter().all(|packet| !packet.cells()[*at].is_empty());
        let columns = self.template().columns().iter().enumerate();
        columns.filter(|(_, c)| c.role == Role::Key).map(|(at, _)| at).filter(issued).collect()
    }

    fn expected_rows(&self, keys: &[usize]) -> Vec<u8> {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let columns = self.template().columns();
        writer
            .write_record(keys.iter().map(|at| &columns[*at].name))
            .expect("memory takes every write");
        for packet in self.packets() {
            writer
                .write_record(keys.iter().map(|at| guard(&packet.cells()[*at]).into_owned()))
                .expect("memory takes every write");
        }
        writer.into_inner().expect("memory takes every write")
    }

    fn descriptor(
        &self,
        profile: Profile,
        moment: Moment,
        keys: &[usize],
        expected: &PackageFile,
    ) -> Value {
        let template = self.template();
        let names: Vec<&str> =
            keys.iter().map(|at| template.columns()[*at].name.as_str()).collect();
        let fields = keys.iter().map(|at| {
            json!({
                "name": template.columns()[*at].name,
                "type": field_type(template.columns()[*at].cell_type),
            })
        });
        let mut resources = vec![json!({
            "name": "expected-rows",
            "type": "table",
            "title": "The keys as issued",
            "path": expected.path,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": expected.bytes.len(),
            "hash": format!("sha256:{}", sha256(&expected.bytes)),
            "schema": {
                "fields": fields.collect::<Vec<_>>(),
                "primaryKey": names,
                "foreignKeys": [{
                    "fields": names,
                    "reference": { "resource": "all-packets", "fields": names },
                }],
            },
        })];
        for packet in self.packets() {
            let mut resource = table(profile, &packet.key().file_stem(), json!(packet.file_name()));
            resource
                .insert("schema".to_owned(), self.schema(profile, moment, &names, Some(packet)));
            if moment == Moment::Issued {
                let bytes = self.issued_file(packet).bytes;
                resource.insert("bytes".to_owned(), json!(bytes.len()));
                resource.insert("hash".to_owned(), json!(format!("sha256:{}", sha256(&bytes))));
            }
            resources.push(Value::Object(resource));
        }
        let paths: Vec<&str> = self.packets().iter().map(Packet::file_name).collect();
        let mut all = table(profile, "all-packets", json!(paths));
        all.insert("schema".to_owned(), self.schema(profile, moment, &names, None));
        resources.push(Value::Object(all));
        json!({
            "$schema": SCHEMA,
            "name": format!("{}-packets", template.name()),
            "title": template.title().en,
            "description": template.instructions().en,
            "version": format!("{}.0.0", template.version()),
            "sources": self.sources(),
            "resources": resources,
        })
    }

    fn sources(&self) -> Vec<Value> {
        let template = self.template();
        let cell = |packet: &Packet, fill| {
            template.filled_with(&fill).map(|at| packet.cells()[at].clone()).unwrap_or_default()
        };
        let source = |packet: &Packet| {
            let label = cell(packet, crate::template::Fill::SourceLabel);
            let id = packet.key().sanction_source_id.clone();
            let mut source = Map::new();
            source.insert("title".to_owned(), json!(if label.is_empty() { id } else { label }));
            let url = cell(packet, crate::template::Fill::SourceUrl);
            if url.starts_with("http") {
                source.insert("path".to_owned(), json!(url));
            }
            Value::Object(source)
        };
        self.packets().iter().map(source).collect()
    }

    fn schema(
        &self,
        profile: Profile,
        moment: Moment,
        keys: &[&str],
        packet: Option<&Packet>,
    ) -> Value {
        let columns = self.template().columns().iter().enumerate();
        let fields = columns.map(|(at, column)| {
            let issued = packet.map(|packet| packet.cells()[at].as_str());
            field(profile, moment, column, issued.filter(|cell| !cell.is_empty()))
        });
        let mut schema = Map::new();
        schema.insert("fields".to_owned(), fields.collect());
        schema.insert("primaryKey".to_owned(), json!(keys));
        if packet.is_some() {
            let reference = json!({ "resource": "expected-rows", "fields": keys });
            let foreign = json!([{ "fields": keys, "reference": reference }]);
            schema.insert("foreignKeys".to_owned(), foreign);
        }
        if moment == Moment::Returned {
            // A packet may come back with its columns moved.
            schema.insert("fieldsMatch".to_owned(), json!("equal"));
        }
        Value::Object(schema)
    }
}

fn table(profile: Profile, name: &str, path: Value) -> Map<String, Value> {
    let dialect = json!({
        "delimiter": char::from(profile.delimiter()).to_string(),
        "lineTerminator": "\r\n",
    });
    [
        ("name", json!(name)),
        ("type", json!("table")),
        ("path", path),
        ("format", json!("csv")),
        ("mediatype", json!("text/csv")),
        ("encoding", json!("utf-8")),
        ("dialect", dialect),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn field(profile: Profile, moment: Moment, column: &Column, issued: Option<&str>) -> Value {
    let mut field = Map::new();
    let mut put = |key: &str, value| drop(field.insert(key.to_owned(), value));
    put("name", json!(column.name));
    put("type", json!(field_type(column.cell_type)));
    if column.cell_type == CellType::Url {
        put("format", json!("uri"));
    }
    if !column.title.is_empty() {
        put("title", json!(column.title.en));
    }
    if column.cell_type == CellType::Decimal && profile.decimal_mark() == ',' {
        put("decimalChar", json!(","));
    }
    let mut constraints = Map::new();
    if moment == Moment::Returned && column.required {
        constraints.insert("required".to_owned(), json!(true));
    }
    if column.role != Role::Capture
        && let Some(issued) = issued
    {
        let value = match (column.cell_type.is_number(), issued.parse::<i64>()) {
            (true, Ok(number)) => json!(number),
            _ => json!(guard(issued)),
        };
        constraints.insert("enum".to_owned(), json!([value]));
    }
    if column.role == Role::Capture {
        value_constraints(column, &mut constraints);
    }
    if !constraints.is_empty() {
        put("constraints", Value::Object(constraints));
    }
    Value::Object(field)
}

fn value_constraints(column: &Column, constraints: &mut Map<String, Value>) {
    let mut put = |key: &str, value| drop(constraints.insert(key.to_owned(), value));
    if let Some(least) = column.min_length {
        put("minLength", json!(least));
    }
    if !column.one_of.is_empty() {
        put("enum", json!(column.one_of));
    }
    let whole = column.cell_type == CellType::Integer;
    for (bound, plain, exclusive, step) in [
        (&column.minimum, "minimum", "exclusiveMinimum", Decimal::ONE),
        (&column.maximum, "maximum", "exclusiveMaximum", -Decimal::ONE),
    ] {
        let Some(bound) = bound else { continue };
        // Of whole numbers the next one says the same, and every validator knows it.
        let (key, limit) = match (bound.exclusive, whole) {
            (true, true) => (plain, bound.limit + step),
            (true, false) => (exclusive, bound.limit),
            (false, _) => (plain, bound.limit),
        };
        put(key, number(limit));
    }
}

/// Returns a decimal as a JSON number.
fn number(decimal: Decimal) -> Value {
    serde_json::from_str(&decimal.normalize().to_string()).unwrap_or(Value::Null)
}

fn field_type(cell_type: CellType) -> &'static str {
    match cell_type {
        CellType::Text | CellType::Url => "string",
        CellType::Integer => "integer",
        CellType::Decimal => "number",
        CellType::Date => "date",
    }
}
