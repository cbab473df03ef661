CREATE TABLE metric_values (
    metric_key TEXT NOT NULL PRIMARY KEY,
    sanction_source_id TEXT NOT NULL,
    kpi_id TEXT NOT NULL,
    period_date TEXT NOT NULL DEFAULT '',
    period_granularity TEXT NOT NULL DEFAULT '',
    value TEXT NOT NULL,
    numerator TEXT NOT NULL DEFAULT '',
    denominator TEXT NOT NULL DEFAULT '',
    source_record_pk TEXT NOT NULL DEFAULT '',
    evidence_date TEXT NOT NULL DEFAULT '',
    evidence_quote TEXT NOT NULL DEFAULT '',
    source_url TEXT NOT NULL DEFAULT '',
    packet TEXT NOT NULL DEFAULT '',
    packet_row TEXT NOT NULL DEFAULT '',
    packet_sha256 TEXT NOT NULL DEFAULT '',
    loaded_by TEXT NOT NULL DEFAULT '',
    loaded_at TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX metric_values_source ON metric_values (sanction_source_id, period_date);

CREATE TABLE metric_history (
    id INTEGER NOT NULL PRIMARY KEY,
    load_id TEXT NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('load', 'undo')),
    metric_key TEXT NOT NULL,
    old_row TEXT,
    new_row TEXT,
    replaced TEXT,
    changed_by TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;

CREATE INDEX metric_history_key ON metric_history (metric_key, id);
CREATE INDEX metric_history_load ON metric_history (load_id);
