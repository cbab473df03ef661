CREATE TABLE leads (
    source_pk TEXT NOT NULL PRIMARY KEY,
    lead_created_at TEXT,
    phone TEXT,
    document TEXT,
    document_type TEXT,
    document_country TEXT,
    email TEXT,
    first_name TEXT,
    middle_name TEXT,
    last_name TEXT,
    birth_date TEXT,
    plate TEXT,
    version TEXT NOT NULL,
    imported_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT, WITHOUT ROWID;

CREATE TABLE persons (
    person_key TEXT NOT NULL,
    record INTEGER NOT NULL,
    phone TEXT,
    document TEXT,
    document_type TEXT,
    document_country TEXT,
    email TEXT,
    full_name TEXT,
    birth_date TEXT,
    plate TEXT,
    PRIMARY KEY (person_key, record)
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
    claim_id TEXT NOT NULL PRIMARY KEY,
    person_key TEXT,
    source_pk TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_source_pk ON claims (source_pk) WHERE source_pk IS NOT NULL;
