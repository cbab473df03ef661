-- Pairs of a lead and a person that somebody has looked at and rejected: while the lead's data is of that version, the
-- person is no candidate of the lead.
CREATE TABLE {ns}queue_rejected_pair (
    lead_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    lead_version TEXT,
    rejected_at INTEGER NOT NULL,
    rejected_by TEXT NOT NULL,
    comment TEXT NOT NULL,
    PRIMARY KEY (lead_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {bare}queue_rejected_pair_person ON {ns}queue_rejected_pair (person_id);
