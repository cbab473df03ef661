-- Times are microseconds since 1970 in UTC; the views show them as timestamps with a zone.

CREATE TABLE {ns}queue_backlog (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_seeded_at BIGINT,
    last_seeded_at BIGINT,
    paused BIGINT NOT NULL DEFAULT 0
);

-- Every lead ever seeded: the one place that holds its key.
CREATE TABLE {ns}queue_lead (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_pk TEXT COLLATE "C" NOT NULL UNIQUE,
    backlog_id BIGINT NOT NULL REFERENCES {ns}queue_backlog (id),
    priority BIGINT NOT NULL,
    lead_at BIGINT NOT NULL,
    lead_version TEXT,
    first_seen_at BIGINT NOT NULL
);

-- The hot table; its key is the order of claims.
CREATE TABLE {ns}queue_pending (
    backlog_id BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    lead_at BIGINT NOT NULL,
    lead_id BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (backlog_id, priority, lead_at, lead_id)
);

-- Pending leads that nobody may claim yet: in back-off, or under a lease.
CREATE TABLE {ns}queue_parked (
    lead_id BIGINT PRIMARY KEY,
    backlog_id BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    lease_token BIGINT,
    attempts BIGINT NOT NULL,
    since BIGINT NOT NULL,
    message TEXT
);
CREATE INDEX {bare}queue_parked_due ON {ns}queue_parked (not_before);

CREATE TABLE {ns}queue_person (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_key TEXT COLLATE "C" NOT NULL UNIQUE,
    origin_lead_id BIGINT,
    origin_lead_at BIGINT,
    origin_since BIGINT,
    origin_run_id BIGINT,
    -- What the latest change of the origin replaced; the statement that changes it hands these on.
    replaced_lead_id BIGINT,
    replaced_lead_at BIGINT,
    replaced_since BIGINT,
    replaced_run_id BIGINT
);

-- status: 1 matched, 2 failed, 3 withdrawn.
CREATE TABLE {ns}queue_settled (
    lead_id BIGINT PRIMARY KEY,
    backlog_id BIGINT NOT NULL,
    status BIGINT NOT NULL,
    reason TEXT,
    person_id BIGINT,
    attempts BIGINT NOT NULL,
    run_id BIGINT,
    settled_at BIGINT NOT NULL,
    evidence TEXT,
    CHECK ((status = 1) = (person_id IS NOT NULL)),
    CHECK ((status = 2) = (reason IS NOT NULL))
);
CREATE INDEX {bare}queue_settled_failed ON {ns}queue_settled (backlog_id, reason, settled_at)
    WHERE status = 2;

CREATE TABLE {ns}queue_link (
    lead_id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    confidence TEXT NOT NULL,
    decided_by TEXT,
    run_id BIGINT,
    linked_at BIGINT NOT NULL,
    evidence TEXT
);
CREATE INDEX {bare}queue_link_person ON {ns}queue_link (person_id);

CREATE TABLE {ns}queue_link_history (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lead_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    rule TEXT NOT NULL,
    confidence TEXT NOT NULL,
    decided_by TEXT,
    run_id BIGINT,
    linked_at BIGINT NOT NULL,
    evidence TEXT,
    ended_at BIGINT NOT NULL,
    ended_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX {bare}queue_link_history_lead ON {ns}queue_link_history (lead_id);

CREATE TABLE {ns}queue_origin_history (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id BIGINT NOT NULL,
    lead_id BIGINT NOT NULL,
    lead_at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    run_id BIGINT,
    ended_at BIGINT NOT NULL,
    ended_run_id BIGINT
);
CREATE INDEX {bare}queue_origin_history_person ON {ns}queue_origin_history (person_id);

-- Appended once per transaction, kind and reason; never updated.
CREATE TABLE {ns}queue_ledger (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    backlog_id BIGINT NOT NULL,
    run_id BIGINT,
    kind TEXT NOT NULL,
    reason TEXT,
    leads BIGINT NOT NULL CHECK (leads > 0)
);
CREATE INDEX {bare}queue_ledger_at ON {ns}queue_ledger (at);
CREATE INDEX {bare}queue_ledger_run ON {ns}queue_ledger (run_id);

-- The ledger's roll-up by 15 minutes; slot counts them since 1970.
CREATE TABLE {ns}queue_ledger_slot (
    slot BIGINT NOT NULL,
    backlog_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    leads BIGINT NOT NULL,
    PRIMARY KEY (slot, backlog_id, kind, reason)
);

-- Up to where the ledger is rolled up, and from where its events are kept.
CREATE TABLE {ns}queue_ledger_mark (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    rolled_up_to BIGINT NOT NULL,
    pruned_to BIGINT NOT NULL
);
INSERT INTO {ns}queue_ledger_mark (id, rolled_up_to, pruned_to) VALUES (1, 0, 0);

CREATE TABLE {ns}queue_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    policy TEXT,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    backlog_before BIGINT NOT NULL,
    backlog_after BIGINT,
    events TEXT
);

-- Matched leads that the last seed of a backlog found in it.
CREATE TABLE {ns}queue_leak (
    lead_id BIGINT PRIMARY KEY,
    backlog_id BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL
);

-- Digests of a failed lead's keys: a person who comes to hold one wakes the lead up.
CREATE TABLE {ns}queue_wake_key (
    wake_key TEXT NOT NULL,
    lead_id BIGINT NOT NULL,
    PRIMARY KEY (wake_key, lead_id)
);
CREATE INDEX {bare}queue_wake_key_lead ON {ns}queue_wake_key (lead_id);

-- One row per worker whose batch is open: after a crash it tells how big the batch was.
CREATE TABLE {ns}queue_marker (
    worker TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

-- Fencing tokens: each lease takes the next number.
CREATE TABLE {ns}queue_token (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO {ns}queue_token (id, last) VALUES (1, 0);

CREATE VIEW {ns}recovery_queue AS
SELECT l.source_pk, b.name AS backlog, q.status, q.reason, p.person_key, q.attempts,
       to_timestamp(l.lead_at / 1000000.0) AS lead_date,
       to_timestamp(l.first_seen_at / 1000000.0) AS first_seen_at,
       to_timestamp(q.since / 1000000.0) AS since,
       to_timestamp(q.not_before / 1000000.0) AS not_before,
       q.run_id, q.evidence
FROM (
    SELECT lead_id, 'pending' AS status, NULL::text AS reason, NULL::bigint AS person_id, attempts, since,
           NULL::bigint AS not_before, NULL::bigint AS run_id, NULL::text AS evidence
    FROM {ns}queue_pending
    UNION ALL
    SELECT lead_id, 'pending', NULL::text, NULL::bigint, attempts, since, not_before, NULL::bigint, NULL::text
    FROM {ns}queue_parked
    UNION ALL
    SELECT lead_id, CASE status WHEN 1 THEN 'matched' WHEN 2 THEN 'failed' ELSE 'withdrawn' END,
           reason, person_id, attempts, settled_at, NULL::bigint, run_id, evidence
    FROM {ns}queue_settled
) q
JOIN {ns}queue_lead l ON l.id = q.lead_id
JOIN {ns}queue_backlog b ON b.id = l.backlog_id
LEFT JOIN {ns}queue_person p ON p.id = q.person_id;

CREATE VIEW {ns}identity_links AS
SELECT l.source_pk, p.person_key, k.rule, k.confidence, k.decided_by, k.run_id,
       to_timestamp(k.linked_at / 1000000.0) AS linked_at, k.evidence
FROM {ns}queue_link k
JOIN {ns}queue_lead l ON l.id = k.lead_id
JOIN {ns}queue_person p ON p.id = k.person_id;

CREATE VIEW {ns}identity_origins AS
SELECT p.person_key, l.source_pk,
       to_timestamp(p.origin_lead_at / 1000000.0) AS lead_date,
       to_timestamp(p.origin_since / 1000000.0) AS since,
       p.origin_run_id AS run_id
FROM {ns}queue_person p
JOIN {ns}queue_lead l ON l.id = p.origin_lead_id;
