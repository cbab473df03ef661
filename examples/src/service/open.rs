//! Opening the queue's store and the service's tables together.

use recovery_queue::{DatabaseUrl, KeyColumn, OpenOptions, PersonView, SqlStore, ViewBacklog};

use super::database::Database;
use super::map::TableMap;
use super::schema::migrations;
use crate::cli::Failure;
use crate::files;
use crate::service::BACKLOG_VIEW;

/// Opens the store, brings its tables up to date, and makes the service's backlog view over its links.
///
/// # Errors
///
/// The database's, and a `search_path` that leads to other tables than those that were seeded last.
pub fn open(url: &DatabaseUrl) -> Result<(SqlStore, Database), Failure> {
    open_mapped(url, None)
}

/// Opens the store to read: nothing is made, migrated or written.
///
/// # Errors
///
/// A database that is missing or cannot be read, and one whose tables are not those of this program.
pub fn open_to_read(url: &DatabaseUrl) -> Result<SqlStore, Failure> {
    if let DatabaseUrl::Sqlite(path) = url {
        files::open(path)?;
    }
    let mut store = SqlStore::open(&url.clone().read_only(), OpenOptions::default())?;
    let status = store.migration_status()?;
    if let Some((reason, remedy)) = status.refusal() {
        let what = format_args!("{url}: the queue's tables are refused: {reason}");
        return Err(Failure::new(what).remedy(remedy));
    }
    if !status.pending.is_empty() {
        let what = format_args!("{url}: the queue's tables are missing or of an older release");
        return Err(Failure::new(what).remedy(
            "name the database that the runners work on, seed first, or run `queue_admin migrate`",
        ));
    }
    Ok(store)
}

/// Opens the store and tables of the operator's, where a mapping names them, else as [`open`] does.
///
/// # Errors
///
/// As [`open`], and a mapping that does not fit its tables.
pub fn open_mapped(
    url: &DatabaseUrl,
    map: Option<&TableMap>,
) -> Result<(SqlStore, Database), Failure> {
    if let DatabaseUrl::Sqlite(file) = url {
        if file.is_read_only() {
            return Err(Failure::new(format_args!("{url}: mode=ro, and this runner writes"))
                .remedy("leave mode=ro out of the URL"));
        }
        // Refuses a file that is not to be made and is not there.
        file.address()?;
        if map.is_none() {
            files::create_own(file)?;
        }
    }
    // What a mapping lacks is known before anything is made.
    let mapped = map.map(|map| Database::open_mapped(url, map)).transpose()?;
    let mut store = SqlStore::open(url, OpenOptions::default())?;
    // Whether the store's place is taken by another program is known before anything is written.
    if let Some((reason, remedy)) = store.migration_status()?.refusal() {
        let what = format_args!("{url}: the queue's tables are refused: {reason}");
        return Err(Failure::new(what).remedy(remedy));
    }
    if let (Some(map), Some(service)) = (map, mapped) {
        migrate(&mut store)?;
        let (namespace, links) = (store.view_name(""), store.view_name("identity_links"));
        let service = service.prepare_mapped(&namespace, &links)?;
        store.read()?.check_backlog(&map.backlog(matches!(url, DatabaseUrl::Sqlite(_)))?)?;
        store.set_person_view(service.mapped_persons())?;
        store.set_key_columns(&[])?;
        return Ok((store, service));
    }
    let mut service = Database::open(url)?;
    migrate(&mut store)?;
    store.record_service_migrations(&migrations(url)?)?;
    service.create_backlog_view(&store.view_name("identity_links"))?;
    store.read()?.check_backlog(&ViewBacklog::new(BACKLOG_VIEW)?)?;
    // A person who is removed while a run is at work is linked to nobody any more.
    store.set_person_view(Some(&PersonView::new("persons", "person_key")?))?;
    store.set_key_columns(&[
        KeyColumn::of_leads("leads", "source_pk")?,
        KeyColumn::referring("claims", "source_pk")?,
    ])?;
    Ok((store, service))
}

fn migrate(store: &mut SqlStore) -> Result<(), Failure> {
    store.migrate().map(drop).map_err(|error| {
        Failure::from(error).remedy(
            "run once as the role that owns the queue's tables, which makes or migrates them; this role needs rights to \
             use them alone",
        )
    })
}
