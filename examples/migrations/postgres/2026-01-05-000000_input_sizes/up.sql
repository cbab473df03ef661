-- How many rows the last import took of each input: one with far fewer is stopped.
CREATE TABLE input_sizes (
    input TEXT NOT NULL PRIMARY KEY,
    rows_taken BIGINT NOT NULL
);
