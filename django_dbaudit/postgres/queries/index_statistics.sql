-- What ANALYZE found out about the columns and expressions of some relations: how many NULLs, how
-- wide, how many values. Never a value itself. Of a partition, what it holds alone.
SELECT
    s.schemaname AS schema,
    s.tablename AS relation,
    s.attname AS name,
    s.null_frac AS null_fraction,
    s.avg_width AS width,
    s.n_distinct AS distinct
FROM pg_catalog.pg_stats AS s
WHERE NOT s.inherited
    AND s.tablename = ANY (%(relations)s::text[])
    AND s.schemaname <> 'information_schema'
    AND s.schemaname !~ '^pg_'
