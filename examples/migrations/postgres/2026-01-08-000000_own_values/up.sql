-- Values of the policy's own kinds: a JSON object of kinds, each with the list of its values.
ALTER TABLE leads ADD COLUMN own_values TEXT;
ALTER TABLE persons ADD COLUMN own_values TEXT;
