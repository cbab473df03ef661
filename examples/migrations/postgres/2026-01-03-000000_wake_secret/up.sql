-- The secret of the digests that leads and persons are compared by; it never changes.
CREATE TABLE wake_secret (
    secret TEXT NOT NULL
);

INSERT INTO wake_secret (secret)
VALUES (replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
