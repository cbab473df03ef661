DELETE FROM runner_state WHERE name = 'person_index';
DROP TRIGGER persons_changed_insert;
DROP TRIGGER persons_changed_update;
DROP TRIGGER persons_changed_delete;
DROP TABLE persons_changed;
