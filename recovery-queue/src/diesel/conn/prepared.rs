//! Statements that a connection prepares once and keeps.
//!
//! Diesel prepares SQL text anew each time that it runs. What every batch runs again is kept by its text instead:
//! planning alone took a tenth of a batch's time. Only constant text may go this way, or the cache would grow.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text, Untyped};

use crate::diesel::conn::rows::Param;

/// A statement with its binds.
pub(crate) struct Statement<'a> {
    pub(crate) sql: &'a str,
    pub(crate) params: &'a [Param<'a>],
    /// Whether the session that runs it is known to be the one that keeps it.
    pub(crate) kept: bool,
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl<C> RunQueryDsl<C> for Statement<'_> {}

/// Cuts a statement at its binds: each piece of text with the number of the bind before it, 0 for none.
fn pieces(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    sql.split('$').enumerate().map(|(at, piece)| {
        let digits = piece.len() - piece.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, text) = piece.split_at(digits);
        if at == 0 { (0, piece) } else { (number.parse().unwrap_or_default(), text) }
    })
}

/// Writes the text, and each bind at its first place; `again` is what stands before the number at a later one.
macro_rules! walk {
    ($statement:expr, $out:ident, $again:literal, |$param:ident| $arrays:expr) => {{
        if !$statement.kept {
            $out.unsafe_to_cache_prepared();
        }
        let mut bound = 0;
        for (number, text) in pieces($statement.sql) {
            if number > bound {
                // The backends number the binds as they come.
                let next = $statement.params.get(bound).filter(|_| number == bound + 1);
                let $param = next.ok_or_else(unbound)?;
                match $param {
                    Param::Int(value) => $out.push_bind_param::<BigInt, _>(value)?,
                    Param::OptInt(value) => $out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                    Param::Text(value) => $out.push_bind_param::<Text, _>(value)?,
                    Param::OptText(value) => $out.push_bind_param::<Nullable<Text>, _>(value)?,
                    #[cfg(feature = "postgres")]
                    Param::Ints(_) | Param::OptTexts(_) => $arrays,
                }
                bound = number;
            } else if number > 0 {
                $out.push_sql(&format!(concat!($again, "{}"), number));
            }
            $out.push_sql(text);
        }
        Ok(())
    }};
}

fn unbound() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(
        "a statement names a bind that it has not, or names them out of order".into(),
    )
}

#[cfg(feature = "sqlite")]
impl QueryFragment<diesel::sqlite::Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        walk!(self, out, "?", |param| {
            let _ = param;
            return Err(diesel::result::Error::QueryBuilderError(
                "arrays are bound on PostgreSQL only".into(),
            ));
        })
    }
}

#[cfg(feature = "postgres")]
impl QueryFragment<diesel::pg::Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        use diesel::sql_types::Array;
        walk!(self, out, "$", |param| match param {
            Param::Ints(values) => out.push_bind_param::<Array<BigInt>, _>(values)?,
            Param::OptTexts(values) => out.push_bind_param::<Array<Nullable<Text>>, _>(values)?,
            _ => {}
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sqlite")]
    #[test]
    fn binds_out_of_order_and_missing_ones_are_refused() {
        use diesel::sqlite::SqliteConnection;
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let mut run = |sql| {
            let params = &[Param::Int(1), Param::Int(2)];
            Statement { sql, params, kept: true }.execute(&mut connection).is_ok()
        };
        assert!(run("SELECT $1, $2, $1"));
        assert!(!run("SELECT $2, $1"));
        assert!(!run("SELECT $1, $2, $3"));
    }

    #[test]
    fn a_statement_is_cut_at_its_binds() {
        let cut: Vec<_> = pieces("SELECT $1, $2 + $1 FROM a$b").collect();
        assert_eq!(cut, [(0, "SELECT "), (1, ", "), (2, " + "), (1, " FROM a"), (0, "b")]);
    }
}
