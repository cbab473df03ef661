-- Leads that were given to people to decide, what they decided, and what undoing it puts back.
CREATE TABLE {ns}queue_reviewer (
    name TEXT PRIMARY KEY,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL
);

CREATE TABLE {ns}queue_review_packet (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    packet TEXT NOT NULL UNIQUE,
    reviewer TEXT,
    issued_at BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    policy TEXT NOT NULL,
    is_full BIGINT NOT NULL,
    reviews_needed BIGINT NOT NULL
);

-- The fingerprint is a digest of all that the case showed.
CREATE TABLE {ns}queue_review_case (
    packet_id BIGINT NOT NULL,
    lead_id BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (packet_id, lead_id)
);
CREATE INDEX {bare}queue_review_case_lead ON {ns}queue_review_case (lead_id);

CREATE TABLE {ns}queue_review_load (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_key TEXT NOT NULL,
    loaded_at BIGINT NOT NULL,
    loaded_by TEXT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT
);
CREATE INDEX {bare}queue_review_load_key ON {ns}queue_review_load (load_key);

CREATE TABLE {ns}queue_review (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_id BIGINT NOT NULL,
    packet_id BIGINT NOT NULL,
    lead_id BIGINT NOT NULL,
    decision TEXT NOT NULL,
    person_id BIGINT,
    comes_back_at BIGINT,
    decided_by TEXT NOT NULL,
    comment TEXT NOT NULL,
    fail_reason TEXT,
    decided_at BIGINT NOT NULL,
    effect TEXT NOT NULL,
    state_before TEXT
);
CREATE INDEX {bare}queue_review_lead ON {ns}queue_review (lead_id);
CREATE INDEX {bare}queue_review_of_load ON {ns}queue_review (load_id);
CREATE INDEX {bare}queue_review_person ON {ns}queue_review (person_id);
