-- Values of leads that a person corrected, and what stood there: an import brings the source's own value again.
CREATE TABLE lead_corrections (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    load_key TEXT NOT NULL,
    source_pk TEXT NOT NULL,
    field TEXT NOT NULL,
    source_was TEXT,
    was TEXT,
    value TEXT NOT NULL,
    corrected_by TEXT NOT NULL,
    undone_by TEXT
);

CREATE INDEX lead_corrections_lead ON lead_corrections (source_pk, field, id);
CREATE INDEX lead_corrections_load ON lead_corrections (load_key);
