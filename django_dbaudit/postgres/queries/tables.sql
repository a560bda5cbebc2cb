-- Every table and materialized view of the user: size, rows, writes, scans.
-- to_jsonb reads last_seq_scan, which PostgreSQL 16 added.
WITH busy AS (
    SELECT DISTINCT relation
    FROM pg_catalog.pg_locks
    WHERE locktype = 'relation'
        AND mode = 'AccessExclusiveLock'
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
),
extension AS (
    SELECT d.objid, e.extname
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.deptype = 'e'
)
SELECT
    c.oid::bigint AS oid,
    n.nspname AS schema,
    c.relname AS name,
    c.relkind = 'p' AS is_partitioned,
    c.relkind = 'm' AS is_materialized_view,
    parent.inhparent::bigint AS parent_oid,
    -- -1 says that the table was never analyzed; the cumulative statistics may know better.
    GREATEST(c.reltuples::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid), 0) AS rows,
    CASE
        WHEN busy.relation IS NULL THEN COALESCE(pg_catalog.pg_relation_size(c.oid), 0)
        ELSE c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
    END AS size_bytes,
    pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS rows_inserted,
    pg_catalog.pg_stat_get_tuples_updated(c.oid) AS rows_updated,
    pg_catalog.pg_stat_get_tuples_hot_updated(c.oid) AS rows_hot_updated,
    pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS rows_deleted,
    pg_catalog.pg_stat_get_numscans(c.oid) AS sequential_scans,
    pg_catalog.pg_stat_get_tuples_returned(c.oid) AS sequential_rows_read,
    COALESCE(statistics.idx_scan, 0) AS index_scans,
    pg_catalog.to_jsonb(statistics) ->> 'last_seq_scan' AS last_sequential_scan,
    extension.extname AS extension
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid AND c.relispartition
LEFT JOIN busy ON busy.relation = c.oid
LEFT JOIN pg_catalog.pg_stat_all_tables AS statistics ON statistics.relid = c.oid
LEFT JOIN extension ON extension.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
