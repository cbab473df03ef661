//! A person is written and its leads are woken in one transaction of the service's own.
//!
//! `cargo run -p recovery-queue --example own_transaction`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]
#![allow(missing_docs, reason = "`table!` writes modules without any")]

use std::error::Error;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use recovery_queue::{
    BorrowedStore, ClaimedLead, DatabaseUrl, FailReason, OpenOptions, QueueStore as _,
    Recover as _, RecoverOptions, Resolution, SeedOptions, SqlStore, Status, StoreError,
    ViewBacklog,
};

diesel::table! { person (id) { id -> Text, phone -> Text, } }

/// Makes the key that wakes whoever has this phone; a service makes it with a secret (`WakeKeys`).
fn wake_key(phone: &str) -> String {
    format!("phone:{phone}")
}

/// Writes a person, and has the leads that share the phone tried again: both, or neither.
fn put_person(db: &mut SqliteConnection, id: &str, phone: &str) -> Result<u64, StoreError> {
    db.immediate_transaction(|db| {
        diesel::insert_into(person::table)
            .values((person::id.eq(id), person::phone.eq(phone)))
            .execute(db)?;
        BorrowedStore::on(db).wake(&[wake_key(phone)])
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("crm.sqlite");
    let file = file.to_str().ok_or("the folder's name is no text")?;
    let mut db = SqliteConnection::establish(file)?;
    let mut store = SqlStore::open(&DatabaseUrl::parse(file)?, OpenOptions::default())?;
    store.migrate()?;
    db.batch_execute(
        "CREATE TABLE person (id TEXT PRIMARY KEY, phone TEXT NOT NULL UNIQUE);
         CREATE TABLE lead (id TEXT PRIMARY KEY, created TEXT NOT NULL);
         INSERT INTO lead VALUES ('L-1', '2026-01-05');
         CREATE VIEW lead_backlog AS SELECT id AS lead_source_pk, created AS lead_date FROM lead
         WHERE id NOT IN (SELECT source_pk FROM identity_links);",
    )?;

    // Nobody is known yet: the lead fails, and keeps the key by which a person can wake it.
    store.seed(&ViewBacklog::new("lead_backlog")?, &SeedOptions::default())?;
    let mut nobody = |leads: &[ClaimedLead]| {
        let failed = || Resolution::unmatched(FailReason::NoCandidates);
        Ok(leads.iter().map(|_| failed().with_wake_keys(vec![wake_key("5550100")])).collect())
    };
    store.recover(&mut nobody, &RecoverOptions::default())?;

    assert_eq!(put_person(&mut db, "P-1", "5550100")?, 1);
    assert_eq!(store.snapshot()?.status_counts()?[&Status::Pending], 1);
    store.recover(&mut nobody, &RecoverOptions::default())?;

    // The same phone again: the service's constraint refuses the person, and no lead is woken.
    assert!(put_person(&mut db, "P-2", "5550100").is_err());
    assert_eq!(store.snapshot()?.status_counts()?[&Status::Failed], 1);

    // What went before in the transaction goes with it, also where the queue has done its part.
    let undone = db.immediate_transaction(|db| {
        let woken = BorrowedStore::on(&mut *db).wake(&[wake_key("5550100")])?;
        assert_eq!(woken, 1);
        Err::<(), _>(StoreError::from(diesel::result::Error::RollbackTransaction))
    });
    assert!(undone.is_err());
    assert_eq!(store.snapshot()?.status_counts()?[&Status::Failed], 1);
    println!("one person, woken once");
    Ok(())
}

#[test]
fn a_person_and_its_leads_change_together_or_not_at_all() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
