INSERT OR FAIL INTO queue_link (lead_id, person_id, rule, confidence, run_id, linked_at, evidence)
SELECT lead_id, person_id, rule, confidence, $1, $2, evidence FROM temp.rq_batch WHERE status = 1
