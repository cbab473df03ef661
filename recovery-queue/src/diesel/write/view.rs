//! A view of the user's as a backlog: where it is, what columns it has, and the query that reads it.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::view_values::key_text;
use crate::diesel::write::view_values::{self, Values};
use crate::model::backlog::{Backlog, ViewName};
use crate::model::error::StoreError;

const READ: &str = "the look at the backlog";

/// A view that is a backlog, with the schema that it was found in.
pub(crate) struct BacklogView {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether the user named the schema.
    qualified: bool,
    /// The columns with their types.
    columns: Vec<(String, String)>,
    values: Values,
}

impl BacklogView {
    /// Finds a view, and checks that it is a backlog and the one that was seeded last.
    pub(crate) fn checked(
        db: &mut Database,
        names: &Names,
        backlog: &dyn Backlog,
        view: &ViewName,
    ) -> Result<Self, StoreError> {
        let mut found = Self {
            schema: schema_of(db, view)?,
            name: view.name().to_owned(),
            qualified: view.schema().is_some(),
            columns: columns(db, view)?,
            values: Values::default(),
        };
        found.is_where_it_was(db, names, backlog.name())?;
        let refuse = |(reason, remedy)| StoreError::Backlog {
            backlog: backlog.name().to_owned(),
            reason: format!("view {}: {reason}", view.quoted()),
            remedy,
        };
        found.values = view_values::of(db.is_sqlite(), &found.columns).map_err(refuse)?;
        Ok(found)
    }

    /// Gives the name with its schema, quoted for SQL.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\".\"{}\"", self.schema, self.name)
    }

    /// Refuses a name without a schema that stands for another view than when the backlog was seeded last.
    fn is_where_it_was(
        &self,
        db: &mut Database,
        names: &Names,
        backlog: &str,
    ) -> Result<(), StoreError> {
        if self.qualified {
            return Ok(());
        }
        let sql = "SELECT view_schema AS value FROM {ns}queue_backlog \
             WHERE name = $1 AND view_name = $2 AND view_schema <> $3";
        let params = [Param::Text(backlog), Param::Text(&self.name), Param::Text(&self.schema)];
        let was: Vec<TextRow> = db.query(&names.sql(sql), &params).map_err(failed(READ))?;
        let Some(TextRow { value: was }) = was.first() else { return Ok(()) };
        let (reason, remedy) = elsewhere(was, &self.schema);
        let reason = format!("view {}: {reason}", self.name);
        Err(StoreError::Backlog { backlog: backlog.to_owned(), reason, remedy })
    }

    /// Gives the part of a query that reads the rows of the view whose keys a query of `keys` gives.
    pub(crate) fn wanted(&self, sqlite: bool, keys: &str) -> String {
        format!("{} WHERE {} IN ({keys})", self.quoted(), key_text(sqlite, "lead_source_pk"))
    }

    /// Says whether the keys are in a column of text.
    pub(crate) fn has_text_keys(&self) -> bool {
        self.columns
            .iter()
            .any(|(name, kind)| name == "lead_source_pk" && kind.eq_ignore_ascii_case("text"))
    }

    /// Gives the query that reads rows of the view, `from` it or some of them, as the stage's columns.
    pub(crate) fn rows(&self, sqlite: bool, from: &str) -> String {
        let key = key_text(sqlite, "lead_source_pk");
        let Values { instant, priority, ranked, version } = &self.values;
        let (at, dated) = (Values::at(), Values::dated());
        // It limits nothing: it keeps either backend from working the columns out anew wherever they are used.
        let fence = if sqlite { "LIMIT -1" } else { "OFFSET 0" };
        format!(
            "SELECT source_pk, {at} AS lead_at, lead_version, priority, \
                 CASE WHEN {dated} <> 0 THEN {dated} ELSE ranked END AS problem \
             FROM (SELECT {key} AS source_pk, {instant} AS instant, {version} AS lead_version, \
                 {priority} AS priority, {ranked} AS ranked FROM {from} {fence}) w"
        )
    }

    /// Gives what tells whether a row `v` of the view says anything new: its version, and whether its priority is one
    /// beyond doubt.
    #[cfg(feature = "sqlite")]
    pub(crate) fn told_by(&self) -> [&str; 2] {
        [
            if self.has("lead_version") { "CAST(v.lead_version AS TEXT)" } else { "NULL" },
            if self.has("lead_priority") {
                "typeof(v.lead_priority) IN ('integer', 'null')"
            } else {
                "1"
            },
        ]
    }

    #[cfg(feature = "sqlite")]
    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }
}

/// Says that a name without a schema stands for another relation than the recorded one, and what to do.
pub(crate) fn elsewhere(was: &str, now: &str) -> (String, &'static str) {
    let now = match now {
        "" => "is not found now".to_owned(),
        schema => format!("is found in \"{schema}\" now"),
    };
    (
        format!("it was found in schema \"{was}\" before and {now}"),
        "correct the search_path, or name it with its schema",
    )
}

/// Finds out in which schema a view is found by its name, in this session; empty where in none.
pub(crate) fn schema_of(db: &mut Database, view: &ViewName) -> Result<String, StoreError> {
    if let Some(schema) = view.schema() {
        return Ok(schema.to_owned());
    }
    if db.is_sqlite() {
        return Ok("main".to_owned());
    }
    let sql = "SELECT CAST(n.nspname AS TEXT) AS value FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)";
    let rows: Vec<TextRow> = db.query(sql, &[Param::Text(&view.quoted())]).map_err(failed(READ))?;
    Ok(rows.into_iter().next().map(|row| row.value).unwrap_or_default())
}

#[derive(QueryableByName)]
struct ViewColumn {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
}

/// Reads the columns of a view; none when it does not exist.
pub(crate) fn columns(
    db: &mut Database,
    view: &ViewName,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows: Vec<ViewColumn> = if db.is_sqlite() {
        let schema = view.schema().unwrap_or("main");
        db.query(
            "SELECT name, type AS kind FROM pragma_table_info($1, $2)",
            &[Param::Text(view.name()), Param::Text(schema)],
        )
    } else {
        db.query(
            // A domain is what it is made of, and each kind of text is one. Under `quote_all_identifiers` types are quoted.
            "SELECT CAST(a.attname AS TEXT) AS name, CASE WHEN b.typcategory = 'S' THEN 'text' \
                 ELSE replace(format_type(b.oid, NULL), '\"', '') END AS kind \
             FROM pg_attribute a JOIN pg_type b ON b.oid = ( \
                 WITH RECURSIVE made AS (SELECT a.atttypid AS oid UNION ALL \
                     SELECT t.typbasetype FROM made JOIN pg_type t ON t.oid = made.oid WHERE t.typtype = 'd') \
                 SELECT made.oid FROM made JOIN pg_type t ON t.oid = made.oid WHERE t.typtype <> 'd') \
             WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
            &[Param::Text(&view.quoted())],
        )
    }
    .map_err(failed(READ))?;
    Ok(rows.into_iter().map(|row| (row.name, row.kind.unwrap_or_default())).collect())
}
