//! Leads that cannot be taken are left out alone, on every store; seeds that would empty a backlog are stopped.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{counts, on_each, script};

fn seed(store: &mut SqlStore, view: &str) -> Result<SeedSummary, StoreError> {
    let backlog = ViewBacklog::new(&store.view_name(view).replace('"', "")).unwrap();
    store.seed(&backlog.named("all"), &SeedOptions::default())
}

/// Makes a view of these rows: keys, dates and what else they have.
fn view(store: &mut SqlStore, rows: &[String]) {
    let name = store.view_name("backlog");
    let rows = rows.join(" UNION ALL ");
    script(store, &format!("DROP VIEW IF EXISTS {name}; CREATE VIEW {name} AS {rows}"));
}

fn row(key: &str, date: &str) -> String {
    format!("SELECT CAST('{key}' AS TEXT) AS lead_source_pk, CAST('{date}' AS TEXT) AS lead_date")
}

fn rows(store: &mut SqlStore) -> BTreeMap<String, (Status, DateTime<Utc>)> {
    let mut rows = BTreeMap::new();
    let take = &mut |row: QueueRow| {
        rows.insert(row.source_pk.to_string(), (row.status, row.lead_at));
    };
    store.snapshot().unwrap().queue(take).unwrap();
    rows
}

#[test]
fn a_lead_that_cannot_be_taken_is_left_out_alone_and_named() {
    on_each(|mut store| {
        let long = "x".repeat(600);
        let day = "2026-01-05";
        view(&mut store, &[row("a", day), row(&long, day), row("b", "soon"), row("c", day)]);
        let first = seed(&mut store, "backlog").unwrap();
        assert_eq!((first.backlog_size, first.arrived, first.rejected), (4, 2, 2));
        let told: Vec<_> = first
            .rejections
            .iter()
            .map(|left| {
                (left.source_pk.as_ref().map(SourcePk::as_str), left.key_bytes, left.reason)
            })
            .collect();
        let expected =
            [(Some("b"), 1, RejectReason::DateUnreadable), (None, 600, RejectReason::KeyTooLong)];
        assert_eq!(told, expected);
        // As `printf b | sha256sum` has it.
        let hash = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";
        assert_eq!(first.rejections[0].key_hash, hash);

        // A lead that the queue holds is in the backlog though its date cannot be read: it stays as it is.
        view(&mut store, &[row("a", "2026-02-30"), row("b", day), row("c", day)]);
        let next = seed(&mut store, "backlog").unwrap();
        assert_eq!((next.arrived, next.withdrawn, next.rejected), (1, 0, 1));
        assert_eq!(counts(&mut store)[&Status::Pending], 3);
        view(&mut store, &[row("a", day), row("b", day), row("c", day)]);
        assert_eq!(seed(&mut store, "backlog").unwrap().rejected, 0, "and the next night is whole");
    });
}

#[test]
fn every_store_leaves_the_same_rows_from_memory_out() {
    let check = |store: &mut dyn QueueStore| {
        let lead = |key: &str, at| BacklogLead::new(SourcePk::new(key).unwrap(), at);
        let backlog = InMemoryBacklog::new(
            "all",
            [
                lead("a", minute(0)),
                lead("b", DateTime::<Utc>::MAX_UTC),
                lead("c", minute(0)).with_version("x\0y"),
                lead("d", DateTime::<Utc>::MIN_UTC),
                lead("d", minute(0)),
            ],
        );
        store.seed(&backlog, &SeedOptions::default()).unwrap()
    };
    let by_model = check(&mut InMemoryStore::new());
    assert_eq!((by_model.backlog_size, by_model.arrived, by_model.rejected), (4, 1, 3));
    on_each(|mut store| assert_eq!(check(&mut store), by_model));
}

/// How many seconds after 1970, with millionths, or why it is no date.
type Meaning = Result<(i64, u32), RejectReason>;

/// What texts mean as dates.
fn dates() -> Vec<(&'static str, Meaning)> {
    use RejectReason::{DateOutOfRange, DateUnreadable, DateWithoutZone};
    let noon = 1_769_860_800;
    vec![
        ("2026-01-31", Ok((noon - 43_200, 0))),
        ("2024-02-29", Ok((1_709_164_800, 0))),
        ("2026-01-31T12:00:00Z", Ok((noon, 0))),
        ("2026-01-31 12:00:00z", Ok((noon, 0))),
        ("2026-01-31T12:00Z", Ok((noon, 0))),
        ("2026-01-31T07:00:00-05", Ok((noon, 0))),
        ("2026-01-31 07:00-05", Ok((noon, 0))),
        ("2026-01-31T07:00:00-05:00", Ok((noon, 0))),
        ("2026-01-31T07:00:00-0500", Ok((noon, 0))),
        ("2026-01-31T17:45:00.5+05:45", Ok((noon, 500_000))),
        ("2026-01-31T12:00:00.123456Z", Ok((noon, 123_456))),
        ("2026-01-31T12:00:00.9999999Z", Ok((noon, 999_999))),
        ("0001-01-01", Ok((-62_135_596_800, 0))),
        ("9999-12-31T23:59:59Z", Ok((253_402_300_799, 0))),
        ("0001-01-01T14:00:00+14:00", Ok((-62_135_596_800, 0))),
        ("9999-12-31T09:59:59.5-14:00", Ok((253_402_300_799, 500_000))),
        ("0000-01-01", Err(DateOutOfRange)),
        // A zone leads out of the calendar.
        ("0001-01-01T00:00:00+14:00", Err(DateOutOfRange)),
        ("9999-12-31T23:59:59.999999-14:00", Err(DateOutOfRange)),
        ("9999-12-31T23:60:00-14:00", Err(DateUnreadable)),
        ("2026-01-01T24:00:00Z", Err(DateUnreadable)),
        ("2026-02-30", Err(DateUnreadable)),
        ("2026-04-31", Err(DateUnreadable)),
        ("2025-02-29", Err(DateUnreadable)),
        ("2026-13-01", Err(DateUnreadable)),
        ("2026-00-10", Err(DateUnreadable)),
        ("2026-02-30T10:00:00Z", Err(DateUnreadable)),
        ("2026-01-31T23:59:60Z", Err(DateUnreadable)),
        ("2026-01-31T24:00:00Z", Err(DateUnreadable)),
        ("2026-01-31T10:60:00Z", Err(DateUnreadable)),
        ("2026-01-31T10:00:00+25:00", Err(DateUnreadable)),
        ("2026-01-31T10:00:00+15:00", Err(DateUnreadable)),
        ("2026-01-31T10:00:00+5", Err(DateUnreadable)),
        ("2026-01-31T10:00:00.Z", Err(DateUnreadable)),
        ("2026-01-31T10:00:00 Z", Err(DateUnreadable)),
        ("2026-01-31  10:00:00Z", Err(DateUnreadable)),
        ("2026-01-31Z", Err(DateUnreadable)),
        ("31/01/2026", Err(DateUnreadable)),
        ("12026-01-01", Err(DateUnreadable)),
        ("infinity", Err(DateUnreadable)),
        ("now", Err(DateUnreadable)),
        ("", Err(DateUnreadable)),
        ("2026-01-31T10:00:00", Err(DateWithoutZone)),
        ("2026-01-31 10:00:00.25", Err(DateWithoutZone)),
    ]
}

#[test]
fn a_text_is_the_same_date_or_none_on_either_backend() {
    on_each(|mut store| {
        let dates = dates();
        let all: Vec<String> = std::iter::once(row("sound", "2026-01-01"))
            .chain(dates.iter().enumerate().map(|(at, (text, _))| row(&format!("d{at}"), text)))
            .collect();
        view(&mut store, &all);
        let seeded = seed(&mut store, "backlog").unwrap();
        let mut wrong = Vec::new();
        let rejected: BTreeMap<_, _> = all_rejected(&mut store);
        let rows = rows(&mut store);
        for (at, (text, expected)) in dates.iter().enumerate() {
            let key = format!("d{at}");
            let found = match (rows.get(&key), rejected.get(&key)) {
                (Some((_, at)), None) => Ok((at.timestamp(), at.timestamp_subsec_micros())),
                (None, Some(code)) => Err(code.clone()),
                other => Err(format!("{other:?}")),
            };
            if found != expected.map_err(|reason| reason.code().to_owned()) {
                wrong.push(format!("{text:?}: {found:?} instead of {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let bad = dates.iter().filter(|(_, expected)| expected.is_err()).count() as u64;
        assert_eq!((seeded.rejected, seeded.undated), (bad, 0));
    });
}

fn all_rejected(store: &mut SqlStore) -> BTreeMap<String, String> {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        source_pk: String,
        #[diesel(sql_type = Text)]
        reason: String,
    }
    let sql = format!("SELECT source_pk, reason FROM {}", store.view_name("queue_rejected"));
    let rows: Vec<Row> = match store.connection() {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(connection) => diesel::sql_query(sql).load(connection),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => diesel::sql_query(sql).load(connection),
        _ => unreachable!(),
    }
    .unwrap();
    rows.into_iter().map(|row| (row.source_pk, row.reason)).collect()
}

#[test]
fn a_priority_that_is_no_whole_number_is_none_on_either_backend() {
    on_each(|mut store| {
        let row = |key: &str, priority: &str| {
            format!("{}, CAST('{priority}' AS TEXT) AS lead_priority", row(key, "2026-01-01"))
        };
        let sound = ["0", "7", "-3", "123456789012345678"];
        let bad = ["NaN", "1.5", "1e3", "high", "", " 1", "1 ", "9999999999999999999999"];
        let all: Vec<String> = sound
            .iter()
            .chain(&bad)
            .enumerate()
            .map(|(at, priority)| row(&format!("p{at}"), priority))
            .collect();
        view(&mut store, &all);
        let seeded = seed(&mut store, "backlog").unwrap();
        assert_eq!((seeded.arrived, seeded.rejected), (sound.len() as u64, bad.len() as u64));
        assert!(
            seeded.rejections.iter().all(|left| left.reason == RejectReason::PriorityUnreadable)
        );
        // Numbers that are no integers are taken where they are whole.
        let numbers = "SELECT 'n' AS lead_source_pk, '2026-01-01' AS lead_date, 2.0 AS lead_priority \
             UNION ALL SELECT 'm', '2026-01-01', 2.5";
        view(&mut store, &[numbers.to_owned()]);
        let seeded = seed(&mut store, "backlog").unwrap();
        assert_eq!((seeded.arrived, seeded.rejected), (1, 1));
    });
}

#[cfg(feature = "postgres")]
#[test]
fn dates_that_are_infinite_or_beyond_all_years_are_named_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    for (kind, dates, reason) in [
        ("timestamptz", ["infinity", "-infinity"], RejectReason::DateInfinite),
        ("date", ["infinity", "-infinity"], RejectReason::DateInfinite),
        ("timestamptz", ["20000-01-01", "0044-03-15 BC"], RejectReason::DateOutOfRange),
        ("date", ["300000-01-01", "0044-03-15 BC"], RejectReason::DateOutOfRange),
    ] {
        let select = |key: &str, date: &str| {
            format!("SELECT '{key}' AS lead_source_pk, CAST('{date}' AS {kind}) AS lead_date")
        };
        let [one, two] = dates;
        view(&mut store, &[select("sound", "2026-01-01"), select("x", one), select("y", two)]);
        let seeded = seed(&mut store, "backlog").unwrap();
        assert_eq!((seeded.rejected, seeded.rejections[0].reason), (2, reason), "{kind}");
        view(&mut store, &[select("x", one)]);
        let told = seed(&mut store, "backlog").unwrap_err().to_string();
        assert!(
            told.contains("lead_date of 1 leads"),
            "none is left, so the whole is refused: {told}"
        );
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn keys_are_compared_byte_for_byte_whatever_the_columns_collation() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = crate::loop_on_sqlite::open(&dir);
    for (collation, keys) in
        [("NOCASE", ["ab-1", "AB-1", "Ab-1"]), ("RTRIM", ["ab", "ab ", "ab  "])]
    {
        script(
            &mut store,
            &format!(
                "DROP VIEW IF EXISTS backlog; DROP TABLE IF EXISTS leads; \
                 CREATE TABLE leads (id TEXT COLLATE {collation}); \
                 INSERT INTO leads VALUES ('{}'), ('{}'), ('{}'); \
                 CREATE VIEW backlog AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date FROM leads",
                keys[0], keys[1], keys[2]
            ),
        );
        let seeded = seed(&mut store, "backlog").unwrap();
        assert_eq!((seeded.arrived, seeded.duplicates), (3, 0), "{collation}");
        assert!(!seed(&mut store, "backlog").unwrap().changed(), "{collation}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn keys_are_compared_byte_for_byte_under_a_collation_that_folds_case_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    let (leads, backlog) = (store.view_name("leads"), store.view_name("backlog"));
    let folding = store.view_name("folding");
    script(
        &mut store,
        &format!(
            "CREATE COLLATION {folding} (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             CREATE TABLE {leads} (id TEXT COLLATE {folding}); \
             INSERT INTO {leads} VALUES ('ab-1'), ('AB-1'); \
             CREATE VIEW {backlog} AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date FROM {leads}"
        ),
    );
    let seeded = seed(&mut store, "backlog").unwrap();
    assert_eq!((seeded.arrived, seeded.duplicates), (2, 0));
    assert!(!seed(&mut store, "backlog").unwrap().changed());
    let view = ViewBacklog::new(&backlog.replace('"', "")).unwrap();
    assert_eq!(store.snapshot().unwrap().matched_in(&view).unwrap(), []);
}

#[test]
fn a_seed_that_would_withdraw_most_of_the_backlog_is_stopped_unless_it_is_meant() {
    let backlog = |leads: std::ops::Range<i64>| {
        let lead = |number| {
            let key = SourcePk::new(format!("L-{number:04}")).unwrap();
            BacklogLead::new(key, minute(0) + TimeDelta::seconds(number))
        };
        InMemoryBacklog::new("all", leads.map(lead))
    };
    let check = |store: &mut dyn QueueStore| {
        let options = SeedOptions::default();
        store.seed(&backlog(0..300), &options).unwrap();
        for left in [0..0, 0..149, 900..1000] {
            let told = store.seed(&backlog(left), &options).unwrap_err().to_string();
            assert!(told.contains("would withdraw") && told.contains("of its 300 leads"), "{told}");
            assert!(told.contains("without the fuse"), "{told}");
        }
        let open = |store: &mut dyn QueueStore| {
            backlog_size(&store.snapshot().unwrap().status_counts().unwrap())
        };
        assert_eq!(open(store), 300, "nothing was written");
        assert_eq!(store.seed(&backlog(0..150), &options).unwrap().withdrawn, 150);
        let meant = SeedOptions::default().with_fuse(None);
        assert_eq!(store.seed(&backlog(0..0), &meant).unwrap().withdrawn, 150);
        // Few leads may go at once.
        store.seed(&backlog(0..99), &options).unwrap();
        assert_eq!(store.seed(&backlog(0..0), &options).unwrap().withdrawn, 99);
    };
    check(&mut InMemoryStore::new());
    on_each(|mut store| check(&mut store));
}

#[cfg(feature = "postgres")]
#[test]
fn a_view_that_another_search_path_finds_elsewhere_is_refused() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    let schema = |what: &str| store.view_name(what).replace(['"', '.'], "_");
    let (one, other) = (schema("one"), schema("other"));
    script(
        &mut store,
        &format!(
            "CREATE SCHEMA {one}; CREATE SCHEMA {other}; \
             CREATE VIEW {one}.todo AS SELECT 'a' AS lead_source_pk, '2026-01-01' AS lead_date; \
             CREATE VIEW {other}.todo AS SELECT 'a' AS lead_source_pk, '2026-01-01' AS lead_date WHERE false"
        ),
    );
    let todo = ViewBacklog::new("todo").unwrap();
    script(&mut store, &format!("SET search_path TO {one}"));
    assert_eq!(store.seed(&todo, &SeedOptions::default()).unwrap().arrived, 1);
    script(&mut store, &format!("SET search_path TO {other}"));
    let told = store.seed(&todo, &SeedOptions::default()).unwrap_err().to_string();
    assert!(told.contains(&format!("found in schema \"{one}\" before")), "{told}");
    assert!(told.contains("name it with its schema"), "{told}");
    // Nor is it read, by whoever looks.
    let mut read = store.read().unwrap();
    for told in [read.check_backlog(&todo).unwrap_err(), read.matched_in(&todo).unwrap_err()] {
        assert!(told.to_string().contains(&format!("found in schema \"{one}\" before")), "{told}");
    }
    #[cfg(feature = "guardrails")]
    {
        use guardrails::recovery::RecoveryFacts as _;
        let told = format!("{:?}", StoreFacts::new(read, &todo).queue().unwrap_err());
        assert!(told.contains("before and"), "{told}");
    }
    #[cfg(not(feature = "guardrails"))]
    drop(read);
    let named = ViewBacklog::new(&format!("{one}.todo")).unwrap().named("todo");
    assert!(!store.seed(&named, &SeedOptions::default()).unwrap().changed());
    // To move on purpose, the schema is named.
    let moved = ViewBacklog::new(&format!("{other}.todo")).unwrap().named("todo");
    assert_eq!(store.seed(&moved, &SeedOptions::default()).unwrap().withdrawn, 1);
}

#[cfg(feature = "postgres")]
#[test]
fn tables_of_persons_and_keys_that_another_search_path_finds_elsewhere_are_refused() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    let schema = |what: &str| store.view_name(what).replace(['"', '.'], "_");
    let (one, other) = (schema("one"), schema("other"));
    for schema in [&one, &other] {
        script(
            &mut store,
            &format!(
                "CREATE SCHEMA {schema}; CREATE TABLE {schema}.persons (key TEXT); CREATE TABLE {schema}.claims (lead TEXT)"
            ),
        );
    }
    let persons = |schema: &str| PersonView::new(&format!("{schema}persons"), "key").unwrap();
    let keys = |schema: &str| [KeyColumn::referring(&format!("{schema}claims"), "lead").unwrap()];
    script(&mut store, &format!("SET search_path TO {one}"));
    store.set_person_view(Some(&persons(""))).unwrap();
    store.set_key_columns(&keys("")).unwrap();
    for (path, now) in [
        (other.as_str(), format!("found in \"{other}\" now")),
        ("nowhere", "not found now".to_owned()),
    ] {
        script(&mut store, &format!("SET search_path TO {path}"));
        let told = [
            store.set_person_view(Some(&persons(""))).unwrap_err().to_string(),
            store.set_key_columns(&keys("")).unwrap_err().to_string(),
        ];
        for told in told {
            assert!(told.contains(&format!("found in schema \"{one}\" before")), "{told}");
            assert!(told.contains(&now), "{told}");
        }
    }
    // Nothing was recorded anew: under the first path both are as they were, with no need to write.
    script(
        &mut store,
        &format!("SET search_path TO {one}; SET default_transaction_read_only = on"),
    );
    store.set_person_view(Some(&persons(""))).unwrap();
    store.set_key_columns(&keys("")).unwrap();
    // To move on purpose, the schema is named.
    script(
        &mut store,
        &format!("SET default_transaction_read_only = off; SET search_path TO {other}"),
    );
    let moved = format!("{other}.");
    store.set_person_view(Some(&persons(&moved))).unwrap();
    store.set_key_columns(&keys(&moved)).unwrap();
    store.set_person_view(Some(&persons(""))).unwrap();
    store.set_key_columns(&keys("")).unwrap();
    let absent = [KeyColumn::of_leads(&format!("{moved}claims"), "id").unwrap()];
    assert!(matches!(store.set_key_columns(&absent), Err(StoreError::Config(_))));
}

/// Types that are text or an instant by another name, and a session that quotes the names of types.
#[cfg(feature = "postgres")]
#[test]
fn columns_of_any_kind_of_text_and_of_domains_are_read_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    let mut store = crate::support::server::store(server);
    let table = store.view_name("typed");
    let ns = store.view_name("");
    script(
        &mut store,
        &format!(
            "CREATE DOMAIN {ns}moment AS timestamptz NOT NULL; CREATE DOMAIN {ns}later AS {ns}moment; \
             SET quote_all_identifiers = on"
        ),
    );
    let backlog = ViewBacklog::new(&table.replace('"', "")).unwrap().named("typed");
    let kinds = [
        ("CHAR(24)", "2026-01-31T12:00:00Z"),
        ("VARCHAR(40)", "2026-01-31 07:00-05"),
        ("NAME", "2026-01-31T12:00:00.000Z"),
        ("TEXT", "2026-01-31T12:00:00Z"),
        ("TIMESTAMPTZ(3)", "2026-01-31 12:00:00+00"),
        (&*format!("{ns}later"), "2026-01-31 12:00:00+00"),
    ];
    for (at, (kind, date)) in kinds.into_iter().enumerate() {
        script(
            &mut store,
            &format!(
                "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (lead_source_pk CHAR(9), lead_date {kind}, \
                 lead_priority CHAR(4), lead_version CHAR(3)); \
                 INSERT INTO {table} VALUES ('{at}', '{date}', '7', 'v')"
            ),
        );
        let seeded = store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!((seeded.arrived, seeded.rejected, seeded.undated), (1, 0, 0), "{kind}");
        let lead = store.lead(&SourcePk::new(at.to_string()).unwrap()).unwrap();
        let read = lead.unwrap_or_else(|| panic!("{kind}: its key is read as text")).row.lead_at;
        assert_eq!(read.timestamp(), 1_769_860_800, "{kind}");
    }
    script(
        &mut store,
        &format!(
            "DROP TABLE {table}; CREATE TABLE {table} (lead_source_pk TEXT, lead_date DOUBLE PRECISION)"
        ),
    );
    let told = store.seed(&backlog, &SeedOptions::default()).unwrap_err().to_string();
    assert!(told.contains("lead_date has the type double precision"), "{told}");
}
