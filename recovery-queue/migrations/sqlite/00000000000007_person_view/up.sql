-- The service's view of the persons who are there, where it has recorded one: no batch links a lead to anybody else.
CREATE TABLE {ns}queue_person_view (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    view_schema TEXT NOT NULL,
    view_name TEXT NOT NULL,
    key_column TEXT NOT NULL
) STRICT;
