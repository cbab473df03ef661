-- Marks of what the runners have done, by name: up to which run decisions were written.
CREATE TABLE runner_state (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
