ALTER TABLE persons DROP COLUMN own_values;
ALTER TABLE leads DROP COLUMN own_values;
