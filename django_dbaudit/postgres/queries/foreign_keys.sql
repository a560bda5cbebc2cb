-- Every foreign key, with what an index must have to serve the lookup that a DELETE on the
-- referenced table makes: the column, its collation, and the families of its equality operator.
-- Materialized, because the planner would work it out again for every foreign key.
WITH equality AS MATERIALIZED (
    SELECT o.amopopr,
        pg_catalog.json_agg(DISTINCT n.nspname || '.' || f.opfname) AS families
    FROM pg_catalog.pg_amop AS o
    JOIN pg_catalog.pg_am AS a ON a.oid = o.amopmethod
    JOIN pg_catalog.pg_opfamily AS f ON f.oid = o.amopfamily
    JOIN pg_catalog.pg_namespace AS n ON n.oid = f.opfnamespace
    -- Strategy 3 of btree and strategy 1 of hash are equality. GiST, of which exclusion constraints and
    -- temporal keys are made, and SP-GiST number theirs as they like: there the operator itself says so.
    WHERE (a.amname = 'btree' AND o.amopstrategy = 3) OR (a.amname = 'hash' AND o.amopstrategy = 1)
        OR (a.amname IN ('gist', 'spgist') AND o.amoppurpose = 's')
    GROUP BY o.amopopr
),
key AS (
    SELECT c.oid,
        pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', a.attname,
            'quoted', pg_catalog.quote_ident(a.attname),
            'collation', con.nspname || '.' || co.collname,
            'equality_families', COALESCE(e.families, '[]')
        ) ORDER BY k.position) AS columns
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.conpfeqop)
    ) WITH ORDINALITY AS k (attnum, operator, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
    LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = a.attcollation
    LEFT JOIN pg_catalog.pg_namespace AS con ON con.oid = co.collnamespace
    LEFT JOIN equality AS e ON e.amopopr = k.operator
    WHERE c.contype = 'f'
    GROUP BY c.oid
)
SELECT
    c.oid::bigint AS oid,
    c.conname AS name,
    n.nspname AS schema,
    t.relname AS "table",
    c.conrelid::bigint AS table_oid,
    key.columns AS columns,
    rn.nspname AS referenced_schema,
    r.relname AS referenced_table,
    c.confrelid::bigint AS referenced_table_oid,
    CASE c.confdeltype
        WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE'
        WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
    END AS on_delete,
    c.conparentid <> 0 AS is_inherited,
    -- Columns that PostgreSQL 18 added; where the table lacks them, the outer ones are meant.
    (SELECT conenforced FROM (SELECT c.*) AS newer) AS is_enforced,
    (SELECT conperiod FROM (SELECT c.*) AS newer) AS has_period
FROM pg_catalog.pg_constraint AS c
CROSS JOIN (SELECT true AS conenforced, false AS conperiod) AS older
JOIN key ON key.oid = c.oid
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class AS r ON r.oid = c.confrelid
JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE c.contype = 'f'
    AND n.nspname <> 'information_schema'
    AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
        -- What an extension made is the extension's to change.
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND e.objid = c.conrelid
            AND e.deptype = 'e'
    )
ORDER BY n.nspname, t.relname, c.conname
