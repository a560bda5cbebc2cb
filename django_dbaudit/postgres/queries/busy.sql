-- Relations that somebody holds, or awaits, ACCESS EXCLUSIVE.
SELECT DISTINCT relation
FROM pg_catalog.pg_locks
WHERE locktype = 'relation'
    AND mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
