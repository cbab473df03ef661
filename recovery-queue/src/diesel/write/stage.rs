//! The stage of a seed: the backlog, read once into temporary tables and checked there.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::feed;
use crate::diesel::write::staged::{Asked, Staged, Unchanged};
#[cfg(feature = "sqlite")]
use crate::diesel::write::unchanged;
use crate::diesel::write::view::BacklogView;
use crate::model::backlog::{Backlog, BacklogLead, BacklogSource};
use crate::model::error::StoreError;
use crate::model::key::{MAX_KEY_BYTES, SourcePk};
use crate::model::options::Feed;
use crate::model::rejection::{RejectReason, Rejection};

const READ: &str = "the look at the backlog";

/// The keys to be staged, where only some are.
const WANTED: &str = "SELECT w.source_pk FROM {tmp}rq_wanted w";

/// Temporary tables, with what they hold.
const TABLES: [(&str, &str); 10] = [
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
        "lead_id BIGINT PRIMARY KEY, lead_at BIGINT, lead_version TEXT, priority BIGINT, problem BIGINT, \
         backlog_id BIGINT, changed BIGINT",
    ),
    ("rq_wanted", "source_pk TEXT PRIMARY KEY"),
    ("rq_named", "lead_key TEXT"),
    ("rq_absent", "lead_id BIGINT PRIMARY KEY"),
    ("rq_move", "lead_id BIGINT PRIMARY KEY"),
    ("rq_gone", "lead_id BIGINT PRIMARY KEY, attempts BIGINT"),
    ("rq_leak", "lead_id BIGINT PRIMARY KEY, source_pk TEXT"),
    ("rq_again", "source_pk TEXT PRIMARY KEY"),
];

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

/// Stages a backlog and checks it; gives the view where it is one.
///
/// What a feed names is staged alone. Without one what is unchanged is left out on SQLite, where the view is one that was
/// seeded before.
pub(crate) fn fill(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    now: i64,
    asked: &Asked,
    feed: Option<&Feed>,
) -> Result<(Staged, Option<BacklogView>), StoreError> {
    let refuse = |reason: String, remedy: &'static str| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason,
        remedy,
    };
    if backlog.name().is_empty() || backlog.name().len() > MAX_KEY_BYTES {
        return Err(refuse("its name is empty or too long".to_owned(), "give it a short name"));
    }
    let view = match backlog.source() {
        BacklogSource::View(view) => Some(BacklogView::checked(db, names, backlog, view)?),
        BacklogSource::Rows(leads) => {
            copy_rows(db, leads)?;
            None
        }
    };
    let touched = match feed {
        Some(feed) => feed::take(db, names, backlog, feed, asked, view.as_ref())?,
        None => None,
    };
    if feed.is_some() && touched.is_none() {
        db.execute(&names.sql("DELETE FROM {tmp}rq_wanted"), &[]).map_err(failed(READ))?;
    }
    let unchanged: Option<Unchanged> = match (&mut *db, &view) {
        #[cfg(feature = "sqlite")]
        (Database::Sqlite(connection), Some(view)) if touched.is_none() => {
            unchanged::find(connection, names, view, asked)?
        }
        _ => None,
    };
    let some = unchanged.is_some() || touched.is_some();
    let rows = match &view {
        None => {
            let some = if some { format!(" WHERE source_pk IN ({WANTED})") } else { String::new() };
            format!(
                "SELECT source_pk, lead_at, lead_version, priority, problem FROM {{tmp}}rq_rows{some}"
            )
        }
        Some(view) => {
            let found = if touched.is_some() { feed::by_index(db, view)? } else { None };
            let from = match found {
                Some(found) => found,
                None if some => view.wanted(db.is_sqlite(), WANTED),
                None => view.quoted(),
            };
            view.rows(db.is_sqlite(), &from)
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
    if unchanged.as_ref().is_none_or(|unchanged| unchanged.wanted > 0) {
        db.execute(
            &names.sql(&format!(
                "INSERT INTO {{tmp}}rq_stage \
                 SELECT source_pk, COALESCE(min(lead_at), $1), max(lead_version), min(priority), count(*), \
                     count(*) - count(lead_at), \
                     max(CASE WHEN source_pk IS NULL OR source_pk = '' THEN 1 \
                         WHEN {length} > {MAX_KEY_BYTES} THEN 2 {no_text} ELSE problem END) \
                 FROM ({rows}) b GROUP BY source_pk ORDER BY source_pk"
            )),
            &[Param::Int(now)],
        )
        .map_err(failed(READ))?;
    }
    if !db.is_sqlite() {
        db.execute(&names.sql("ANALYZE {tmp}rq_stage"), &[]).map_err(failed(READ))?;
    }
    if asks && !db.is_ours() {
        mark_no_text(db)?;
    }
    if touched.is_some() {
        feed::find_absent(db, names)?;
    }
    Ok((check(db, names, unchanged, touched, &refuse)?, view))
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
    names: &Names,
    unchanged: Option<Unchanged>,
    touched: Option<u64>,
    refuse: &dyn Fn(String, &'static str) -> StoreError,
) -> Result<Staged, StoreError> {
    let sql = "SELECT problem, count(*) AS leads, CAST(sum(copies) AS BIGINT) AS copies, \
         CAST(sum(undated) AS BIGINT) AS undated FROM {tmp}rq_stage GROUP BY problem ORDER BY problem";
    let rows: Vec<Totals> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
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
    let staged = sum(|row| row.leads);
    let rejected = staged - of(0).unwrap_or_default();
    let copies = sum(|row| row.copies) - staged;
    // Where something was left out because it is unchanged, the rest of the known leads is not staged either.
    let whole = unchanged.is_none() && touched.is_none();
    let unchanged = unchanged.unwrap_or_default();
    let leads = staged + unchanged.leads;
    if rejected > 0 && rejected == leads && touched.is_none() {
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
        kept: staged,
        duplicates: copies + unchanged.duplicates,
        undated: count(undated) + unchanged.undated,
        rejected,
        whole,
        touched,
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
                &names.sql(
                    "SELECT source_pk, problem FROM {tmp}rq_stage WHERE problem > 0 AND source_pk > $1 \
                     ORDER BY source_pk LIMIT 200",
                ),
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
    lead.fault().map_or(0, RejectReason::number)
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
            sql.push_str("INSERT INTO temp.rq_rows VALUES ");
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
                "INSERT INTO pg_temp.rq_rows SELECT * FROM unnest($1, $2, $3, $4, $5)",
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
