//! Typed statements: one text in Diesel's query language for both backends.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A typed statement with the place of the store's tables.
///
/// Diesel fixes the names of tables when the crate is compiled. The schema of PostgreSQL is known when the store is opened,
/// so it is put before each table's name as the statement is written.
pub(crate) struct Placed<'a, Q> {
    pub(crate) statement: Q,
    /// Whether the connection keeps it prepared: one of ours to SQLite, for a statement that is run row by row.
    pub(crate) kept: bool,
    /// What stands before a table's name.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    // a file of SQLite is one namespace
    pub(crate) place: &'a str,
}

impl<Q> QueryId for Placed<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Placed<'_, Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Placed<'_, Q> {}

#[cfg(feature = "sqlite")]
impl<Q: QueryFragment<diesel::sqlite::Sqlite>> QueryFragment<diesel::sqlite::Sqlite>
    for Placed<'_, Q>
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        if !self.kept {
            out.unsafe_to_cache_prepared();
        }
        self.statement.walk_ast(out)
    }
}

#[cfg(feature = "postgres")]
impl<Q: QueryFragment<diesel::pg::Pg>> QueryFragment<diesel::pg::Pg> for Placed<'_, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        if !self.kept {
            out.unsafe_to_cache_prepared();
        }
        self.statement.walk_ast(out)
    }

    fn to_sql(
        &self,
        out: &mut diesel::pg::PgQueryBuilder,
        backend: &diesel::pg::Pg,
    ) -> QueryResult<()> {
        use diesel::query_builder::QueryBuilder;
        let mut bare = diesel::pg::PgQueryBuilder::default();
        self.statement.to_sql(&mut bare, backend)?;
        // Values are bound and no alias or column begins so: what is found are tables.
        out.push_sql(&bare.finish().replace("\"queue_", &format!("{}\"queue_", self.place)));
        Ok(())
    }
}

/// A typed change with the place of the store's tables, which tells how many rows it touched.
///
/// PostgreSQL's own count comes from a way through Diesel that does not ask [`QueryFragment::to_sql`], so the rows are
/// counted by the statement.
#[cfg(feature = "postgres")]
pub(crate) struct Counted<'a, Q>(pub(crate) Placed<'a, Q>);

#[cfg(feature = "postgres")]
impl<Q> QueryId for Counted<'_, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

#[cfg(feature = "postgres")]
impl<Q> Query for Counted<'_, Q> {
    type SqlType = diesel::sql_types::BigInt;
}

#[cfg(feature = "postgres")]
impl<Q, C> RunQueryDsl<C> for Counted<'_, Q> {}

#[cfg(feature = "postgres")]
impl<Q: QueryFragment<diesel::pg::Pg>> QueryFragment<diesel::pg::Pg> for Counted<'_, Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn to_sql(
        &self,
        out: &mut diesel::pg::PgQueryBuilder,
        backend: &diesel::pg::Pg,
    ) -> QueryResult<()> {
        use diesel::query_builder::QueryBuilder;
        out.push_sql("WITH done AS (");
        self.0.to_sql(out, backend)?;
        out.push_sql(" RETURNING 1) SELECT count(*) FROM done");
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl<Q: QueryFragment<diesel::pg::Pg>> Placed<'_, Q> {
    /// Runs a change; gives how many rows it touched.
    pub(crate) fn change(self, connection: &mut PgConnection) -> QueryResult<usize> {
        let rows: i64 = Counted(self).get_result(connection)?;
        Ok(usize::try_from(rows).unwrap_or_default())
    }
}

/// Runs a typed statement by one of Diesel's verbs (`load`, `get_result`, `execute`) on whichever backend it is.
macro_rules! typed {
    ($db:expr, $names:expr, execute, $statement:expr) => {
        $crate::diesel::conn::typed::typed!($db, $names, execute, change, $statement)
    };
    ($db:expr, $names:expr, $verb:ident, $statement:expr) => {
        $crate::diesel::conn::typed::typed!($db, $names, $verb, $verb, $statement)
    };
    ($db:expr, $names:expr, $on_sqlite:ident, $on_postgres:ident, $statement:expr) => {{
        #[allow(unused_imports)] // PostgreSQL's `change` is no verb of Diesel's
        use diesel::RunQueryDsl as _;
        use $crate::diesel::conn::{database::Database, typed::Placed};
        let place = $names.ns.as_str();
        match &mut *$db {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(connection) => {
                Placed { statement: $statement, kept: false, place }.$on_sqlite(&mut **connection)
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(session) => session.run(|connection| {
                Placed { statement: $statement, kept: false, place }.$on_postgres(connection)
            }),
        }
    }};
}
pub(crate) use typed;

/// Inserts rows, of which there is one at least: in one statement on PostgreSQL; on SQLite, whose way through Diesel is a
/// row each, by one that a connection of ours keeps prepared. What follows the rows is said of each.
macro_rules! insert_rows {
    ($db:expr, $names:expr, $table:ident, $rows:expr $(, $verb:ident($($argument:expr),*))*) => {{
        #[allow(unused_imports)] // PostgreSQL's `change` is no verb of Diesel's
        use diesel::RunQueryDsl as _;
        use $crate::diesel::conn::{database::Database, typed::Placed};
        let place = $names.ns.as_str();
        let rows: Vec<_> = $rows.collect();
        match &mut *$db {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(connection) => {
                let kept = connection.is_ours();
                rows.into_iter().try_for_each(|row| {
                    let statement =
                        diesel::insert_into($table::table).values(row)$(.$verb($($argument),*))*;
                    Placed { statement, kept, place }.execute(&mut **connection).map(drop)
                })
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(session) => session.run(|connection| {
                let statement =
                    diesel::insert_into($table::table).values(rows)$(.$verb($($argument),*))*;
                Placed { statement, kept: false, place }.change(connection).map(drop)
            }),
        }
    }};
}
pub(crate) use insert_rows;

#[cfg(test)]
#[cfg(feature = "postgres")]
mod tests {
    use diesel::prelude::*;
    use diesel::query_builder::{QueryBuilder, QueryFragment};

    use super::{Counted, Placed};
    use crate::diesel::tables::{queue_lead, queue_run};

    fn sql<Q: QueryFragment<diesel::pg::Pg>>(query: &Q) -> String {
        let mut out = diesel::pg::PgQueryBuilder::default();
        query.to_sql(&mut out, &diesel::pg::Pg).expect("it is SQL");
        out.finish()
    }

    fn text<Q: QueryFragment<diesel::pg::Pg>>(statement: Q) -> String {
        sql(&Placed { statement, kept: false, place: "\"other\"." })
    }

    #[test]
    fn every_table_stands_in_its_schema() {
        let of_run = queue_run::table.filter(queue_run::id.eq(1));
        assert_eq!(
            text(of_run.select(queue_run::kind)),
            r#"SELECT "other"."queue_run"."kind" FROM "other"."queue_run" WHERE ("other"."queue_run"."id" = $1)"#
        );
        assert_eq!(
            text(diesel::update(of_run).set(queue_run::kind.eq("\"queue_run"))),
            r#"UPDATE "other"."queue_run" SET "kind" = $1 WHERE ("other"."queue_run"."id" = $2)"#
        );
        let ids = of_run.select(queue_run::id);
        assert_eq!(
            text(diesel::delete(queue_lead::table.filter(queue_lead::id.eq_any(ids)))),
            r#"DELETE FROM "other"."queue_lead" WHERE ("other"."queue_lead"."id" = ANY(SELECT "other"."queue_run"."id" FROM "other"."queue_run" WHERE ("other"."queue_run"."id" = $1)))"#
        );
    }

    #[test]
    fn a_change_counts_its_rows() {
        let statement = diesel::delete(queue_run::table);
        let placed = Placed { statement, kept: false, place: "\"other\"." };
        assert_eq!(
            sql(&Counted(placed)),
            r#"WITH done AS (DELETE FROM "other"."queue_run" RETURNING 1) SELECT count(*) FROM done"#
        );
    }
}
