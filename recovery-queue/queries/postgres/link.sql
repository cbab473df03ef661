-- Links leads to persons and settles them; gives the leads that are left over.
-- Arrays become rows in the target list, which takes them one by one; FROM unnest(...) would store each array first.
WITH decided AS MATERIALIZED (
    SELECT unnest($1) AS lead_id, unnest($2) AS lead_at, unnest($3) AS attempts, unnest($4) AS first_id,
           unnest($5) AS person_key, unnest($6) AS decision, unnest($7) AS evidence
),
-- Persons that are new are added, and origins move to earlier leads. The update itself keeps the replaced origin in the
-- row, which it sees locked: no other worker's change can slip in between.
upserted AS (
    INSERT INTO recovery.queue_person AS person
        (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id)
    SELECT person_key, lead_id, lead_at, $8, $9 FROM decided WHERE lead_id = first_id
    ON CONFLICT (person_key) DO UPDATE SET
        replaced_lead_id = person.origin_lead_id, replaced_lead_at = person.origin_lead_at,
        replaced_since = person.origin_since, replaced_run_id = person.origin_run_id,
        origin_lead_id = excluded.origin_lead_id, origin_lead_at = excluded.origin_lead_at,
        origin_since = excluded.origin_since, origin_run_id = excluded.origin_run_id
    WHERE person.origin_lead_id IS NULL
       OR (excluded.origin_lead_at, excluded.origin_lead_id) < (person.origin_lead_at, person.origin_lead_id)
    RETURNING person.id, person.origin_lead_id, person.replaced_lead_id, person.replaced_lead_at,
              person.replaced_since, person.replaced_run_id
),
history AS (
    INSERT INTO recovery.queue_origin_history
        (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id)
    SELECT id, replaced_lead_id, replaced_lead_at, replaced_since, replaced_run_id, $8, $9
    FROM upserted WHERE replaced_lead_id IS NOT NULL
),
-- The leads with their persons: those just written, found by the lead that is now their origin, and those that were
-- there. A person whom another worker has added since the statement began is neither: such a lead is left over, and
-- written by a second statement, which sees the person.
resolved AS MATERIALIZED (
    SELECT decided.lead_id, decided.attempts, decided.decision, decided.evidence,
           COALESCE(upserted.id, known.id) AS person_id
    FROM decided
    LEFT JOIN upserted ON upserted.origin_lead_id = decided.first_id
    LEFT JOIN LATERAL (
        SELECT id FROM recovery.queue_person
        WHERE upserted.id IS NULL AND person_key = decided.person_key OFFSET 0
    ) AS known ON true
    ORDER BY decided.lead_id
),
linked AS (
    INSERT INTO recovery.queue_link (lead_id, person_id, rule, confidence, run_id, linked_at, evidence)
    SELECT lead_id, person_id, ($10)[decision], ($11)[decision], $9, $8, evidence
    FROM resolved WHERE person_id IS NOT NULL
),
settled AS (
    INSERT INTO recovery.queue_settled (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at)
    SELECT lead_id, $12, 1, person_id, attempts, $9, $8 FROM resolved WHERE person_id IS NOT NULL
)
SELECT lead_id AS value FROM resolved WHERE person_id IS NULL
