-- The leads whose row or claim has changed since the queue was seeded last, noted while the mark is there, whoever changes them.
CREATE TABLE leads_changed (
    lead_source_pk TEXT COLLATE "C" NOT NULL PRIMARY KEY
);

-- A note that stands already is written again, so that its row is held until the change is committed: no seed takes it
-- away before the change can be seen. In the order of the keys, so that two changes at once wait and do not deadlock.
CREATE FUNCTION note_changed_leads() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed') THEN
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO leads_changed SELECT DISTINCT source_pk FROM now_there WHERE source_pk IS NOT NULL ORDER BY source_pk
                ON CONFLICT (lead_source_pk) DO UPDATE SET lead_source_pk = excluded.lead_source_pk;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            INSERT INTO leads_changed SELECT DISTINCT source_pk FROM there_before WHERE source_pk IS NOT NULL ORDER BY source_pk
                ON CONFLICT (lead_source_pk) DO UPDATE SET lead_source_pk = excluded.lead_source_pk;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER leads_changed_insert AFTER INSERT ON leads
    REFERENCING NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();
CREATE TRIGGER leads_changed_update AFTER UPDATE ON leads
    REFERENCING OLD TABLE AS there_before NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();
CREATE TRIGGER leads_changed_delete AFTER DELETE ON leads
    REFERENCING OLD TABLE AS there_before FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();
CREATE TRIGGER leads_changed_insert AFTER INSERT ON claims
    REFERENCING NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();
CREATE TRIGGER leads_changed_update AFTER UPDATE ON claims
    REFERENCING OLD TABLE AS there_before NEW TABLE AS now_there FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();
CREATE TRIGGER leads_changed_delete AFTER DELETE ON claims
    REFERENCING OLD TABLE AS there_before FOR EACH STATEMENT EXECUTE FUNCTION note_changed_leads();

-- What is gone is not told: the next seed reads the whole backlog.
CREATE FUNCTION note_no_leads() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM runner_state WHERE name = 'lead_feed';
    RETURN NULL;
END
$$;

CREATE TRIGGER leads_changed_truncate AFTER TRUNCATE ON leads
    FOR EACH STATEMENT EXECUTE FUNCTION note_no_leads();
CREATE TRIGGER leads_changed_truncate AFTER TRUNCATE ON claims
    FOR EACH STATEMENT EXECUTE FUNCTION note_no_leads();
