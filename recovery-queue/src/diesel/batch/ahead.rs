//! The leads of the next batch are named to the resolver while this one is written.
//!
//! On SQLite alone: its one writer leaves other cores idle, and it counts the commits of other connections
//! (`PRAGMA data_version`), so that what was decided ahead is known to rest on data that nobody has changed.

use crate::diesel::batch::again::Settling;
use crate::diesel::batch::open::open_leads;
use crate::diesel::batch::settled::BATCH;
use crate::diesel::batch::sqlite;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::rejected_pairs;
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::resolver::Resolver;
use crate::model::work::BatchRequest;

/// Has the resolver forget what it began, unless no other connection has committed since.
pub(crate) fn forget_changed(
    db: &mut Database,
    resolver: &mut dyn Resolver,
    settling: &mut Settling,
) -> Result<(), StoreError> {
    if !db.is_sqlite() {
        return Ok(());
    }
    let Some(ahead) = resolver.ahead() else { return Ok(()) };
    // Nothing is known where the connection is another one than before.
    let begun_at = settling.begun_at.take();
    if begun_at.is_none() || begun_at != Some(db.data_version().map_err(failed(BATCH))?) {
        ahead.forget();
    }
    Ok(())
}

/// Has the resolver begin the leads that the next batch will claim from `backlogs`, in their turn, if nothing changes.
///
/// Not where a hook writes on this connection, whose commits `data_version` does not count, nor where each attempt is
/// counted before it is made.
pub(crate) fn begin_next(
    db: &mut Database,
    names: &Names,
    batch: &BatchRequest<'_>,
    backlogs: Vec<i64>,
    cursor: &Cursor,
    resolver: &mut dyn Resolver,
    settling: &mut Settling,
) -> Result<(), StoreError> {
    if !db.is_sqlite() || batch.next == 0 || batch.careful || settling.after_settle.is_some() {
        return Ok(());
    }
    let Some(ahead) = resolver.ahead() else { return Ok(()) };
    for backlog in backlogs {
        let after = cursor.position(backlog);
        let claims = sqlite::next(db, names, backlog, after, batch.next).map_err(failed(BATCH))?;
        if claims.is_empty() {
            continue;
        }
        let rejected = rejected_pairs::of_claims(db, names, &claims)?;
        let leads = open_leads(&claims, batch.options, &rejected);
        if !leads.is_empty() {
            settling.begun_at = Some(db.data_version().map_err(failed(BATCH))?);
            ahead.begin(leads);
        }
        break;
    }
    Ok(())
}
