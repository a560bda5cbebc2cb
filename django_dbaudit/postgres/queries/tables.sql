-- Every table and materialized view of the user: size, rows, writes, scans.
WITH busy AS (
    -- include busy
),
extension_member AS (
    -- include extension_member
),
-- As pg_stat_all_tables has it, which would look up all else that it has as well.
index_use AS (
    SELECT indrelid, pg_catalog.sum(pg_catalog.pg_stat_get_numscans(indexrelid))::bigint AS scans
    FROM pg_catalog.pg_index
    GROUP BY indrelid
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
    COALESCE(index_use.scans, 0) AS index_scans,
    -- include last_scan
    AS last_sequential_scan,
    extension_member.extname AS extension
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = c.oid AND c.relispartition
LEFT JOIN busy ON busy.relation = c.oid
LEFT JOIN index_use ON index_use.indrelid = c.oid
LEFT JOIN extension_member ON extension_member.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
