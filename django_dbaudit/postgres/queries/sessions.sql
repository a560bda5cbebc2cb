-- Every session but our own, what it waits for, and who is in its way. pg_blocking_pids, which
-- briefly stops the lock manager, is asked only for those that wait.
WITH waiting AS (
    SELECT DISTINCT ON (l.pid)
        l.pid, l.locktype, l.mode, l.waitstart, l.database, l.relation
    FROM pg_catalog.pg_locks AS l
    WHERE NOT l.granted
    ORDER BY l.pid, l.waitstart
),
held AS (
    SELECT l.pid, pg_catalog.json_agg(DISTINCT n.nspname || '.' || c.relname) AS tables
    FROM pg_catalog.pg_locks AS l
    JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm')
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE l.granted
        AND l.locktype = 'relation'
        AND l.mode <> 'AccessShareLock'
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        AND n.nspname !~ '^pg_'
    GROUP BY l.pid
)
SELECT
    a.pid,
    a.leader_pid,
    a.datname AS database,
    a.usename AS "user",
    COALESCE(a.application_name, '') AS application_name,
    pg_catalog.host(a.client_addr) AS client_address,
    a.backend_type,
    a.state,
    a.wait_event_type,
    a.wait_event,
    a.backend_start AS started_at,
    a.xact_start AS transaction_started_at,
    a.query_start AS query_started_at,
    a.state_change AS state_changed_at,
    COALESCE(a.query, '') AS query,
    -- The text is PostgreSQL's own marker for a session that our role may not read.
    a.query IS NOT DISTINCT FROM '<insufficient privilege>' AS hidden,
    pg_catalog.age(a.backend_xmin) AS xmin_age,
    waiting.locktype AS lock_type,
    waiting.mode AS lock_mode,
    waiting.waitstart AS waiting_since,
    wn.nspname || '.' || wc.relname AS lock_relation,
    CASE
        WHEN waiting.pid IS NULL THEN '[]'::json
        ELSE pg_catalog.to_json(pg_catalog.pg_blocking_pids(a.pid))
    END AS blocked_by,
    COALESCE(held.tables, '[]') AS locked_tables
FROM pg_catalog.pg_stat_activity AS a
LEFT JOIN waiting ON waiting.pid = a.pid
LEFT JOIN held ON held.pid = a.pid
LEFT JOIN pg_catalog.pg_class AS wc
    ON wc.oid = waiting.relation
    AND waiting.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
LEFT JOIN pg_catalog.pg_namespace AS wn ON wn.oid = wc.relnamespace
-- Background processes of the server have neither database nor user.
WHERE (a.datid IS NOT NULL OR a.usesysid IS NOT NULL)
    AND a.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.pid
