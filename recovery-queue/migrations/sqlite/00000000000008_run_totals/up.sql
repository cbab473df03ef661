-- What the ledger held by kind when a run began, and what left the backlog meanwhile other than by the run's matches.

ALTER TABLE {ns}queue_run ADD COLUMN totals_before TEXT;
ALTER TABLE {ns}queue_run ADD COLUMN other_out INTEGER;
