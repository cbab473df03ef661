//! The service's own statements in the transaction that settles a batch.

use std::time::Duration;

use diesel::RunQueryDsl;
use recovery_queue::testing::ScriptedResolver;
use recovery_queue::*;

use crate::support::backends::{counts, fill, on_each, prove, script};

fn write(connection: Conn<'_>, sql: &str) -> diesel::QueryResult<usize> {
    match connection {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(connection) => diesel::sql_query(sql).execute(connection),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => diesel::sql_query(sql).execute(connection),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

#[test]
fn what_a_hook_writes_lands_with_the_batch_or_not_at_all() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 10);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let outbox = store.view_name("outbox");
        script(&mut store, &format!("CREATE TABLE {outbox} (lead TEXT, status TEXT)"));
        let (table, mut refuses) = (outbox.clone(), true);
        store.after_settle(move |connection, leads| {
            let rows: Vec<String> = leads
                .iter()
                .map(|lead| format!("('{}', '{}')", lead.source_pk, lead.status.code()))
                .collect();
            let written =
                write(connection, &format!("INSERT INTO {table} VALUES {}", rows.join(", ")))?;
            assert_eq!(written, leads.len());
            if std::mem::take(&mut refuses) {
                return Err(diesel::result::Error::RollbackTransaction);
            }
            Ok(())
        });
        let person = PersonKey::new("P").unwrap();
        let mut resolver =
            ScriptedResolver::new().otherwise(Resolution::matched(person, "R", "high"));
        let told = store.recover(&mut resolver, &RecoverOptions::default()).unwrap_err();
        assert!(told.to_string().contains("after_settle"), "{told}");
        assert_eq!(counts(&mut store)[&Status::Pending], 10, "the batch is rolled back with it");
        let gone = write(store.connection(), &format!("DELETE FROM {outbox}")).unwrap();
        assert_eq!(gone, 0);

        let half = RecoverOptions::default().with_limit(Some(5));
        store.recover(&mut resolver, &half).unwrap();
        let lease = ClaimMode::Lease { ttl: Duration::from_mins(1) };
        store.recover(&mut resolver, &RecoverOptions::default().with_claim(lease)).unwrap();
        let sent = format!("DELETE FROM {outbox} WHERE status = 'matched'");
        assert_eq!(write(store.connection(), &sent).unwrap(), 10, "under leases, too");
        prove(&mut store, 10);
    });
}
