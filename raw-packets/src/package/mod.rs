//! The folder of packets as a Data Package 2.0, so that a stock validator finds what went wrong.
//!
//! <https://datapackage.org/standard/data-package/>. Beside the packets stands `expected-rows.csv`, the
//! keys as issued: every packet has a foreign key to it (an altered key is found), and it has a foreign
//! key to all packets together (a deleted row is found). Two descriptors: as issued, with hashes; and for
//! the return, without hashes but with everything that a filled packet must hold.

mod readme;

pub(crate) use self::readme::READMES;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::digest::sha256;
use crate::plan::{Packet, PacketPlan};
use crate::profile::{PacketForm, Profile, packet_csv};
use crate::template::{CellType, Column, Role};
use crate::value::guard;
#[cfg(feature = "xlsx")]
use crate::workbook::MarkedSheet;
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
                let sheet = MarkedSheet::issued(self.template(), cells);
                packet_workbook(self.template(), &sheet, packet.id(), language)
                    .expect("a plan and a template hold nothing that is too long for a workbook")
            }
        }
    }

    /// Returns the files that make a folder of these packets a Data Package 2.0: the expected rows and
    /// the descriptors `return.datapackage.json` and `datapackage.json`, in the order of writing.
    ///
    /// None where there are no packets, for a data package has at least one resource. Of workbooks the
    /// descriptors name the sheet; stock validators read them with an extension, such as
    /// `frictionless[excel]`.
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
        self.data_package_of(|packet| Some(packet.id().to_owned()))
    }

    /// As [`PacketPlan::data_package`], where files may stand for packets of an earlier issue.
    pub(crate) fn data_package_of(
        &self,
        packet_id: impl Fn(&Packet) -> Option<String>,
    ) -> Vec<PackageFile> {
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
                serde_json::to_vec_pretty(&self.descriptor(moment, &keys, &expected, &packet_id))
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
        moment: Moment,
        keys: &[usize],
        expected: &PackageFile,
        packet_id: impl Fn(&Packet) -> Option<String>,
    ) -> Value {
        let template = self.template();
        let form = self.options().form;
        let names: Vec<&str> =
            keys.iter().map(|at| template.columns()[*at].name.as_str()).collect();
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
            "schema": self.keys_schema(keys, form.profile().map(|_| "all-packets")),
        })];
        for packet in self.packets() {
            let name = packet.key().file_stem();
            let mut resource = table(form, &name, json!(packet.file_name()));
            resource.insert("schema".to_owned(), self.schema(moment, &names, Some(packet)));
            if moment == Moment::Issued {
                if let Some(id) = packet_id(packet) {
                    resource.insert("packetId".to_owned(), json!(id));
                }
                let bytes = self.issued_file(packet).bytes;
                resource.insert("bytes".to_owned(), json!(bytes.len()));
                resource.insert("hash".to_owned(), json!(format!("sha256:{}", sha256(&bytes))));
            }
            resources.push(Value::Object(resource));
            if form.profile().is_none() {
                // Workbooks cannot be read as one table, so that each is asked for its own row.
                let issued: Vec<_> = keys.iter().map(|at| &packet.cells()[*at]).collect();
                resources.push(json!({
                    "name": format!("expected-row--{name}"),
                    "type": "table",
                    "data": [names, issued],
                    "schema": self.keys_schema(keys, Some(&name)),
                }));
            }
        }
        if form.profile().is_some() {
            let paths: Vec<&str> = self.packets().iter().map(Packet::file_name).collect();
            let mut all = table(form, "all-packets", json!(paths));
            all.insert("schema".to_owned(), self.schema(moment, &names, None));
            resources.push(Value::Object(all));
        }
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

    /// Describes a table of issued keys, each of which has to be in the resource `found_in`.
    fn keys_schema(&self, keys: &[usize], found_in: Option<&str>) -> Value {
        let columns = keys.iter().map(|at| &self.template().columns()[*at]);
        let fields: Vec<_> = columns
            .clone()
            .map(|column| json!({ "name": column.name, "type": field_type(column.cell_type) }))
            .collect();
        let names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        let mut schema = Map::new();
        schema.insert("fields".to_owned(), json!(fields));
        schema.insert("primaryKey".to_owned(), json!(names));
        if let Some(resource) = found_in {
            let reference = json!({ "resource": resource, "fields": names });
            let foreign = json!([{ "fields": names, "reference": reference }]);
            schema.insert("foreignKeys".to_owned(), foreign);
        }
        Value::Object(schema)
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

    fn schema(&self, moment: Moment, keys: &[&str], packet: Option<&Packet>) -> Value {
        let form = self.options().form;
        let columns = self.template().columns().iter().enumerate();
        let fields = columns.map(|(at, column)| {
            let issued = packet.map(|packet| packet.cells()[at].as_str());
            field(form, moment, column, issued.filter(|cell| !cell.is_empty()))
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

fn table(form: PacketForm, name: &str, path: Value) -> Map<String, Value> {
    let mut table = Map::new();
    let mut put = |key: &str, value| drop(table.insert(key.to_owned(), value));
    put("name", json!(name));
    put("type", json!("table"));
    put("path", path);
    match form {
        PacketForm::Csv(profile) => {
            put("format", json!("csv"));
            put("mediatype", json!("text/csv"));
            put("encoding", json!("utf-8"));
            let delimiter = char::from(profile.delimiter()).to_string();
            put("dialect", json!({ "delimiter": delimiter, "lineTerminator": "\r\n" }));
        }
        #[cfg(feature = "xlsx")]
        PacketForm::Xlsx(_) => {
            put("format", json!("xlsx"));
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            put("mediatype", json!(kind));
            put("dialect", json!({ "sheetName": crate::workbook::SHEET }));
        }
    }
    table
}

fn field(form: PacketForm, moment: Moment, column: &Column, issued: Option<&str>) -> Value {
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
    let mark = form.profile().map(Profile::decimal_mark);
    if column.cell_type == CellType::Decimal && mark == Some(',') {
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
            // A workbook knows its texts, and needs no guard.
            _ if form.profile().is_none() => json!(issued),
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
