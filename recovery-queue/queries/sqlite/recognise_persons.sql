-- Tells the leads of known persons whose they are, and which of them come before the origin.
UPDATE temp.rq_batch AS batch SET
    person_id = person.id,
    earlier = batch.first = 1 AND (person.origin_lead_id IS NULL
        OR (batch.lead_at, batch.lead_id) < (person.origin_lead_at, person.origin_lead_id))
FROM queue_person AS person
WHERE batch.status = 1 AND person.person_key = batch.person_key AND person.id <> batch.person_id
