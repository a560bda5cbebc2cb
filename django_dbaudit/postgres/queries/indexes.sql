-- Every index of the user's tables and materialized views: definition, state, size, counters.
--
-- Deparsed text stands for expressions and predicates, because the raw trees differ between
-- identical indexes before PostgreSQL 17. pg_get_indexdef(oid, n) is asked for expressions alone:
-- it leaves out operator class, collation and direction, which are read from their own columns.
-- A relation that somebody holds or awaits ACCESS EXCLUSIVE is not measured, for we would queue
-- behind that lock and others behind us. Deparsing takes ACCESS SHARE on the table, too: while the
-- table is locked, expressions and predicates are placeholders that equal no other index's.
-- to_jsonb reads columns that older servers do not have.
WITH busy AS (
    SELECT DISTINCT relation
    FROM pg_catalog.pg_locks
    WHERE locktype = 'relation'
        AND mode = 'AccessExclusiveLock'
        AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
),
build AS (
    SELECT pid, relid, index_relid, command
    FROM pg_catalog.pg_stat_progress_create_index
    WHERE datname = pg_catalog.current_database()
),
build_lock AS (
    -- Without pg_read_all_stats the progress view hides the relation; the lock tells it.
    SELECT l.relation
    FROM build AS b
    JOIN pg_catalog.pg_locks AS l ON l.pid = b.pid
    WHERE b.relid IS NULL
        AND l.granted
        AND l.locktype = 'relation'
        AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'AccessExclusiveLock')
),
work_lock AS (
    -- DROP INDEX CONCURRENTLY makes the index invalid, then waits, and no view shows its progress.
    -- Nothing but work on the index itself takes these locks on it: VACUUM does with less.
    SELECT l.relation
    FROM pg_catalog.pg_locks AS l
    WHERE l.granted
        AND l.locktype = 'relation'
        AND l.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock')
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
),
extension_member AS (
    SELECT d.objid, e.extname
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.deptype = 'e'
),
dependent AS (
    SELECT conindid, pg_catalog.json_agg(conname ORDER BY contype = 'f', conname) AS names
    FROM pg_catalog.pg_constraint
    WHERE conindid <> 0
    GROUP BY conindid
),
user_index AS (
    SELECT i.*, n.nspname, c.relname, c.relkind, c.relpages, c.relispartition, c.reloptions,
        c.reltablespace,
        t.relname AS table_name, t.relkind AS table_kind, a.amname,
        i.indrelid IN (SELECT relation FROM busy) AS table_is_locked
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
    WHERE t.relkind IN ('r', 'p', 'm')
        AND t.relpersistence <> 't'
        AND n.nspname <> 'information_schema'
        AND n.nspname !~ '^pg_'
),
key AS (
    SELECT i.indexrelid,
        pg_catalog.json_agg(pg_catalog.json_build_object(
            'definition', COALESCE(
                pg_catalog.quote_ident(col.attname),
                CASE
                    WHEN i.table_is_locked
                    THEN '(table is locked: expression ' || k.position || ' of index ' || i.indexrelid || ')'
                    ELSE pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, false)
                END
            ),
            'column', col.attname,
            'opclass', ocn.nspname || '.' || oc.opcname,
            'opfamily', ofn.nspname || '.' || fam.opfname,
            -- Parameters of an operator class, as in gist_trgm_ops(siglen=32).
            'opclass_options', pg_catalog.array_to_string(own.attoptions, ', '),
            'collation', con.nspname || '.' || co.collname,
            'descending', (k.options & 1) <> 0,
            'nulls_first', (k.options & 2) <> 0,
            'is_not_null', COALESCE(col.attnotnull, false),
            -- varchar_ops is another name for the default of its type.
            'is_default_opclass', oc.opcdefault OR EXISTS (
                SELECT
                FROM pg_catalog.pg_opclass AS d
                WHERE d.opcdefault AND d.opcfamily = oc.opcfamily AND d.opcintype = oc.opcintype
            )
        ) ORDER BY k.position) AS keys
    FROM user_index AS i
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indclass::oid[]),
        pg_catalog.unnest(i.indcollation::oid[]),
        pg_catalog.unnest(i.indoption::int2[])
    ) WITH ORDINALITY AS k (opclass, collation_oid, options, position)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = k.opclass
    JOIN pg_catalog.pg_namespace AS ocn ON ocn.oid = oc.opcnamespace
    JOIN pg_catalog.pg_opfamily AS fam ON fam.oid = oc.opcfamily
    JOIN pg_catalog.pg_namespace AS ofn ON ofn.oid = fam.opfnamespace
    LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = k.collation_oid
    LEFT JOIN pg_catalog.pg_namespace AS con ON con.oid = co.collnamespace
    LEFT JOIN pg_catalog.pg_attribute AS own
        ON own.attrelid = i.indexrelid AND own.attnum = k.position
    LEFT JOIN pg_catalog.pg_attribute AS col
        ON col.attrelid = i.indrelid AND col.attnum = i.indkey[k.position - 1] AND col.attnum <> 0
    GROUP BY i.indexrelid
),
included AS (
    SELECT i.indexrelid, pg_catalog.json_agg(col.attname ORDER BY k.position) AS columns
    FROM user_index AS i
    CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
    JOIN pg_catalog.pg_attribute AS col ON col.attrelid = i.indrelid AND col.attnum = k.attnum
    WHERE i.indnatts > i.indnkeyatts AND k.position > i.indnkeyatts
    GROUP BY i.indexrelid
)
SELECT
    i.indexrelid::bigint AS oid,
    i.nspname AS schema,
    i.relname AS name,
    i.indrelid::bigint AS table_oid,
    i.table_name AS "table",
    i.amname AS access_method,
    key.keys AS keys,
    COALESCE(included.columns, '[]') AS include,
    CASE
        WHEN i.indpred IS NULL THEN NULL
        WHEN i.table_is_locked THEN '(table is locked: predicate of index ' || i.indexrelid || ')'
        ELSE pg_catalog.pg_get_expr(i.indpred, i.indrelid)
    END AS predicate,
    COALESCE(i.reloptions, '{}') AS storage_parameters,
    deparsed.definition AS definition,
    i.indisunique AS is_unique,
    i.indisprimary AS is_primary,
    i.indisexclusion AS is_exclusion,
    i.indimmediate AS is_immediate,
    i.indisunique AND COALESCE((pg_catalog.to_jsonb(raw) ->> 'indnullsnotdistinct')::bool, false)
        AS nulls_not_distinct,
    i.indisvalid AS is_valid,
    i.indisready AS is_ready,
    i.indislive AS is_live,
    i.indisreplident AS is_replica_identity,
    i.indisclustered AS is_clustered,
    i.relkind = 'I' AS is_partitioned,
    parent.inhparent::bigint AS parent_oid,
    COALESCE(dependent.names, '[]') AS constraints,
    extension.extname AS extension,
    i.table_kind = 'm' AS on_materialized_view,
    EXISTS (
        SELECT FROM build AS b
        WHERE b.index_relid = i.indexrelid
            OR (b.relid = i.indrelid AND b.command = 'REINDEX CONCURRENTLY')
    )
        OR i.indrelid IN (SELECT relation FROM build_lock)
        OR (NOT i.indisvalid AND i.indexrelid IN (SELECT relation FROM work_lock))
        AS is_being_built,
    CASE
        WHEN busy.relation IS NULL THEN COALESCE(pg_catalog.pg_relation_size(i.indexrelid), 0)
        ELSE i.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
    END AS size_bytes,
    busy.relation IS NOT NULL AS size_is_estimate,
    pg_catalog.pg_stat_get_numscans(i.indexrelid) AS scans,
    pg_catalog.pg_stat_get_tuples_returned(i.indexrelid) AS tuples_read,
    pg_catalog.pg_stat_get_tuples_fetched(i.indexrelid) AS tuples_fetched,
    pg_catalog.to_jsonb(statistics) ->> 'last_idx_scan' AS last_scan,
    tablespace.spcname AS tablespace
FROM user_index AS i
JOIN key ON key.indexrelid = i.indexrelid
LEFT JOIN included ON included.indexrelid = i.indexrelid
LEFT JOIN pg_catalog.pg_index AS raw
    ON raw.indexrelid = i.indexrelid AND i.indisunique AND NOT i.indisprimary
LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = i.indexrelid AND i.relispartition
LEFT JOIN pg_catalog.pg_stat_all_indexes AS statistics ON statistics.indexrelid = i.indexrelid
LEFT JOIN dependent ON dependent.conindid = i.indexrelid
LEFT JOIN LATERAL (
    SELECT extname FROM extension_member WHERE objid IN (i.indexrelid, i.indrelid) LIMIT 1
) AS extension ON true
LEFT JOIN busy ON busy.relation = i.indexrelid
LEFT JOIN pg_catalog.pg_tablespace AS tablespace ON tablespace.oid = i.reltablespace
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN i.table_is_locked THEN '-- definition not read: the table is locked'
        ELSE pg_catalog.pg_get_indexdef(i.indexrelid)
    END AS definition
    -- Asked once: between two calls the index may be dropped, which makes it NULL.
    OFFSET 0
) AS deparsed
WHERE deparsed.definition IS NOT NULL
ORDER BY i.nspname, i.table_name, i.relname
