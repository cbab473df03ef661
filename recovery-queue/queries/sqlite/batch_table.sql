-- The rows of a batch on their way into the tables.
CREATE TEMP TABLE rq_batch (
    lead_id INTEGER PRIMARY KEY, lead_at INTEGER, attempts INTEGER, status INTEGER, reason TEXT, person_key TEXT,
    person_id INTEGER, rule TEXT, confidence TEXT, evidence TEXT, not_before INTEGER, first INTEGER, earlier INTEGER
);
