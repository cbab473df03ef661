-- Leads that were given to people to decide, what they decided, and what undoing it puts back.
CREATE TABLE {ns}queue_reviewer (
    name TEXT PRIMARY KEY,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE {ns}queue_review_packet (
    id INTEGER PRIMARY KEY,
    packet TEXT NOT NULL UNIQUE,
    reviewer TEXT,
    issued_at INTEGER NOT NULL,
    issued_by TEXT NOT NULL,
    policy TEXT NOT NULL,
    is_full INTEGER NOT NULL,
    reviews_needed INTEGER NOT NULL
) STRICT;

-- The fingerprint is a digest of all that the case showed.
CREATE TABLE {ns}queue_review_case (
    packet_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (packet_id, lead_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {bare}queue_review_case_lead ON {ns}queue_review_case (lead_id);

CREATE TABLE {ns}queue_review_load (
    id INTEGER PRIMARY KEY,
    load_key TEXT NOT NULL,
    loaded_at INTEGER NOT NULL,
    loaded_by TEXT NOT NULL,
    undone_at INTEGER,
    undone_by TEXT
) STRICT;
CREATE INDEX {bare}queue_review_load_key ON {ns}queue_review_load (load_key);

CREATE TABLE {ns}queue_review (
    id INTEGER PRIMARY KEY,
    load_id INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    decision TEXT NOT NULL,
    person_id INTEGER,
    comes_back_at INTEGER,
    decided_by TEXT NOT NULL,
    comment TEXT NOT NULL,
    fail_reason TEXT,
    decided_at INTEGER NOT NULL,
    effect TEXT NOT NULL,
    state_before TEXT
) STRICT;
CREATE INDEX {bare}queue_review_lead ON {ns}queue_review (lead_id);
CREATE INDEX {bare}queue_review_of_load ON {ns}queue_review (load_id);
CREATE INDEX {bare}queue_review_person ON {ns}queue_review (person_id);
