//! What a mapping means in a database, table by table and column by column, with counts.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use identity_matching::{Normalised, Normaliser};
use serde::Serialize;

use super::file::TableMap;
use super::mapped::{Looked, Mapped};
use crate::cli::Failure;
use crate::people::Given;
use crate::service::database::Database;
use crate::service::population::{LeadRecord, PersonRecord};

/// What was understood of a mapping.
#[derive(Debug, Serialize)]
pub struct CheckedMap {
    /// Each table, in the order of the mapping.
    pub tables: Vec<CheckedTable>,
    /// How the backlog is seeded.
    pub backlog: String,
    /// Leads in the backlog; none where the queue's own tables are yet to be made.
    pub backlog_total: Option<u64>,
    /// What will not work as it may be meant, and what to do.
    pub warnings: Vec<String>,
}

/// What was understood of one table.
#[derive(Debug, Serialize)]
pub struct CheckedTable {
    /// The section of the mapping.
    pub section: &'static str,
    /// The table or view.
    pub table: String,
    /// Its rows.
    pub rows_total: u64,
    /// Rows without a key: nobody can say whose they are.
    pub rows_without_key_total: u64,
    /// Rows whose key stands on another row, too, where each should be on one.
    pub keys_repeated_total: u64,
    /// Its columns, the key first.
    pub columns: Vec<CheckedColumn>,
}

/// What was understood of one column.
#[derive(Debug, Serialize)]
pub struct CheckedColumn {
    /// What it means to the runners; of an own kind its code.
    pub means: String,
    /// Its name in the table.
    pub column: String,
    /// Its type in the database.
    pub kind: String,
    /// Rows that hold something.
    pub filled_total: u64,
    /// Of those, the rows whose value is read as what it means; of a column that is only compared, nothing.
    pub read_total: Option<u64>,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = Text)]
    counts: String,
}

impl Database {
    /// Says what a mapping means in this database, with counts; reads only.
    ///
    /// # Errors
    ///
    /// The database's, and tables that are not mapped.
    pub fn check_map(&mut self, normaliser: &Normaliser) -> Result<CheckedMap, Failure> {
        let mapped = self
            .map
            .take()
            .ok_or_else(|| Failure::new("no mapping is given").remedy("name one with --map"))?;
        let checked = self.checked(&mapped, normaliser);
        self.map = Some(mapped);
        checked
    }

    fn checked(&mut self, mapped: &Mapped, normaliser: &Normaliser) -> Result<CheckedMap, Failure> {
        let mut tables = Vec::new();
        for looked in &mapped.looked {
            tables.push(self.checked_table(looked, normaliser)?);
        }
        if let Some(claims) = self.checked_claims(mapped)? {
            tables.push(claims);
        }
        let sqlite = !self.is_postgres();
        let backlog = &mapped.backlog;
        let recovery_queue::BacklogSource::View(view) = recovery_queue::Backlog::source(backlog)
        else {
            return Err(Failure::new("the backlog is no view"));
        };
        let (view, name) = (view.quoted(), view.name().to_owned());
        let is_made = mapped.map.backlog.view.is_some() || self.sees(&view, &name)?;
        let leads = format!("SELECT count(lead_source_pk) AS n FROM {view}");
        let backlog_total = is_made.then(|| self.number(&leads)).transpose()?;
        let mut warnings = warnings(&mapped.map, &tables, sqlite);
        if mapped.person_view.is_none() {
            warnings.push(format!(
                "[persons] {}: nobody looks whether a person is still there as a lead is linked to him; name a table whose key \
                 is text, a whole number or a UUID, with an index",
                mapped.map.persons.table
            ));
        }
        Ok(CheckedMap {
            tables,
            backlog: recovery_queue::Backlog::name(backlog).to_owned(),
            backlog_total: backlog_total.map(i64::unsigned_abs),
            warnings,
        })
    }

    fn sees(&mut self, quoted: &str, name: &str) -> Result<bool, Failure> {
        let sqlite = !self.is_postgres();
        let sql = if sqlite {
            "SELECT CAST(count(*) AS TEXT) AS counts FROM sqlite_master WHERE name = $1"
        } else {
            "SELECT CAST(count(to_regclass($1)) AS TEXT) AS counts"
        };
        let found: Counts = diesel::sql_query(sql)
            .bind::<Text, _>(if sqlite { name } else { quoted })
            .get_result(&mut self.connection)?;
        Ok(found.counts != "0")
    }

    fn counts(&mut self, counts: &[String], from: &str) -> Result<Vec<u64>, Failure> {
        let counts = counts.join(", ");
        let array = if self.is_postgres() {
            format!("CAST(json_build_array({counts}) AS TEXT)")
        } else {
            format!("json_array({counts})")
        };
        let row: Counts = diesel::sql_query(format!("SELECT {array} AS counts FROM {from}"))
            .get_result(&mut self.connection)?;
        Ok(serde_json::from_str(&row.counts)?)
    }

    fn checked_table(
        &mut self,
        looked: &Looked,
        normaliser: &Normaliser,
    ) -> Result<CheckedTable, Failure> {
        let filled = |text: &str| format!("count(nullif({text}, ''))");
        let mut asked = vec![
            "count(*)".to_owned(),
            filled(&looked.key),
            format!("count(DISTINCT nullif({}, ''))", looked.key),
        ];
        asked.extend(looked.columns.iter().map(|(_, _, _, text)| filled(text)));
        let counts = self.counts(&asked, &looked.from)?;
        let (rows, keyed, distinct) = (counts[0], counts[1], counts[2]);
        let mut unread = BTreeMap::<String, u64>::new();
        let mut keys = Normalised::default();
        let mut look = |given: Given<'_>| {
            for value in given.normalise(normaliser, &mut keys).unusable() {
                *unread.entry(value.source.field.to_string()).or_default() += 1;
            }
        };
        if looked.section.starts_with("leads") {
            self.stream(&looked.rows, &mut |page: Vec<LeadRecord>| {
                for lead in page {
                    look(lead.given());
                }
                Ok(())
            })?;
        } else {
            self.stream(&looked.rows, &mut |page: Vec<PersonRecord>| {
                for person in page {
                    look(person.given());
                }
                Ok(())
            })?;
        }
        let key = CheckedColumn {
            means: looked.key_named.to_owned(),
            column: looked.key_columns.clone(),
            kind: "key".to_owned(),
            filled_total: keyed,
            read_total: None,
        };
        let columns =
            looked.columns.iter().zip(&counts[3..]).map(|((means, name, kind, _), &filled)| {
                let unread = unread.get(means).copied().unwrap_or_default();
                let is_key = normaliser.kinds().any(|kind| kind.code().as_str() == means);
                CheckedColumn {
                    means: means.clone(),
                    column: name.clone(),
                    kind: if kind.is_empty() { "any".to_owned() } else { kind.clone() },
                    filled_total: filled,
                    read_total: is_key.then(|| filled.saturating_sub(unread)),
                }
            });
        Ok(CheckedTable {
            section: looked.section,
            table: looked.table.clone(),
            rows_total: rows,
            rows_without_key_total: rows - keyed,
            keys_repeated_total: if looked.is_unique { keyed - distinct } else { 0 },
            columns: std::iter::once(key).chain(columns).collect(),
        })
    }

    fn checked_claims(&mut self, mapped: &Mapped) -> Result<Option<CheckedTable>, Failure> {
        let Some(claims) = &mapped.map.claims else { return Ok(None) };
        let columns = self.columns_of(&claims.table)?;
        let named = claims.lead.as_ref().map(|name| ("lead", name));
        let Some((means, name)) =
            named.or(claims.source_pk.as_ref().map(|name| ("source_pk", name)))
        else {
            return Ok(None);
        };
        let column = columns.text(name, means)?;
        let text = column.text("c");
        let theirs = match means {
            "lead" => self
                .columns_of(&mapped.map.leads.table)?
                .text(mapped.map.lead_id(), "id")?
                .text("m"),
            _ => mapped.looked[0].key.clone(),
        };
        let of_leads = format!(
            "count(CASE WHEN {text} IN (SELECT {theirs} FROM {} m) THEN 1 END)",
            mapped.map.leads.table.quoted()
        );
        let mut asked = vec!["count(*)".to_owned(), format!("count(nullif({text}, ''))"), of_leads];
        let person = claims.person.as_ref().map(|name| columns.text(name, "person")).transpose()?;
        asked
            .extend(person.iter().map(|column| format!("count(nullif({}, ''))", column.text("c"))));
        let counts = self.counts(&asked, &format!("{} c", claims.table.quoted()))?;
        let lead = CheckedColumn {
            means: means.to_owned(),
            column: name.to_string(),
            kind: column.kind,
            filled_total: counts[1],
            read_total: Some(counts[2]),
        };
        let person = person.map(|column| CheckedColumn {
            means: "person".to_owned(),
            column: column.name.to_string(),
            kind: column.kind,
            filled_total: counts[3],
            read_total: None,
        });
        Ok(Some(CheckedTable {
            section: "claims",
            table: claims.table.to_string(),
            rows_total: counts[0],
            rows_without_key_total: counts[0] - counts[1],
            keys_repeated_total: 0,
            columns: std::iter::once(lead).chain(person).collect(),
        }))
    }
}

fn warnings(map: &TableMap, tables: &[CheckedTable], sqlite: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: String| warnings.push(text);
    for table in tables {
        let CheckedTable { section, table: name, .. } = table;
        if table.rows_total == 0 {
            warn(format!("[{section}] {name} is empty"));
        }
        if table.rows_without_key_total > 0 && *section != "claims" {
            warn(format!(
                "[{section}] {name}: {} rows have no key; of leads they refuse the seed, of persons they are left out",
                table.rows_without_key_total
            ));
        }
        if table.keys_repeated_total > 0 {
            warn(format!(
                "[{section}] {name}: {} keys stand on more than one row; such a lead counts once",
                table.keys_repeated_total
            ));
        }
        for column in &table.columns {
            if let Some(read) = column.read_total.filter(|read| read * 2 < column.filled_total) {
                warn(format!(
                    "[{section}] {name}.{}: of {} values {read} are read as {}; is it that column, and the right --region?",
                    column.column, column.filled_total, column.means
                ));
            }
        }
    }
    if map.leads.changed.is_none() && map.backlog.view.is_none() {
        warn("[leads] has no column `changed`: a lead whose data changes is tried again after its cool-down only".to_owned());
    }
    if map.persons.changed.is_none() {
        warn("[persons] has no column `changed`: a new person wakes no lead; failed leads are tried again after their cool-down only".to_owned());
    }
    if sqlite {
        warn("a file of SQLite is one namespace: the queue's tables (queue_…), its views and runner_state lie beside your tables, and the file's journal becomes WAL".to_owned());
    }
    warnings
}
