-- What ANALYZE found out about each column that leads a btree index which is not unique: how many
-- values, how many NULLs, how common the common ones are. Never a value itself.
--
-- pg_stats leaves out, without a word, what our role may not read; so we ask for the right as well.
-- Of a partitioned table only the statistics over all its partitions say anything. The two are put
-- together by GROUP BY and not by a join, because the planner, which takes the view for tiny, would
-- walk through it anew for every column: on 3,000 tables that took a minute.
WITH leading_column AS (
    SELECT DISTINCT i.indrelid, i.indkey[0] AS attnum
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND NOT i.indisunique AND i.indkey[0] <> 0
),
known AS (
    SELECT
        n.nspname AS schema,
        t.relname AS "table",
        col.attname AS "column",
        t.relkind = 'p' AS inherited,
        t.oid::bigint AS table_oid,
        CASE
            WHEN pg_catalog.has_column_privilege(t.oid, col.attnum, 'SELECT') IS NOT TRUE
            THEN 'needs SELECT on the column'
            WHEN t.relrowsecurity AND pg_catalog.row_security_active(t.oid)
            THEN 'its row-level security applies to our role'
        END AS hidden,
        NULL::real AS null_fraction,
        NULL::real AS distinct,
        NULL::real[] AS common_fractions
    FROM leading_column AS l
    JOIN pg_catalog.pg_class AS t ON t.oid = l.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute AS col ON col.attrelid = t.oid AND col.attnum = l.attnum
    WHERE t.relkind IN ('r', 'p', 'm')
        AND t.relpersistence <> 't'
        AND n.nspname <> 'information_schema'
        AND n.nspname !~ '^pg_'
    UNION ALL
    SELECT s.schemaname, s.tablename, s.attname, s.inherited, NULL, NULL,
        s.null_frac, s.n_distinct, s.most_common_freqs[1:20]
    FROM pg_catalog.pg_stats AS s
    WHERE s.schemaname <> 'information_schema' AND s.schemaname !~ '^pg_'
)
SELECT
    pg_catalog.max(k.table_oid) AS table_oid,
    k.schema,
    k."table",
    k."column",
    pg_catalog.max(k.null_fraction) AS null_fraction,
    pg_catalog.max(k.distinct) AS distinct,
    COALESCE(pg_catalog.to_json(pg_catalog.max(k.common_fractions)), '[]') AS common_fractions,
    pg_catalog.max(k.hidden) AS hidden
FROM known AS k
GROUP BY k.schema, k."table", k."column", k.inherited
HAVING pg_catalog.max(k.table_oid) IS NOT NULL
ORDER BY k.schema, k."table", k."column"
