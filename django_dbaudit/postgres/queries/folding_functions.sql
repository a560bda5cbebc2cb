-- Names of functions of the project's own which planning a statement may run, because they are not
-- VOLATILE: with constant arguments their value is worth knowing. Those of extensions are trusted.
SELECT DISTINCT p.proname AS name
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.provolatile <> 'v'
    AND p.prokind = 'f'
    AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema'
    AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND d.objid = p.oid
            AND d.deptype = 'e'
    )
ORDER BY p.proname
