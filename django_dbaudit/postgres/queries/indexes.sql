-- Every index of the user's tables and materialized views: definition, state, size, counters.
--
-- Deparsed text stands for expressions and predicates, because the raw trees differ between
-- identical indexes before PostgreSQL 17. pg_get_indexdef(oid, n) is asked for expressions alone:
-- it leaves out operator class, collation and direction, which are read from their own columns.
-- A relation that somebody holds or awaits ACCESS EXCLUSIVE is not measured, for we would queue
-- behind that lock and others behind us. Deparsing takes ACCESS SHARE on the table, too: while the
-- table is locked, expressions and predicates are placeholders that equal no other index's.
--
-- pg_get_indexdef takes half a second for 20,000 indexes, more than all the rest but their sizes. A
-- plain btree index says nothing that it would leave out or put in, and is put together here.
WITH busy AS MATERIALIZED (
    -- include busy
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
extension_member AS MATERIALIZED (
    -- include extension_member
),
dependent AS (
    SELECT conindid, pg_catalog.json_agg(conname ORDER BY contype = 'f', conname) AS names
    FROM pg_catalog.pg_constraint
    WHERE conindid <> 0
    GROUP BY conindid
),
operator_class AS MATERIALIZED (
    SELECT oc.oid, oc.opcdefault, oc.opcintype,
        -- varchar_ops is another name for the default of its type.
        oc.opcdefault OR EXISTS (
            SELECT FROM pg_catalog.pg_opclass AS other
            WHERE other.opcdefault
                AND other.opcfamily = oc.opcfamily
                AND other.opcintype = oc.opcintype
        ) AS is_default,
        ocn.nspname || '.' || oc.opcname AS name,
        ofn.nspname || '.' || fam.opfname AS family,
        -- Without a default of its own, varchar is text to an index.
        oc.opcintype = 'pg_catalog.text'::pg_catalog.regtype AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_opclass AS other
            WHERE other.opcdefault
                AND other.opcmethod = oc.opcmethod
                AND other.opcintype = 'pg_catalog.varchar'::pg_catalog.regtype
        ) AS serves_varchar
    FROM pg_catalog.pg_opclass AS oc
    JOIN pg_catalog.pg_namespace AS ocn ON ocn.oid = oc.opcnamespace
    JOIN pg_catalog.pg_opfamily AS fam ON fam.oid = oc.opcfamily
    JOIN pg_catalog.pg_namespace AS ofn ON ofn.oid = fam.opfnamespace
),
user_index AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, i.indnatts, i.indnkeyatts, i.indisunique, i.indisprimary,
        i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
        i.indisclustered, i.indkey, i.indclass, i.indcollation, i.indoption, i.indpred,
        -- Where the table lacks the column, as before PostgreSQL 15, the outer one is meant.
        (SELECT indnullsnotdistinct FROM (SELECT i.*) AS newer) AS nulls_not_distinct,
        n.nspname, c.relname, c.relkind, c.relpages, c.reltuples, c.relispartition, c.reloptions,
        c.reltablespace,
        t.relname AS table_name, t.relkind AS table_kind, a.amname,
        i.indrelid IN (SELECT relation FROM busy) AS table_is_locked,
        -- include last_scan
        AS last_scan
    FROM pg_catalog.pg_index AS i
    CROSS JOIN (SELECT false AS indnullsnotdistinct) AS older
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
        -- As text, because thousands of indexes have the same.
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
            'opclass', oc.name,
            'opfamily', oc.family,
            -- Parameters of an operator class, as in gist_trgm_ops(siglen=32).
            'opclass_options', pg_catalog.array_to_string(own.attoptions, ', '),
            'collation', con.nspname || '.' || co.collname,
            'descending', (k.options & 1) <> 0,
            'nulls_first', (k.options & 2) <> 0,
            'is_not_null', COALESCE(col.attnotnull, false),
            'is_default_opclass', oc.is_default
        ) ORDER BY k.position)::text AS keys,
        pg_catalog.string_agg(
            pg_catalog.quote_ident(col.attname) || CASE k.options
                WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE ''
            END,
            ', ' ORDER BY k.position
        ) AS plain_keys,
        -- Columns alone, and nothing about them that has to be said.
        pg_catalog.bool_and(
            col.attnum IS NOT NULL
            AND own.attoptions IS NULL
            AND k.collation_oid = col.attcollation
            AND oc.opcdefault
            AND (
                oc.opcintype = col.atttypid
                OR (oc.serves_varchar AND col.atttypid = 'pg_catalog.varchar'::pg_catalog.regtype)
            )
        ) AS is_plain
    FROM user_index AS i
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indclass::oid[]),
        pg_catalog.unnest(i.indcollation::oid[]),
        pg_catalog.unnest(i.indoption::int2[])
    ) WITH ORDINALITY AS k (opclass, collation_oid, options, position)
    JOIN operator_class AS oc ON oc.oid = k.opclass
    LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = k.collation_oid
    LEFT JOIN pg_catalog.pg_namespace AS con ON con.oid = co.collnamespace
    LEFT JOIN pg_catalog.pg_attribute AS own
        ON own.attrelid = i.indexrelid AND own.attnum = k.position AND own.attoptions IS NOT NULL
    LEFT JOIN pg_catalog.pg_attribute AS col
        ON col.attrelid = i.indrelid AND col.attnum = i.indkey[k.position - 1] AND col.attnum > 0
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
    i.indisunique AND i.nulls_not_distinct AS nulls_not_distinct,
    i.indisvalid AS is_valid,
    i.indisready AS is_ready,
    i.indislive AS is_live,
    i.indisreplident AS is_replica_identity,
    i.indisclustered AS is_clustered,
    i.relkind = 'I' AS is_partitioned,
    parent.inhparent::bigint AS parent_oid,
    COALESCE(dependent.names, '[]') AS constraints,
    COALESCE(of_index.extname, of_table.extname) AS extension,
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
    i.last_scan AS last_scan,
    -- That of a partitioned index is never counted.
    NULLIF(i.reltuples, -1)::bigint AS entries,
    tablespace.spcname AS tablespace
FROM user_index AS i
JOIN key ON key.indexrelid = i.indexrelid
LEFT JOIN included ON included.indexrelid = i.indexrelid
LEFT JOIN pg_catalog.pg_inherits AS parent ON parent.inhrelid = i.indexrelid AND i.relispartition
LEFT JOIN dependent ON dependent.conindid = i.indexrelid
LEFT JOIN extension_member AS of_index ON of_index.objid = i.indexrelid
LEFT JOIN extension_member AS of_table ON of_table.objid = i.indrelid
LEFT JOIN busy ON busy.relation = i.indexrelid
LEFT JOIN pg_catalog.pg_tablespace AS tablespace ON tablespace.oid = i.reltablespace
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN i.table_is_locked THEN '-- definition not read: the table is locked'
        WHEN key.is_plain
            AND i.amname = 'btree'
            AND i.relkind = 'i'
            AND i.indpred IS NULL
            AND i.indnatts = i.indnkeyatts
            AND i.reloptions IS NULL
            AND NOT i.nulls_not_distinct
        THEN pg_catalog.format(
            'CREATE %sINDEX %I ON %I.%I USING btree (%s)',
            CASE WHEN i.indisunique THEN 'UNIQUE ' END, i.relname, i.nspname, i.table_name, key.plain_keys
        )
        ELSE pg_catalog.pg_get_indexdef(i.indexrelid)
    END AS definition
    -- Asked once: between two calls the index may be dropped, which makes it NULL.
    OFFSET 0
) AS deparsed
WHERE deparsed.definition IS NOT NULL
ORDER BY i.nspname, i.table_name, i.relname
