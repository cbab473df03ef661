-- The secret of the digests that leads and persons are compared by; it never changes.
CREATE TABLE wake_secret (
    secret TEXT NOT NULL
) STRICT;

INSERT INTO wake_secret (secret) VALUES (lower(hex(randomblob(32))));
