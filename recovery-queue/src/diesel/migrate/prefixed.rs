//! Tables that an earlier version made under a prefix in a file of SQLite: they are renamed into the file's one namespace.
//!
//! The views stay under their old names, too, so that what the service made of them goes on.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::migrate::expected_schema::Shape;
use crate::model::backlog::check_identifier;
use crate::model::error::StoreError;

const ADOPT: &str = "the renaming of tables under a prefix";

/// The table that says that others beside it are ours.
const BOOK: &str = "queue_migration";

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Text)]
    name: String,
    /// The table of an index.
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    sql: String,
}

/// Lists the prefixes under which the file holds a store, in order; the empty one is not among them.
pub(crate) fn prefixes(db: &mut Database) -> Result<Vec<String>, StoreError> {
    // By its columns: another program may have a table of such a name.
    let sql = "SELECT substr(m.name, 1, length(m.name) - 15) AS value FROM sqlite_master m \
         WHERE m.type = 'table' AND length(m.name) > 15 AND substr(m.name, -15) = 'queue_migration' \
           AND (SELECT group_concat(c.name) FROM pragma_table_info(m.name) c) = \
               'version,name,sha256,breaking,applied_at' ORDER BY m.name";
    let rows: Vec<TextRow> = db.query(sql, &[]).map_err(failed(ADOPT))?;
    let is_one = |prefix: &String| check_identifier("prefix", prefix).is_ok();
    Ok(rows.into_iter().map(|row| row.value).filter(is_one).collect())
}

/// Renames the store that lies under a prefix, where it is the only one of the file; nothing is done where there is none.
///
/// # Errors
/// Several stores in one file: which of them is meant the caller has to say.
pub(crate) fn adopt_only(db: &mut Database, names: &Names, ours: &Shape) -> Result<(), StoreError> {
    let found = prefixes(db)?;
    if found.is_empty() || exists(db, BOOK)? {
        return Ok(());
    }
    let [prefix] = &found[..] else {
        return Err(StoreError::Schema {
            namespace: names.label.clone(),
            reason: format!(
                "the file holds several stores, under the prefixes {}",
                found.join(", ")
            ),
            remedy: "copy the file, one for each, and call adopt_prefix in each copy",
        });
    };
    adopt(db, names, ours, prefix)
}

/// Renames the store that lies under a prefix.
///
/// # Errors
/// No store there, and a store in the file's own namespace already.
pub(crate) fn adopt(
    db: &mut Database,
    names: &Names,
    ours: &Shape,
    prefix: &str,
) -> Result<(), StoreError> {
    let refused = |reason: String, remedy| {
        Err(StoreError::Schema { namespace: names.label.clone(), reason, remedy })
    };
    let found = if db.is_sqlite() { prefixes(db)? } else { Vec::new() };
    if !found.iter().any(|known| known == prefix) {
        let known = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
        return refused(
            format!(
                "there is no store under the prefix {prefix}; prefixes of stores here: {known}"
            ),
            "name a prefix as the tables begin with it, such as crm_",
        );
    }
    if exists(db, BOOK)? {
        return refused(
            "the file holds a store in its own namespace, too".to_owned(),
            "copy the file, and drop that store's tables and views in the copy first",
        );
    }
    let bare = |name: &str| name.get(prefix.len()..).unwrap_or_default().to_owned();
    let is_ours = |table: &str| table == BOOK || ours.contains_key(table);
    let run = |db: &mut Database, sql: String| db.script(&sql).map_err(failed(ADOPT));
    // Foreign keys and views, the service's too, follow a table's new name by themselves.
    for table in under(db, prefix, "table")? {
        let name = bare(&table.name);
        if is_ours(&name) {
            run(db, format!("ALTER TABLE \"{}\" RENAME TO \"{name}\"", table.name))?;
        }
    }
    for index in under(db, prefix, "index")? {
        if is_ours(&index.of) {
            run(db, format!("DROP INDEX \"{}\"", index.name))?;
            run(db, index.sql.replacen(&index.name, &bare(&index.name), 1))?;
        }
    }
    for view in under(db, prefix, "view")? {
        let name = bare(&view.name);
        if is_ours(&name) {
            run(db, format!("DROP VIEW \"{}\"", view.name))?;
            run(db, view.sql.replacen(&view.name, &name, 1))?;
            run(db, format!("CREATE VIEW \"{}\" AS SELECT * FROM \"{name}\"", view.name))?;
        }
    }
    tracing::info!(name: "recovery_queue.prefix_adopted", prefix);
    Ok(())
}

/// Lists what the file holds of a kind under a prefix, as it stands now.
fn under(db: &mut Database, prefix: &str, kind: &str) -> Result<Vec<Made>, StoreError> {
    let sql = "SELECT name, tbl_name AS \"of\", sql FROM sqlite_master \
         WHERE type = $1 AND sql IS NOT NULL AND substr(name, 1, length($2)) = $2 ORDER BY name";
    db.query(sql, &[Param::Text(kind), Param::Text(prefix)]).map_err(failed(ADOPT))
}

fn exists(db: &mut Database, table: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) AS value FROM sqlite_master WHERE name = $1";
    Ok(db.int(sql, &[Param::Text(table)]).map_err(failed(ADOPT))? > 0)
}
