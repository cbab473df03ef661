-- Claims the next leads. CROSS JOIN keeps the order of the tables.
WITH claimed AS MATERIALIZED (
    SELECT pending.priority, pending.lead_at, pending.lead_id, pending.attempts, pending.since
    FROM queue_pending AS pending
    WHERE pending.backlog_id = $1 AND (pending.priority, pending.lead_at, pending.lead_id) > ($2, $3, $4)
    ORDER BY pending.priority, pending.lead_at, pending.lead_id
    LIMIT $5
)
SELECT claimed.priority, claimed.lead_at, claimed.lead_id, claimed.attempts, claimed.since,
       lead.source_pk, lead.lead_version, link.person_id
FROM claimed
CROSS JOIN queue_lead AS lead ON lead.id = claimed.lead_id
LEFT JOIN queue_link AS link ON link.lead_id = claimed.lead_id
ORDER BY claimed.priority, claimed.lead_at, claimed.lead_id
