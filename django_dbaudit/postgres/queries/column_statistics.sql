-- What ANALYZE found out about each column that leads a btree index which is not unique: how many
-- values, how many NULLs, how common the common ones are. Never a value itself.
--
-- pg_stats leaves out, without a word, what our role may not read; so we ask for the right as well.
-- Of a partitioned table only the statistics over all its partitions say anything.
WITH leading_column AS (
    SELECT DISTINCT i.indrelid, i.indkey[0] AS attnum
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND NOT i.indisunique AND i.indkey[0] <> 0
)
SELECT
    t.oid::bigint AS table_oid,
    n.nspname AS schema,
    t.relname AS "table",
    col.attname AS "column",
    s.null_frac AS null_fraction,
    s.n_distinct AS distinct,
    COALESCE(pg_catalog.to_json(s.most_common_freqs[1:20]), '[]') AS common_fractions,
    CASE
        WHEN pg_catalog.has_column_privilege(t.oid, col.attnum, 'SELECT') IS NOT TRUE
        THEN 'needs SELECT on the column'
        WHEN t.relrowsecurity AND pg_catalog.row_security_active(t.oid)
        THEN 'its row-level security applies to our role'
    END AS hidden
FROM leading_column AS l
JOIN pg_catalog.pg_class AS t ON t.oid = l.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute AS col ON col.attrelid = t.oid AND col.attnum = l.attnum
LEFT JOIN pg_catalog.pg_stats AS s
    ON s.schemaname = n.nspname
    AND s.tablename = t.relname
    AND s.attname = col.attname
    AND s.inherited = (t.relkind = 'p')
WHERE t.relkind IN ('r', 'p', 'm')
    AND t.relpersistence <> 't'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
ORDER BY n.nspname, t.relname, col.attname
