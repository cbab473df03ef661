//! The views that are everybody's to read and join, for Diesel's typed queries.

/// Declares the views of the queue for Diesel's typed queries: `recovery_queue`, `identity_links`, `identity_origins`.
///
/// In the user's own crate, since Diesel lets only that join them with tables of its own: `views!(sqlite)`,
/// `views!(postgres)` for the schema `recovery`, and `views!(postgres, other)` for another namespace. Times are
/// timestamps with a zone on PostgreSQL and text in ISO 8601 on SQLite. They are views: nothing is written to them.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # mod example {
/// use diesel::prelude::*;
/// use recovery_queue::BorrowedStore;
///
/// mod queue {
///     ::recovery_queue::views!(sqlite); // with `::`, since a view is named like the crate
/// }
/// diesel::table! {
///     person (key) { key -> Text, name -> Text, }
/// }
/// use queue::identity_links;
/// diesel::allow_tables_to_appear_in_same_query!(person, identity_links);
///
/// # pub fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut connection = SqliteConnection::establish(":memory:")?;
/// BorrowedStore::on(&mut connection).migrate()?;
/// diesel::sql_query("CREATE TABLE person (key TEXT, name TEXT)").execute(&mut connection)?;
/// let linked: i64 = person::table
///     .inner_join(identity_links::table.on(identity_links::person_key.eq(person::key)))
///     .count()
///     .get_result(&mut connection)?;
/// assert_eq!(linked, 0);
/// # Ok(())
/// # }
/// # }
/// # #[cfg(feature = "sqlite")]
/// # example::main().unwrap();
/// ```
#[macro_export]
macro_rules! views {
    (sqlite) => {
        $crate::views!(@declare Text);
    };
    (postgres) => {
        $crate::views!(@declare Timestamptz, recovery);
    };
    (postgres, $schema:ident) => {
        $crate::views!(@declare Timestamptz, $schema);
    };
    (@declare $time:ident $(, $schema:ident)?) => {
        diesel::table! {
            /// The recovery queue: one row per lead.
            $($schema.)? recovery_queue (source_pk) {
                /// The lead's key.
                source_pk -> Text,
                /// The backlog that it came from.
                backlog -> Text,
                /// `pending`, `matched`, `failed` or `withdrawn`.
                status -> Text,
                /// Why it failed.
                reason -> Nullable<Text>,
                /// The person, when matched.
                person_key -> Nullable<Text>,
                /// Technical attempts that failed since it became pending.
                attempts -> BigInt,
                /// When the lead came into being.
                lead_date -> $time,
                /// When the queue first saw it.
                first_seen_at -> $time,
                /// When it came to its status.
                since -> $time,
                /// Not worked on before this time: a back-off or a lease.
                not_before -> Nullable<$time>,
                /// The run that settled it.
                run_id -> Nullable<BigInt>,
                /// What the resolver left as evidence, as JSON.
                evidence -> Nullable<Text>,
            }
        }

        diesel::table! {
            /// The identity links: one row per lead that is a person's.
            $($schema.)? identity_links (source_pk) {
                /// The lead's key.
                source_pk -> Text,
                /// The person.
                person_key -> Text,
                /// The rule that decided; `MANUAL` for a person's decision.
                rule -> Text,
                /// How sure the decision was, in the resolver's words.
                confidence -> Text,
                /// Who decided by hand.
                decided_by -> Nullable<Text>,
                /// The run that decided.
                run_id -> Nullable<BigInt>,
                /// When.
                linked_at -> $time,
                /// What the decision rests on, as JSON.
                evidence -> Nullable<Text>,
            }
        }

        diesel::table! {
            /// The identity origins: the first lead of each person.
            $($schema.)? identity_origins (person_key) {
                /// The person.
                person_key -> Text,
                /// The person's first lead, by creation time.
                source_pk -> Text,
                /// When that lead came into being.
                lead_date -> Nullable<$time>,
                /// Since when it is known as the origin.
                since -> Nullable<$time>,
                /// The run that made it the origin.
                run_id -> Nullable<BigInt>,
            }
        }

        diesel::allow_tables_to_appear_in_same_query!(
            recovery_queue,
            identity_links,
            identity_origins
        );
    };
}
