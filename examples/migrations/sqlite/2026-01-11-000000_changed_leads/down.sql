DROP TRIGGER leads_changed_insert;
DROP TRIGGER leads_changed_update;
DROP TRIGGER leads_changed_delete;
DROP TRIGGER leads_changed_claim_insert;
DROP TRIGGER leads_changed_claim_update;
DROP TRIGGER leads_changed_claim_delete;
DROP TABLE leads_changed;
DELETE FROM runner_state WHERE name = 'lead_feed';
