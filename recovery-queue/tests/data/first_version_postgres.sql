-- A database of the first version of this crate: eight leads, seeded and six of them recovered.
CREATE SCHEMA recovery;
CREATE TABLE recovery.queue_lead (
    id bigint NOT NULL,
    source_pk text NOT NULL COLLATE pg_catalog."C",
    backlog_id bigint NOT NULL,
    priority bigint NOT NULL,
    lead_at bigint NOT NULL,
    lead_version text,
    first_seen_at bigint NOT NULL
);
CREATE TABLE recovery.queue_link (
    lead_id bigint NOT NULL,
    person_id bigint NOT NULL,
    rule text NOT NULL,
    confidence text NOT NULL,
    decided_by text,
    run_id bigint,
    linked_at bigint NOT NULL,
    evidence text
);
CREATE TABLE recovery.queue_person (
    id bigint NOT NULL,
    person_key text NOT NULL COLLATE pg_catalog."C",
    origin_lead_id bigint,
    origin_lead_at bigint,
    origin_since bigint,
    origin_run_id bigint,
    replaced_lead_id bigint,
    replaced_lead_at bigint,
    replaced_since bigint,
    replaced_run_id bigint
);
CREATE VIEW recovery.identity_links AS
 SELECT l.source_pk,
    p.person_key,
    k.rule,
    k.confidence,
    k.decided_by,
    k.run_id,
    to_timestamp((((k.linked_at)::numeric / 1000000.0))::double precision) AS linked_at,
    k.evidence
   FROM ((recovery.queue_link k
     JOIN recovery.queue_lead l ON ((l.id = k.lead_id)))
     JOIN recovery.queue_person p ON ((p.id = k.person_id)));
CREATE VIEW recovery.identity_origins AS
 SELECT p.person_key,
    l.source_pk,
    to_timestamp((((p.origin_lead_at)::numeric / 1000000.0))::double precision) AS lead_date,
    to_timestamp((((p.origin_since)::numeric / 1000000.0))::double precision) AS since,
    p.origin_run_id AS run_id
   FROM (recovery.queue_person p
     JOIN recovery.queue_lead l ON ((l.id = p.origin_lead_id)));
CREATE TABLE recovery.queue_backlog (
    id bigint NOT NULL,
    name text NOT NULL,
    first_seeded_at bigint,
    last_seeded_at bigint,
    paused bigint DEFAULT 0 NOT NULL
);
ALTER TABLE recovery.queue_backlog ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_backlog_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE recovery.queue_lead ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_lead_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_leak (
    lead_id bigint NOT NULL,
    backlog_id bigint NOT NULL,
    first_seen_at bigint NOT NULL
);
CREATE TABLE recovery.queue_ledger (
    id bigint NOT NULL,
    at bigint NOT NULL,
    backlog_id bigint NOT NULL,
    run_id bigint,
    kind text NOT NULL,
    reason text,
    leads bigint NOT NULL,
    CONSTRAINT queue_ledger_leads_check CHECK ((leads > 0))
);
ALTER TABLE recovery.queue_ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_ledger_mark (
    id bigint NOT NULL,
    rolled_up_to bigint NOT NULL,
    pruned_to bigint NOT NULL,
    CONSTRAINT queue_ledger_mark_id_check CHECK ((id = 1))
);
CREATE TABLE recovery.queue_ledger_slot (
    slot bigint NOT NULL,
    backlog_id bigint NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    leads bigint NOT NULL
);
CREATE TABLE recovery.queue_link_history (
    id bigint NOT NULL,
    lead_id bigint NOT NULL,
    person_id bigint NOT NULL,
    rule text NOT NULL,
    confidence text NOT NULL,
    decided_by text,
    run_id bigint,
    linked_at bigint NOT NULL,
    evidence text,
    ended_at bigint NOT NULL,
    ended_by text NOT NULL,
    reason text NOT NULL
);
ALTER TABLE recovery.queue_link_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_link_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_marker (
    worker text NOT NULL,
    size bigint NOT NULL,
    started_at bigint NOT NULL
);
CREATE TABLE recovery.queue_migration (
    version text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    breaking bigint NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE recovery.queue_origin_history (
    id bigint NOT NULL,
    person_id bigint NOT NULL,
    lead_id bigint NOT NULL,
    lead_at bigint NOT NULL,
    since bigint NOT NULL,
    run_id bigint,
    ended_at bigint NOT NULL,
    ended_run_id bigint
);
ALTER TABLE recovery.queue_origin_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_origin_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_parked (
    lead_id bigint NOT NULL,
    backlog_id bigint NOT NULL,
    not_before bigint NOT NULL,
    lease_token bigint,
    attempts bigint NOT NULL,
    since bigint NOT NULL,
    message text
);
CREATE TABLE recovery.queue_pending (
    backlog_id bigint NOT NULL,
    priority bigint NOT NULL,
    lead_at bigint NOT NULL,
    lead_id bigint NOT NULL,
    attempts bigint NOT NULL,
    since bigint NOT NULL
);
ALTER TABLE recovery.queue_person ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_run (
    id bigint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    policy text,
    started_at bigint NOT NULL,
    finished_at bigint,
    backlog_before bigint NOT NULL,
    backlog_after bigint,
    events text
);
ALTER TABLE recovery.queue_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME recovery.queue_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE recovery.queue_settled (
    lead_id bigint NOT NULL,
    backlog_id bigint NOT NULL,
    status bigint NOT NULL,
    reason text,
    person_id bigint,
    attempts bigint NOT NULL,
    run_id bigint,
    settled_at bigint NOT NULL,
    evidence text,
    CONSTRAINT queue_settled_check CHECK (((status = 1) = (person_id IS NOT NULL))),
    CONSTRAINT queue_settled_check1 CHECK (((status = 2) = (reason IS NOT NULL)))
);
CREATE TABLE recovery.queue_token (
    id bigint NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT queue_token_id_check CHECK ((id = 1))
);
CREATE TABLE recovery.queue_wake_key (
    wake_key text NOT NULL,
    lead_id bigint NOT NULL
);
CREATE VIEW recovery.recovery_queue AS
 SELECT l.source_pk,
    b.name AS backlog,
    q.status,
    q.reason,
    p.person_key,
    q.attempts,
    to_timestamp((((l.lead_at)::numeric / 1000000.0))::double precision) AS lead_date,
    to_timestamp((((l.first_seen_at)::numeric / 1000000.0))::double precision) AS first_seen_at,
    to_timestamp((((q.since)::numeric / 1000000.0))::double precision) AS since,
    to_timestamp((((q.not_before)::numeric / 1000000.0))::double precision) AS not_before,
    q.run_id,
    q.evidence
   FROM (((( SELECT queue_pending.lead_id,
            'pending'::text AS status,
            NULL::text AS reason,
            NULL::bigint AS person_id,
            queue_pending.attempts,
            queue_pending.since,
            NULL::bigint AS not_before,
            NULL::bigint AS run_id,
            NULL::text AS evidence
           FROM recovery.queue_pending
        UNION ALL
         SELECT queue_parked.lead_id,
            'pending'::text,
            NULL::text AS text,
            NULL::bigint AS int8,
            queue_parked.attempts,
            queue_parked.since,
            queue_parked.not_before,
            NULL::bigint AS int8,
            NULL::text AS text
           FROM recovery.queue_parked
        UNION ALL
         SELECT queue_settled.lead_id,
                CASE queue_settled.status
                    WHEN 1 THEN 'matched'::text
                    WHEN 2 THEN 'failed'::text
                    ELSE 'withdrawn'::text
                END AS "case",
            queue_settled.reason,
            queue_settled.person_id,
            queue_settled.attempts,
            queue_settled.settled_at,
            NULL::bigint AS int8,
            queue_settled.run_id,
            queue_settled.evidence
           FROM recovery.queue_settled) q
     JOIN recovery.queue_lead l ON ((l.id = q.lead_id)))
     JOIN recovery.queue_backlog b ON ((b.id = l.backlog_id)))
     LEFT JOIN recovery.queue_person p ON ((p.id = q.person_id)));
INSERT INTO recovery.queue_backlog OVERRIDING SYSTEM VALUE VALUES (1, 'backlog_leads', 1795192019455353, 1795192019455353, 0);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (1, 'L-0', 1, 0, 1767607200000000, '8652d8788b8e7e54ca5c692a4f56aec4', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (2, 'L-1', 1, 0, 1767693600000000, '9edb74f31dc01e04911d7bf956854699', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (3, 'L-2', 1, 0, 1767780000000000, 'f811a0df94fd5931ed62b425e4f545de', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (4, 'L-3', 1, 0, 1767866400000000, '021b0cfed7644ddd3544afee7a6171c3', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (5, 'L-4', 1, 0, 1767952800000000, '3188ec1b163c2206737bc7d9f35b79f1', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (6, 'L-5', 1, 0, 1768039200000000, '5fa86a0e8119b98a732bb9aa054a3f5d', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (7, 'L-6', 1, 0, 1768125600000000, '734200dbc010d7a329314af4d9d70046', 1795192019455353);
INSERT INTO recovery.queue_lead OVERRIDING SYSTEM VALUE VALUES (8, 'L-7', 1, 0, 1768212000000000, '4e83c1095241b1125d44b47d1fb4e942', 1795192019455353);
INSERT INTO recovery.queue_ledger OVERRIDING SYSTEM VALUE VALUES (1, 1795192019455353, 1, 1, 'opening', NULL, 8);
INSERT INTO recovery.queue_ledger OVERRIDING SYSTEM VALUE VALUES (2, 1795192019553662, 1, 2, 'matched', NULL, 3);
INSERT INTO recovery.queue_ledger OVERRIDING SYSTEM VALUE VALUES (3, 1795192019553662, 1, 2, 'failed', 'MISSING_IDENTIFIERS', 1);
INSERT INTO recovery.queue_ledger OVERRIDING SYSTEM VALUE VALUES (4, 1795192019553662, 1, 2, 'failed', 'NO_CANDIDATES', 2);
INSERT INTO recovery.queue_ledger_mark VALUES (1, 0, 0);
INSERT INTO recovery.queue_link VALUES (1, 1, 'PHONE_EXACT', 'high', NULL, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0000","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-0","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0000","shared":false}]}]}');
INSERT INTO recovery.queue_link VALUES (2, 1, 'PHONE_EXACT', 'high', NULL, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0000","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-0","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0000","shared":false}]}]}');
INSERT INTO recovery.queue_link VALUES (3, 2, 'PHONE_EXACT', 'high', NULL, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0002","holders":1,"use":"candidates"}],"unusable":[],"candidates":[{"person":"P-1","standing":"matched","rule":"PHONE_EXACT","agrees":[{"kind":"phone","form":"exact","value":"+51*****0002","shared":false}]}]}');
INSERT INTO recovery.queue_migration VALUES ('00000000000001', 'recovery_queue', 'e0d5b7e89aa949dd979bdf674f894fc1eb646108358275a9f7c9cbaeee5bb8e5', 1, 1795192019402669);
INSERT INTO recovery.queue_pending VALUES (1, 0, 1768125600000000, 7, 0, 1795192019455353);
INSERT INTO recovery.queue_pending VALUES (1, 0, 1768212000000000, 8, 0, 1795192019455353);
INSERT INTO recovery.queue_person OVERRIDING SYSTEM VALUE VALUES (1, 'P-0', 1, 1767607200000000, 1795192019553662, 2, NULL, NULL, NULL, NULL);
INSERT INTO recovery.queue_person OVERRIDING SYSTEM VALUE VALUES (2, 'P-1', 3, 1767780000000000, 1795192019553662, 2, NULL, NULL, NULL, NULL);
INSERT INTO recovery.queue_run OVERRIDING SYSTEM VALUE VALUES (1, 'seed', 'seed', NULL, 1795192019454234, 1795192019467263, 0, 8, '{"opening":8}');
INSERT INTO recovery.queue_run OVERRIDING SYSTEM VALUE VALUES (2, 'recover', 'recovery_cycle', '1 30424a95600f6553', 1795192019534220, 1795192019559984, 8, 5, '{"failed":3,"matched":3}');
INSERT INTO recovery.queue_settled VALUES (1, 1, 1, NULL, 1, 0, 2, 1795192019553662, NULL);
INSERT INTO recovery.queue_settled VALUES (2, 1, 1, NULL, 1, 0, 2, 1795192019553662, NULL);
INSERT INTO recovery.queue_settled VALUES (3, 1, 1, NULL, 2, 0, 2, 1795192019553662, NULL);
INSERT INTO recovery.queue_settled VALUES (4, 1, 2, 'NO_CANDIDATES', NULL, 0, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0103","holders":0,"use":"unheld"}],"unusable":[],"candidates":[]}');
INSERT INTO recovery.queue_settled VALUES (5, 1, 2, 'NO_CANDIDATES', NULL, 0, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[{"kind":"phone","form":"exact","value":"+51*****0104","holders":0,"use":"unheld"}],"unusable":[],"candidates":[]}');
INSERT INTO recovery.queue_settled VALUES (6, 1, 2, 'MISSING_IDENTIFIERS', NULL, 0, 2, 1795192019553662, '{"policy":{"version":"1","hash":"30424a95600f6553"},"keys":[],"unusable":[],"candidates":[]}');
INSERT INTO recovery.queue_token VALUES (1, 0);
INSERT INTO recovery.queue_wake_key VALUES ('0e7b705c4a096dcfebceb2329a24985d', 4);
INSERT INTO recovery.queue_wake_key VALUES ('f3d2d09bbf898765275b337e2a869b9b', 5);
SELECT pg_catalog.setval('recovery.queue_backlog_id_seq', 1, true);
SELECT pg_catalog.setval('recovery.queue_lead_id_seq', 8, true);
SELECT pg_catalog.setval('recovery.queue_ledger_id_seq', 4, true);
SELECT pg_catalog.setval('recovery.queue_link_history_id_seq', 1, false);
SELECT pg_catalog.setval('recovery.queue_origin_history_id_seq', 1, false);
SELECT pg_catalog.setval('recovery.queue_person_id_seq', 2, true);
SELECT pg_catalog.setval('recovery.queue_run_id_seq', 2, true);
ALTER TABLE ONLY recovery.queue_backlog
    ADD CONSTRAINT queue_backlog_name_key UNIQUE (name);
ALTER TABLE ONLY recovery.queue_backlog
    ADD CONSTRAINT queue_backlog_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_lead
    ADD CONSTRAINT queue_lead_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_lead
    ADD CONSTRAINT queue_lead_source_pk_key UNIQUE (source_pk);
ALTER TABLE ONLY recovery.queue_leak
    ADD CONSTRAINT queue_leak_pkey PRIMARY KEY (lead_id);
ALTER TABLE ONLY recovery.queue_ledger_mark
    ADD CONSTRAINT queue_ledger_mark_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_ledger
    ADD CONSTRAINT queue_ledger_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_ledger_slot
    ADD CONSTRAINT queue_ledger_slot_pkey PRIMARY KEY (slot, backlog_id, kind, reason);
ALTER TABLE ONLY recovery.queue_link_history
    ADD CONSTRAINT queue_link_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_link
    ADD CONSTRAINT queue_link_pkey PRIMARY KEY (lead_id);
ALTER TABLE ONLY recovery.queue_marker
    ADD CONSTRAINT queue_marker_pkey PRIMARY KEY (worker);
ALTER TABLE ONLY recovery.queue_migration
    ADD CONSTRAINT queue_migration_pkey PRIMARY KEY (version);
ALTER TABLE ONLY recovery.queue_origin_history
    ADD CONSTRAINT queue_origin_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_parked
    ADD CONSTRAINT queue_parked_pkey PRIMARY KEY (lead_id);
ALTER TABLE ONLY recovery.queue_pending
    ADD CONSTRAINT queue_pending_pkey PRIMARY KEY (backlog_id, priority, lead_at, lead_id);
ALTER TABLE ONLY recovery.queue_person
    ADD CONSTRAINT queue_person_person_key_key UNIQUE (person_key);
ALTER TABLE ONLY recovery.queue_person
    ADD CONSTRAINT queue_person_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_run
    ADD CONSTRAINT queue_run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_settled
    ADD CONSTRAINT queue_settled_pkey PRIMARY KEY (lead_id);
ALTER TABLE ONLY recovery.queue_token
    ADD CONSTRAINT queue_token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY recovery.queue_wake_key
    ADD CONSTRAINT queue_wake_key_pkey PRIMARY KEY (wake_key, lead_id);
CREATE INDEX queue_ledger_at ON recovery.queue_ledger USING btree (at);
CREATE INDEX queue_ledger_run ON recovery.queue_ledger USING btree (run_id);
CREATE INDEX queue_link_history_lead ON recovery.queue_link_history USING btree (lead_id);
CREATE INDEX queue_link_person ON recovery.queue_link USING btree (person_id);
CREATE INDEX queue_origin_history_person ON recovery.queue_origin_history USING btree (person_id);
CREATE INDEX queue_parked_due ON recovery.queue_parked USING btree (not_before);
CREATE INDEX queue_settled_failed ON recovery.queue_settled USING btree (backlog_id, reason, settled_at) WHERE (status = 2);
CREATE INDEX queue_wake_key_lead ON recovery.queue_wake_key USING btree (lead_id);
ALTER TABLE ONLY recovery.queue_lead
    ADD CONSTRAINT queue_lead_backlog_id_fkey FOREIGN KEY (backlog_id) REFERENCES recovery.queue_backlog(id);
