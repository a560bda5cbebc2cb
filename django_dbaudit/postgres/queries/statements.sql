-- The statements of this database that took most time, as pg_stat_statements has them. One
-- statement has a row for each role that sent it.
--
-- Left out are our own, which read the catalogs, and what reads no row, as SET and COMMIT.
-- to_jsonb reads stats_since, which pg_stat_statements has had since PostgreSQL 17.
WITH entry AS (
    SELECT
        s.queryid,
        pg_catalog.left(s.query, 20001) AS text,
        s.calls,
        s.total_exec_time,
        s.rows,
        pg_catalog.to_jsonb(s) ->> 'stats_since' AS since,
        s.query = '<insufficient privilege>' AS is_hidden
    FROM {schema}.pg_stat_statements AS s
    WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        AND s.toplevel
        AND s.calls > 0
        AND s.query IS NOT NULL
),
wanted AS (
    SELECT *
    FROM entry
    WHERE NOT is_hidden
        AND text ~* '^(\s|\(|/\*.*?\*/|--[^\n]*\n)*(SELECT|WITH|INSERT|UPDATE|DELETE)\M'
        AND text !~ 'pg_catalog\.|information_schema\.|\mpg_(class|stat_|statio_|attribute|locks)'
),
statement AS (
    SELECT
        pg_catalog.min(text) AS text,
        pg_catalog.sum(calls)::bigint AS calls,
        pg_catalog.sum(total_exec_time) AS total_ms,
        pg_catalog.sum(rows)::bigint AS rows,
        pg_catalog.min(since) AS since
    FROM wanted
    GROUP BY queryid
)
SELECT
    (SELECT pg_catalog.count(*) FROM statement) AS total,
    (SELECT pg_catalog.count(*) FROM entry WHERE is_hidden) AS hidden,
    (SELECT stats_reset FROM {schema}.pg_stat_statements_info) AS since,
    pg_catalog.clock_timestamp() AS taken_at,
    (
        SELECT COALESCE(pg_catalog.json_agg(top), '[]')
        FROM (SELECT * FROM statement ORDER BY total_ms DESC, text LIMIT 1000) AS top
    ) AS items
