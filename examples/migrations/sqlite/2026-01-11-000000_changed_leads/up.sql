-- The leads whose row or claim has changed since the queue was seeded last, noted while the mark is there, whoever changes them.
CREATE TABLE leads_changed (
    lead_source_pk TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER leads_changed_insert AFTER INSERT ON leads
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed VALUES (NEW.source_pk) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER leads_changed_update AFTER UPDATE ON leads
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed VALUES (OLD.source_pk), (NEW.source_pk) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER leads_changed_delete AFTER DELETE ON leads
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed VALUES (OLD.source_pk) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER leads_changed_claim_insert AFTER INSERT ON claims
WHEN NEW.source_pk IS NOT NULL AND EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed VALUES (NEW.source_pk) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER leads_changed_claim_update AFTER UPDATE ON claims
WHEN EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed SELECT OLD.source_pk WHERE OLD.source_pk IS NOT NULL ON CONFLICT DO NOTHING;
    INSERT INTO leads_changed SELECT NEW.source_pk WHERE NEW.source_pk IS NOT NULL ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER leads_changed_claim_delete AFTER DELETE ON claims
WHEN OLD.source_pk IS NOT NULL AND EXISTS (SELECT 1 FROM runner_state WHERE name = 'lead_feed')
BEGIN
    INSERT INTO leads_changed VALUES (OLD.source_pk) ON CONFLICT DO NOTHING;
END;
