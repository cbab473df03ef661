-- The checksum of each migration of a service as it was first seen applied: Diesel's own book has none.
CREATE TABLE {ns}queue_service_migration (
    book TEXT NOT NULL,
    version TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (book, version)
) STRICT, WITHOUT ROWID;
