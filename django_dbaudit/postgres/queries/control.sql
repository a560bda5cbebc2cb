-- What the control file knows: which cluster this is, and on which timeline its server is.
-- A standby that has just followed another primary tells its timeline in the receiver first (which
-- takes pg_read_all_stats to see), then in its recovery's end, at last in its checkpoint.
SELECT
    c.system_identifier::text AS system_identifier,
    GREATEST(
        k.timeline_id,
        r.min_recovery_end_timeline,
        (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)
    ) AS timeline
FROM pg_catalog.pg_control_system() AS c,
    pg_catalog.pg_control_checkpoint() AS k,
    pg_catalog.pg_control_recovery() AS r
