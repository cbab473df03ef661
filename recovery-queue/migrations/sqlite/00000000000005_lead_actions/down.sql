DROP TABLE {ns}queue_lead_action;
ALTER TABLE {ns}queue_settled DROP COLUMN cancelled;
