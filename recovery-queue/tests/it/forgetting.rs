//! A lead or a person that is forgotten is nowhere in the database any more: every row of every table is looked at.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use recovery_queue::testing::{ScriptedResolver, check_invariants};
use recovery_queue::*;

use crate::support::backends::on_each;

const ANA: Decider<'static> = Decider { by: "ana", reason: "a test" };

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

fn values<C>(connection: &mut C, sql: &str) -> Vec<String>
where
    C: diesel::connection::LoadConnection,
    diesel::query_builder::SqlQuery: for<'q> diesel::query_dsl::methods::LoadQuery<'q, C, Row>,
{
    let rows: Vec<Row> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// Gives every row of every table as one text; on SQLite also the bytes of the file, which is packed before.
fn everything(store: &mut SqlStore) -> String {
    #[cfg(feature = "postgres")]
    let schema = store.view_name("").replace(['"', '.'], "");
    match store.connection() {
        Conn::Sqlite(connection) => {
            connection.batch_execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
            let sql = "SELECT file AS value FROM pragma_database_list WHERE name = 'main'";
            let file = values(connection, sql).remove(0);
            let wal = std::fs::read(format!("{file}-wal")).unwrap_or_default();
            let bytes = [std::fs::read(file).unwrap(), wal].concat();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => {
            // Other tests work in other schemas of the same server.
            let tables = format!(
                "SELECT CAST(format('%I.%I', table_schema, table_name) AS TEXT) AS value \
                 FROM information_schema.tables WHERE table_schema = '{schema}' AND table_type = 'BASE TABLE'"
            );
            let tables = values(connection, &tables);
            assert!(tables.len() > 10, "{tables:?}");
            let rows = tables.iter().flat_map(|table| {
                values(connection, &format!("SELECT CAST(t AS TEXT) AS value FROM {table} t"))
            });
            rows.collect::<Vec<_>>().join("\n")
        }
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

const LEAD: &str = "the-lead-to-forget";
const PERSON: &str = "the-person-to-forget";

fn pk(text: &str) -> SourcePk {
    SourcePk::new(text).unwrap()
}

/// Fills all tables that can hold a key: links and former links, origins and former origins, evidence, actions, leaks.
fn fill(store: &mut SqlStore) {
    let at = |day| chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day);
    let lead = |key: &str, day| BacklogLead::new(pk(key), at(day)).with_version(format!("v-{key}"));
    let leads = [lead(LEAD, 2), lead("other", 1), lead("failed", 3), lead("late", 4)];
    let backlog = InMemoryBacklog::new("forgetting", leads);
    let person = PersonKey::new(PERSON).unwrap();
    let named = || Evidence::from(serde_json::json!({ "persons": [PERSON], "leads": [LEAD] }));
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let conflict = Resolution::unmatched(FailReason::ConflictMultipleCandidates);
    let mut resolver = ScriptedResolver::new()
        .answer(LEAD, Resolution::matched(person.clone(), "R", "high").with_evidence(named()))
        .answer("failed", conflict.with_evidence(named()).with_wake_keys(vec!["k".into()]))
        .answer("late", Resolution::error(format!("no answer for \"{PERSON}\"")));
    store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
    let decider = ANA;
    store.link(&pk("other"), &person, decider).unwrap();
    store.unlink(&pk(LEAD), decider).unwrap();
    store.cancel(&[pk(LEAD)], decider).unwrap();
    store.reopen_leads(Reopen::Keys(&[pk(LEAD)]), decider).unwrap();
    store.link(&pk(LEAD), &person, decider).unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
}

#[test]
fn a_forgotten_lead_is_nowhere() {
    on_each(|mut store| {
        fill(&mut store);
        assert!(everything(&mut store).contains(LEAD));
        let done = store.forget(Forget::Lead(&pk(LEAD)), ANA).unwrap();
        assert!(done.columns_searched >= 8 && done.rows >= 5 && done.evidence >= 1, "{done:?}");
        let left = everything(&mut store);
        assert!(!left.contains(LEAD), "the lead is still there");
        assert!(left.contains("other") && left.contains(PERSON), "others are still there");
        check_invariants(&mut store);
    });
}

#[test]
fn a_forgotten_person_is_nowhere() {
    on_each(|mut store| {
        fill(&mut store);
        let person = PersonKey::new(PERSON).unwrap();
        assert!(everything(&mut store).contains(PERSON));
        let done = store.forget(Forget::Person(&person), ANA).unwrap();
        assert_eq!(done.reopened, 2, "{done:?}");
        assert!(done.columns_searched >= 8 && done.evidence >= 2, "{done:?}");
        let left = everything(&mut store);
        assert!(!left.contains(PERSON), "the person is still there");
        assert!(left.contains(LEAD), "the leads are still there");
        check_invariants(&mut store);
        let again = store.forget(Forget::Person(&person), ANA).unwrap_err();
        assert!(matches!(again, StoreError::NotFound { .. }), "{again}");
    });
}

#[test]
fn a_key_that_would_stay_somewhere_is_told_and_nothing_is_forgotten() {
    on_each(|mut store| {
        fill(&mut store);
        // Somebody wrote the person's key where a sentence belongs.
        let decider = Decider { by: "ana", reason: PERSON };
        store.unlink(&pk("other"), decider).unwrap();
        store.link(&pk("other"), &PersonKey::new("another").unwrap(), decider).unwrap();
        store.cancel(&[pk("failed")], decider).unwrap();
        let person = PersonKey::new(PERSON).unwrap();
        let told = store.forget(Forget::Person(&person), ANA).unwrap_err().to_string();
        assert!(told.contains("queue_lead_action.reason") && !told.contains(PERSON), "{told}");
        assert!(store.person(&person).unwrap().is_some(), "all or nothing");
    });
}
