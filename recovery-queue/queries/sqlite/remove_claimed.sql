-- Takes the claimed leads out of the hot table: as one range, for the writer is alone.
DELETE FROM queue_pending
WHERE backlog_id = $1
  AND (priority, lead_at, lead_id) > ($2, $3, $4)
  AND (priority, lead_at, lead_id) <= ($5, $6, $7)
