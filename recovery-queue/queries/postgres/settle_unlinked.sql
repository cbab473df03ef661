-- Settles the leads that need no new link: those that failed or have left the backlog, and those that have one.
INSERT INTO recovery.queue_settled
    (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence)
SELECT unnest($1), $2, unnest($3), unnest($4), NULLIF(unnest($5), 0), unnest($6), $7, $8, unnest($9)
