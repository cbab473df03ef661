//! The proof that a session with PostgreSQL is ours alone, so that statements may be kept prepared in it.
//!
//! A setting of ours is given as the session begins, with a value that nobody else gives. The server shows it in a
//! session that began for us. A pooler either refuses such settings, or does not pass them on, for its sessions with
//! the server serve all its clients.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use diesel::pg::PgConnection;
use diesel::prelude::*;

use crate::diesel::conn::rows::TextRow;

const SETTING: &str = "recovery_queue.session";

/// Connects; says whether the session is proven to be ours alone.
pub(crate) fn establish(address: &str) -> ConnectionResult<(PgConnection, bool)> {
    let mark = format!("{:x}_{:x}", std::process::id(), RandomState::new().build_hasher().finish());
    let Some(marked) = marked(address, &mark) else {
        return PgConnection::establish(address).map(|connection| (connection, false));
    };
    match PgConnection::establish(&marked) {
        Ok(mut connection) => {
            let keeps = shown(&mut connection).is_some_and(|shown| shown == mark);
            Ok((connection, keeps))
        }
        // A pooler names the parameter that it refuses; the server takes any setting with a dot in its name.
        Err(ConnectionError::BadConnection(said)) if said.contains("parameter") => {
            PgConnection::establish(address).map(|connection| (connection, false))
        }
        Err(error) => Err(error),
    }
}

fn shown(connection: &mut PgConnection) -> Option<String> {
    let sql = format!("SELECT COALESCE(current_setting('{SETTING}', true), '') AS value");
    diesel::sql_query(sql).get_result::<TextRow>(connection).ok().map(|row| row.value)
}

/// Adds the setting to an address; `None` where the user's own options would be lost.
fn marked(address: &str, mark: &str) -> Option<String> {
    let has_options = address.contains("options") || address.contains("service");
    let from_outside =
        ["PGOPTIONS", "PGSERVICE"].iter().any(|name| std::env::var_os(name).is_some());
    if has_options || from_outside {
        return None;
    }
    if !address.contains("://") {
        return Some(format!("{address} options='-c {SETTING}={mark}'"));
    }
    let separator = if address.contains('?') { '&' } else { '?' };
    Some(format!("{address}{separator}options=-c%20{SETTING}%3D{mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_joins_an_address_and_never_takes_the_place_of_the_users_options() {
        assert_eq!(
            marked("postgres://h/d", "m").as_deref(),
            Some("postgres://h/d?options=-c%20recovery_queue.session%3Dm")
        );
        assert_eq!(
            marked("postgres://h/d?sslmode=require", "m").as_deref(),
            Some("postgres://h/d?sslmode=require&options=-c%20recovery_queue.session%3Dm")
        );
        assert_eq!(
            marked("host=h dbname=d", "m").as_deref(),
            Some("host=h dbname=d options='-c recovery_queue.session=m'")
        );
        assert_eq!(marked("postgres://h/d?options=-c%20search_path%3Da", "m"), None);
    }
}
