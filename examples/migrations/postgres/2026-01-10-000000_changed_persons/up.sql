-- The persons who have changed since the candidate index was brought up to date, noted while one is kept, whoever changes them.
CREATE TABLE persons_changed (
    person_key TEXT COLLATE "C" NOT NULL PRIMARY KEY
);

-- A note that stands already is written again, so that its row is held until the change is committed: nobody takes it
-- away before the change can be seen. In the order of the keys, so that two changes at once wait and do not deadlock.
CREATE FUNCTION note_changed_persons() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM runner_state WHERE name = 'person_index') THEN
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO persons_changed SELECT DISTINCT person_key FROM now_there ORDER BY person_key
                ON CONFLICT (person_key) DO UPDATE SET person_key = excluded.person_key;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO persons_changed SELECT DISTINCT person_key FROM there_before ORDER BY person_key
                ON CONFLICT (person_key) DO UPDATE SET person_key = excluded.person_key;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER persons_changed_insert AFTER INSERT ON persons
    REFERENCING NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_persons();
CREATE TRIGGER persons_changed_update AFTER UPDATE ON persons
    REFERENCING OLD TABLE AS there_before NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_persons();
CREATE TRIGGER persons_changed_delete AFTER DELETE ON persons
    REFERENCING OLD TABLE AS there_before FOR EACH STATEMENT EXECUTE FUNCTION note_changed_persons();

-- Who is gone is not told: the index is made anew.
CREATE FUNCTION note_no_persons() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM runner_state WHERE name = 'person_index';
    RETURN NULL;
END
$$;

CREATE TRIGGER persons_changed_truncate AFTER TRUNCATE ON persons
    FOR EACH STATEMENT EXECUTE FUNCTION note_no_persons();
