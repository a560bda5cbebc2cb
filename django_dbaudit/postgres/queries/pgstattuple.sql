-- Where the extension keeps pgstatindex, and whether our role may call it.
SELECT
    n.nspname AS schema,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AS may_call
FROM pg_catalog.pg_extension AS e
JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    AND d.refobjid = e.oid
    AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    AND d.deptype = 'e'
JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE e.extname = 'pgstattuple'
    AND p.proname = 'pgstatindex'
    AND p.proargtypes[0] = 'pg_catalog.regclass'::pg_catalog.regtype
