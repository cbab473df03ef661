-- What was done by hand with the store as a whole: who held a backlog, removed what is old, or had somebody forgotten.
CREATE TABLE {ns}queue_store_action (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    rows_touched INTEGER NOT NULL,
    at INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;
