//! The folder of packets as a Data Package 2.0, so that a stock validator finds what went wrong.
//!
//! <https://datapackage.org/standard/data-package/>. Beside the packets stands `expected-rows.csv`, the
//! keys as issued: every packet has a foreign key to it (an altered key is found), and it has a foreign
//! key to all packets together (a deleted row is found). Two descriptors: as issued, with hashes; and for
//! the return, without hashes but with everything that a filled packet must hold.

mod descriptor;
mod guide;
mod guide_words;
mod sheet_picture;

pub(crate) use self::guide::GUIDES;

use std::borrow::Cow;

use rust_decimal::Decimal;

use self::descriptor::{
    Allowed, Constraints, Content, DataPackage, Dialect, Field, FieldType, FieldsMatch, Files,
    ForeignKey, Paths, Proof, Resource, ResourceType, Schema, Source, number,
};
use crate::plan::{Packet, PacketPlan};
use crate::profile::{CsvProfile, PacketForm, packet_csv};
use crate::template::{Bound, CellType, Choice, Column, Fill, Role};
use crate::value::{escape_hidden, guard};
#[cfg(feature = "xlsx")]
use crate::workbook::MarkedSheet;
#[cfg(feature = "xlsx")]
use crate::workbook::packet_workbook;

/// The profile that a descriptor names, without which validators take version 1.
const PROFILE: &str = "https://datapackage.org/profiles/2.0/datapackage.json";

/// The folder of the tables that stand beside the packets, so that the packets stand alone.
const FOLDER: &str = "package";

/// One file of a data package: its path within the folder and its bytes.
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
    /// Never: memory takes every write.
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
                    .expect("a descriptor is plain data");
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

    fn descriptor<'a>(
        &'a self,
        moment: Moment,
        keys: &[usize],
        expected: &'a PackageFile,
        packet_id: impl Fn(&Packet) -> Option<String>,
    ) -> DataPackage<'a> {
        let template = self.template();
        let form = self.options().form;
        let is_csv = form.profile().is_some();
        let names: Vec<&str> =
            keys.iter().map(|at| template.columns()[*at].name.as_str()).collect();
        let table = |name: String, content: Content<'a>, schema: Schema<'a>| Resource {
            name,
            kind: ResourceType::Table,
            title: None,
            content,
            packet_id: None,
            schema,
        };
        let content = Content::Files(Files {
            path: Paths::One(&expected.path),
            format: "csv",
            mediatype: "text/csv",
            encoding: Some("utf-8"),
            dialect: None,
            proof: Some(Proof::of(&expected.bytes)),
        });
        let schema = self.keys_schema(keys, &names, is_csv.then_some("all-packets"));
        let mut resources = vec![Resource {
            title: Some("The keys as issued"),
            ..table("expected-rows".to_owned(), content, schema)
        }];
        for packet in self.packets() {
            let name = packet.key().file_stem();
            let issued = moment == Moment::Issued;
            let proof = issued.then(|| Proof::of(&self.issued_file(packet).bytes));
            let content = Content::Files(files(form, Paths::One(packet.file_name()), proof));
            let schema = self.schema(moment, &names, Some(packet));
            resources.push(Resource {
                packet_id: packet_id(packet).filter(|_| issued),
                ..table(name.clone(), content, schema)
            });
            if !is_csv {
                // Workbooks cannot be read as one table, so that each is asked for its own row.
                let issued = keys.iter().map(|at| packet.cells()[*at].as_str()).collect();
                let content = Content::Inline { data: [names.clone(), issued] };
                let schema = self.keys_schema(keys, &names, Some(&name));
                resources.push(table(format!("expected-row--{name}"), content, schema));
            }
        }
        if is_csv {
            let paths = self.packets().iter().map(Packet::file_name).collect();
            let content = Content::Files(files(form, Paths::Several(paths), None));
            let schema = self.schema(moment, &names, None);
            resources.push(table("all-packets".to_owned(), content, schema));
        }
        DataPackage {
            profile: PROFILE,
            name: format!("{}-packets", template.name()),
            title: &template.title().en,
            description: &template.instructions().en,
            version: format!("{}.0.0", template.version()),
            sources: self.packets().iter().map(|packet| self.source(packet)).collect(),
            resources,
        }
    }

    /// Describes a table of issued keys, each of which has to be in the resource `found_in`.
    fn keys_schema<'a>(
        &'a self,
        keys: &[usize],
        names: &[&'a str],
        found_in: Option<&str>,
    ) -> Schema<'a> {
        let columns = keys.iter().map(|at| &self.template().columns()[*at]);
        let field = |column: &'a Column| Field {
            name: &column.name,
            kind: field_type(column.cell_type),
            format: None,
            title: None,
            decimal_char: None,
            constraints: Constraints::default(),
        };
        Schema {
            fields: columns.map(field).collect(),
            primary_key: names.to_vec(),
            foreign_keys: found_in.map(|resource| [ForeignKey::into(resource, names)]),
            fields_match: None,
        }
    }

    fn source<'a>(&'a self, packet: &'a Packet) -> Source<'a> {
        let cell = |fill: Fill| {
            self.template().filled_with(&fill).map_or("", |at| packet.cells()[at].as_str())
        };
        let (label, url) = (cell(Fill::SourceLabel), cell(Fill::SourceUrl));
        let id = packet.key().sanction_source_id.as_str();
        Source {
            title: if label.is_empty() { id } else { label },
            path: url.starts_with("http").then_some(url),
        }
    }

    fn schema<'a>(
        &'a self,
        moment: Moment,
        keys: &[&'a str],
        packet: Option<&'a Packet>,
    ) -> Schema<'a> {
        let form = self.options().form;
        let columns = self.template().columns().iter().enumerate();
        let fields = columns.map(|(at, column)| {
            let issued = packet.map(|packet| packet.cells()[at].as_str());
            field(form, moment, column, issued.filter(|cell| !cell.is_empty()))
        });
        Schema {
            fields: fields.collect(),
            primary_key: keys.to_vec(),
            foreign_keys: packet.map(|_| [ForeignKey::into("expected-rows", keys)]),
            // A packet may come back with its columns moved.
            fields_match: (moment == Moment::Returned).then_some(FieldsMatch::Equal),
        }
    }
}

/// Describes the files of packets.
fn files(form: PacketForm, path: Paths<'_>, proof: Option<Proof>) -> Files<'_> {
    match form {
        PacketForm::Csv(profile) => Files {
            path,
            format: "csv",
            mediatype: "text/csv",
            encoding: Some("utf-8"),
            dialect: Some(Dialect::Delimited {
                delimiter: char::from(profile.delimiter()),
                line_terminator: "\r\n",
            }),
            proof,
        },
        #[cfg(feature = "xlsx")]
        PacketForm::Xlsx(_) => Files {
            path,
            format: "xlsx",
            mediatype: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            encoding: None,
            dialect: Some(Dialect::Workbook { sheet_name: crate::workbook::SHEET }),
            proof,
        },
    }
}

fn field<'a>(
    form: PacketForm,
    moment: Moment,
    column: &'a Column,
    issued: Option<&'a str>,
) -> Field<'a> {
    let mut constraints = match column.role {
        Role::Capture => value_constraints(column),
        Role::Key | Role::Context => Constraints {
            one_of: issued.map(|issued| allowed(form, column, issued)).into_iter().collect(),
            ..Constraints::default()
        },
    };
    constraints.required = moment == Moment::Returned && column.required;
    let mark = form.profile().map(CsvProfile::decimal_mark);
    let is_decimal = column.cell_type == CellType::Decimal;
    Field {
        name: &column.name,
        kind: field_type(column.cell_type),
        format: (column.cell_type == CellType::Url).then_some("uri"),
        title: Some(column.title.en.as_str()).filter(|_| !column.title.is_empty()),
        decimal_char: mark.filter(|mark| is_decimal && *mark == ','),
        constraints,
    }
}

/// Returns the only value that an issued cell may have.
fn allowed<'a>(form: PacketForm, column: &Column, issued: &'a str) -> Allowed<'a> {
    match issued.parse() {
        Ok(number) if column.cell_type.is_number() => Allowed::Number(number),
        // A workbook knows its texts, and needs no guard.
        _ if form.profile().is_none() => Allowed::Text(escape_hidden(issued)),
        _ => Allowed::Text(guard(issued)),
    }
}

fn value_constraints(column: &Column) -> Constraints<'_> {
    let whole = column.cell_type == CellType::Integer;
    // Of whole numbers the next one says the same as an exclusive bound, and every validator knows it.
    let plain = |bound: &Option<Bound>, step: Decimal| {
        let bound = bound.as_ref()?;
        match (bound.exclusive, whole) {
            (false, _) => number(bound.limit),
            (true, true) => number(bound.limit + step),
            (true, false) => None,
        }
    };
    let exclusive = |bound: &Option<Bound>| {
        bound.as_ref().filter(|bound| bound.exclusive && !whole).and_then(|b| number(b.limit))
    };
    let mut words: Vec<&str> = Vec::new();
    for word in column.one_of.iter().flat_map(Choice::words) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Constraints {
        required: false,
        min_length: column.min_length,
        minimum: plain(&column.minimum, Decimal::ONE),
        exclusive_minimum: exclusive(&column.minimum),
        maximum: plain(&column.maximum, -Decimal::ONE),
        exclusive_maximum: exclusive(&column.maximum),
        one_of: words.into_iter().map(|word| Allowed::Text(Cow::Borrowed(word))).collect(),
    }
}

fn field_type(cell_type: CellType) -> FieldType {
    match cell_type {
        CellType::Text | CellType::Url => FieldType::String,
        CellType::Integer => FieldType::Integer,
        CellType::Decimal => FieldType::Number,
        CellType::Date => FieldType::Date,
    }
}
