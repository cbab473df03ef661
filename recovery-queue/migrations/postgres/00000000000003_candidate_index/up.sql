-- The population's candidate index: keyed hashes and encrypted weak evidence, no identifier in plain.

-- One row: which secret the index is under.
CREATE TABLE {ns}queue_index (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    secret_mark TEXT NOT NULL
);

-- An id is never used twice, so that a reader who still holds one finds its person or nobody.
CREATE TABLE {ns}queue_index_person (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_key TEXT COLLATE "C" NOT NULL UNIQUE,
    held BYTEA NOT NULL
);

-- Who holds a key.
CREATE TABLE {ns}queue_index_holder (
    key BYTEA NOT NULL,
    person_id BIGINT NOT NULL,
    PRIMARY KEY (key, person_id)
);

-- How many hold a key that more than 100 persons hold: counting them for each look-up would cost as many rows.
CREATE TABLE {ns}queue_index_hub (
    key BYTEA PRIMARY KEY,
    holders BIGINT NOT NULL
);
