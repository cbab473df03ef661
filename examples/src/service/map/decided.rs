//! A table or view of decisions that were made elsewhere.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::name::{ColumnName, TableName};
use crate::cli::Failure;
use crate::service::database::{Database, Dialect};

/// A table or view with the columns that `decide` writes, and the statements that read it.
#[derive(Clone, Debug)]
pub struct DecisionTable {
    name: String,
    indexed: Option<bool>,
    rows: String,
    stamps: String,
    repeated: String,
}

impl DecisionTable {
    /// Returns the name, with its schema where one was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether an index finds a lead's row; nothing of a view, which may have any plan.
    #[must_use]
    pub fn is_indexed(&self) -> Option<bool> {
        self.indexed
    }
}

/// One decision, as a file or a table holds it.
///
/// `Debug` shows the key alone.
#[derive(Clone, Default, PartialEq, Eq, QueryableByName)]
pub struct DecisionRow {
    /// The lead's key.
    #[diesel(sql_type = Nullable<Text>)]
    pub source_pk: Option<String>,
    /// `matched` or `failed`.
    #[diesel(sql_type = Nullable<Text>)]
    pub status: Option<String>,
    /// The person of a match.
    #[diesel(sql_type = Nullable<Text>)]
    pub person_key: Option<String>,
    /// The rule of a match.
    #[diesel(sql_type = Nullable<Text>)]
    pub match_rule: Option<String>,
    /// The grade of a match.
    #[diesel(sql_type = Nullable<Text>)]
    pub confidence: Option<String>,
    /// Why there is no match.
    #[diesel(sql_type = Nullable<Text>)]
    pub fail_reason: Option<String>,
    /// The evidence, as JSON.
    #[diesel(sql_type = Nullable<Text>)]
    pub evidence: Option<String>,
    /// What tells the record that was decided from any other.
    #[diesel(sql_type = Nullable<Text>)]
    pub record_digest: Option<String>,
    /// What the decision was made by.
    #[diesel(sql_type = Nullable<Text>)]
    pub stamp: Option<String>,
}

impl std::fmt::Debug for DecisionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecisionRow").field("source_pk", &self.source_pk).finish_non_exhaustive()
    }
}

#[derive(QueryableByName)]
struct StampRow {
    #[diesel(sql_type = Nullable<Text>)]
    stamp: Option<String>,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

#[derive(QueryableByName)]
struct Indexed {
    /// 1 for an index, 0 for none, and nothing where there can be none.
    #[diesel(sql_type = Nullable<BigInt>)]
    found: Option<i64>,
}

impl Database {
    /// Finds a table or view of decisions, which has these columns; nothing where the name is none of a table or view.
    ///
    /// # Errors
    ///
    /// The database's, and columns that it lacks or that are not read; named.
    pub fn decision_table(
        &mut self,
        name: &str,
        columns: &[&str],
    ) -> Result<Option<DecisionTable>, Failure> {
        let Ok(table) = TableName::parse(name) else { return Ok(None) };
        let Some(found) = self.find_columns(&table)? else { return Ok(None) };
        let text = |column: &str| {
            let name = ColumnName::try_from(column.to_owned()).map_err(Failure::new)?;
            found.text(&name, column).map_err(|failure| {
                failure.remedy("a table of decisions has the columns that `decide` writes, as text")
            })
        };
        let (key, stamp) = (text("source_pk")?, text("stamp")?.text("t"));
        let listed = columns
            .iter()
            .map(|column| Ok(format!("{} AS {column}", text(column)?.text("t"))))
            .collect::<Result<Vec<_>, Failure>>()?
            .join(", ");
        let bytes = match self.dialect() {
            Dialect::Sqlite => "BINARY",
            Dialect::Postgres => "\"C\"",
        };
        let from = table.quoted();
        Ok(Some(DecisionTable {
            rows: format!("SELECT {listed} FROM {from} AS t WHERE {}", key.is_listed("t")),
            stamps: format!(
                "SELECT {stamp} COLLATE {bytes} AS stamp, CAST(COUNT(*) AS BIGINT) AS leads FROM {from} AS t \
                 GROUP BY 1 ORDER BY 1"
            ),
            repeated: format!(
                "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM (SELECT 1 AS one FROM {from} AS t \
                 GROUP BY {lead} HAVING COUNT(*) > 1 OR COALESCE({lead}, '') = '') AS repeated",
                lead = format_args!("{} COLLATE {bytes}", key.text("t")),
            ),
            indexed: self.is_indexed(&table, "source_pk")?,
            name: table.to_string(),
        }))
    }

    /// Says whether an index begins with the column; nothing of a view, which may pass on the index of its table.
    pub(super) fn is_indexed(
        &mut self,
        table: &TableName,
        column: &str,
    ) -> Result<Option<bool>, Failure> {
        let (sql, name) = match self.dialect() {
            // Numbered, since SQLite counts a `$2` that stands first as the first.
            Dialect::Sqlite => (
                "SELECT CASE m.type WHEN 'table' THEN EXISTS (SELECT 1 FROM pragma_index_list(m.name) AS i, \
                     pragma_index_info(i.name) AS c WHERE NOT i.partial AND c.seqno = 0 AND lower(c.name) = lower(?2)) \
                     OR EXISTS (SELECT 1 FROM pragma_table_info(m.name) AS k \
                     WHERE k.pk = 1 AND lower(k.name) = lower(?2)) END AS found \
                 FROM sqlite_master AS m WHERE lower(m.name) = lower(?1) AND m.type IN ('table', 'view')",
                table.name.clone(),
            ),
            Dialect::Postgres => (
                "SELECT CASE WHEN t.relkind IN ('r', 'p', 'm') THEN CAST(CAST(EXISTS (SELECT 1 FROM pg_index i \
                     JOIN pg_attribute c ON c.attrelid = i.indrelid AND c.attnum = i.indkey[0] \
                     WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND c.attname = $2) AS int) AS BIGINT) END AS found \
                 FROM pg_class t WHERE t.oid = to_regclass($1)",
                table.quoted(),
            ),
        };
        let found: Option<Indexed> = diesel::sql_query(sql)
            .bind::<Text, _>(name)
            .bind::<Text, _>(column)
            .get_result(&mut self.connection)
            .optional()?;
        Ok(found.and_then(|row| row.found).map(|found| found > 0))
    }

    /// Counts the decisions of a table by what they were made by; nothing for rows that do not say it.
    ///
    /// # Errors
    ///
    /// The database's, and leads that are decided twice.
    pub fn decision_stamps(
        &mut self,
        table: &DecisionTable,
    ) -> Result<Vec<(Option<String>, u64)>, Failure> {
        let here = |failure: Failure| failure.within(&table.name);
        let cannot = |failure| {
            here(failure).remedy("the role that runs this needs SELECT on it, and no more")
        };
        let repeated = self.number(&table.repeated).map_err(cannot)?;
        if repeated > 0 {
            return Err(here(Failure::new(format_args!(
                "{repeated} values of source_pk are blank or stand on more than one row"
            )))
            .remedy(
                "name a table or view that holds the decisions of one run, a row for each lead",
            ));
        }
        let stamps: Vec<StampRow> = self.load(&table.stamps).map_err(cannot)?;
        Ok(stamps.into_iter().map(|row| (row.stamp, row.leads.unsigned_abs())).collect())
    }

    /// Reads the decisions of these leads, in no particular order; those that have none are left out.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn decisions_of(
        &mut self,
        table: &DecisionTable,
        source_pks: &[&str],
    ) -> Result<Vec<DecisionRow>, Failure> {
        self.load_json(table.rows.clone(), &source_pks)
    }
}
