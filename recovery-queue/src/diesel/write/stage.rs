//! The stage of a seed: the backlog, read once into temporary tables and checked there.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::backlog::{Backlog, BacklogLead, BacklogSource, ViewName};
use crate::model::error::StoreError;
use crate::model::key::{MAX_KEY_BYTES, SourcePk};
use crate::model::rejection::{RejectReason, Rejection};

const READ: &str = "the look at the backlog";

/// Temporary tables, with what they hold.
const TABLES: [(&str, &str); 7] = [
    (
        "rq_rows",
        "source_pk TEXT, lead_at BIGINT, lead_version TEXT, priority BIGINT, problem BIGINT",
    ),
    (
        "rq_stage",
        "source_pk TEXT, lead_at BIGINT, lead_version TEXT, priority BIGINT, copies BIGINT, \
         undated BIGINT, problem BIGINT",
    ),
    (
        "rq_seed",
        "lead_id BIGINT PRIMARY KEY, lead_at BIGINT, lead_version TEXT, priority BIGINT, problem BIGINT",
    ),
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
    pub(crate) rejected: u64,
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

/// A view with the schema that it was found in.
pub(crate) struct ResolvedView {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Whether the user named the schema.
    qualified: bool,
}

impl ResolvedView {
    /// Finds out which view a name stands for, in this session.
    pub(crate) fn of(db: &mut Database, view: &ViewName) -> Result<Self, StoreError> {
        let schema = match view.schema() {
            Some(schema) => schema.to_owned(),
            None if db.is_sqlite() => "main".to_owned(),
            None => {
                let sql = "SELECT CAST(n.nspname AS TEXT) AS value FROM pg_class c \
                     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)";
                let rows: Vec<TextRow> =
                    db.query(sql, &[Param::Text(&view.quoted())]).map_err(failed(READ))?;
                rows.into_iter().next().map(|row| row.value).unwrap_or_default()
            }
        };
        let name = view.name().to_owned();
        Ok(Self { schema, name, qualified: view.schema().is_some() })
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
        let now = match self.schema.as_str() {
            "" => "is not found now".to_owned(),
            schema => format!("is found in \"{schema}\" now"),
        };
        Err(StoreError::Backlog {
            backlog: backlog.to_owned(),
            reason: format!("view {} was found in schema \"{was}\" before and {now}", self.name),
            remedy: "correct the search_path, or name the view with its schema",
        })
    }
}

/// Stages a backlog and checks it; gives the view where it is one.
pub(crate) fn fill(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    now: i64,
) -> Result<(Staged, Option<ResolvedView>), StoreError> {
    let refuse = |reason: String, remedy: &'static str| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason,
        remedy,
    };
    if backlog.name().is_empty() || backlog.name().len() > MAX_KEY_BYTES {
        return Err(refuse("its name is empty or too long".to_owned(), "give it a short name"));
    }
    let (rows, view) = match backlog.source() {
        BacklogSource::View(view) => {
            let (rows, view) = check_view(db, names, backlog, view)?;
            (rows, Some(view))
        }
        BacklogSource::Rows(leads) => {
            copy_rows(db, leads)?;
            (
                "SELECT source_pk, lead_at, lead_version, priority, problem FROM rq_rows"
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
        "WHEN NOT rq_is_text(CAST(source_pk AS BLOB)) THEN 5 \
         WHEN NOT rq_is_text(CAST(lead_version AS BLOB)) THEN 8"
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
        let problem = match (is_text(&row.source_pk), is_text(&row.lead_version)) {
            (false, _) => 5,
            (true, false) => RejectReason::VersionUnreadable.number(),
            (true, true) => continue,
        };
        let mark = "UPDATE temp.rq_stage SET problem = $1 WHERE rowid = $2";
        db.execute(mark, &[Param::Int(problem), Param::Int(row.at)]).map_err(failed(READ))?;
    }
    Ok(())
}

/// Checks that a view is a backlog, and the one that was seeded last; gives the query that reads it, and its place.
pub(crate) fn check_view(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    view: &ViewName,
) -> Result<(String, ResolvedView), StoreError> {
    let place = ResolvedView::of(db, view)?;
    place.is_where_it_was(db, names, backlog.name())?;
    let columns = view_columns(db, view)?;
    let refuse = |(reason, remedy)| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason: format!("view {}: {reason}", view.quoted()),
        remedy,
    };
    let rows = view_rows(db.is_sqlite(), &place, &columns).map_err(refuse)?;
    Ok((rows, place))
}

#[derive(QueryableByName)]
struct Totals {
    #[diesel(sql_type = BigInt)]
    problem: i64,
    #[diesel(sql_type = BigInt)]
    leads: i64,
    #[diesel(sql_type = BigInt)]
    copies: i64,
    #[diesel(sql_type = BigInt)]
    undated: i64,
}

/// Counts what was staged. A row without a readable key refuses the whole: nobody can say which lead it is, and the
/// seed would withdraw that lead. Another lead that cannot be taken is left out alone, unless none is left then.
fn check(
    db: &mut Database,
    refuse: &dyn Fn(String, &'static str) -> StoreError,
) -> Result<Staged, StoreError> {
    let sql = "SELECT problem, count(*) AS leads, CAST(sum(copies) AS BIGINT) AS copies, \
         CAST(sum(undated) AS BIGINT) AS undated FROM rq_stage GROUP BY problem ORDER BY problem";
    let rows: Vec<Totals> = db.query(sql, &[]).map_err(failed(READ))?;
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let of =
        |number: i64| rows.iter().find(|row| row.problem == number).map(|row| count(row.leads));
    if of(1).is_some() {
        return Err(refuse(
            "some rows have an empty lead_source_pk".to_owned(),
            "leave such rows out, or build the key as COALESCE(external_id, id)",
        ));
    }
    if let Some(leads) = of(5) {
        return Err(refuse(
            format!("lead_source_pk of {leads} leads is no UTF-8 or holds a NUL byte"),
            "mend the bytes at the source, or write such keys as hex(…)",
        ));
    }
    let sum = |column: fn(&Totals) -> i64| count(rows.iter().map(column).sum());
    let leads = sum(|row| row.leads);
    let rejected = leads - of(0).unwrap_or_default();
    if rejected > 0 && rejected == leads {
        let found =
            RejectReason::ALL.into_iter().filter_map(|reason| Some((of(reason.number())?, reason)));
        if let Some((leads, reason)) = found.max() {
            return Err(refuse(reason.of_leads(leads), reason.remedy()));
        }
    }
    // A date that cannot be read is none that is missing.
    let undated = rows.iter().filter(|row| row.problem == 0).map(|row| row.undated).sum();
    Ok(Staged {
        leads,
        duplicates: sum(|row| row.copies) - leads,
        undated: count(undated),
        rejected,
    })
}

#[derive(QueryableByName)]
struct RejectedRow {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = BigInt)]
    problem: i64,
}

/// Records the leads that were left out in the place of those of the last seed; gives the first of them by key.
pub(crate) fn record_rejected(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
) -> Result<Vec<Rejection>, StoreError> {
    const RECORD: &str = "the record of leads that were left out";
    db.execute(
        &names.sql("DELETE FROM {ns}queue_rejected WHERE backlog_id = $1"),
        &[Param::Int(backlog_id)],
    )
    .map_err(failed(RECORD))?;
    let (mut listed, mut last) = (Vec::new(), String::new());
    loop {
        let page: Vec<RejectedRow> = db
            .query(
                "SELECT source_pk, problem FROM rq_stage WHERE problem > 0 AND source_pk > $1 \
                 ORDER BY source_pk LIMIT 200",
                &[Param::Text(&last)],
            )
            .map_err(failed(RECORD))?;
        let Some(end) = page.last() else { return Ok(listed) };
        last.clone_from(&end.source_pk);
        for row in page {
            let Some(reason) =
                RejectReason::ALL.into_iter().find(|reason| reason.number() == row.problem)
            else {
                continue;
            };
            let rejection = Rejection::new(&row.source_pk, reason);
            db.execute(
                &names.sql(
                    "INSERT INTO {ns}queue_rejected (backlog_id, key_hash, source_pk, key_bytes, reason) \
                     VALUES ($1, $2, $3, $4, $5)",
                ),
                &[
                    Param::Int(backlog_id),
                    Param::Text(&rejection.key_hash),
                    Param::OptText(rejection.source_pk.as_ref().map(SourcePk::as_str)),
                    Param::Int(i64::try_from(rejection.key_bytes).unwrap_or(i64::MAX)),
                    Param::Text(reason.code()),
                ],
            )
            .map_err(failed(RECORD))?;
            if listed.len() < Rejection::LISTED {
                listed.push(rejection);
            }
        }
    }
}

#[derive(QueryableByName)]
struct ViewColumn {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
}

/// Reads the columns of a view; none when it does not exist.
pub(crate) fn view_columns(
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
    view: &ResolvedView,
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
    let (at, dated) = if sqlite { sqlite_date() } else { postgres_date(date_kind)? };
    let (priority, ranked) = match kind("lead_priority") {
        None => ("CAST(0 AS BIGINT)".to_owned(), "0".to_owned()),
        Some(_) if sqlite => sqlite_priority(),
        Some(kind) => postgres_priority(kind)?,
    };
    let problem = format!("CASE WHEN {dated} <> 0 THEN {dated} ELSE {ranked} END");
    let problem = if ranked == "0" { dated } else { problem };
    let version = if kind("lead_version").is_some() {
        "CAST(lead_version AS TEXT)"
    } else {
        "CAST(NULL AS TEXT)"
    };
    Ok(format!(
        "SELECT {} AS source_pk, {at} AS lead_at, {version} AS lead_version, \
         {priority} AS priority, {problem} AS problem FROM {}",
        key_text(sqlite, "lead_source_pk"),
        view.quoted()
    ))
}

/// The parts of a text in ISO 8601 form: the day, and a time with a zone. The hours of a zone go to 14, as the world's do.
#[cfg(feature = "postgres")]
const ISO: [&str; 2] = [
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?",
];
#[cfg(feature = "postgres")]
const ZONE: &str = "(Z|z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)";

/// The instant of `lead_date` in microseconds, and the number of what is wrong with it: by the type of its column.
#[cfg(feature = "postgres")]
fn postgres_date(kind: &str) -> Result<(String, String), (String, &'static str)> {
    let micros = |instant: &str| format!("CAST(extract(epoch FROM {instant}) * 1000000 AS BIGINT)");
    let typed = |instant: &str| {
        let problem = "CASE WHEN lead_date IS NULL THEN 0 WHEN NOT isfinite(lead_date) THEN 6 \
             WHEN lead_date < '0001-01-01 00:00:00+00' OR lead_date >= '10000-01-01 00:00:00+00' THEN 7 ELSE 0 END";
        (format!("CASE WHEN {problem} = 0 THEN {} END", micros(instant)), problem.to_owned())
    };
    match kind {
        // A date is its midnight in UTC, whatever the zone of the session.
        "date" => Ok(typed("CAST(lead_date AS timestamp)")),
        "timestamp with time zone" => Ok(typed("lead_date")),
        "text" | "character varying" => {
            let [day, time] = ISO;
            // The last day of its month, reckoned without a text that is no date being read as one.
            let day_exists = "CAST(substr(lead_date, 9, 2) AS INT) <= extract(day FROM \
                 make_date(CAST(substr(lead_date, 1, 4) AS INT), CAST(substr(lead_date, 6, 2) AS INT), 1) \
                 + interval '1 month - 1 day')";
            let problem = format!(
                "CASE WHEN lead_date IS NULL THEN 0 WHEN lead_date !~ '^{day}({time}{ZONE}?)?$' THEN 3 \
                 WHEN substr(lead_date, 1, 4) = '0000' THEN 7 WHEN NOT {day_exists} THEN 3 \
                 WHEN length(lead_date) > 10 AND lead_date !~ '{ZONE}$' THEN 4 ELSE 0 END"
            );
            // Cut to microseconds as everywhere, and never rounded up to them.
            let instant = "CAST(CASE WHEN length(lead_date) = 10 THEN lead_date || 'T00:00:00Z' \
                 ELSE regexp_replace(lead_date, '([.][0-9]{6})[0-9]+', '\\1') END AS timestamptz)";
            let at = format!("CASE WHEN {problem} = 0 THEN {} END", micros(instant));
            Ok((at, problem))
        }
        "timestamp without time zone" => Err((
            "lead_date is a timestamp without a zone".to_owned(),
            "say which zone it means: lead_date AT TIME ZONE 'America/Lima'",
        )),
        other => Err((
            format!("lead_date has the type {other}"),
            "make it a date, a timestamp with time zone, or a text",
        )),
    }
}

#[cfg(not(feature = "postgres"))]
fn postgres_date(_: &str) -> Result<(String, String), (String, &'static str)> {
    Ok(sqlite_date())
}

/// As [`postgres_date`], of a text: SQLite itself would take a 30th of February for a day in March.
fn sqlite_date() -> (String, String) {
    let digits = |form: &str| form.replace('#', "[0-9]");
    let (day, time) = (digits("####-##-##"), digits("[T ]##:##*"));
    // The zone as SQLite reads it, with minutes and a colon; what is before it, without a fraction of a second.
    let tail = "ltrim(substr(lead_date, 17), ':.0123456789')";
    let zone = format!(
        "CASE WHEN length({tail}) = 3 THEN {tail} || ':00' \
         WHEN length({tail}) = 5 THEN substr({tail}, 1, 3) || ':' || substr({tail}, 4) ELSE {tail} END"
    );
    let clock = format!("substr(lead_date, 17, length(lead_date) - 16 - length({tail}))");
    let seconds = format!("CASE WHEN {clock} = '' THEN '' ELSE substr({clock}, 1, 3) END");
    let instant = format!(
        "CASE WHEN length(lead_date) = 10 THEN unixepoch(lead_date) \
         ELSE unixepoch(substr(lead_date, 1, 16) || {seconds} || {zone}) END"
    );
    let fraction = format!("substr({clock}, 5)");
    let at_least_one = digits(".#*");
    let two_digits = digits(":##");
    let problem = format!(
        "CASE WHEN lead_date IS NULL THEN 0 \
         WHEN typeof(lead_date) <> 'text' OR substr(lead_date, 1, 10) NOT GLOB '{day}' THEN 3 \
         WHEN substr(lead_date, 1, 4) = '0000' THEN \
             CASE WHEN date('2000' || substr(lead_date, 5, 6)) IS NULL THEN 3 ELSE 7 END \
         WHEN date(substr(lead_date, 1, 10)) IS NOT substr(lead_date, 1, 10) THEN 3 \
         WHEN length(lead_date) = 10 THEN 0 \
         WHEN substr(lead_date, 11) NOT GLOB '{time}' OR substr(lead_date, 12, 2) > '23' \
           OR substr({clock}, 1, 3) NOT GLOB CASE WHEN {clock} = '' THEN '' ELSE '{two_digits}' END \
           OR ({fraction} <> '' AND {fraction} GLOB '*[^0-9]*') \
           OR (length({clock}) > 3 AND substr({clock}, 4) NOT GLOB '{at_least_one}') \
           OR {tail} NOT GLOB CASE length({tail}) WHEN 0 THEN '' WHEN 1 THEN '[Zz]' WHEN 3 THEN '{}' \
                WHEN 5 THEN '{}' WHEN 6 THEN '{}' ELSE '' END \
           OR {instant} IS NULL THEN 3 \
         WHEN {tail} = '' THEN 4 ELSE 0 END",
        digits("[+-]##"),
        digits("[+-]####"),
        digits("[+-]##:##"),
    );
    let at = format!(
        "CASE WHEN length(lead_date) = 10 THEN {instant} * 1000000 \
         ELSE {instant} * 1000000 + CAST(substr({fraction} || '000000', 1, 6) AS INTEGER) END"
    );
    (at, problem)
}

/// The priority and the number of what is wrong with it.
fn sqlite_priority() -> (String, String) {
    let whole = "CASE typeof(lead_priority) WHEN 'null' THEN 1 WHEN 'integer' THEN 1 \
         WHEN 'real' THEN abs(lead_priority) < 9e15 AND lead_priority = CAST(lead_priority AS INTEGER) \
         WHEN 'text' THEN CAST(CAST(lead_priority AS INTEGER) AS TEXT) = CAST(lead_priority AS TEXT) \
         ELSE 0 END";
    (
        "COALESCE(CAST(lead_priority AS INTEGER), 0)".to_owned(),
        format!("CASE WHEN {whole} THEN 0 ELSE 9 END"),
    )
}

/// As [`sqlite_priority`], by the type of the column.
fn postgres_priority(kind: &str) -> Result<(String, String), (String, &'static str)> {
    let whole = match kind {
        "smallint" | "integer" | "bigint" => {
            return Ok(("COALESCE(CAST(lead_priority AS BIGINT), 0)".to_owned(), "0".to_owned()));
        }
        // Not a number and the infinities fail the first comparison, so that none of them is cast.
        "numeric" | "real" | "double precision" => {
            "CASE WHEN lead_priority > -9e15 AND lead_priority < 9e15 \
             THEN lead_priority = trunc(lead_priority) ELSE false END"
        }
        "text" | "character varying" => "lead_priority ~ '^(0|-?[1-9][0-9]{0,17})$'",
        other => {
            return Err((format!("lead_priority has the type {other}"), "make it an integer"));
        }
    };
    Ok((
        format!("CASE WHEN {whole} THEN CAST(lead_priority AS BIGINT) ELSE 0 END"),
        format!("CASE WHEN lead_priority IS NULL OR {whole} THEN 0 ELSE 9 END"),
    ))
}

/// Rows per statement; five binds each on SQLite, far below its limit.
const CHUNK: usize = 2000;

fn copy_rows(
    db: &mut Database,
    leads: Box<dyn Iterator<Item = BacklogLead> + '_>,
) -> Result<(), StoreError> {
    let mut chunk: Vec<BacklogLead> = Vec::with_capacity(CHUNK);
    for lead in leads {
        chunk.push(lead);
        if chunk.len() == CHUNK {
            copy_chunk(db, &chunk)?;
            chunk.clear();
        }
    }
    if chunk.is_empty() { Ok(()) } else { copy_chunk(db, &chunk) }
}

fn problem(lead: &BacklogLead) -> i64 {
    RejectReason::of(lead).map_or(0, RejectReason::number)
}

/// The version, where both backends can hold it.
fn version(lead: &BacklogLead) -> Option<&str> {
    lead.lead_version.as_deref().filter(|version| !version.contains('\0'))
}

fn copy_chunk(db: &mut Database, chunk: &[BacklogLead]) -> Result<(), StoreError> {
    match db {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => {
            let mut sql = String::with_capacity(32 + chunk.len() * 10);
            sql.push_str("INSERT INTO rq_rows VALUES ");
            let mut params = Vec::with_capacity(chunk.len() * 5);
            for (row, lead) in chunk.iter().enumerate() {
                // Not numbered: SQLite would look each number up among all that came before.
                sql.push_str(if row == 0 { "(?,?,?,?,?)" } else { ",(?,?,?,?,?)" });
                params.extend([
                    Param::Text(lead.source_pk.as_str()),
                    Param::Int(lead.lead_at.timestamp_micros()),
                    Param::OptText(version(lead)),
                    Param::Int(i64::from(lead.priority)),
                    Param::Int(problem(lead)),
                ]);
            }
            db.execute(&sql, &params).map_err(failed(READ))?;
        }
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => {
            let keys: Vec<_> = chunk.iter().map(|lead| Some(lead.source_pk.as_str())).collect();
            let dates: Vec<_> = chunk.iter().map(|lead| lead.lead_at.timestamp_micros()).collect();
            let versions: Vec<_> = chunk.iter().map(version).collect();
            let priorities: Vec<_> = chunk.iter().map(|lead| i64::from(lead.priority)).collect();
            let problems: Vec<_> = chunk.iter().map(problem).collect();
            db.execute(
                "INSERT INTO rq_rows SELECT * FROM unnest($1, $2, $3, $4, $5)",
                &[
                    Param::OptTexts(&keys),
                    Param::Ints(&dates),
                    Param::OptTexts(&versions),
                    Param::Ints(&priorities),
                    Param::Ints(&problems),
                ],
            )
            .map_err(failed(READ))?;
        }
    }
    Ok(())
}
