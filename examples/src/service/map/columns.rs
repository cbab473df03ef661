//! The columns that a table has, and how each is read as text whatever the session's settings are.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use identity_matching::KeyKind;

use super::name::{ColumnName, TableName};
use crate::cli::Failure;
use crate::service::database::{Database, Dialect};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// A table or view as the database has it.
#[derive(Debug)]
pub(super) struct TableColumns {
    table: TableName,
    dialect: Dialect,
    kinds: BTreeMap<String, String>,
}

/// A column of it: its type, and the place that messages name.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: ColumnName,
    /// The type, in the database's words and in lower case.
    pub(super) kind: String,
    dialect: Dialect,
}

impl Database {
    /// Looks a table up.
    ///
    /// # Errors
    ///
    /// A table that is not there, or that the role may not look at.
    pub(super) fn columns_of(&mut self, table: &TableName) -> Result<TableColumns, Failure> {
        let dialect = self.dialect();
        if dialect == Dialect::Sqlite && table.schema.as_deref().is_some_and(|name| name != "main")
        {
            return Err(Failure::new(format_args!("{table}: SQLite has no schemas"))
                .remedy("write the name of the table alone"));
        }
        self.find_columns(table)?.ok_or_else(|| {
            Failure::new(format_args!("table or view {table}: it does not exist"))
                .remedy("name one that is there, with its schema; case counts")
        })
    }

    /// Looks a table up; nothing where there is none of this name.
    ///
    /// # Errors
    ///
    /// A table that the role may not look at.
    pub(super) fn find_columns(
        &mut self,
        table: &TableName,
    ) -> Result<Option<TableColumns>, Failure> {
        let dialect = self.dialect();
        if dialect == Dialect::Sqlite && table.schema.as_deref().is_some_and(|name| name != "main")
        {
            return Ok(None);
        }
        let (sql, name) = match dialect {
            // What a column of PostgreSQL holds, its domain taken off.
            Dialect::Postgres => (
                "SELECT CAST(a.attname AS TEXT) AS name, CASE WHEN b.typtype = 'e' THEN 'enum' \
                     ELSE replace(format_type(b.oid, NULL), '\"', '') END AS kind \
                 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                 JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
                 JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('f', 'm', 'p', 'r', 'v') \
                 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
                table.quoted(),
            ),
            Dialect::Sqlite => {
                ("SELECT name, lower(type) AS kind FROM pragma_table_xinfo($1)", table.name.clone())
            }
        };
        let found: Vec<Found> =
            diesel::sql_query(sql).bind::<Text, _>(name).load(&mut self.connection)?;
        if found.is_empty() {
            return Ok(None);
        }
        let kinds = found.into_iter().map(|row| (row.name, row.kind)).collect();
        Ok(Some(TableColumns { table: table.clone(), dialect, kinds }))
    }
}

impl TableColumns {
    /// Finds a column.
    pub(super) fn column(&self, name: &ColumnName) -> Result<Column, Failure> {
        let found = self.kinds.get_key_value(name.as_str()).or_else(|| {
            // SQLite takes names without regard to case.
            let same = |found: &&String| found.eq_ignore_ascii_case(name.as_str());
            let sqlite = self.dialect == Dialect::Sqlite;
            self.kinds
                .keys()
                .find(same)
                .filter(|_| sqlite)
                .and_then(|name| self.kinds.get_key_value(name))
        });
        let Some((_, kind)) = found else {
            let names: Vec<_> = self.kinds.keys().map(String::as_str).collect();
            return Err(Failure::new(format_args!("{}: it has no column {name}", self.table))
                .remedy(format_args!("take one of {}", names.join(", "))));
        };
        Ok(Column { name: name.clone(), kind: kind.clone(), dialect: self.dialect })
    }

    /// Finds a column that is read as text.
    pub(super) fn text(&self, name: &ColumnName, means: &str) -> Result<Column, Failure> {
        let column = self.column(name)?;
        column.check(means).map_err(|why| {
            Failure::new(format_args!("{}.{name}, as {means}: {why}", self.table))
                .remedy("name a view that shows it as text, one value a row")
        })?;
        Ok(column)
    }
}

/// Columns of own kinds as one text, as the runners' own tables keep them: an object of kinds, each with the list of its
/// values.
pub(super) fn own_values(columns: &[(KeyKind, Column)], alias: &str) -> String {
    let Some((_, first)) = columns.first() else { return "CAST(NULL AS TEXT)".to_owned() };
    let (object, array) = match first.dialect {
        Dialect::Sqlite => ("json_object", "json_array"),
        Dialect::Postgres => ("json_build_object", "json_build_array"),
    };
    // The code of a kind is letters, digits and underscores alone.
    let values =
        columns.iter().map(|(kind, column)| format!("'{kind}', {array}({})", column.text(alias)));
    format!("CAST({object}({}) AS TEXT)", values.collect::<Vec<_>>().join(", "))
}

impl Column {
    fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }

    pub(super) fn is_time_without_zone(&self) -> bool {
        self.is(&["timestamp without time zone"])
    }

    pub(super) fn is_zoned(&self) -> bool {
        self.is(&["timestamp with time zone"])
    }

    /// Says whether any text can be written into it.
    pub(super) fn is_text(&self) -> bool {
        self.dialect == Dialect::Sqlite
            || self.is(&["text", "character varying", "character", "citext"])
    }

    /// Says whether [`text`](Self::text) is the plain cast to text, and an index of the column finds a value by it.
    pub(super) fn is_cast_as_written(&self) -> bool {
        match self.dialect {
            // By the rules of affinity such a column holds texts and whole numbers alone, but for what fits neither.
            Dialect::Sqlite => {
                ["int", "char", "clob", "text"].iter().any(|part| self.kind.contains(part))
            }
            Dialect::Postgres => {
                self.is(&["text", "character varying", "uuid", "smallint", "integer", "bigint"])
            }
        }
    }

    fn check(&self, means: &str) -> Result<(), String> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let whole = ["smallint", "integer", "bigint", "numeric", "uuid", "enum"];
        let text = ["text", "character varying", "character", "citext", "name"];
        let dates = ["date", "timestamp without time zone"];
        match means {
            "birth_date" if self.is_zoned() => {
                Err("it is a moment, and which day that is depends on the zone".to_owned())
            }
            "changed" | "lead_created_at" if self.is_zoned() => Ok(()),
            "evidence" if self.is(&["json", "jsonb"]) => Ok(()),
            _ if self.is(&whole) || self.is(&text) || self.is(&dates) => Ok(()),
            _ => Err(format!("it has the type {}, which is not read", self.kind)),
        }
    }

    /// The column as it lies in the table.
    pub(super) fn raw(&self, alias: &str) -> String {
        self.name.of(alias)
    }

    /// The column as text: the same whatever zone, date style or locale the session has.
    pub(super) fn text(&self, alias: &str) -> String {
        let raw = self.raw(alias);
        match self.dialect {
            Dialect::Sqlite => format!(
                "CASE typeof({raw}) WHEN 'real' THEN printf('%.15g', {raw}) WHEN 'blob' THEN NULL \
                 ELSE CAST({raw} AS TEXT) END"
            ),
            Dialect::Postgres => match self.kind.as_str() {
                "date" => format!("to_char({raw}, 'YYYY-MM-DD')"),
                "numeric" => format!("CAST(trim_scale({raw}) AS TEXT)"),
                "timestamp without time zone" => {
                    format!("to_char({raw}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
                }
                "timestamp with time zone" => {
                    format!(
                        "to_char({raw} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
                    )
                }
                _ => format!("CAST({raw} AS TEXT)"),
            },
        }
    }

    /// A condition that the column is one of the texts that `$1` lists as JSON; it can use an index of the column.
    ///
    /// It may let a row through whose text is another (letters of other case, leading zeros): whoever asks compares.
    pub(super) fn is_listed(&self, alias: &str) -> String {
        let raw = self.raw(alias);
        if self.dialect == Dialect::Sqlite {
            let kind = &self.kind;
            let has_affinity =
                ["int", "char", "clob", "text", "real", "floa", "doub", "num", "dec", "date"];
            return if has_affinity.iter().any(|part| kind.contains(part)) {
                format!("{raw} IN (SELECT value FROM json_each($1))")
            } else {
                format!("{} IN (SELECT value FROM json_each($1))", self.text(alias))
            };
        }
        let listed = |value: &str| {
            format!(
                "(SELECT {value} FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS listed (value))"
            )
        };
        match self.kind.as_str() {
            "text" | "character varying" => format!("{raw} IN {}", listed("value")),
            "uuid" => {
                let pattern = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
                let value = format!("CASE WHEN value ~ '{pattern}' THEN CAST(value AS uuid) END");
                format!("{raw} IN {}", listed(&value))
            }
            "smallint" | "integer" | "bigint" => {
                let value = "CASE WHEN value ~ '^-?[0-9]{1,18}$' THEN CAST(value AS bigint) END";
                format!("{raw} IN {}", listed(value))
            }
            _ => format!("{} IN {}", self.text(alias), listed("value")),
        }
    }

    /// A condition that two columns name the same; as they lie where their types are one, so that indexes serve.
    pub(super) fn equals(&self, alias: &str, other: &Self, theirs: &str) -> String {
        if self.kind == other.kind {
            format!("{} = {}", self.raw(alias), other.raw(theirs))
        } else {
            format!("{} = {}", self.text(alias), other.text(theirs))
        }
    }

    /// A condition that the column moved past the mark that `$1` holds; where the database's clock made it, with some
    /// minutes to spare for transactions that were open then.
    pub(super) fn is_past(&self, alias: &str) -> String {
        let raw = self.raw(alias);
        match (self.dialect, self.kind.as_str()) {
            (Dialect::Sqlite, _) => format!("{raw} > $1"),
            (_, "timestamp with time zone") => {
                format!("{raw} >= CAST($1 AS timestamptz) - interval '10 minutes'")
            }
            (_, "timestamp without time zone") => format!("{raw} > CAST($1 AS timestamp)"),
            (_, "smallint" | "integer" | "bigint" | "numeric") => {
                format!("{raw} > CAST($1 AS numeric)")
            }
            (_, "date") => format!("{raw} >= CAST($1 AS date)"),
            _ => format!("{} COLLATE \"C\" > $1", self.text(alias)),
        }
    }

    /// The mark that a read now leaves: the database's clock where the column is a moment, else the greatest value.
    pub(super) fn mark(&self, alias: &str) -> String {
        match (self.dialect, self.kind.as_str()) {
            (Dialect::Postgres, "timestamp with time zone") => {
                "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')".to_owned()
            }
            (
                Dialect::Postgres,
                "smallint"
                | "integer"
                | "bigint"
                | "numeric"
                | "date"
                | "timestamp without time zone",
            ) => {
                let greatest = format!("max({})", self.raw(alias));
                if self.is_time_without_zone() {
                    format!("to_char({greatest}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
                } else {
                    format!("CAST({greatest} AS TEXT)")
                }
            }
            (Dialect::Postgres, _) => format!("max({} COLLATE \"C\")", self.text(alias)),
            (Dialect::Sqlite, _) => format!("CAST(max({}) AS TEXT)", self.raw(alias)),
        }
    }
}
