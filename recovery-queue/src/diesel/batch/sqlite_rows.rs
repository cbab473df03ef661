//! The rows of a batch on their way into SQLite's temporary table.
//!
//! Diesel prepares SQL text anew each time that it runs, and a thousand rows of twelve binds are a long text.
//! Statements of a fixed number of rows have a type of their own, by which the connection keeps them prepared.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

/// Rows per statement.
const ROWS: usize = 50;

/// One row of `temp.rq_batch`.
#[derive(Default)]
pub(crate) struct StagedRow<'a> {
    pub(crate) lead_id: i64,
    pub(crate) lead_at: i64,
    pub(crate) attempts: i64,
    pub(crate) status: i64,
    pub(crate) reason: Option<&'a str>,
    pub(crate) person_key: Option<&'a str>,
    pub(crate) person_id: Option<i64>,
    pub(crate) rule: Option<&'a str>,
    pub(crate) confidence: Option<&'a str>,
    pub(crate) evidence: Option<&'a str>,
    pub(crate) not_before: Option<i64>,
    pub(crate) first: Option<i64>,
}

struct Rows<'a, const N: usize>(&'a [StagedRow<'a>; N]);

impl<const N: usize> QueryId for Rows<'_, N> {
    type QueryId = Rows<'static, N>;
}

impl<const N: usize> RunQueryDsl<SqliteConnection> for Rows<'_, N> {}

impl<const N: usize> QueryFragment<Sqlite> for Rows<'_, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO temp.rq_batch (lead_id, lead_at, attempts, status, reason, person_key, \
             person_id, rule, confidence, evidence, not_before, first) VALUES ",
        );
        for (at, row) in self.0.iter().enumerate() {
            out.push_sql(if at == 0 { "(" } else { ", (" });
            for int in [&row.lead_id, &row.lead_at, &row.attempts, &row.status] {
                out.push_bind_param::<BigInt, _>(int)?;
                out.push_sql(", ");
            }
            for text in [&row.reason, &row.person_key] {
                out.push_bind_param::<Nullable<Text>, _>(text)?;
                out.push_sql(", ");
            }
            out.push_bind_param::<Nullable<BigInt>, _>(&row.person_id)?;
            for text in [&row.rule, &row.confidence, &row.evidence] {
                out.push_sql(", ");
                out.push_bind_param::<Nullable<Text>, _>(text)?;
            }
            for int in [&row.not_before, &row.first] {
                out.push_sql(", ");
                out.push_bind_param::<Nullable<BigInt>, _>(int)?;
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

/// Writes rows into the temporary table of a connection.
pub(crate) fn stage(connection: &mut SqliteConnection, rows: &[StagedRow<'_>]) -> QueryResult<()> {
    let (full, rest) = rows.as_chunks::<ROWS>();
    for rows in full {
        Rows(rows).execute(connection)?;
    }
    for row in rest {
        Rows(std::array::from_ref(row)).execute(connection)?;
    }
    Ok(())
}
