-- session_user logged in and is who CONNECTION LIMIT counts; current_user (assume_role) has the rights.
SELECT
    pg_catalog.current_setting('server_version_num')::int AS version,
    pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) AS version_text,
    pg_catalog.current_database() AS database,
    d.oid::bigint AS database_oid,
    session_user AS "user",
    pg_catalog.clock_timestamp() AS taken_at,
    pg_catalog.pg_postmaster_start_time() AS started_at,
    pg_catalog.pg_stat_get_db_stat_reset_time(d.oid) AS statistics_reset_at,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS reads_all_stats,
    pg_catalog.current_setting('track_counts')::bool AS track_counts,
    pg_catalog.current_setting('max_connections')::int AS max_connections,
    pg_catalog.current_setting('superuser_reserved_connections')::int
        -- PostgreSQL 16 added reserved_connections; the second argument makes NULL of its absence.
        + COALESCE(pg_catalog.current_setting('reserved_connections', true)::int, 0)
        AS reserved_connections,
    NULLIF(d.datconnlimit, -1) AS database_connection_limit,
    NULLIF(r.rolconnlimit, -1) AS role_connection_limit,
    -- Begins anew when a crash has lost all counters, and not with a clean restart.
    pg_catalog.pg_stat_get_bgwriter_stat_reset_time() AS counting_since,
    -- Where it writes now, since when it was promoted: the control file learns of it later.
    CASE
        WHEN NOT pg_catalog.pg_is_in_recovery()
        THEN ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))
            ::bit(32)::int
    END AS writes_timeline,
    -- Whoever may not see more of them sees their number. A backup and a logical replica do not read here.
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_replication AS s
        WHERE COALESCE(s.state, 'streaming') = 'streaming'
            AND s.pid NOT IN (
                SELECT active_pid FROM pg_catalog.pg_replication_slots
                WHERE slot_type = 'logical' AND active_pid IS NOT NULL
            )
    ) AS standbys
FROM pg_catalog.pg_database AS d, pg_catalog.pg_roles AS r
WHERE d.datname = pg_catalog.current_database() AND r.rolname = session_user
