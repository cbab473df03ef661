DELETE FROM runner_state WHERE name = 'person_index';
DROP TRIGGER persons_changed_insert ON persons;
DROP TRIGGER persons_changed_update ON persons;
DROP TRIGGER persons_changed_delete ON persons;
DROP TRIGGER persons_changed_truncate ON persons;
DROP FUNCTION note_changed_persons();
DROP FUNCTION note_no_persons();
DROP TABLE persons_changed;
