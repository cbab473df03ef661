-- Keeps the keys by which failed leads are woken up.
INSERT INTO recovery.queue_wake_key (wake_key, lead_id)
SELECT held.wake_key, held.lead_id FROM unnest($1, $2) AS held(wake_key, lead_id)
ORDER BY held.wake_key, held.lead_id
ON CONFLICT DO NOTHING
