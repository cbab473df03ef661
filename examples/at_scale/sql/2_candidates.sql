-- Which persons come into question for each lead, with all their records.
-- Reads lead_keys, person_keys, persons and holders; its rows are the table candidates.
-- A key that more persons hold than the policy lists is never joined, so a value that thousands share costs its count
-- alone.
SELECT raised.lead, raised.person, persons.sealed, persons.stamp
FROM (
  SELECT DISTINCT asked.record AS lead, held.record AS person
  FROM (
    SELECT lead_keys.record, lead_keys.hi, lead_keys.lo
    FROM lead_keys
    JOIN holders ON lead_keys.hi = holders.hi AND lead_keys.lo = holders.lo
    WHERE holders.holders <= lead_keys.list_up_to
  ) AS asked
  JOIN person_keys AS held ON asked.hi = held.hi AND asked.lo = held.lo
) AS raised
JOIN persons ON raised.person = persons.record
