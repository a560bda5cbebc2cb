-- What lies in each large index: how many entries, and of which columns, so that one can tell how
-- large it has to be. What ANALYZE knows of those columns is asked for apart, in index_statistics.
--
-- Of a relation that somebody holds or awaits ACCESS EXCLUSIVE no file is looked at, for we would queue
-- behind that lock. to_jsonb reads attstattarget, which is NULL from PostgreSQL 17 on where it was -1.
WITH busy AS MATERIALIZED (
    -- include busy
),
large_index AS MATERIALIZED (
    SELECT i.*, n.nspname, c.relname, c.reltuples, c.reloptions, a.amname, t.relname AS table_name,
        t.relnatts AS table_columns, t.relpages AS table_pages, t.reltuples AS table_tuples,
        t.reltoastrelid, size.bytes, lock.is_held,
        CASE
            WHEN t.relrowsecurity AND pg_catalog.row_security_active(t.oid)
            THEN 'its row-level security applies to our role'
        END AS hidden
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
    CROSS JOIN LATERAL (
        SELECT i.indexrelid IN (SELECT relation FROM busy) OR i.indrelid IN (SELECT relation FROM busy)
            AS is_held
    ) AS lock
    CROSS JOIN LATERAL (
        -- Files are looked at only where the catalog does not say that the index is small. Asked once,
        -- because the answer becomes NULL if it is dropped meanwhile.
        SELECT CASE
            WHEN lock.is_held
            THEN c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint
            WHEN c.relpages::bigint * pg_catalog.current_setting('block_size')::bigint >= %(smallest)s
                OR t.reltuples < 0
                OR pg_catalog.pg_stat_get_mod_since_analyze(i.indrelid) > t.reltuples
            THEN pg_catalog.pg_relation_size(i.indexrelid)
        END AS bytes
        OFFSET 0
    ) AS size
    WHERE c.relkind = 'i'
        AND t.relkind IN ('r', 'm')
        AND t.relpersistence <> 't'
        AND i.indisvalid AND i.indisready AND i.indislive
        AND n.nspname <> 'information_schema'
        AND n.nspname !~ '^pg_'
        AND size.bytes >= %(smallest)s
),
equal_image AS (
    -- Equal keys have to be alike to the last byte before btree keeps them as one.
    SELECT i.indexrelid,
        pg_catalog.bool_and(COALESCE(
            p.amproc = 'pg_catalog.btequalimage'::pg_catalog.regproc
            OR (p.amproc = 'pg_catalog.btvarstrequalimage'::pg_catalog.regproc AND co.collisdeterministic),
            false
        )) AS is_equal
    FROM large_index AS i
    CROSS JOIN LATERAL ROWS FROM (
        pg_catalog.unnest(i.indclass::oid[]), pg_catalog.unnest(i.indcollation::oid[])
    ) AS k (opclass, collation_oid)
    JOIN pg_catalog.pg_opclass AS oc ON oc.oid = k.opclass
    LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = k.collation_oid
    LEFT JOIN pg_catalog.pg_amproc AS p
        ON p.amprocfamily = oc.opcfamily
        AND p.amproclefttype = oc.opcintype
        AND p.amprocrighttype = oc.opcintype
        AND p.amprocnum = 4
    GROUP BY i.indexrelid
),
index_column AS (
    SELECT i.indexrelid,
        pg_catalog.json_agg(pg_catalog.json_build_object(
            -- An expression has statistics of its own, kept with the index.
            'relation', CASE WHEN col.attname IS NULL THEN i.relname ELSE i.table_name END,
            'name', COALESCE(col.attname, own.attname),
            'is_expression', col.attname IS NULL,
            'length', own.attlen,
            'alignment', CASE own.attalign WHEN 'c' THEN 1 WHEN 's' THEN 2 WHEN 'i' THEN 4 ELSE 8 END,
            'longest', CASE
                -- varchar(n) and char(n): four bytes a character, and as many for the length.
                WHEN own.atttypid IN ('varchar'::pg_catalog.regtype, 'bpchar'::pg_catalog.regtype)
                    AND own.atttypmod > 4
                THEN (own.atttypmod - 4) * 4 + 4
            END,
            'is_nullable', NOT COALESCE(col.attnotnull, false),
            'sample_rows', 300 * COALESCE(
                NULLIF((pg_catalog.to_jsonb(COALESCE(col, own)) ->> 'attstattarget')::int, -1),
                pg_catalog.current_setting('default_statistics_target')::int
            ),
            'hidden', COALESCE(
                i.hidden,
                CASE
                    WHEN pg_catalog.has_column_privilege(
                        COALESCE(col.attrelid, own.attrelid), COALESCE(col.attnum, own.attnum), 'SELECT'
                    ) IS NOT TRUE
                    THEN CASE
                        WHEN col.attname IS NULL
                        THEN 'needs the rights of the owner, or pg_read_all_data, for its expression'
                        ELSE 'needs SELECT on the column'
                    END
                END
            )
        ) ORDER BY own.attnum) AS columns
    FROM large_index AS i
    JOIN pg_catalog.pg_attribute AS own ON own.attrelid = i.indexrelid AND own.attnum > 0
    LEFT JOIN pg_catalog.pg_attribute AS col
        ON col.attrelid = i.indrelid AND col.attnum = i.indkey[own.attnum - 1] AND col.attnum <> 0
    GROUP BY i.indexrelid
)
SELECT
    i.indexrelid::bigint AS oid,
    i.nspname AS schema,
    i.relname AS name,
    i.amname AS access_method,
    i.bytes AS size_bytes,
    COALESCE(
        (SELECT option_value::int FROM pg_catalog.pg_options_to_table(i.reloptions)
            WHERE option_name = 'fillfactor'),
        90
    ) AS fillfactor,
    i.amname = 'btree'
        AND NOT i.indisunique
        AND i.indnatts = i.indnkeyatts
        AND equal_image.is_equal
        AND COALESCE(
            (SELECT option_value::bool FROM pg_catalog.pg_options_to_table(i.reloptions)
                WHERE option_name = 'deduplicate_items'),
            true
        ) AS deduplicates,
    i.indisunique AS is_unique,
    i.indpred IS NOT NULL AS is_partial,
    index_column.columns AS columns,
    NULLIF(i.reltuples, -1)::bigint AS entries,
    CASE
        -- As the planner has it: the table may have grown since it was counted.
        WHEN i.table_tuples >= 0 AND NOT i.is_held
        THEN i.table_tuples * GREATEST(
            1, COALESCE(pg_catalog.pg_relation_size(i.indrelid), 0)::float8
                / NULLIF(i.table_pages::bigint * pg_catalog.current_setting('block_size')::bigint, 0)
        )
    END::bigint AS table_rows,
    pg_catalog.pg_stat_get_live_tuples(i.indrelid) AS live_rows,
    pg_catalog.pg_stat_get_dead_tuples(i.indrelid) AS dead_rows,
    pg_catalog.pg_stat_get_tuples_inserted(i.indrelid) AS inserted_rows,
    pg_catalog.pg_stat_get_tuples_updated(i.indrelid) AS updated_rows,
    pg_catalog.pg_stat_get_tuples_deleted(i.indrelid) AS deleted_rows,
    pg_catalog.pg_stat_get_mod_since_analyze(i.indrelid) AS changed_rows,
    COALESCE(
        GREATEST(
            pg_catalog.pg_stat_get_last_analyze_time(i.indrelid),
            pg_catalog.pg_stat_get_last_autoanalyze_time(i.indrelid)
        ) >= GREATEST(
            pg_catalog.pg_stat_get_last_vacuum_time(i.indrelid),
            pg_catalog.pg_stat_get_last_autovacuum_time(i.indrelid),
            '-infinity'
        ),
        false
    ) AS was_analyzed_last,
    i.table_columns,
    CASE
        WHEN i.reltoastrelid = 0 OR i.is_held THEN 0
        ELSE COALESCE(pg_catalog.pg_relation_size(i.reltoastrelid), 0)
    END AS toast_bytes,
    i.is_held AS is_locked
FROM large_index AS i
JOIN index_column ON index_column.indexrelid = i.indexrelid
JOIN equal_image ON equal_image.indexrelid = i.indexrelid
ORDER BY i.nspname, i.table_name, i.relname
