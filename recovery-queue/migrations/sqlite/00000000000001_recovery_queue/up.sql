-- Times are microseconds since 1970 in UTC; the views show them as text in ISO 8601.

CREATE TABLE {ns}queue_backlog (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_seeded_at INTEGER,
    last_seeded_at INTEGER,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every lead ever seeded: the one place that holds its key.
CREATE TABLE {ns}queue_lead (
    id INTEGER PRIMARY KEY,
    source_pk TEXT NOT NULL UNIQUE,
    backlog_id INTEGER NOT NULL REFERENCES {ns}queue_backlog (id),
    priority INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    lead_version TEXT,
    first_seen_at INTEGER NOT NULL
) STRICT;

-- The hot table, clustered in the order of claims.
CREATE TABLE {ns}queue_pending (
    backlog_id INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (backlog_id, priority, lead_at, lead_id)
) STRICT, WITHOUT ROWID;

-- Pending leads that nobody may claim yet: in back-off, or under a lease.
CREATE TABLE {ns}queue_parked (
    lead_id INTEGER PRIMARY KEY,
    backlog_id INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    lease_token INTEGER,
    attempts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    message TEXT
) STRICT;
CREATE INDEX {bare}queue_parked_due ON {ns}queue_parked (not_before);

CREATE TABLE {ns}queue_person (
    id INTEGER PRIMARY KEY,
    person_key TEXT NOT NULL UNIQUE,
    origin_lead_id INTEGER,
    origin_lead_at INTEGER,
    origin_since INTEGER,
    origin_run_id INTEGER
) STRICT;

-- status: 1 matched, 2 failed, 3 withdrawn.
CREATE TABLE {ns}queue_settled (
    lead_id INTEGER PRIMARY KEY,
    backlog_id INTEGER NOT NULL,
    status INTEGER NOT NULL,
    reason TEXT,
    person_id INTEGER,
    attempts INTEGER NOT NULL,
    run_id INTEGER,
    settled_at INTEGER NOT NULL,
    evidence TEXT,
    CHECK ((status = 1) = (person_id IS NOT NULL)),
    CHECK ((status = 2) = (reason IS NOT NULL))
) STRICT;
CREATE INDEX {bare}queue_settled_failed ON {ns}queue_settled (backlog_id, reason, settled_at)
    WHERE status = 2;

CREATE TABLE {ns}queue_link (
    lead_id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    rule TEXT NOT NULL,
    confidence TEXT NOT NULL,
    decided_by TEXT,
    run_id INTEGER,
    linked_at INTEGER NOT NULL,
    evidence TEXT
) STRICT;
CREATE INDEX {bare}queue_link_person ON {ns}queue_link (person_id);

CREATE TABLE {ns}queue_link_history (
    id INTEGER PRIMARY KEY,
    lead_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    rule TEXT NOT NULL,
    confidence TEXT NOT NULL,
    decided_by TEXT,
    run_id INTEGER,
    linked_at INTEGER NOT NULL,
    evidence TEXT,
    ended_at INTEGER NOT NULL,
    ended_by TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX {bare}queue_link_history_lead ON {ns}queue_link_history (lead_id);

CREATE TABLE {ns}queue_origin_history (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    run_id INTEGER,
    ended_at INTEGER NOT NULL,
    ended_run_id INTEGER
) STRICT;
CREATE INDEX {bare}queue_origin_history_person ON {ns}queue_origin_history (person_id);

-- Appended once per transaction, kind and reason; never updated.
CREATE TABLE {ns}queue_ledger (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    backlog_id INTEGER NOT NULL,
    run_id INTEGER,
    kind TEXT NOT NULL,
    reason TEXT,
    leads INTEGER NOT NULL CHECK (leads > 0)
) STRICT;
CREATE INDEX {bare}queue_ledger_at ON {ns}queue_ledger (at);
CREATE INDEX {bare}queue_ledger_run ON {ns}queue_ledger (run_id);

-- The ledger's roll-up by 15 minutes; slot counts them since 1970.
CREATE TABLE {ns}queue_ledger_slot (
    slot INTEGER NOT NULL,
    backlog_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    leads INTEGER NOT NULL,
    PRIMARY KEY (slot, backlog_id, kind, reason)
) STRICT, WITHOUT ROWID;

-- Up to where the ledger is rolled up, and from where its events are kept.
CREATE TABLE {ns}queue_ledger_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rolled_up_to INTEGER NOT NULL,
    pruned_to INTEGER NOT NULL
) STRICT;
INSERT INTO {ns}queue_ledger_mark (id, rolled_up_to, pruned_to) VALUES (1, 0, 0);

CREATE TABLE {ns}queue_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    policy TEXT,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    backlog_before INTEGER NOT NULL,
    backlog_after INTEGER,
    events TEXT
) STRICT;

-- Matched leads that the last seed of a backlog found in it.
CREATE TABLE {ns}queue_leak (
    lead_id INTEGER PRIMARY KEY,
    backlog_id INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT;

-- Digests of a failed lead's keys: a person who comes to hold one wakes the lead up.
CREATE TABLE {ns}queue_wake_key (
    wake_key TEXT NOT NULL,
    lead_id INTEGER NOT NULL,
    PRIMARY KEY (wake_key, lead_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {bare}queue_wake_key_lead ON {ns}queue_wake_key (lead_id);

-- One row per worker whose batch is open: after a crash it tells how big the batch was.
CREATE TABLE {ns}queue_marker (
    worker TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

-- Fencing tokens: each lease takes the next number.
CREATE TABLE {ns}queue_token (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO {ns}queue_token (id, last) VALUES (1, 0);

CREATE VIEW {ns}recovery_queue AS
SELECT l.source_pk, b.name AS backlog, q.status, q.reason, p.person_key, q.attempts,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.lead_at / 1000000.0, 'unixepoch') AS lead_date,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.first_seen_at / 1000000.0, 'unixepoch') AS first_seen_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.since / 1000000.0, 'unixepoch') AS since,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.not_before / 1000000.0, 'unixepoch') AS not_before,
       q.run_id, q.evidence
FROM (
    SELECT lead_id, 'pending' AS status, NULL AS reason, NULL AS person_id, attempts, since,
           NULL AS not_before, NULL AS run_id, NULL AS evidence
    FROM {ns}queue_pending
    UNION ALL
    SELECT lead_id, 'pending', NULL, NULL, attempts, since, not_before, NULL, NULL
    FROM {ns}queue_parked
    UNION ALL
    SELECT lead_id, CASE status WHEN 1 THEN 'matched' WHEN 2 THEN 'failed' ELSE 'withdrawn' END,
           reason, person_id, attempts, settled_at, NULL, run_id, evidence
    FROM {ns}queue_settled
) q
JOIN {ns}queue_lead l ON l.id = q.lead_id
JOIN {ns}queue_backlog b ON b.id = l.backlog_id
LEFT JOIN {ns}queue_person p ON p.id = q.person_id;

CREATE VIEW {ns}identity_links AS
SELECT l.source_pk, p.person_key, k.rule, k.confidence, k.decided_by, k.run_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', k.linked_at / 1000000.0, 'unixepoch') AS linked_at, k.evidence
FROM {ns}queue_link k
JOIN {ns}queue_lead l ON l.id = k.lead_id
JOIN {ns}queue_person p ON p.id = k.person_id;

CREATE VIEW {ns}identity_origins AS
SELECT p.person_key, l.source_pk,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.origin_lead_at / 1000000.0, 'unixepoch') AS lead_date,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.origin_since / 1000000.0, 'unixepoch') AS since,
       p.origin_run_id AS run_id
FROM {ns}queue_person p
JOIN {ns}queue_lead l ON l.id = p.origin_lead_id;
