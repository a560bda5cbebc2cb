-- The last look of the day stays, and tells of the whole day: what was lost before it adds up. Where
-- the alias led to a primary before and to a replica now, the day is only what came after.
INSERT INTO django_dbaudit_snapshot AS s
    (database_id, alias, day, in_recovery, covered_from, taken_at, lost_seconds)
VALUES
    (%(database)s, %(alias)s, %(day)s, %(in_recovery)s, %(covered_from)s, %(taken_at)s, 0)
ON CONFLICT (database_id, alias, day) DO UPDATE
SET in_recovery = excluded.in_recovery,
    taken_at = excluded.taken_at,
    covered_from = CASE
        WHEN s.in_recovery = excluded.in_recovery THEN s.covered_from ELSE excluded.covered_from
    END,
    lost_seconds = CASE
        WHEN s.in_recovery = excluded.in_recovery
        THEN s.lost_seconds + EXTRACT(epoch FROM GREATEST(excluded.covered_from - s.taken_at, '0'))
        ELSE 0
    END
