-- What was done with a lead by hand, and which withdrawn leads no seed brings back.

ALTER TABLE {ns}queue_settled ADD COLUMN cancelled BIGINT NOT NULL DEFAULT 0;

CREATE TABLE {ns}queue_lead_action (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lead_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    fail_reason TEXT
);
CREATE INDEX {bare}queue_lead_action_lead ON {ns}queue_lead_action (lead_id);
