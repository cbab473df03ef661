-- The service's own tables. Whoever runs it has them beside the queue's, which lie in the schema `recovery`.
CREATE TABLE IF NOT EXISTS customer (
    id text PRIMARY KEY,
    email text NOT NULL,
    phone text NOT NULL
);

CREATE TABLE IF NOT EXISTS sign_up (
    id text PRIMARY KEY,
    email text NOT NULL,
    phone text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The red KPI: sign-ups that belong to no known customer.
CREATE OR REPLACE VIEW sign_up_backlog AS
SELECT s.id AS lead_source_pk, s.created_at AS lead_date
FROM sign_up AS s
WHERE NOT EXISTS (SELECT 1 FROM recovery.identity_links AS link WHERE link.source_pk = s.id);
