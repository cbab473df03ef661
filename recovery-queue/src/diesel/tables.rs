//! The store's own tables, for Diesel's typed statements; `the_tables_are_those_of_the_migrations` holds them to the migrations.
//!
//! They stand without a schema, as on SQLite; [`typed!`](crate::diesel::conn::typed) puts PostgreSQL's before them.

diesel::table! {
    queue_backlog (id) {
        id -> BigInt,
        name -> Text,
        first_seeded_at -> Nullable<BigInt>,
        last_seeded_at -> Nullable<BigInt>,
        paused -> BigInt,
        view_schema -> Nullable<Text>,
        view_name -> Nullable<Text>,
    }
}

diesel::table! {
    queue_key_column (view_schema, view_name, key_column) {
        view_schema -> Text,
        view_name -> Text,
        key_column -> Text,
        of_leads -> BigInt,
    }
}

diesel::table! {
    queue_lead (id) {
        id -> BigInt,
        source_pk -> Text,
        backlog_id -> BigInt,
        priority -> BigInt,
        lead_at -> BigInt,
        lead_version -> Nullable<Text>,
        first_seen_at -> BigInt,
    }
}

diesel::table! {
    queue_lead_action (id) {
        id -> BigInt,
        lead_id -> BigInt,
        kind -> Text,
        at -> BigInt,
        decided_by -> Text,
        reason -> Text,
        fail_reason -> Nullable<Text>,
    }
}

diesel::table! {
    queue_leak (lead_id) {
        lead_id -> BigInt,
        backlog_id -> BigInt,
        first_seen_at -> BigInt,
    }
}

diesel::table! {
    queue_ledger (id) {
        id -> BigInt,
        at -> BigInt,
        backlog_id -> BigInt,
        run_id -> Nullable<BigInt>,
        kind -> Text,
        reason -> Nullable<Text>,
        leads -> BigInt,
    }
}

diesel::table! {
    queue_ledger_mark (id) {
        id -> BigInt,
        rolled_up_to -> BigInt,
        pruned_to -> BigInt,
    }
}

diesel::table! {
    queue_link (lead_id) {
        lead_id -> BigInt,
        person_id -> BigInt,
        rule -> Text,
        confidence -> Text,
        decided_by -> Nullable<Text>,
        run_id -> Nullable<BigInt>,
        linked_at -> BigInt,
        evidence -> Nullable<Text>,
    }
}

diesel::table! {
    queue_link_history (id) {
        id -> BigInt,
        lead_id -> BigInt,
        person_id -> BigInt,
        rule -> Text,
        confidence -> Text,
        decided_by -> Nullable<Text>,
        run_id -> Nullable<BigInt>,
        linked_at -> BigInt,
        evidence -> Nullable<Text>,
        ended_at -> BigInt,
        ended_by -> Text,
        reason -> Text,
    }
}

diesel::table! {
    queue_marker (worker) {
        worker -> Text,
        size -> BigInt,
        started_at -> BigInt,
    }
}

diesel::table! {
    queue_missing_origin (person_id) {
        person_id -> BigInt,
    }
}

diesel::table! {
    queue_origin_history (id) {
        id -> BigInt,
        person_id -> BigInt,
        lead_id -> BigInt,
        lead_at -> BigInt,
        since -> BigInt,
        run_id -> Nullable<BigInt>,
        ended_at -> BigInt,
        ended_run_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    queue_parked (lead_id) {
        lead_id -> BigInt,
        backlog_id -> BigInt,
        not_before -> BigInt,
        lease_token -> Nullable<BigInt>,
        attempts -> BigInt,
        since -> BigInt,
        message -> Nullable<Text>,
    }
}

diesel::table! {
    queue_pending (backlog_id, priority, lead_at, lead_id) {
        backlog_id -> BigInt,
        priority -> BigInt,
        lead_at -> BigInt,
        lead_id -> BigInt,
        attempts -> BigInt,
        since -> BigInt,
    }
}

diesel::table! {
    queue_person (id) {
        id -> BigInt,
        person_key -> Text,
        origin_lead_id -> Nullable<BigInt>,
        origin_lead_at -> Nullable<BigInt>,
        origin_since -> Nullable<BigInt>,
        origin_run_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    queue_person_view (id) {
        id -> BigInt,
        view_schema -> Text,
        view_name -> Text,
        key_column -> Text,
    }
}

diesel::table! {
    queue_rejected (backlog_id, key_hash) {
        backlog_id -> BigInt,
        key_hash -> Text,
        source_pk -> Nullable<Text>,
        key_bytes -> BigInt,
        reason -> Text,
    }
}

diesel::table! {
    queue_rejected_pair (lead_id, person_id) {
        lead_id -> BigInt,
        person_id -> BigInt,
        lead_version -> Nullable<Text>,
        rejected_at -> BigInt,
        rejected_by -> Text,
        comment -> Text,
    }
}

diesel::table! {
    queue_review (id) {
        id -> BigInt,
        load_id -> BigInt,
        packet_id -> BigInt,
        lead_id -> BigInt,
        decision -> Text,
        person_id -> Nullable<BigInt>,
        comes_back_at -> Nullable<BigInt>,
        decided_by -> Text,
        comment -> Text,
        fail_reason -> Nullable<Text>,
        decided_at -> BigInt,
        effect -> Text,
        state_before -> Nullable<Text>,
        corrected -> Nullable<Text>,
    }
}

diesel::table! {
    queue_review_case (packet_id, lead_id) {
        packet_id -> BigInt,
        lead_id -> BigInt,
        fingerprint -> Text,
    }
}

diesel::table! {
    queue_review_load (id) {
        id -> BigInt,
        load_key -> Text,
        loaded_at -> BigInt,
        loaded_by -> Text,
        undone_at -> Nullable<BigInt>,
        undone_by -> Nullable<Text>,
    }
}

diesel::table! {
    queue_review_packet (id) {
        id -> BigInt,
        packet -> Text,
        reviewer -> Nullable<Text>,
        issued_at -> BigInt,
        issued_by -> Text,
        policy -> Text,
        is_full -> BigInt,
        reviews_needed -> BigInt,
    }
}

diesel::table! {
    queue_reviewer (name) {
        name -> Text,
        added_at -> BigInt,
        added_by -> Text,
    }
}

diesel::table! {
    queue_reviewer_change (id) {
        id -> BigInt,
        name -> Text,
        may_decide -> BigInt,
        changed_at -> BigInt,
        changed_by -> Text,
        comment -> Text,
    }
}

diesel::table! {
    queue_run (id) {
        id -> BigInt,
        kind -> Text,
        actor -> Text,
        policy -> Nullable<Text>,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        backlog_before -> BigInt,
        backlog_after -> Nullable<BigInt>,
        events -> Nullable<Text>,
        outcome -> Nullable<Text>,
        new_backlog_in -> Nullable<BigInt>,
        fail_reasons -> Nullable<Text>,
        totals_before -> Nullable<Text>,
        other_out -> Nullable<BigInt>,
    }
}

diesel::table! {
    queue_service_migration (book, version) {
        book -> Text,
        version -> Text,
        sha256 -> Text,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    queue_settled (lead_id) {
        lead_id -> BigInt,
        backlog_id -> BigInt,
        status -> BigInt,
        reason -> Nullable<Text>,
        person_id -> Nullable<BigInt>,
        attempts -> BigInt,
        run_id -> Nullable<BigInt>,
        settled_at -> BigInt,
        evidence -> Nullable<Text>,
        cancelled -> BigInt,
    }
}

diesel::table! {
    queue_store_action (id) {
        id -> BigInt,
        kind -> Text,
        subject -> Text,
        rows_touched -> BigInt,
        at -> BigInt,
        decided_by -> Text,
        comment -> Text,
    }
}

diesel::table! {
    queue_wake_key (wake_key, lead_id) {
        wake_key -> Text,
        lead_id -> BigInt,
    }
}

diesel::table! {
    queue_index_holder (key, person_id) {
        key -> Binary,
        person_id -> BigInt,
    }
}

diesel::table! {
    queue_index_hub (key) {
        key -> Binary,
        holders -> BigInt,
    }
}

diesel::table! {
    queue_index_person (id) {
        id -> BigInt,
        person_key -> Text,
        held -> Binary,
    }
}

diesel::table! {
    queue_ledger_slot (slot, backlog_id, kind, reason) {
        slot -> BigInt,
        backlog_id -> BigInt,
        kind -> Text,
        reason -> Text,
        leads -> BigInt,
    }
}

/// Hands the names of all tables to a macro.
macro_rules! every_table {
    ($($to:ident)::+) => {
        $($to)::+! {
            queue_backlog,
            queue_key_column,
            queue_lead,
            queue_lead_action,
            queue_leak,
            queue_ledger,
            queue_ledger_mark,
            queue_link,
            queue_link_history,
            queue_marker,
            queue_missing_origin,
            queue_origin_history,
            queue_parked,
            queue_pending,
            queue_person,
            queue_person_view,
            queue_rejected,
            queue_rejected_pair,
            queue_review,
            queue_review_case,
            queue_review_load,
            queue_review_packet,
            queue_reviewer,
            queue_reviewer_change,
            queue_run,
            queue_service_migration,
            queue_settled,
            queue_store_action,
            queue_wake_key,
            queue_index_holder,
            queue_index_hub,
            queue_index_person,
            queue_ledger_slot,
        }
    };
}

every_table!(diesel::allow_tables_to_appear_in_same_query);

/// The condition that a row of `queue_pending` is that of a lead: the whole of its key, by which it is looked up.
macro_rules! is_pending_of_lead {
    () => {{
        use $crate::diesel::tables::{queue_lead, queue_pending};
        queue_pending::backlog_id
            .eq(queue_lead::backlog_id)
            .and(queue_pending::priority.eq(queue_lead::priority))
            .and(queue_pending::lead_at.eq(queue_lead::lead_at))
            .and(queue_pending::lead_id.eq(queue_lead::id))
    }};
}
pub(crate) use is_pending_of_lead;

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::*;
    use crate::diesel::borrowed::BorrowedStore;
    use crate::diesel::conn::rows::TextRow;

    /// The columns of a table as a statement names them, in order.
    fn named<Q: diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite>>(
        query: &Q,
    ) -> Vec<String> {
        let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(query).to_string();
        let columns = text.split(" FROM ").next().unwrap_or_default();
        columns.split('`').skip(3).step_by(4).map(str::to_owned).collect()
    }

    #[test]
    fn the_tables_are_those_of_the_migrations() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        BorrowedStore::on(&mut connection).migrate().unwrap();
        macro_rules! check {
            ($($table:ident,)*) => { $(
                let name = stringify!($table);
                let sql = "SELECT name AS value FROM pragma_table_info(?) ORDER BY cid";
                let there: Vec<TextRow> =
                    diesel::sql_query(sql).bind::<Text, _>(name).load(&mut connection).unwrap();
                let there: Vec<String> = there.into_iter().map(|row| row.value).collect();
                let query = $table::table.select($table::all_columns);
                assert!(!there.is_empty(), "{name} is there");
                assert_eq!(named(&query), there, "{name}");
                query.limit(0).execute(&mut connection).unwrap();
            )* };
        }
        every_table!(check);
    }
}
