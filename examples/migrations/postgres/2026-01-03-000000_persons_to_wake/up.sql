-- Persons who are new or have changed, until the failed leads that share a key with them are woken up.
CREATE TABLE persons_to_wake (
    person_key TEXT COLLATE "C" NOT NULL PRIMARY KEY
);

-- The secret of the digests that leads and persons are compared by; it never changes.
CREATE TABLE wake_secret (
    secret TEXT NOT NULL
);

INSERT INTO wake_secret (secret)
VALUES (replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
