-- Puts leads off after a technical error.
INSERT OR FAIL INTO queue_parked (lead_id, backlog_id, not_before, attempts, since, message)
SELECT lead_id, $1, not_before, attempts, $2, evidence FROM temp.rq_batch WHERE status = 5
