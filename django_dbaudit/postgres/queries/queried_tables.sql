-- The tables that statements name, and their columns. Run with the project's own search path, which
-- says which table a name without a schema means. An index can be made of a column whose type has a
-- default operator class for btree; arrays, enums and ranges share those of their kind.
WITH wanted AS (
    SELECT each ->> 0 AS schema, each ->> 1 AS name
    FROM pg_catalog.json_array_elements(%(tables)s::pg_catalog.json) AS each
),
found AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, w.schema IS NULL AS by_search_path
    FROM wanted AS w
    JOIN pg_catalog.pg_class AS c ON c.relname = w.name
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm')
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND CASE
            WHEN w.schema IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
            ELSE n.nspname = w.schema
        END
)
SELECT
    f.oid::bigint AS oid,
    f.nspname AS schema,
    f.relname AS name,
    f.by_search_path AS by_search_path,
    f.relkind = 'p' AS is_partitioned,
    pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', a.attname,
        'type', base.typname,
        'category', base.typcategory,
        'is_not_null', a.attnotnull,
        'is_c_collated', COALESCE(co.collcollate = 'C' AND co.collprovider = 'c', false),
        'is_sortable', EXISTS (
            SELECT
            FROM pg_catalog.pg_opclass AS oc
            JOIN pg_catalog.pg_am AS am ON am.oid = oc.opcmethod
            WHERE am.amname = 'btree'
                AND oc.opcdefault
                AND oc.opcintype IN (base.oid, CASE
                    WHEN base.typname = 'varchar' THEN 'pg_catalog.text'::pg_catalog.regtype
                    WHEN base.typcategory = 'A' THEN 'pg_catalog.anyarray'::pg_catalog.regtype
                    WHEN base.typtype = 'e' THEN 'pg_catalog.anyenum'::pg_catalog.regtype
                    WHEN base.typtype = 'r' THEN 'pg_catalog.anyrange'::pg_catalog.regtype
                END)
        )
    ) ORDER BY a.attnum) AS columns
FROM found AS f
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type AS base ON base.oid = COALESCE(NULLIF(t.typbasetype, 0), t.oid)
LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation
GROUP BY f.oid, f.nspname, f.relname, f.relkind, f.by_search_path
ORDER BY f.nspname, f.relname
