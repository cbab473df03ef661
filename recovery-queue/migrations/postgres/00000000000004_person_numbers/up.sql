-- Each session takes the numbers of new persons by the thousand: workers no longer take turns at the sequence, and
-- write to places of their own in the indexes on these numbers.

ALTER TABLE {ns}queue_person ALTER COLUMN id SET CACHE 1000;
