SELECT s.alias, s.in_recovery, s.covered_from, s.taken_at, s.lost_seconds
FROM django_dbaudit_snapshot AS s
JOIN django_dbaudit_recordeddatabase AS d ON d.id = s.database_id
WHERE d.cluster = %(cluster)s AND d.name = %(name)s
ORDER BY s.taken_at
