//! Values of a policy's own kinds: in the columns of a file, and in one column of a table.

use std::collections::BTreeMap;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::sql_types::Text;
use identity_matching::{KeyKind, NormaliseOptions, OwnValue};
use raw_packets::table::{Row, TableSchema};

/// The columns that hold values of a policy's own kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnColumns(Vec<(KeyKind, String)>);

impl OwnColumns {
    /// Lists the columns of the kinds that are read beyond the built-in ones.
    #[must_use]
    pub fn of(options: &NormaliseOptions) -> Self {
        let own = options.own_kinds();
        let columns = own
            .flat_map(|kind| kind.columns().into_iter().map(move |column| (kind.code(), column)));
        Self(columns.collect())
    }

    /// Lists the columns by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, column)| column.as_str())
    }

    /// Adds the columns of another policy's kinds.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_unstable();
        self.0.dedup();
        self
    }

    /// Adds these columns to those of a table: they are taken where they are there, and identify like the built-in ones.
    pub(crate) fn of_table(&self, schema: TableSchema, keys: &[&str]) -> TableSchema {
        if self.0.is_empty() {
            return schema;
        }
        let columns = schema.columns().iter().map(String::as_str).chain(self.names());
        TableSchema::new(schema.name(), columns)
            .needs(keys.iter().copied())
            .needs(["phone", "document", "email", "plate"].into_iter().chain(self.names()))
            .accepts(self.names())
    }

    /// Lists the values of a row.
    pub(crate) fn values<'a>(
        &'a self,
        row: Row<'a>,
    ) -> impl Iterator<Item = (KeyKind, &'a str)> + 'a {
        self.0.iter().filter_map(move |(kind, column)| Some((*kind, row.optional(column)?)))
    }

    /// Copies the values of a row that gives its columns by name.
    pub fn listed<'a>(&self, get: impl Fn(&str) -> Option<&'a str>) -> Vec<OwnValue> {
        let values = self.0.iter().filter_map(|(kind, column)| {
            Some(OwnValue { kind: *kind, value: get(column)?.to_owned() })
        });
        values.collect()
    }

    /// Writes the values of a row as a table keeps them: an object of kinds, each with the list of its values; nothing
    /// where the row has none.
    pub(crate) fn kept(&self, row: Row<'_>) -> Option<String> {
        let mut kinds: BTreeMap<KeyKind, Vec<&str>> = BTreeMap::new();
        for (kind, value) in self.values(row) {
            kinds.entry(kind).or_default().push(value);
        }
        (!kinds.is_empty()).then(|| serde_json::to_string(&kinds).expect("texts under texts"))
    }
}

/// Values of own kinds as a table keeps them.
///
/// `Debug` shows the kinds alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, diesel::deserialize::FromSqlRow)]
pub struct KeptValues(Vec<OwnValue>);

impl KeptValues {
    /// Lists the values.
    #[must_use]
    pub fn as_slice(&self) -> &[OwnValue] {
        &self.0
    }
}

impl<DB: Backend> FromSql<Text, DB> for KeptValues
where
    String: FromSql<Text, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(bytes)?;
        // What is wrong with it could show a value.
        let kinds: BTreeMap<KeyKind, Vec<Option<String>>> = serde_json::from_str(&text).map_err(
            |_| "own_values is no JSON object of kinds, each with a list of texts; import the file anew",
        )?;
        let values = kinds.into_iter().flat_map(|(kind, values)| {
            values.into_iter().flatten().map(move |value| OwnValue { kind, value })
        });
        Ok(Self(values.filter(|own| !own.value.trim().is_empty()).collect()))
    }
}
