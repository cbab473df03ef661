//! The shape of the tables and views: what drift checks and `stamp` compare a database with.
//!
//! Kept by hand; a test compares it with what the migrations really make, on each backend.

/// Every table and view with its columns.
pub(crate) const SHAPE: &[(&str, &[&str])] = &[
    ("queue_backlog", &["id", "name", "first_seeded_at", "last_seeded_at", "paused"]),
    (
        "queue_lead",
        &["id", "source_pk", "backlog_id", "priority", "lead_at", "lead_version", "first_seen_at"],
    ),
    ("queue_pending", &["backlog_id", "priority", "lead_at", "lead_id", "attempts", "since"]),
    (
        "queue_parked",
        &["lead_id", "backlog_id", "not_before", "lease_token", "attempts", "since", "message"],
    ),
    (
        "queue_person",
        &["id", "person_key", "origin_lead_id", "origin_lead_at", "origin_since", "origin_run_id"],
    ),
    (
        "queue_settled",
        &[
            "lead_id",
            "backlog_id",
            "status",
            "reason",
            "person_id",
            "attempts",
            "run_id",
            "settled_at",
            "evidence",
        ],
    ),
    (
        "queue_link",
        &[
            "lead_id",
            "person_id",
            "rule",
            "confidence",
            "decided_by",
            "run_id",
            "linked_at",
            "evidence",
        ],
    ),
    (
        "queue_link_history",
        &[
            "id",
            "lead_id",
            "person_id",
            "rule",
            "confidence",
            "decided_by",
            "run_id",
            "linked_at",
            "evidence",
            "ended_at",
            "ended_by",
            "reason",
        ],
    ),
    (
        "queue_origin_history",
        &["id", "person_id", "lead_id", "lead_at", "since", "run_id", "ended_at", "ended_run_id"],
    ),
    ("queue_ledger", &["id", "at", "backlog_id", "run_id", "kind", "reason", "leads"]),
    ("queue_ledger_slot", &["slot", "backlog_id", "kind", "reason", "leads"]),
    ("queue_ledger_mark", &["id", "rolled_up_to", "pruned_to"]),
    ("queue_run", &["id", "kind", "actor", "policy", "started_at", "finished_at", "events"]),
    ("queue_leak", &["lead_id", "backlog_id", "first_seen_at"]),
    ("queue_wake_key", &["wake_key", "lead_id"]),
    ("queue_marker", &["worker", "size", "started_at"]),
    ("queue_token", &["id", "last"]),
    (
        "recovery_queue",
        &[
            "source_pk",
            "backlog",
            "status",
            "reason",
            "person_key",
            "attempts",
            "lead_date",
            "first_seen_at",
            "since",
            "not_before",
            "run_id",
            "evidence",
        ],
    ),
    (
        "identity_links",
        &[
            "source_pk",
            "person_key",
            "rule",
            "confidence",
            "decided_by",
            "run_id",
            "linked_at",
            "evidence",
        ],
    ),
    ("identity_origins", &["person_key", "source_pk", "lead_date", "since", "run_id"]),
];
