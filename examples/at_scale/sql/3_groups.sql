-- The rows of each lead: itself and how many rows follow, the counts of its keys, the persons that come into question.
-- Reads leads, lead_keys, holders and candidates; whoever runs it keeps the rows of one lead together and sorts them by
-- lead, part and person.
WITH counts AS (
  SELECT lead_keys.record AS lead, lead_keys.hi, lead_keys.lo, holders.holders
  FROM lead_keys
  JOIN holders ON lead_keys.hi = holders.hi AND lead_keys.lo = holders.lo
),
following AS (
  SELECT listed.lead, COUNT(*) AS listed_rows
  FROM (SELECT lead FROM counts UNION ALL SELECT lead FROM candidates) AS listed
  GROUP BY listed.lead
)
SELECT leads.record AS lead, 0 AS part, CAST(NULL AS BIGINT) AS hi, CAST(NULL AS BIGINT) AS lo,
       COALESCE(following.listed_rows, 0) AS holders, CAST(NULL AS STRING) AS person, leads.sealed, leads.stamp
FROM leads
LEFT JOIN following ON leads.record = following.lead
UNION ALL
SELECT counts.lead, 1, counts.hi, counts.lo, counts.holders, NULL, NULL, NULL
FROM counts
UNION ALL
SELECT candidates.lead, 2, NULL, NULL, NULL, candidates.person, candidates.sealed, candidates.stamp
FROM candidates
