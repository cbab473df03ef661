-- The persons who have changed since the candidate index was brought up to date, noted while one is kept, whoever changes them.
CREATE TABLE persons_changed (
    person_key TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER persons_changed_insert AFTER INSERT ON persons
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'person_index')
BEGIN
    INSERT INTO persons_changed VALUES (NEW.person_key) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER persons_changed_update AFTER UPDATE ON persons
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'person_index')
BEGIN
    INSERT INTO persons_changed VALUES (OLD.person_key), (NEW.person_key) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER persons_changed_delete AFTER DELETE ON persons
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'person_index')
BEGIN
    INSERT INTO persons_changed VALUES (OLD.person_key) ON CONFLICT DO NOTHING;
END;
