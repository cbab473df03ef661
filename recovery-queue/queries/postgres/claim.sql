-- Claims the next leads, and takes them out of the hot table.
-- Materialized, so that the limit holds and each lock is taken once. OFFSET 0 keeps each look-up a look-up by index,
-- whatever the planner believes of tables that have just been filled: a scan of a table as long as the queue would make
-- every claim cost what the whole queue costs. Rows are removed by their place, which costs no look-up; a row cannot move
-- while it is locked.
WITH claimed AS MATERIALIZED (
    SELECT pending.priority, pending.lead_at, pending.lead_id, pending.attempts, pending.since, pending.ctid AS place
    FROM recovery.queue_pending AS pending
    WHERE pending.backlog_id = $1 AND (pending.priority, pending.lead_at, pending.lead_id) > ($2, $3, $4)
    ORDER BY pending.priority, pending.lead_at, pending.lead_id
    LIMIT $5
    FOR UPDATE OF pending SKIP LOCKED
),
removed AS (
    DELETE FROM recovery.queue_pending WHERE ctid = ANY (ARRAY(SELECT place FROM claimed))
)
SELECT claimed.priority, claimed.lead_at, claimed.lead_id, claimed.attempts, claimed.since,
       lead.source_pk, lead.lead_version, link.person_id
FROM claimed
CROSS JOIN LATERAL (
    SELECT source_pk, lead_version FROM recovery.queue_lead WHERE id = claimed.lead_id OFFSET 0
) AS lead
LEFT JOIN LATERAL (
    SELECT person_id FROM recovery.queue_link WHERE lead_id = claimed.lead_id OFFSET 0
) AS link ON true
ORDER BY claimed.priority, claimed.lead_at, claimed.lead_id
