INSERT OR FAIL INTO queue_origin_history (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id)
SELECT person.id, person.origin_lead_id, person.origin_lead_at, person.origin_since, person.origin_run_id, $1, $2
FROM temp.rq_batch AS batch
CROSS JOIN queue_person AS person ON person.id = batch.person_id
WHERE batch.earlier = 1 AND person.origin_lead_id IS NOT NULL
