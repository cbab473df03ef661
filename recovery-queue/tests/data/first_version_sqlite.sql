-- A database of the first version of this crate: six leads, seeded and recovered once.
CREATE TABLE queue_migration (version TEXT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, breaking BIGINT NOT NULL, applied_at BIGINT NOT NULL);
CREATE TABLE queue_backlog (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    first_seeded_at INTEGER,
    last_seeded_at INTEGER,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE queue_lead (
    id INTEGER PRIMARY KEY,
    source_pk TEXT NOT NULL UNIQUE,
    backlog_id INTEGER NOT NULL REFERENCES queue_backlog (id),
    priority INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    lead_version TEXT,
    first_seen_at INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_pending (
    backlog_id INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (backlog_id, priority, lead_at, lead_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_parked (
    lead_id INTEGER PRIMARY KEY,
    backlog_id INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    lease_token INTEGER,
    attempts INTEGER NOT NULL,
    since INTEGER NOT NULL,
    message TEXT
) STRICT;
CREATE TABLE queue_person (
    id INTEGER PRIMARY KEY,
    person_key TEXT NOT NULL UNIQUE,
    origin_lead_id INTEGER,
    origin_lead_at INTEGER,
    origin_since INTEGER,
    origin_run_id INTEGER
) STRICT;
CREATE TABLE queue_settled (
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
CREATE TABLE queue_link (
    lead_id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    rule TEXT NOT NULL,
    confidence TEXT NOT NULL,
    decided_by TEXT,
    run_id INTEGER,
    linked_at INTEGER NOT NULL,
    evidence TEXT
) STRICT;
CREATE TABLE queue_link_history (
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
CREATE TABLE queue_origin_history (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    lead_id INTEGER NOT NULL,
    lead_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    run_id INTEGER,
    ended_at INTEGER NOT NULL,
    ended_run_id INTEGER
) STRICT;
CREATE TABLE queue_ledger (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    backlog_id INTEGER NOT NULL,
    run_id INTEGER,
    kind TEXT NOT NULL,
    reason TEXT,
    leads INTEGER NOT NULL CHECK (leads > 0)
) STRICT;
CREATE TABLE queue_ledger_slot (
    slot INTEGER NOT NULL,
    backlog_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    leads INTEGER NOT NULL,
    PRIMARY KEY (slot, backlog_id, kind, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_ledger_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    rolled_up_to INTEGER NOT NULL,
    pruned_to INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_run (
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
CREATE TABLE queue_leak (
    lead_id INTEGER PRIMARY KEY,
    backlog_id INTEGER NOT NULL,
    first_seen_at INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_wake_key (
    wake_key TEXT NOT NULL,
    lead_id INTEGER NOT NULL,
    PRIMARY KEY (wake_key, lead_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_marker (
    worker TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_token (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO queue_migration VALUES ('00000000000001', 'recovery_queue', '09ca0fc4b3b74b94cd69c55946f444c5fd3795b9397cee60be546e480587426a', 1, 1795185859836000);
INSERT INTO queue_backlog VALUES (1, 'backlog_leads', 1795185859858000, 1795185859858000, 0);
INSERT INTO queue_lead VALUES (1, 'L-0', 1, 0, 1767261600000000, '88d90a481f9db962c371e742e0b7a652', 1795185859858000);
INSERT INTO queue_lead VALUES (2, 'L-1', 1, 0, 1767348000000000, '8e5206c795ba75023edd0d47a3fc2e47', 1795185859858000);
INSERT INTO queue_lead VALUES (3, 'L-2', 1, 0, 1767434400000000, '6b46b6ec75192ae3bc80bbd8dbd6528c', 1795185859858000);
INSERT INTO queue_lead VALUES (4, 'L-3', 1, 0, 1767520800000000, 'c42127cd183a351191849d62b986061b', 1795185859858000);
INSERT INTO queue_lead VALUES (5, 'L-4', 1, 0, 1767607200000000, '68c00aceba6a552a803988d8f2370d5a', 1795185859858000);
INSERT INTO queue_lead VALUES (6, 'L-5', 1, 0, 1767693600000000, '8fd87fb0066480f829e43bc31bb3da8f', 1795185859858000);
INSERT INTO queue_person VALUES (1, 'P-0', 1, 1767261600000000, 1795185859882000, 2);
INSERT INTO queue_person VALUES (2, 'P-1', 3, 1767434400000000, 1795185859882000, 2);
INSERT INTO queue_settled VALUES (1, 1, 1, NULL, 1, 0, 2, 1795185859882000, NULL);
INSERT INTO queue_settled VALUES (2, 1, 1, NULL, 1, 0, 2, 1795185859882000, NULL);
INSERT INTO queue_settled VALUES (3, 1, 1, NULL, 2, 0, 2, 1795185859882000, NULL);
INSERT INTO queue_settled VALUES (4, 1, 2, 'NO_CANDIDATES', NULL, 0, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0003","holders":0,"use":"unheld"}],"unusable":[],"candidates":[]}');
INSERT INTO queue_settled VALUES (5, 1, 2, 'NO_CANDIDATES', NULL, 0, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0004","holders":0,"use":"unheld"}],"unusable":[],"candidates":[]}');
INSERT INTO queue_settled VALUES (6, 1, 2, 'NO_CANDIDATES', NULL, 0, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0005","holders":0,"use":"unheld"}],"unusable":[],"candidates":[]}');
INSERT INTO queue_link VALUES (1, 1, 'PHONE_EXACT', 'high', NULL, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0000","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-0","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0000","shared":false}]}]}');
INSERT INTO queue_link VALUES (2, 1, 'PHONE_EXACT', 'high', NULL, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0001","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-0","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0001","shared":false}]}]}');
INSERT INTO queue_link VALUES (3, 2, 'PHONE_EXACT', 'high', NULL, 2, 1795185859882000, '{"policy":{"version":"1","hash":"a09b2b886cfb8ec9"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0002","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-1","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0002","shared":false}]}]}');
INSERT INTO queue_ledger VALUES (1, 1795185859858000, 1, 1, 'opening', NULL, 6);
INSERT INTO queue_ledger VALUES (2, 1795185859882000, 1, 2, 'matched', NULL, 3);
INSERT INTO queue_ledger VALUES (3, 1795185859882000, 1, 2, 'failed', 'NO_CANDIDATES', 3);
INSERT INTO queue_ledger_mark VALUES (1, 0, 0);
INSERT INTO queue_run VALUES (1, 'seed', 'seed', NULL, 1795185859858000, 1795185859859000, 0, 6, '{"opening":6}');
INSERT INTO queue_run VALUES (2, 'recover', 'recovery_cycle', '1 a09b2b886cfb8ec9', 1795185859868000, 1795185859897000, 6, 3, '{"failed":3,"matched":3}');
INSERT INTO queue_token VALUES (1, 0);
CREATE INDEX queue_parked_due ON queue_parked (not_before);
CREATE INDEX queue_settled_failed ON queue_settled (backlog_id, reason, settled_at)
    WHERE status = 2;
CREATE INDEX queue_link_person ON queue_link (person_id);
CREATE INDEX queue_link_history_lead ON queue_link_history (lead_id);
CREATE INDEX queue_origin_history_person ON queue_origin_history (person_id);
CREATE INDEX queue_ledger_at ON queue_ledger (at);
CREATE INDEX queue_ledger_run ON queue_ledger (run_id);
CREATE INDEX queue_wake_key_lead ON queue_wake_key (lead_id);
CREATE VIEW recovery_queue AS
SELECT l.source_pk, b.name AS backlog, q.status, q.reason, p.person_key, q.attempts,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.lead_at / 1000000.0, 'unixepoch') AS lead_date,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.first_seen_at / 1000000.0, 'unixepoch') AS first_seen_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.since / 1000000.0, 'unixepoch') AS since,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.not_before / 1000000.0, 'unixepoch') AS not_before,
       q.run_id, q.evidence
FROM (
    SELECT lead_id, 'pending' AS status, NULL AS reason, NULL AS person_id, attempts, since,
           NULL AS not_before, NULL AS run_id, NULL AS evidence
    FROM queue_pending
    UNION ALL
    SELECT lead_id, 'pending', NULL, NULL, attempts, since, not_before, NULL, NULL
    FROM queue_parked
    UNION ALL
    SELECT lead_id, CASE status WHEN 1 THEN 'matched' WHEN 2 THEN 'failed' ELSE 'withdrawn' END,
           reason, person_id, attempts, settled_at, NULL, run_id, evidence
    FROM queue_settled
) q
JOIN queue_lead l ON l.id = q.lead_id
JOIN queue_backlog b ON b.id = l.backlog_id
LEFT JOIN queue_person p ON p.id = q.person_id;
CREATE VIEW identity_links AS
SELECT l.source_pk, p.person_key, k.rule, k.confidence, k.decided_by, k.run_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', k.linked_at / 1000000.0, 'unixepoch') AS linked_at, k.evidence
FROM queue_link k
JOIN queue_lead l ON l.id = k.lead_id
JOIN queue_person p ON p.id = k.person_id;
CREATE VIEW identity_origins AS
SELECT p.person_key, l.source_pk,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.origin_lead_at / 1000000.0, 'unixepoch') AS lead_date,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.origin_since / 1000000.0, 'unixepoch') AS since,
       p.origin_run_id AS run_id
FROM queue_person p
JOIN queue_lead l ON l.id = p.origin_lead_id;
