//! Which keys are still in a view or table of the service's.
//!
//! Where an index finds a row by its key, each key is looked up; else the relation is read once, whole. Which of the two
//! it is the database's own plan says, not a guess: to look each key up without an index would read the relation once for
//! each. Keys are compared byte for byte, as text, whatever the column's type and collation are.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::write::view_values::key_text;
use crate::model::error::StoreError;

const LOOK: &str = "the look at what is still there";

/// A view or table of the service's, with the column that holds its keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Relation {
    schema: String,
    name: String,
    column: String,
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Relation {
    pub(crate) fn new(schema: String, name: String, column: impl Into<String>) -> Self {
        Self { schema, name, column: column.into() }
    }

    /// Gives the name with its schema, quoted for SQL.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// Gives the column, quoted for SQL.
    pub(crate) fn column(&self) -> String {
        quoted(&self.column)
    }
}

/// Selects the keys, as `person_key`, of persons of the queue whom a view of persons does not hold.
///
/// One sort and no join: no planner can take one side for short and read it once for each row of the other.
pub(crate) fn gone_persons(sqlite: bool, persons: &Relation) -> String {
    let key = key_text(sqlite, &format!("there.{}", persons.column()));
    // By statistics SQLite would read the index in the place of the table.
    let by = if sqlite { "NOT INDEXED" } else { "" };
    format!(
        "SELECT person_key FROM (SELECT q.person_key, 0 AS there FROM {{ns}}queue_person q {by} UNION ALL \
             SELECT {key}, 1 FROM {} AS there) u GROUP BY person_key HAVING max(there) = 0",
        persons.quoted(),
    )
}

/// Selects the keys of the view's leads that are matched, each once, as `key`.
///
/// The user's view is read once and from end to end, whatever it is made of; ours are looked up for each of its keys.
/// The other way round, a planner that takes the queue for small would read the view once for each lead.
pub(crate) fn matched_in_view(sqlite: bool, view: &str) -> String {
    let key = key_text(sqlite, "lead_source_pk");
    format!(
        "SELECT v.key FROM (SELECT DISTINCT {key} AS key FROM {view}) v \
         WHERE (SELECT s.status FROM {{ns}}queue_settled s WHERE s.lead_id = \
             (SELECT l.id FROM {{ns}}queue_lead l WHERE l.source_pk = v.key)) = 1"
    )
}

/// How keys are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Each by the index of a column of text, or of any type on SQLite.
    ByText,
    /// Each by the index of a column of whole numbers, on PostgreSQL.
    #[cfg(feature = "postgres")]
    ByNumber,
    /// Each by the index of a column of UUIDs, on PostgreSQL.
    #[cfg(feature = "postgres")]
    ByUuid,
    /// By reading the relation once.
    Whole,
}

/// Looks for keys in relations, and remembers how each one is searched.
#[derive(Debug, Default)]
pub(crate) struct Looks(BTreeMap<Relation, Way>);

impl Looks {
    /// Gives the places of the keys that the relation does not hold.
    pub(crate) fn absent(
        &mut self,
        db: &mut Database,
        relation: &Relation,
        keys: &[&str],
    ) -> Result<Vec<usize>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let way = if let Some(way) = self.0.get(relation) {
            *way
        } else {
            let way = find_way(db, relation, keys).map_err(failed(LOOK))?;
            self.0.insert(relation.clone(), way);
            way
        };
        let absent = missing(db, relation, way, keys).map_err(failed(LOOK))?;
        if absent.is_empty() || way == Way::Whole {
            return Ok(absent);
        }
        // An index may compare in another way than by text (a number that SQLite keeps in a column without a type): what
        // it does not find is looked for as text before it is called gone.
        let again: Vec<&str> = absent.iter().map(|&at| keys[at]).collect();
        let confirmed = missing(db, relation, Way::Whole, &again).map_err(failed(LOOK))?;
        Ok(confirmed.into_iter().map(|at| absent[at]).collect())
    }
}

/// Writes the statement that gives the places, from 0, of the keys that the relation does not hold.
fn statement(sqlite: bool, relation: &Relation, way: Way) -> String {
    let (there, column) = (relation.quoted(), format!("there.{}", relation.column()));
    let text = key_text(sqlite, &column);
    if sqlite {
        return if way == Way::Whole {
            format!(
                "SELECT asked.key AS value FROM json_each($1) AS asked WHERE asked.value NOT IN (\
                     SELECT {text} FROM {there} AS there \
                     WHERE {text} IN (SELECT sought.value FROM json_each($1) AS sought))"
            )
        } else {
            format!(
                "SELECT asked.key AS value FROM json_each($1) AS asked WHERE NOT EXISTS (\
                     SELECT 1 FROM {there} AS there WHERE {column} = asked.value AND {text} = asked.value)"
            )
        };
    }
    let asked = "unnest($1) WITH ORDINALITY AS asked(key, at)";
    let equal = match way {
        Way::ByText => format!("{column} = asked.key"),
        #[cfg(feature = "postgres")]
        Way::ByNumber => format!("{column} = CAST(asked.key AS BIGINT)"),
        #[cfg(feature = "postgres")]
        Way::ByUuid => format!("{column} = CAST(asked.key AS UUID)"),
        // IS TRUE keeps each IN a look into a table of hashes: a join could be planned as one scan for each row.
        Way::Whole => {
            return format!(
                "WITH found AS MATERIALIZED (SELECT {text} AS key FROM {there} AS there \
                     WHERE ({text} IN (SELECT sought.key FROM unnest($1) AS sought(key))) IS TRUE) \
                 SELECT asked.at - 1 AS value FROM {asked} \
                 WHERE (asked.key COLLATE \"C\" IN (SELECT found.key FROM found)) IS NOT TRUE"
            );
        }
    };
    // As a value, so that it stays a look-up for each key whatever the planner believes of the relation.
    format!(
        "SELECT asked.at - 1 AS value FROM {asked} WHERE (SELECT 1 FROM {there} AS there \
             WHERE {equal} AND {text} = asked.key COLLATE \"C\" LIMIT 1) IS NULL"
    )
}

fn missing(
    db: &mut Database,
    relation: &Relation,
    way: Way,
    keys: &[&str],
) -> QueryResult<Vec<usize>> {
    let sql = statement(db.is_sqlite(), relation, way);
    let rows: Vec<IntRow> = match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {
            let keys = serde_json::to_string(keys)
                .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
            db.query_prepared(&sql, &[Param::Text(&keys)])?
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            // A key that is no number, or no UUID, is none of the column's.
            let is_one = |key: &str| match way {
                Way::ByNumber => key.parse::<i64>().is_ok(),
                Way::ByUuid => is_uuid(key),
                Way::ByText | Way::Whole => true,
            };
            let keys: Vec<Option<&str>> =
                keys.iter().map(|&key| Some(key).filter(|key| is_one(key))).collect();
            db.query_prepared(&sql, &[Param::OptTexts(&keys)])?
        }
    };
    let mut absent: Vec<usize> =
        rows.into_iter().filter_map(|row| usize::try_from(row.value).ok()).collect();
    absent.sort_unstable();
    Ok(absent)
}

#[cfg(feature = "postgres")]
fn is_uuid(key: &str) -> bool {
    key.len() == 36
        && key.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Finds out whether an index finds a key; the plan of the look-up says so.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(unused_variables, reason = "PostgreSQL tells by the type of the column")
)]
fn find_way(db: &mut Database, relation: &Relation, keys: &[&str]) -> QueryResult<Way> {
    match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(connection) => {
            let explain = format!("EXPLAIN QUERY PLAN {}", statement(true, relation, Way::ByText));
            let keys = serde_json::to_string(keys)
                .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
            let steps: Vec<Step> =
                diesel::sql_query(explain).bind::<Text, _>(keys).load(&mut **connection)?;
            let whole = steps.iter().any(|step| step.reads_whole("asked"));
            Ok(if whole { Way::Whole } else { Way::ByText })
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            let column = "SELECT CAST(t.typname AS TEXT) AS value FROM pg_attribute a \
                 JOIN pg_type t ON t.oid = a.atttypid \
                 WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped";
            let types: Vec<crate::diesel::conn::database::TextRow> = db
                .query(column, &[Param::Text(&relation.quoted()), Param::Text(&relation.column)])?;
            let way = match types.first().map(|row| row.value.as_str()) {
                Some("text" | "varchar") => Way::ByText,
                Some("int2" | "int4" | "int8") => Way::ByNumber,
                Some("uuid") => Way::ByUuid,
                _ => return Ok(Way::Whole),
            };
            let explain = format!("EXPLAIN (FORMAT JSON) {}", statement(false, relation, way));
            let plan: Vec<String> = match db {
                Database::Postgres(session) => session.run(|connection| {
                    use diesel::sql_types::{Array, Nullable};
                    let (before, after) = explain.split_once("$1").unwrap_or((&explain, ""));
                    diesel::dsl::sql::<Text>(before)
                        .bind::<Array<Nullable<Text>>, _>(Vec::<Option<String>>::new())
                        .sql(after)
                        .load(connection)
                })?,
                #[cfg(feature = "sqlite")]
                Database::Sqlite(_) => Vec::new(),
            };
            let plan: serde_json::Value =
                serde_json::from_str(&plan.concat()).unwrap_or(serde_json::Value::Null);
            Ok(if goes_by_index(&plan[0]["Plan"]) { way } else { Way::Whole })
        }
    }
}

/// Says whether all that is read `from` relations of the service's is found by an index, but for temporary tables of ours.
pub(crate) fn reads_by_index(
    db: &mut Database,
    from: &str,
    params: &[Param<'_>],
) -> QueryResult<bool> {
    #[cfg(feature = "sqlite")]
    if db.is_sqlite() {
        let plan = format!("EXPLAIN QUERY PLAN SELECT v.* FROM {from}");
        let steps: Vec<Step> = db.query(&plan, params)?;
        return Ok(!steps.iter().any(|step| step.reads_whole("n")));
    }
    #[cfg(feature = "postgres")]
    if !db.is_sqlite() {
        let plan: Vec<Plan> =
            db.query(&format!("EXPLAIN (FORMAT JSON) SELECT v.* FROM {from}"), params)?;
        let plan = plan.into_iter().map(|row| row.plan).collect::<String>();
        let plan: serde_json::Value =
            serde_json::from_str(&plan).unwrap_or(serde_json::Value::Null);
        return Ok(goes_by_index(&plan[0]["Plan"]));
    }
    Ok(false)
}

#[cfg(feature = "postgres")]
#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

#[cfg(feature = "sqlite")]
impl Step {
    /// Says whether the step reads a table from end to end, other than the one called `own`.
    fn reads_whole(&self, own: &str) -> bool {
        let scanned = self
            .detail
            .strip_prefix("SCAN ")
            .is_some_and(|table| table.split(' ').next() != Some(own));
        scanned || self.detail.contains("AUTOMATIC")
    }
}

#[cfg(feature = "sqlite")]
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Says whether every table of a plan is met by the condition of an index.
#[cfg(feature = "postgres")]
fn goes_by_index(plan: &serde_json::Value) -> bool {
    let whole = match plan["Node Type"].as_str() {
        None => true,
        Some("Function Scan" | "Result" | "Subquery Scan" | "Bitmap Heap Scan" | "Tid Scan") => {
            false
        }
        // The keys that are looked for.
        Some("Seq Scan") if plan["Relation Name"] == "rq_named" => false,
        Some(node) => node.ends_with("Scan") && plan["Index Cond"].is_null(),
    };
    !whole && plan["Plans"].as_array().into_iter().flatten().all(goes_by_index)
}
