INSERT OR FAIL INTO queue_settled
    (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence)
SELECT lead_id, $1, CASE status WHEN 4 THEN 1 ELSE status END, reason, person_id, attempts, $2, $3,
       CASE status WHEN 2 THEN evidence END
FROM temp.rq_batch WHERE status <> 5
