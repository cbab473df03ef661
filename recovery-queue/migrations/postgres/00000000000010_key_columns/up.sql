-- The columns of the service's tables that hold keys of leads, or refer to leads by them, for the check of their spelling.
CREATE TABLE {ns}queue_key_column (
    view_schema TEXT NOT NULL,
    view_name TEXT NOT NULL,
    key_column TEXT NOT NULL,
    of_leads BIGINT NOT NULL,
    PRIMARY KEY (view_schema, view_name, key_column)
);
-- To check each lead's backlog, which is always the one that is being seeded, took half of the time of a first seed.
ALTER TABLE {ns}queue_lead DROP CONSTRAINT IF EXISTS queue_lead_backlog_id_fkey;
