UPDATE OR FAIL queue_person AS person SET
    origin_lead_id = batch.lead_id, origin_lead_at = batch.lead_at, origin_since = $1, origin_run_id = $2
FROM temp.rq_batch AS batch
WHERE batch.earlier = 1 AND person.id = batch.person_id
