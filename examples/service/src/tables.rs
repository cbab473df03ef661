//! The service's own tables, by Diesel's query builder.

use std::collections::HashMap;

use diesel::prelude::*;
use identity_matching::Record;

diesel::table! { customer (id) { id -> Text, email -> Text, phone -> Text, } }
diesel::table! { sign_up (id) { id -> Text, email -> Text, phone -> Text, } }

/// What a form and a row of either table hold beside the key.
#[derive(AsChangeset, Default, Insertable, Queryable, serde::Deserialize)]
#[diesel(table_name = customer)]
#[serde(default)]
pub struct Contact {
    email: String,
    phone: String,
}

impl Contact {
    /// Gives what identifies somebody; nothing is cleaned here, the normaliser does that.
    pub fn record(&self) -> Record {
        let (email, phone) = (self.email.as_str().into(), self.phone.as_str().into());
        Record { emails: vec![email], phones: vec![phone], ..Record::default() }
    }
}

/// Writes a customer, and gives what was known before.
pub fn put_customer(
    db: &mut PgConnection,
    id: &str,
    new: &Contact,
) -> QueryResult<Option<Contact>> {
    let known = customer::table.find(id).select((customer::email, customer::phone));
    let before = known.for_update().first(db).optional()?;
    diesel::insert_into(customer::table)
        .values((customer::id.eq(id), new))
        .on_conflict(customer::id)
        .do_update()
        .set(new)
        .execute(db)?;
    Ok(before)
}

/// Takes a sign-up; one that is known stays as it is.
pub fn put_sign_up(db: &mut PgConnection, id: &str, new: &Contact) -> QueryResult<usize> {
    let row = (sign_up::id.eq(id), sign_up::email.eq(&new.email), sign_up::phone.eq(&new.phone));
    diesel::insert_into(sign_up::table).values(row).on_conflict_do_nothing().execute(db)
}

pub fn sign_ups(db: &mut PgConnection, ids: &[&str]) -> QueryResult<HashMap<String, Contact>> {
    let columns = (sign_up::id, (sign_up::email, sign_up::phone));
    let found = sign_up::table.filter(sign_up::id.eq_any(ids)).select(columns).load(db)?;
    Ok(found.into_iter().collect())
}
