-- Persons who have links and no origin: a run that begins finds them without reading the others.
CREATE INDEX {bare}queue_person_without_origin ON {ns}queue_person (id) WHERE origin_lead_id IS NULL;

CREATE VIEW {ns}queue_missing_origin AS
SELECT x.id AS person_id
FROM {ns}queue_person x
WHERE x.origin_lead_id IS NULL AND EXISTS (SELECT 1 FROM {ns}queue_link z WHERE z.person_id = x.id);
