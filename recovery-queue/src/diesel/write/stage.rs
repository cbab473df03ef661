//! The stage of a seed: the backlog, read once into temporary tables and checked there.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::backlog::{Backlog, BacklogLead, BacklogSource, ViewName};
use crate::model::error::{KeyError, StoreError};
use crate::model::key::MAX_KEY_BYTES;

const READ: &str = "the look at the backlog";

/// Temporary tables, with what they hold.
const TABLES: [(&str, &str); 7] = [
    ("rq_rows", "source_pk TEXT, lead_at BIGINT, lead_version TEXT, priority BIGINT"),
    (
        "rq_stage",
        "source_pk TEXT, lead_at BIGINT, lead_version TEXT, priority BIGINT, copies BIGINT, \
         undated BIGINT, problem BIGINT",
    ),
    ("rq_seed", "lead_id BIGINT PRIMARY KEY, lead_at BIGINT, lead_version TEXT, priority BIGINT"),
    ("rq_move", "lead_id BIGINT PRIMARY KEY"),
    ("rq_gone", "lead_id BIGINT PRIMARY KEY, attempts BIGINT"),
    ("rq_leak", "lead_id BIGINT PRIMARY KEY, source_pk TEXT"),
    ("rq_again", "source_pk TEXT PRIMARY KEY"),
];

/// What was staged.
pub(crate) struct Staged {
    pub(crate) leads: u64,
    pub(crate) duplicates: u64,
    pub(crate) undated: u64,
}

pub(crate) fn create(db: &mut Database) -> Result<(), StoreError> {
    for (table, columns) in TABLES {
        let sql = if db.is_sqlite() {
            // INTEGER, for only that is the row's own number.
            format!("CREATE TEMP TABLE {table} ({})", columns.replace("BIGINT", "INTEGER"))
        } else {
            // Byte order, as in the table that the stage is compared with.
            let columns = columns.replace("source_pk TEXT", "source_pk TEXT COLLATE \"C\"");
            format!("CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP")
        };
        db.script(&sql).map_err(failed(READ))?;
    }
    Ok(())
}

/// Removes the tables: the caller's transaction, if it is one, may seed again.
pub(crate) fn drop(db: &mut Database) -> Result<(), StoreError> {
    let tables = TABLES.map(|(table, _)| table);
    if db.is_sqlite() {
        for table in tables {
            db.script(&format!("DROP TABLE temp.{table}")).map_err(failed(READ))?;
        }
        return Ok(());
    }
    let tables = tables.map(|table| format!("pg_temp.{table}")).join(", ");
    db.script(&format!("DROP TABLE {tables}")).map_err(failed(READ))
}

/// Stages a backlog and checks it; gives the quoted view where it is one.
pub(crate) fn fill(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    now: i64,
) -> Result<(Staged, Option<String>), StoreError> {
    let refuse = |reason: String, remedy: &'static str| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason,
        remedy,
    };
    if backlog.name().is_empty() || backlog.name().len() > MAX_KEY_BYTES {
        return Err(refuse("its name is empty or too long".to_owned(), "give it a short name"));
    }
    let (rows, view) = match backlog.source() {
        BacklogSource::View(view) => (check_view(db, backlog, view)?, Some(view.quoted())),
        BacklogSource::Rows(leads) => {
            copy_rows(db, leads)?;
            (
                "SELECT source_pk, lead_at, lead_version, priority, 0 AS problem FROM rq_rows"
                    .to_owned(),
                None,
            )
        }
    };
    let length =
        if db.is_sqlite() { "length(CAST(source_pk AS BLOB))" } else { "octet_length(source_pk)" };
    // PostgreSQL keeps no text that is none; keys that come as rows were checked when they were made.
    let asks = db.is_sqlite() && view.is_some();
    let no_text = if asks && db.is_ours() {
        "WHEN NOT rq_is_text(CAST(source_pk AS BLOB)) OR NOT rq_is_text(CAST(lead_version AS BLOB)) THEN 5"
    } else {
        ""
    };
    db.execute(
        &names.sql(&format!(
            "INSERT INTO rq_stage \
             SELECT source_pk, COALESCE(min(lead_at), $1), max(lead_version), min(priority), count(*), \
                 count(*) - count(lead_at), \
                 max(CASE WHEN source_pk IS NULL OR source_pk = '' THEN 1 \
                     WHEN {length} > {MAX_KEY_BYTES} THEN 2 {no_text} ELSE problem END) \
             FROM ({rows}) b GROUP BY source_pk ORDER BY source_pk"
        )),
        &[Param::Int(now)],
    )
    .map_err(failed(READ))?;
    if !db.is_sqlite() {
        db.execute("ANALYZE rq_stage", &[]).map_err(failed(READ))?;
    }
    if asks && !db.is_ours() {
        mark_no_text(db)?;
    }
    Ok((check(db, &refuse)?, view))
}

/// Reads a key out of a column of the user's: as text, compared byte for byte whatever the column's own collation.
pub(crate) fn key_text(sqlite: bool, column: &str) -> String {
    let bytes = if sqlite { "BINARY" } else { "\"C\"" };
    format!("CAST({column} AS TEXT) COLLATE {bytes}")
}

#[derive(QueryableByName)]
struct Doubtful {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    source_pk: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    lead_version: Option<Vec<u8>>,
}

/// Marks what is no text where the connection has no function of ours: what is not plain ASCII is looked at here.
fn mark_no_text(db: &mut Database) -> Result<(), StoreError> {
    let plain = |column| {
        format!(
            "{column} NOT GLOB '*[^ -~]*' AND instr(CAST({column} AS BLOB), x'00') = 0 OR {column} IS NULL"
        )
    };
    let doubtful: Vec<Doubtful> = db
        .query(
            &format!(
                "SELECT rowid AS at, CAST(source_pk AS BLOB) AS source_pk, \
                     CAST(lead_version AS BLOB) AS lead_version FROM temp.rq_stage \
                 WHERE NOT (({}) AND ({}))",
                plain("source_pk"),
                plain("lead_version")
            ),
            &[],
        )
        .map_err(failed(READ))?;
    let is_text = |bytes: &Option<Vec<u8>>| {
        bytes
            .as_ref()
            .is_none_or(|bytes| std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')))
    };
    for row in doubtful {
        if !(is_text(&row.source_pk) && is_text(&row.lead_version)) {
            let mark = "UPDATE temp.rq_stage SET problem = 5 WHERE rowid = $1";
            db.execute(mark, &[Param::Int(row.at)]).map_err(failed(READ))?;
        }
    }
    Ok(())
}

/// Checks that a view is a backlog; gives the query that reads it.
pub(crate) fn check_view(
    db: &mut Database,
    backlog: &dyn Backlog,
    view: &ViewName,
) -> Result<String, StoreError> {
    let columns = view_columns(db, view)?;
    view_rows(db.is_sqlite(), view, &columns).map_err(|(reason, remedy)| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason: format!("view {}: {reason}", view.quoted()),
        remedy,
    })
}

#[derive(QueryableByName)]
struct Totals {
    #[diesel(sql_type = BigInt)]
    leads: i64,
    #[diesel(sql_type = BigInt)]
    copies: i64,
    #[diesel(sql_type = BigInt)]
    undated: i64,
    #[diesel(sql_type = BigInt)]
    nameless: i64,
    #[diesel(sql_type = BigInt)]
    long: i64,
    #[diesel(sql_type = BigInt)]
    unreadable: i64,
    #[diesel(sql_type = BigInt)]
    zoneless: i64,
    #[diesel(sql_type = BigInt)]
    no_text: i64,
}

fn check(
    db: &mut Database,
    refuse: &dyn Fn(String, &'static str) -> StoreError,
) -> Result<Staged, StoreError> {
    let sql = "SELECT count(*) AS leads, CAST(COALESCE(sum(copies), 0) AS BIGINT) AS copies, \
         CAST(COALESCE(sum(undated), 0) AS BIGINT) AS undated, \
         count(CASE WHEN problem = 1 THEN 1 END) AS nameless, \
         count(CASE WHEN problem = 2 THEN 1 END) AS long, \
         count(CASE WHEN problem = 3 THEN 1 END) AS unreadable, \
         count(CASE WHEN problem = 4 THEN 1 END) AS zoneless, \
         count(CASE WHEN problem = 5 THEN 1 END) AS no_text FROM rq_stage";
    let rows: Vec<Totals> = db.query(sql, &[]).map_err(failed(READ))?;
    let Some(totals) = rows.first() else {
        return Ok(Staged { leads: 0, duplicates: 0, undated: 0 });
    };
    if totals.nameless > 0 {
        return Err(refuse(
            "some rows have an empty lead_source_pk".to_owned(),
            "leave such rows out, or build the key as COALESCE(external_id, id)",
        ));
    }
    if totals.long > 0 {
        return Err(refuse(
            format!("{} lead keys are longer than {MAX_KEY_BYTES} bytes", totals.long),
            "use shorter keys or their digests",
        ));
    }
    if totals.no_text > 0 {
        return Err(refuse(
            format!(
                "lead_source_pk or lead_version of {} leads is no UTF-8 or holds a NUL byte",
                totals.no_text
            ),
            "mend the bytes at the source, or write such keys as hex(…)",
        ));
    }
    if totals.unreadable > 0 {
        return Err(refuse(
            format!("lead_date of {} leads is no date", totals.unreadable),
            "write dates as 2026-01-31 or 2026-01-31T12:00:00Z",
        ));
    }
    if totals.zoneless > 0 {
        return Err(refuse(
            format!("lead_date of {} leads has a time without a zone", totals.zoneless),
            "add the zone, as in 2026-01-31T12:00:00Z or 2026-01-31T07:00:00-05:00",
        ));
    }
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    Ok(Staged {
        leads: count(totals.leads),
        duplicates: count(totals.copies - totals.leads),
        undated: count(totals.undated),
    })
}

#[derive(QueryableByName)]
struct ViewColumn {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
}

/// Reads the columns of a view; none when it does not exist.
fn view_columns(db: &mut Database, view: &ViewName) -> Result<Vec<(String, String)>, StoreError> {
    let rows: Vec<ViewColumn> = if db.is_sqlite() {
        let schema = view.schema().unwrap_or("main");
        db.query(
            "SELECT name, type AS kind FROM pragma_table_info($1, $2)",
            &[Param::Text(view.name()), Param::Text(schema)],
        )
    } else {
        db.query(
            "SELECT CAST(a.attname AS TEXT) AS name, CAST(a.atttypid::regtype AS TEXT) AS kind \
             FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 \
             AND NOT a.attisdropped",
            &[Param::Text(&view.quoted())],
        )
    }
    .map_err(failed(READ))?;
    Ok(rows.into_iter().map(|row| (row.name, row.kind.unwrap_or_default())).collect())
}

/// Builds the query that reads a view into the stage's columns, with what is wrong with each date.
fn view_rows(
    sqlite: bool,
    view: &ViewName,
    columns: &[(String, String)],
) -> Result<String, (String, &'static str)> {
    let kind = |name: &str| columns.iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
    if columns.is_empty() {
        return Err(("it does not exist".to_owned(), "create it, or name another"));
    }
    if kind("lead_source_pk").is_none() {
        return Err((
            "it has no column lead_source_pk".to_owned(),
            "add it: COALESCE(external_id, id) as text",
        ));
    }
    let Some(date_kind) = kind("lead_date") else {
        return Err((
            "it has no column lead_date".to_owned(),
            "add it: when the lead came into being",
        ));
    };
    let (at, problem) = if sqlite {
        (
            "CAST(round(unixepoch(lead_date, 'subsec') * 1000000) AS INTEGER)",
            "CASE WHEN lead_date IS NULL THEN 0 \
             WHEN typeof(lead_date) <> 'text' \
               OR lead_date NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' \
               OR unixepoch(lead_date) IS NULL THEN 3 \
             WHEN length(lead_date) > 10 AND lead_date NOT GLOB '*Z' AND lead_date NOT GLOB '*z' \
               AND lead_date NOT GLOB '*[+-][0-9][0-9]:[0-9][0-9]' THEN 4 ELSE 0 END",
        )
    } else {
        match date_kind.as_str() {
            // A date is its midnight in UTC, whatever the connection's zone.
            "date" => (
                "CAST(extract(epoch FROM CAST(lead_date AS timestamp) AT TIME ZONE 'UTC') * 1000000 AS BIGINT)",
                "0",
            ),
            "timestamp with time zone" => {
                ("CAST(extract(epoch FROM lead_date) * 1000000 AS BIGINT)", "0")
            }
            "text" | "character varying" => (
                "CASE WHEN lead_date ~ '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])([T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|z|[+-]\\d\\d(:?\\d\\d)?))?$' \
                 THEN CAST(extract(epoch FROM CASE WHEN length(lead_date) = 10 \
                     THEN CAST(lead_date AS timestamp) AT TIME ZONE 'UTC' \
                     ELSE CAST(lead_date AS timestamptz) END) * 1000000 AS BIGINT) END",
                "CASE WHEN lead_date IS NULL THEN 0 \
                 WHEN lead_date !~ '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])([T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?(Z|z|[+-]\\d\\d(:?\\d\\d)?)?)?$' THEN 3 \
                 WHEN length(lead_date) > 10 AND lead_date !~ '(Z|z|[+-]\\d\\d(:?\\d\\d)?)$' THEN 4 ELSE 0 END",
            ),
            "timestamp without time zone" => {
                return Err((
                    "lead_date is a timestamp without a zone".to_owned(),
                    "say which zone it means: lead_date AT TIME ZONE 'America/Lima'",
                ));
            }
            other => {
                return Err((
                    format!("lead_date has the type {other}"),
                    "make it a date, a timestamp with time zone, or a text",
                ));
            }
        }
    };
    let version = if kind("lead_version").is_some() {
        "CAST(lead_version AS TEXT)"
    } else {
        "CAST(NULL AS TEXT)"
    };
    let priority = if kind("lead_priority").is_some() {
        "COALESCE(CAST(lead_priority AS BIGINT), 0)"
    } else {
        "CAST(0 AS BIGINT)"
    };
    Ok(format!(
        "SELECT {} AS source_pk, {at} AS lead_at, {version} AS lead_version, \
         {priority} AS priority, {problem} AS problem FROM {}",
        key_text(sqlite, "lead_source_pk"),
        view.quoted()
    ))
}

/// Rows per statement; four binds each on SQLite, far below its limit.
const CHUNK: usize = 2000;

fn copy_rows(
    db: &mut Database,
    leads: Box<dyn Iterator<Item = BacklogLead> + '_>,
) -> Result<(), StoreError> {
    let mut chunk: Vec<BacklogLead> = Vec::with_capacity(CHUNK);
    for lead in leads {
        if lead.lead_version.as_deref().is_some_and(|version| version.contains('\0')) {
            return Err(KeyError::NulByte { what: "lead version" }.into());
        }
        chunk.push(lead);
        if chunk.len() == CHUNK {
            copy_chunk(db, &chunk)?;
            chunk.clear();
        }
    }
    if chunk.is_empty() { Ok(()) } else { copy_chunk(db, &chunk) }
}

fn copy_chunk(db: &mut Database, chunk: &[BacklogLead]) -> Result<(), StoreError> {
    match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {
            let mut sql = String::with_capacity(32 + chunk.len() * 10);
            sql.push_str("INSERT INTO rq_rows VALUES ");
            let mut params = Vec::with_capacity(chunk.len() * 4);
            for (row, lead) in chunk.iter().enumerate() {
                // Not numbered: SQLite would look each number up among all that came before.
                sql.push_str(if row == 0 { "(?,?,?,?)" } else { ",(?,?,?,?)" });
                params.extend([
                    Param::Text(lead.source_pk.as_str()),
                    Param::Int(lead.lead_at.timestamp_micros()),
                    Param::OptText(lead.lead_version.as_deref()),
                    Param::Int(i64::from(lead.priority)),
                ]);
            }
            db.execute(&sql, &params).map_err(failed(READ))?;
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            let keys: Vec<_> = chunk.iter().map(|lead| Some(lead.source_pk.as_str())).collect();
            let dates: Vec<_> = chunk.iter().map(|lead| lead.lead_at.timestamp_micros()).collect();
            let versions: Vec<_> = chunk.iter().map(|lead| lead.lead_version.as_deref()).collect();
            let priorities: Vec<_> = chunk.iter().map(|lead| i64::from(lead.priority)).collect();
            db.execute(
                "INSERT INTO rq_rows SELECT * FROM unnest($1, $2, $3, $4)",
                &[
                    Param::OptTexts(&keys),
                    Param::Ints(&dates),
                    Param::OptTexts(&versions),
                    Param::Ints(&priorities),
                ],
            )
            .map_err(failed(READ))?;
        }
    }
    Ok(())
}
