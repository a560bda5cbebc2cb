-- The collations that an index of the user names, and the database's default one: the version they
-- were recorded with, and the version that their provider has now.
-- Before PostgreSQL 15 no version was kept of the default one, which is always libc's.
WITH used AS (
    SELECT DISTINCT k.collation_oid
    FROM pg_catalog.pg_index AS i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indcollation::oid[]) AS k (collation_oid)
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
)
SELECT
    n.nspname AS schema,
    c.collname AS name,
    c.collprovider = 'd' AS is_default,
    CASE c.collprovider WHEN 'd' THEN 'libc'
        WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'unknown'
    END AS provider,
    c.collversion AS recorded_version,
    pg_catalog.pg_collation_actual_version(c.oid) AS actual_version
FROM pg_catalog.pg_collation AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE c.collprovider = 'd' OR c.oid IN (SELECT collation_oid FROM used)
ORDER BY n.nspname, c.collname
