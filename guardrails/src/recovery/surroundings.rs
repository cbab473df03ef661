//! The checks of what surrounds the queue: persons, rows of the backlog, the clock.

use super::{Invariant, InvariantCheck};
use crate::{Remedy, Severity};

/// Every link leads to a person who is there.
pub(super) fn link_target_exists() -> InvariantCheck {
    InvariantCheck::new("link_target_exists", "every link leads to a person who is there")
        .part(Invariant::LINK_TARGET_EXISTS, "links lead to persons who are gone")
        .where_empty("nothing is linked, so no person can be missing")
        .column("person_key")
        .cause("persons were deleted without being forgotten by the queue")
        .cause("persons were merged and took other keys")
        .remedy(
            Remedy::new(
                "Put the links right: each such lead is unlinked and pending again, with a history.",
            )
            .command("queue_admin reconcile --why link_target_exists"),
        )
}

/// Every lead of the backlog could be taken by the last seed.
pub(super) fn rejected() -> InvariantCheck {
    InvariantCheck::new("rejected", "every lead of the backlog could be taken by the last seed")
        .severity(Severity::Warn)
        .part(Invariant::BACKLOG_LEAD_TAKEN, "leads were left out by the last seed")
        .where_empty("no backlog was seeded")
        .column("lead_source_pk")
        .cause("a date, version or priority of the row cannot be read, or its key is too long")
        .remedy(Remedy::new("Correct the rows at their source, then seed.").command("seed_queue"))
}

/// What people decided holds: nobody is linked to a lead for which they were rejected.
pub(super) fn review_consistency() -> InvariantCheck {
    InvariantCheck::new(
        "review_consistency",
        "no lead is linked to a person whom somebody rejected for it",
    )
    .part(Invariant::REJECTED_NOT_LINKED, "leads are linked to persons who were rejected for them")
    .where_empty("nobody was rejected for a lead")
    .column("source_pk")
    .cause("a lead was linked by hand to a person who had been rejected for it")
    .cause("a program wrote a link that did not ask the queue")
    .remedy(Remedy::new(
        "Where the rejection is right, undo the link with `queue_admin link undo`; where the link is, undo the load of \
         reviews that rejected the person.",
    ))
}

/// The clock is not behind what it said before.
pub(super) fn clock() -> InvariantCheck {
    InvariantCheck::new("clock", "the clock is not behind what it said before")
        .severity(Severity::Warn)
        .part(Invariant::CLOCK_GOES_FORWARD, "clocks are behind what they said before")
        .cause("the clock of the database's machine was set back, or had been ahead for a while")
        .remedy(Remedy::new(
            "Set the clock right. Until it has passed that instant, all that happens is dated with it: no day that was reported changes.",
        ))
}
