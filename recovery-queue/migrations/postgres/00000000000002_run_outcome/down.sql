ALTER TABLE {ns}queue_run DROP COLUMN fail_reasons;
ALTER TABLE {ns}queue_run DROP COLUMN new_backlog_in;
ALTER TABLE {ns}queue_run DROP COLUMN outcome;
