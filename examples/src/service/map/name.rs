//! Names of tables and columns, as a mapping file writes them and as statements quote them.

use std::fmt;

use serde::Deserialize;
use serde::de::Error as _;

/// The longest name of PostgreSQL, in bytes; a longer one it would cut off without a word.
const LONGEST: usize = 63;

/// The name of a column, whatever its characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::service) struct ColumnName(String);

/// The name of a table or view: `leads`, `crm.leads`, or `crm."Lead.List"` where a name holds a dot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::service) struct TableName {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

fn checked(name: &str) -> Result<String, String> {
    if name.is_empty() || name.len() > LONGEST || name.contains('\0') {
        return Err(format!("a name has 1 to {LONGEST} bytes and no NUL"));
    }
    Ok(name.to_owned())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl TryFrom<String> for ColumnName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        checked(&name).map(Self)
    }
}

impl ColumnName {
    /// The name as it stands in a statement, behind the table's alias.
    pub(super) fn of(&self, alias: &str) -> String {
        format!("{alias}.{}", quoted(&self.0))
    }

    /// The name as it stands in a statement, alone.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.0)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TableName {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, after) = if let Some(inner) = rest.strip_prefix('"') {
                let (part, after) = inner.split_once('"').ok_or("a quote is not closed")?;
                (part, after)
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                rest.split_at(end)
            };
            parts.push(checked(part)?);
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => break,
                None => return Err("a dot must follow a quoted name".to_owned()),
            }
        }
        match <[String; 1]>::try_from(parts) {
            Ok([name]) => Ok(Self { schema: None, name }),
            Err(parts) => match <[String; 2]>::try_from(parts) {
                Ok([schema, name]) => Ok(Self { schema: Some(schema), name }),
                Err(_) => {
                    Err("write TABLE or SCHEMA.TABLE; quote a name that holds a dot".to_owned())
                }
            },
        }
    }

    /// The name as it stands in a statement.
    pub(super) fn quoted(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
            None => quoted(&self.name),
        }
    }
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_so_that_none_is_more_than_a_name() {
        let column = ColumnName::try_from("x\" FROM y; --".to_owned()).unwrap();
        assert_eq!(column.of("m"), "m.\"x\"\" FROM y; --\"");
        let table = TableName::parse("crm.\"Lead.List\"").unwrap();
        assert_eq!(table.quoted(), "\"crm\".\"Lead.List\"");
        assert_eq!(TableName::parse("leads").unwrap().quoted(), "\"leads\"");
        for wrong in ["", "a.b.c", "a.", ".a", "\"a", "\"a\"b", &"x".repeat(64)] {
            assert!(TableName::parse(wrong).is_err(), "{wrong}");
        }
    }
}
