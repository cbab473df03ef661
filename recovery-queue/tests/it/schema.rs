//! The public views in a user's typed queries.

use diesel::prelude::*;
use recovery_queue::*;

use crate::support::backends::resolve;

diesel::table! {
    /// A table of the service's own.
    leads (id) {
        id -> Text,
        city -> Text,
    }
}

mod sqlite {
    ::recovery_queue::views!(sqlite);
}

#[cfg(feature = "postgres")]
mod postgres {
    ::recovery_queue::views!(postgres, elsewhere);
}

use sqlite::recovery_queue as queue_on_sqlite;
diesel::allow_tables_to_appear_in_same_query!(leads, queue_on_sqlite);
#[cfg(feature = "postgres")]
use postgres::recovery_queue as queue_on_postgres;
#[cfg(feature = "postgres")]
diesel::allow_tables_to_appear_in_same_query!(leads, queue_on_postgres);

/// Seeds and drains ten leads on a connection.
fn drained<C>(connection: &mut C, store: &mut SqlStore)
where
    C: diesel::connection::SimpleConnection,
{
    connection
        .batch_execute("CREATE TABLE leads (id VARCHAR(99) PRIMARY KEY, city TEXT NOT NULL)")
        .unwrap();
    for number in 0..10 {
        let city = if number % 2 == 0 { "Lima" } else { "Quito" };
        let row = format!("INSERT INTO leads VALUES ('L-{number}', '{city}')");
        connection.batch_execute(&row).unwrap();
    }
    store.migrate().unwrap();
    let lead = |number: u32| {
        let key = SourcePk::new(format!("L-{number}")).unwrap();
        BacklogLead::new(key, chrono::DateTime::UNIX_EPOCH)
    };
    let backlog = InMemoryBacklog::new("leads", (0..10).map(lead));
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
}

/// Every column of the views, with the type of a time.
type Queue<T> = (
    (String, String, String, Option<String>, Option<String>, i64),
    (T, T, T, Option<T>, Option<i64>, Option<String>),
);
type Links<T> = (String, String, String, String, Option<String>, Option<i64>, T, Option<String>);
type Origins<T> = (String, String, Option<T>, Option<T>, Option<i64>);

/// Joins every view with a table of the user's, and reads every column.
macro_rules! joins {
    ($connection:expr, $schema:ident, $time:ty) => {{
        use $schema::{identity_links, identity_origins, recovery_queue as q};
        let failed: Vec<(String, String)> = leads::table
            .inner_join(q::table.on(q::source_pk.eq(leads::id)))
            .filter(q::status.eq("failed"))
            .order(leads::id)
            .select((leads::id, leads::city))
            .load($connection)
            .unwrap();
        let expected = [("L-0", "Lima"), ("L-3", "Quito"), ("L-6", "Lima"), ("L-9", "Quito")];
        assert_eq!(failed, expected.map(|(id, city)| (id.to_owned(), city.to_owned())));
        let both: i64 = identity_links::table
            .inner_join(
                identity_origins::table
                    .on(identity_origins::person_key.eq(identity_links::person_key)),
            )
            .count()
            .get_result($connection)
            .unwrap();
        assert_eq!(both, 6);
        let rows: Vec<Queue<$time>> = q::table
            .select((
                (q::source_pk, q::backlog, q::status, q::reason, q::person_key, q::attempts),
                (q::lead_date, q::first_seen_at, q::since, q::not_before, q::run_id, q::evidence),
            ))
            .load($connection)
            .unwrap();
        assert_eq!(rows.len(), 10);
        let rows: Vec<Links<$time>> = identity_links::table.load($connection).unwrap();
        assert_eq!(rows.len(), 6);
        let rows: Vec<Origins<$time>> = identity_origins::table.load($connection).unwrap();
        assert_eq!(rows.len(), 6);
    }};
}

#[test]
fn a_user_joins_the_views_in_typed_queries_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("views.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    drained(&mut connection, &mut store);
    joins!(&mut connection, sqlite, String);
}

#[cfg(feature = "postgres")]
#[test]
fn a_user_joins_the_views_in_typed_queries_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    let name = format!("views_{}", std::process::id());
    let mut admin = PgConnection::establish(server.url()).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut admin).unwrap();
    let (server, _) = server.url().rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let database = DatabaseUrl::parse(&url).unwrap();
    let namespace = Namespace::new("elsewhere").unwrap();
    let options = OpenOptions::default().with_namespace(namespace);
    let mut store = SqlStore::open(&database, options).unwrap();
    let mut connection = PgConnection::establish(&url).unwrap();
    drained(&mut connection, &mut store);
    joins!(&mut connection, postgres, diesel::data_types::PgTimestamp);
}
