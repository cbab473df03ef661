-- What partial loads left out: the packets as JSON, each with its status and reasons.
CREATE TABLE metric_left_out (
    id BIGINT NOT NULL PRIMARY KEY,
    load_id TEXT NOT NULL,
    packets TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);
