//! Tables that PostgreSQL keeps in partitions, by the hash of the lead's number.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;

/// The tables that grow with the leads and whose keys all hold the lead: what is unique stays unique across partitions.
///
/// `queue_lead` is unique by its number and by the lead's own key, which no one column holds together. Rows of
/// `queue_pending` are removed by their place (`ctid`), which is a place within one partition only. Histories number their
/// rows by an identity, which a partitioned table has from PostgreSQL 17 on.
const BY_LEAD: [&str; 3] = ["queue_link", "queue_settled", "queue_wake_key"];

/// PostgreSQL plans more slowly with each partition.
const MOST: u16 = 1024;

const WHAT: &str = "the partitioning";

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    modulus: i64,
}

/// How a table is kept: the partitions that its hashes ask for, and how many of them are there.
pub(super) struct Kept {
    table: String,
    pub(super) wanted: i64,
    there: i64,
}

impl Kept {
    /// Names what is missing where some hashes have no partition: their leads cannot be written.
    pub(super) fn missing(&self) -> Option<String> {
        let gone = self.wanted - self.there;
        (gone > 0).then(|| format!("{}: {gone} of {} partitions", self.table, self.wanted))
    }
}

/// Looks which tables are kept in partitions by hash.
pub(super) fn look(db: &mut Database, names: &Names) -> Result<Vec<Kept>, StoreError> {
    let Some(schema) = &names.schema else { return Ok(Vec::new()) };
    let sql = "SELECT CAST(c.relname AS TEXT) AS table_name, \
         CAST(coalesce(substring(pg_get_expr(p.relpartbound, p.oid) FROM 'modulus ([0-9]+)'), '0') AS BIGINT) AS modulus \
         FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid \
         JOIN pg_partitioned_table t ON t.partrelid = c.oid AND t.partstrat = 'h' \
         LEFT JOIN pg_inherits h ON h.inhparent = c.oid LEFT JOIN pg_class p ON p.oid = h.inhrelid \
         WHERE n.nspname = $1 ORDER BY c.relname";
    let rows: Vec<Partition> =
        db.query(sql, &[Param::Text(schema)]).map_err(failed("the look at the partitions"))?;
    // Each modulus divides the next larger one, so all are counted by the largest.
    Ok(rows
        .chunk_by(|a, b| a.table_name == b.table_name)
        .map(|rows| {
            let wanted = rows.iter().map(|row| row.modulus).max().unwrap_or_default().max(1);
            let there =
                rows.iter().filter(|row| row.modulus > 0).map(|row| wanted / row.modulus).sum();
            Kept { table: rows[0].table_name.clone(), wanted, there }
        })
        .collect())
}

/// Refuses a backend without partitions, and a number that makes none.
pub(super) fn check(partitions: u16, sqlite: bool, names: &Names) -> Result<(), StoreError> {
    if sqlite {
        return refused(
            names,
            "SQLite keeps each table in one piece".to_owned(),
            "ask for partitions on PostgreSQL only",
        );
    }
    if !(2..=MOST).contains(&partitions) {
        return refused(
            names,
            format!("{partitions} partitions are asked for"),
            "ask for 2 to 1024, such as 16",
        );
    }
    Ok(())
}

fn refused(names: &Names, reason: String, remedy: &'static str) -> Result<(), StoreError> {
    Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy })
}

/// Makes the tables by lead anew, in so many partitions; those that are kept in so many already are left as they are.
pub(super) fn make(db: &mut Database, names: &Names, partitions: u16) -> Result<(), StoreError> {
    let kept = look(db, names)?;
    let mut whole = Vec::new();
    for table in BY_LEAD {
        match kept.iter().find(|kept| kept.table == table) {
            Some(kept) if kept.wanted == i64::from(partitions) => {}
            Some(kept) => {
                let reason = format!("{table} is kept in {} partitions already", kept.wanted);
                return refused(names, reason, "keep them, or begin in a new namespace");
            }
            None => whole.push(table),
        }
    }
    for table in &whole {
        // Nobody writes to them from here on.
        db.script(&names.sql(&format!("LOCK TABLE {{ns}}{table} IN ACCESS EXCLUSIVE MODE")))
            .map_err(failed(WHAT))?;
        let any = format!("SELECT count(*) AS value FROM (SELECT FROM {{ns}}{table} LIMIT 1) AS t");
        if db.int(&names.sql(&any), &[]).map_err(failed(WHAT))? > 0 {
            return refused(
                names,
                format!("{table} holds rows"),
                "ask for partitions before the first run, or begin in a new namespace",
            );
        }
    }
    whole.iter().try_for_each(|table| rebuild(db, names, table, partitions))
}

/// Puts a partitioned table in the place of an empty one: with its columns, checks, keys, indexes and grants, under the
/// same views.
fn rebuild(
    db: &mut Database,
    names: &Names,
    table: &str,
    partitions: u16,
) -> Result<(), StoreError> {
    let schema = names.schema.as_deref().unwrap_or_default();
    let place = [Param::Text(schema), Param::Text(table)];
    if db.int(UNKEPT, &place).map_err(failed(WHAT))? > 0 {
        let reason = format!("{table} has triggers or policies, which a new table would not have");
        return refused(names, reason, "remove them first, and make them again afterwards");
    }
    let after: Vec<TextRow> = db.query(AROUND, &place).map_err(failed(WHAT))?;
    let parts = (0..partitions).map(|part| {
        format!(
            "CREATE TABLE {{ns}}{table}_p{part} PARTITION OF {{ns}}{table} \
             FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part});"
        )
    });
    let script = format!(
        "ALTER TABLE {{ns}}{table} RENAME TO {table}_whole; \
         CREATE TABLE {{ns}}{table} (LIKE {{ns}}{table}_whole INCLUDING ALL EXCLUDING INDEXES) \
         PARTITION BY HASH (lead_id);{}",
        parts.collect::<String>()
    );
    db.script(&names.sql(&script)).map_err(failed(WHAT))?;
    let (views, rest): (Vec<_>, Vec<_>) =
        after.into_iter().map(|row| row.value).partition(|sql| sql.starts_with("CREATE OR"));
    let run = |db: &mut Database, sql: &String| db.script(sql).map_err(failed(WHAT));
    views.iter().try_for_each(|sql| run(db, sql))?;
    // Whatever else still reads the old table is told by the server.
    db.script(&names.sql(&format!("DROP TABLE {{ns}}{table}_whole"))).map_err(failed(WHAT))?;
    rest.iter().try_for_each(|sql| run(db, sql))
}

/// Counts what `LIKE` does not copy and nothing here makes again.
const UNKEPT: &str = "SELECT count(*) AS value FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid \
     WHERE n.nspname = $1 AND c.relname = $2 AND (c.relrowsecurity \
     OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
     OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))";

/// Writes the statements that a table's views, keys, indexes and grants are made of, by the server's own words for them.
const AROUND: &str = "WITH t AS (SELECT c.oid, c.relacl, c.relowner FROM pg_namespace n \
         JOIN pg_class c ON c.relnamespace = n.oid WHERE n.nspname = $1 AND c.relname = $2) \
     SELECT DISTINCT format('CREATE OR REPLACE VIEW %s AS %s', CAST(v.oid AS regclass), pg_get_viewdef(v.oid)) AS value \
     FROM t JOIN pg_depend d ON d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid = t.oid \
     JOIN pg_rewrite r ON d.classid = CAST('pg_rewrite' AS regclass) AND r.oid = d.objid \
     JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' \
     JOIN pg_namespace n ON n.oid = v.relnamespace AND n.nspname = $1 \
     UNION ALL SELECT CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid) \
         ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', CAST(t.oid AS regclass), k.conname, pg_get_constraintdef(k.oid)) END \
     FROM t JOIN pg_index i ON i.indrelid = t.oid \
     LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u') \
     UNION ALL SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, CAST(t.oid AS regclass), \
         CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, \
         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
     FROM t CROSS JOIN LATERAL aclexplode(t.relacl) AS a WHERE a.grantee <> t.relowner";
