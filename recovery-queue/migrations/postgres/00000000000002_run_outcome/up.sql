-- How a run ended, and the figures that to prune the ledger must not change.

ALTER TABLE {ns}queue_run ADD COLUMN outcome TEXT;
ALTER TABLE {ns}queue_run ADD COLUMN new_backlog_in BIGINT;
ALTER TABLE {ns}queue_run ADD COLUMN fail_reasons TEXT;

UPDATE {ns}queue_run AS r SET
    outcome = 'done',
    new_backlog_in = (
        SELECT COALESCE(sum(e.leads), 0) FROM {ns}queue_ledger e
        WHERE e.kind IN ('arrived', 'opening') AND e.at >= r.started_at AND e.at <= r.finished_at
          AND (e.at > r.started_at OR e.run_id = r.id)
    ),
    fail_reasons = (
        SELECT CAST(COALESCE(json_object_agg(f.reason, f.leads), '{}') AS TEXT) FROM (
            SELECT e.reason, sum(e.leads) AS leads FROM {ns}queue_ledger e
            WHERE e.run_id = r.id AND e.kind = 'failed' GROUP BY e.reason
        ) f
    )
WHERE r.finished_at IS NOT NULL;
