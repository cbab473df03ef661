-- How many persons hold each key that a lead asks for.
-- Reads lead_keys and person_keys; its rows are the table holders.
SELECT held.hi, held.lo, COUNT(DISTINCT held.record) AS holders
FROM person_keys AS held
JOIN (SELECT DISTINCT hi, lo FROM lead_keys) AS asked
  ON held.hi = asked.hi AND held.lo = asked.lo
GROUP BY held.hi, held.lo
