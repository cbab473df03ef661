//! Corrected values of leads: written into the service's tables, kept with what they replace, and put back.
//!
//! A source that still gives the value that was corrected does not undo the correction: an import applies it again. Once
//! the source gives another value, that one counts.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use recovery_queue::{Correction, CorrectionSink};

use super::database::Database;
use crate::cli::Failure;

/// The fields of a lead that can be corrected under every policy.
pub(crate) const CORRECTED_FIELDS: [&str; 5] =
    ["phone", "document", "document_type", "document_country", "email"];

/// What the field of a value of an own kind begins with; its kind's code follows.
pub(crate) const OWN_FIELD: &str = "own_";

/// The columns of the runners' own table of leads that corrections change. Values of own kinds lie in one of them together,
/// and are replaced together.
const COLUMNS: [&str; 6] =
    ["phone", "document", "document_type", "document_country", "email", OWN_VALUES];

const OWN_VALUES: &str = "own_values";

/// Whether a correction is the last of its lead and field.
const IS_LAST: &str = "c.undone_by IS NULL AND NOT EXISTS (SELECT 1 FROM lead_corrections x \
     WHERE x.source_pk = c.source_pk AND x.field = c.field AND x.undone_by IS NULL AND x.id > c.id)";

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    field: String,
    #[diesel(sql_type = Nullable<Text>)]
    was: Option<String>,
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Nullable<Text>)]
    told: Option<String>,
}

#[derive(QueryableByName)]
struct Source {
    #[diesel(sql_type = Nullable<Text>)]
    source_was: Option<String>,
}

/// The column of the leads `alias` that a correction is about.
fn held(alias: &str) -> String {
    let fields = COLUMNS.map(|field| format!("WHEN '{field}' THEN {alias}.{field}"));
    format!("CASE c.field {} END", fields.join(" "))
}

fn changed(lead: &str, field: &str) -> Failure {
    Failure::new(format_args!("lead {lead}: its {field} is not what it was; nothing was changed"))
        .remedy("export the lead again, or correct it where it comes from")
}

impl Database {
    fn corrections(&self) -> String {
        format!("{}lead_corrections", self.namespace)
    }

    /// Makes the table of corrections beside tables of the operator's, where it is missing.
    fn make_corrections(&mut self) -> Result<(), Failure> {
        let table = self.corrections();
        if self.map.is_none() || self.is_there(&table)? {
            return Ok(());
        }
        let id = if self.is_postgres() {
            "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        } else {
            "INTEGER NOT NULL PRIMARY KEY"
        };
        self.execute(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (id {id}, load_key TEXT NOT NULL, source_pk TEXT NOT NULL, \
             field TEXT NOT NULL, source_was TEXT, was TEXT, value TEXT NOT NULL, corrected_by TEXT NOT NULL, \
             undone_by TEXT)"
        ))
        .map_err(|failure| {
            Failure::new(format_args!("{table} cannot be made: {failure}"))
                .remedy("load once as the role that owns the queue's namespace")
        })?;
        Ok(())
    }

    /// Says whether corrected values have a place: always in tables of the runners' own, in an operator's where the mapping
    /// says so.
    ///
    /// # Errors
    ///
    /// A mapping that names no place.
    pub(crate) fn check_corrections(&self) -> Result<(), Failure> {
        let Some(mapped) = &self.map else { return Ok(()) };
        if mapped.corrections.is_empty() {
            return Err(Failure::new("the mapping does not say where corrected values go").remedy(
                "write corrections = \"update\" into [leads], so that the columns named there are changed; or correct the \
                 leads where they come from",
            ));
        }
        Ok(())
    }

    /// Lists the fields that a mapping can write; none where every field can be written.
    pub(crate) fn correctable(&self) -> Option<BTreeSet<String>> {
        Some(self.map.as_ref()?.corrections.keys().cloned().collect())
    }

    /// Gives a correction as one of a column of the runners' own table: of a value of an own kind, one of all of them.
    fn of_column(&mut self, one: &Correction) -> Result<Correction, Failure> {
        let Some(kind) = one.field.strip_prefix(OWN_FIELD).filter(|_| self.map.is_none()) else {
            return Ok(one.clone());
        };
        let lead = one.source_pk.as_str();
        let kept: Option<Told> =
            diesel::sql_query("SELECT own_values AS told FROM leads WHERE source_pk = $1")
                .bind::<Text, _>(lead)
                .get_result(&mut self.connection)
                .optional()?;
        let was = kept.and_then(|kept| kept.told);
        let mut kinds: BTreeMap<String, Vec<String>> =
            serde_json::from_str(was.as_deref().unwrap_or("{}"))?;
        let value = kinds.get_mut(kind).and_then(|values| {
            values.iter_mut().find(|value| Some(value.as_str()) == one.was.as_deref())
        });
        let Some(value) = value else { return Err(changed(lead, kind)) };
        value.clone_from(&one.value);
        let value = serde_json::to_string(&kinds)?;
        Ok(Correction::new(one.source_pk.clone(), OWN_VALUES, was, value, &one.corrected_by))
    }

    /// Writes one value where another stands; says whether it stood there.
    fn replace(
        &mut self,
        lead: &str,
        field: &str,
        was: Option<&str>,
        value: Option<&str>,
    ) -> Result<bool, Failure> {
        let (statements, lead) = match &self.map {
            None => {
                let Some(field) = COLUMNS.into_iter().find(|known| *known == field) else {
                    return Err(Failure::new(format_args!(
                        "{field}: no such field of a lead is corrected"
                    )));
                };
                let sql = format!(
                    "UPDATE leads SET {field} = $2 WHERE source_pk = $1 AND {field} IS NOT DISTINCT FROM $3"
                );
                (vec![sql], lead.to_owned())
            }
            Some(mapped) => {
                let own = mapped.corrections.get(field).cloned().unwrap_or_default();
                (own, serde_json::to_string(&[lead])?)
            }
        };
        if statements.is_empty() {
            return Err(Failure::new(format_args!(
                "{field}: no column of text of the mapping holds it"
            ))
            .remedy("correct it where the lead comes from"));
        }
        let mut rows = 0;
        for sql in statements {
            // SQLite counts binds in the order in which they first stand in the statement.
            let (first, second) = (Some(lead.as_str()), value);
            let (first, second) =
                if self.is_postgres() { (first, second) } else { (second, first) };
            rows += diesel::sql_query(sql)
                .bind::<Nullable<Text>, _>(first)
                .bind::<Nullable<Text>, _>(second)
                .bind::<Nullable<Text>, _>(was)
                .execute(&mut self.connection)?;
        }
        Ok(rows > 0)
    }

    /// Makes the versions of leads say which corrections are in effect, so that a change of either is a change of the lead.
    fn mark_corrected(&mut self, leads: &[&str]) -> Result<(), Failure> {
        if self.map.is_some() {
            return Ok(());
        }
        let (listed, held) = (self.json_texts(), held("leads"));
        let base = if self.is_postgres() {
            "split_part(version, '+', 1)"
        } else {
            "substr(version, 1, instr(version || '+', '+') - 1)"
        };
        self.execute_json(
            &format!(
                "UPDATE leads SET version = {base} || COALESCE((SELECT '+' || count(*) || '.' || sum(c.id) \
                     FROM lead_corrections c WHERE c.source_pk = leads.source_pk AND {IS_LAST} \
                       AND c.value = {held} HAVING count(*) > 0), '') \
                 WHERE source_pk IN {listed}"
            ),
            &leads,
        )?;
        Ok(())
    }

    /// Applies corrections to leads that come in as they were before: the source does not know of them.
    pub(super) fn correct_incoming(&mut self, incoming: &'static str) -> Result<(), Failure> {
        let held = held("i");
        let ours = format!("c.source_pk = i.source_pk AND {IS_LAST}");
        let target = format!("{incoming} AS i");
        self.execute(&format!(
            "UPDATE {target} SET version = version || (SELECT '+' || count(*) || '.' || sum(c.id) \
                 FROM lead_corrections c WHERE {ours} AND c.source_was IS NOT DISTINCT FROM {held}) \
             WHERE EXISTS (SELECT 1 FROM lead_corrections c WHERE {ours} AND c.source_was IS NOT DISTINCT FROM {held})"
        ))?;
        for field in COLUMNS {
            let of = format!(
                "FROM lead_corrections c WHERE {ours} AND c.field = $1 \
                 AND c.source_was IS NOT DISTINCT FROM i.{field}"
            );
            diesel::sql_query(format!(
                "UPDATE {target} SET {field} = (SELECT c.value {of}) WHERE EXISTS (SELECT 1 {of})"
            ))
            .bind::<Text, _>(field)
            .execute(&mut self.connection)?;
        }
        Ok(())
    }
}

impl CorrectionSink for Database {
    type Error = Failure;

    fn correct(&mut self, load: &str, corrections: &[Correction]) -> Result<(), Failure> {
        self.check_corrections()?;
        self.make_corrections()?;
        let table = self.corrections();
        for one in corrections {
            let one = &self.of_column(one)?;
            let (source_pk, was) = (one.source_pk.as_str(), one.was.as_deref());
            if !self.replace(source_pk, &one.field, was, Some(&one.value))? {
                return Err(changed(source_pk, &one.field));
            }
            // What was corrected before came from the source as something else.
            let former: Option<Source> = diesel::sql_query(format!(
                "SELECT source_was FROM {table} WHERE source_pk = $1 AND field = $2 AND undone_by IS NULL \
                 AND value IS NOT DISTINCT FROM $3 ORDER BY id DESC LIMIT 1"
            ))
            .bind::<Text, _>(source_pk)
            .bind::<Text, _>(&one.field)
            .bind::<Nullable<Text>, _>(was)
            .get_result(&mut self.connection)
            .optional()?;
            let source = former.map_or(one.was.clone(), |former| former.source_was);
            diesel::sql_query(format!(
                "INSERT INTO {table} (load_key, source_pk, field, source_was, was, value, corrected_by) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)"
            ))
            .bind::<Text, _>(load)
            .bind::<Text, _>(source_pk)
            .bind::<Text, _>(&one.field)
            .bind::<Nullable<Text>, _>(source)
            .bind::<Nullable<Text>, _>(was)
            .bind::<Text, _>(&one.value)
            .bind::<Text, _>(&one.corrected_by)
            .execute(&mut self.connection)?;
        }
        let leads: Vec<&str> = corrections.iter().map(|one| one.source_pk.as_str()).collect();
        self.mark_corrected(&leads)
    }

    fn undo(&mut self, load: &str, undone_by: &str) -> Result<u64, Failure> {
        let table = self.corrections();
        if self.map.is_some() && !self.is_there(&table)? {
            return Ok(0);
        }
        let kept: Vec<Kept> = diesel::sql_query(format!(
            "SELECT CAST(id AS BIGINT) AS id, source_pk, field, was, value FROM {table} \
             WHERE load_key = $1 AND undone_by IS NULL ORDER BY id DESC"
        ))
        .bind::<Text, _>(load)
        .load(&mut self.connection)?;
        for one in &kept {
            if !self.replace(&one.source_pk, &one.field, Some(&one.value), one.was.as_deref())? {
                return Err(changed(&one.source_pk, &one.field));
            }
            diesel::sql_query(format!("UPDATE {table} SET undone_by = $1 WHERE id = $2"))
                .bind::<Text, _>(undone_by)
                .bind::<BigInt, _>(one.id)
                .execute(&mut self.connection)?;
        }
        let leads: Vec<&str> = kept.iter().map(|one| one.source_pk.as_str()).collect();
        self.mark_corrected(&leads)?;
        Ok(kept.len() as u64)
    }
}
