-- Wake keys are found by how they begin, so they are ordered byte by byte, whatever the collation of the database.
ALTER TABLE {ns}queue_wake_key ALTER COLUMN wake_key TYPE TEXT COLLATE "C";
