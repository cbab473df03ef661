-- The id that the file gives a lead, and which column its key came from: so that a lead whose key changes is told.
ALTER TABLE leads ADD COLUMN lead_id TEXT;
ALTER TABLE leads ADD COLUMN keyed_by TEXT;
