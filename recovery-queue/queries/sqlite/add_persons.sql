-- Adds every person of the batch as new; those that are known already stay as they are.
INSERT OR IGNORE INTO queue_person (id, person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id)
SELECT person_id, person_key, lead_id, lead_at, $1, $2 FROM temp.rq_batch WHERE first = 1
