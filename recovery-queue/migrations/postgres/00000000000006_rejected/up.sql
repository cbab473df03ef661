-- Which view a backlog was seeded from, and the leads that its last seed left out.

ALTER TABLE {ns}queue_backlog ADD COLUMN view_schema TEXT;
ALTER TABLE {ns}queue_backlog ADD COLUMN view_name TEXT;

-- source_pk is absent where the key itself is what is wrong.
CREATE TABLE {ns}queue_rejected (
    backlog_id BIGINT NOT NULL,
    key_hash TEXT NOT NULL,
    source_pk TEXT,
    key_bytes BIGINT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (backlog_id, key_hash)
);
