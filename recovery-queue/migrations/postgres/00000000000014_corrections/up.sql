-- What a corrected value is compared by, and how the list of reviewers came about.
ALTER TABLE {ns}queue_review ADD COLUMN corrected TEXT;

CREATE TABLE {ns}queue_reviewer_change (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    may_decide BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    comment TEXT NOT NULL
);
