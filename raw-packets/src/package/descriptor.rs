//! The descriptor of a Data Package 2.0 as its JSON is written.
//!
//! <https://datapackage.org/standard/data-package/>, with the parts for resources, dialects and schemas of
//! tables.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Number;

/// A folder of tables.
#[derive(Debug, Serialize)]
pub(super) struct DataPackage<'a> {
    #[serde(rename = "$schema")]
    pub(super) profile: &'static str,
    pub(super) name: String,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) version: String,
    pub(super) sources: Vec<Source<'a>>,
    pub(super) resources: Vec<Resource<'a>>,
}

/// Where data comes from.
#[derive(Debug, Serialize)]
pub(super) struct Source<'a> {
    pub(super) title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<&'a str>,
}

/// One table.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource<'a> {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: ResourceType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'static str>,
    #[serde(flatten)]
    pub(super) content: Content<'a>,
    /// The id of the packet that was issued as this file; a key of our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packet_id: Option<String>,
    pub(super) schema: Schema<'a>,
}

/// What a resource is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ResourceType {
    Table,
}

/// Where the rows of a table stand.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    /// In one file or several.
    Files(Files<'a>),
    /// In the descriptor itself, the names of the columns first.
    Inline { data: [Vec<&'a str>; 2] },
}

/// The files of a table.
#[derive(Debug, Serialize)]
pub(super) struct Files<'a> {
    pub(super) path: Paths<'a>,
    pub(super) format: &'static str,
    pub(super) mediatype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dialect: Option<Dialect>,
    #[serde(flatten)]
    pub(super) proof: Option<Proof>,
}

/// One path, or several whose files are one table.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Paths<'a> {
    One(&'a str),
    Several(Vec<&'a str>),
}

/// By what a file is known to be unchanged.
#[derive(Debug, Serialize)]
pub(super) struct Proof {
    bytes: usize,
    hash: String,
}

impl Proof {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), hash: format!("sha256:{}", crate::digest::sha256(bytes)) }
    }
}

/// How a file is to be read.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Dialect {
    /// As lines with a character between the cells.
    Delimited { delimiter: char, line_terminator: &'static str },
    /// As a sheet of a workbook.
    #[cfg(feature = "xlsx")]
    Workbook { sheet_name: &'static str },
}

/// The columns of a table, and what its rows keep to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Schema<'a> {
    pub(super) fields: Vec<Field<'a>>,
    pub(super) primary_key: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) foreign_keys: Option<[ForeignKey<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields_match: Option<FieldsMatch>,
}

/// How the columns of a file fit those of its schema.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FieldsMatch {
    /// The same ones in any order.
    Equal,
}

/// Columns whose values have to be in another table, under the same names.
#[derive(Debug, Serialize)]
pub(super) struct ForeignKey<'a> {
    fields: Vec<&'a str>,
    reference: Reference<'a>,
}

#[derive(Debug, Serialize)]
struct Reference<'a> {
    resource: String,
    fields: Vec<&'a str>,
}

impl<'a> ForeignKey<'a> {
    pub(super) fn into(resource: impl Into<String>, fields: &[&'a str]) -> Self {
        let reference = Reference { resource: resource.into(), fields: fields.to_vec() };
        Self { fields: fields.to_vec(), reference }
    }
}

/// One column.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: FieldType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decimal_char: Option<char>,
    #[serde(skip_serializing_if = "Constraints::is_empty")]
    pub(super) constraints: Constraints<'a>,
}

/// What the cells of a column hold.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FieldType {
    String,
    Integer,
    Number,
    Date,
}

/// What the cells of a column keep to.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Constraints<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) minimum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exclusive_minimum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exclusive_maximum: Option<Number>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(super) one_of: Vec<Allowed<'a>>,
}

impl Constraints<'_> {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A value that a cell may have.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Allowed<'a> {
    Number(i64),
    Text(std::borrow::Cow<'a, str>),
}

/// Returns a decimal as a JSON number; nothing where it has more digits than one can have.
pub(super) fn number(decimal: Decimal) -> Option<Number> {
    serde_json::from_str(&decimal.normalize().to_string()).ok()
}
