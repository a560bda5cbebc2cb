SELECT s.id, s.alias, s.counting_since, s.statistics_reset_at, s.first_taken_at, s.taken_at
FROM django_dbaudit_recordedserver AS s
JOIN django_dbaudit_recordeddatabase AS d ON d.id = s.database_id
WHERE d.cluster = %(cluster)s AND d.name = %(name)s
ORDER BY s.id
