-- The columns of the service's tables that hold keys of leads, or refer to leads by them, for the check of their spelling.
CREATE TABLE {ns}queue_key_column (
    view_schema TEXT NOT NULL,
    view_name TEXT NOT NULL,
    key_column TEXT NOT NULL,
    of_leads BIGINT NOT NULL,
    PRIMARY KEY (view_schema, view_name, key_column)
);
