-- Puts leads off after a technical error.
INSERT INTO recovery.queue_parked (lead_id, backlog_id, not_before, attempts, since, message)
SELECT unnest($1), $2, unnest($3), unnest($4), $5, unnest($6)
