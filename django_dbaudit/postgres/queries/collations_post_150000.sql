-- The collations that an index of the user names, and the database's default one: the version they
-- were recorded with, and the version that their provider has now.
-- From PostgreSQL 15 on the default one's is kept with the database.
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
    CASE CASE WHEN c.collprovider = 'd' THEN d.datlocprovider ELSE c.collprovider END
        WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'unknown'
    END AS provider,
    CASE WHEN c.collprovider = 'd' THEN d.datcollversion ELSE c.collversion END AS recorded_version,
    CASE
        WHEN c.collprovider = 'd' THEN pg_catalog.pg_database_collation_actual_version(d.oid)
        ELSE pg_catalog.pg_collation_actual_version(c.oid)
    END AS actual_version
FROM pg_catalog.pg_collation AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
WHERE c.collprovider = 'd' OR c.oid IN (SELECT collation_oid FROM used)
ORDER BY n.nspname, c.collname
