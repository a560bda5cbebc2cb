-- Every sequence, how far it is, and the columns that take their numbers from it: the owner
-- (serial and identity) and any column whose default calls nextval on it.
--
-- pg_sequence_last_value keeps ROW EXCLUSIVE on each sequence until our transaction ends. We read
-- at most a quarter of what the shared lock table holds, smallest limit first, so that thousands
-- of bigint sequences cannot fill it; and none that a conflicting lock would make us wait for.
-- On a replica the value of an unlogged sequence cannot be read.
WITH RECURSIVE busy AS (
    SELECT DISTINCT relation
    FROM pg_catalog.pg_locks
    WHERE locktype = 'relation'
        AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
),
used AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum
    FROM pg_catalog.pg_sequence AS s
    JOIN pg_catalog.pg_depend AS d ON d.objid = s.seqrelid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.deptype IN ('a', 'i')
        AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_catalog.pg_sequence AS s
    JOIN pg_catalog.pg_depend AS d ON d.refobjid = s.seqrelid
    JOIN pg_catalog.pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
),
base_type AS (
    -- The type below a domain, and below the domains that a domain is over.
    SELECT y.oid AS type, COALESCE(NULLIF(y.typbasetype, 0), y.oid) AS base
    FROM pg_catalog.pg_type AS y
    WHERE y.oid IN (
        SELECT a.atttypid
        FROM used AS u
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = u.relation AND a.attnum = u.attnum
    )
    UNION
    SELECT b.type, y.typbasetype
    FROM base_type AS b
    JOIN pg_catalog.pg_type AS y ON y.oid = b.base AND y.typbasetype <> 0
),
column_use AS (
    SELECT u.sequence,
        pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', n.nspname,
            'table', t.relname,
            'column', a.attname,
            'type', pg_catalog.format_type(y.oid, NULL)
        ) ORDER BY n.nspname, t.relname, a.attname) AS columns
    FROM used AS u
    JOIN pg_catalog.pg_class AS t ON t.oid = u.relation
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = u.relation AND a.attnum = u.attnum
    JOIN base_type AS b ON b.type = a.atttypid
    JOIN pg_catalog.pg_type AS y ON y.oid = b.base AND y.typbasetype = 0
    GROUP BY u.sequence
),
user_sequence AS (
    SELECT s.*, n.nspname, c.relname,
        pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT')
            OR pg_catalog.has_sequence_privilege(s.seqrelid, 'USAGE') AS may_read,
        NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())
            AND busy.relation IS NULL AS can_read,
        pg_catalog.row_number() OVER (ORDER BY s.seqtypid <> 'pg_catalog.int8'::pg_catalog.regtype DESC,
            s.seqmax, s.seqrelid)
            <= pg_catalog.current_setting('max_locks_per_transaction')::int
            * pg_catalog.current_setting('max_connections')::int / 4 AS within_bound
    FROM pg_catalog.pg_sequence AS s
    JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN busy ON busy.relation = s.seqrelid
    WHERE c.relpersistence <> 't'
        AND n.nspname <> 'information_schema'
        AND n.nspname !~ '^pg_'
        AND NOT EXISTS (
            -- What an extension made is the extension's to change.
            SELECT FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                AND e.objid = s.seqrelid
                AND e.deptype = 'e'
        )
)
SELECT
    s.seqrelid::bigint AS oid,
    s.nspname AS schema,
    s.relname AS name,
    pg_catalog.format_type(s.seqtypid, NULL) AS type,
    s.seqstart AS start,
    s.seqmin AS minimum,
    s.seqmax AS maximum,
    s.seqincrement AS increment,
    s.seqcycle AS cycles,
    CASE
        WHEN s.may_read AND s.can_read AND s.within_bound
        THEN pg_catalog.pg_sequence_last_value(s.seqrelid)
    END AS last_value,
    CASE
        WHEN NOT s.may_read THEN 'needs SELECT or USAGE on the sequence'
        WHEN NOT s.can_read THEN 'locked, or unlogged on a read replica'
        WHEN NOT s.within_bound THEN 'left alone to spare the lock table'
    END AS hidden,
    COALESCE(column_use.columns, '[]') AS columns
FROM user_sequence AS s
LEFT JOIN column_use ON column_use.sequence = s.seqrelid
ORDER BY s.nspname, s.relname
