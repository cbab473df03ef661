-- The population's candidate index: keyed hashes and encrypted weak evidence, no identifier in plain.

-- One row: which secret the index is under.
CREATE TABLE {ns}queue_index (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret_mark TEXT NOT NULL
) STRICT;

-- An id is never used twice, so that a reader who still holds one finds its person or nobody.
CREATE TABLE {ns}queue_index_person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_key TEXT NOT NULL UNIQUE,
    held BLOB NOT NULL
) STRICT;

-- Who holds a key.
CREATE TABLE {ns}queue_index_holder (
    key BLOB NOT NULL,
    person_id INTEGER NOT NULL,
    PRIMARY KEY (key, person_id)
) STRICT, WITHOUT ROWID;

-- How many hold a key that more than 100 persons hold: counting them for each look-up would cost as many rows.
CREATE TABLE {ns}queue_index_hub (
    key BLOB PRIMARY KEY,
    holders INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
