-- The last day on record, one about a week before, and the first of the month before that.
WITH taken AS (
    SELECT s.day
    FROM django_dbaudit_snapshot AS s
    JOIN django_dbaudit_recordeddatabase AS d ON d.id = s.database_id
    WHERE d.cluster = %(cluster)s AND d.name = %(name)s
)
SELECT last.day AS last_day, week.day AS week_ago,
    (SELECT min(day) FROM taken WHERE day BETWEEN week.day - 28 AND week.day - 7) AS month_ago
FROM (SELECT max(day) AS day FROM taken) AS last
CROSS JOIN LATERAL (
    SELECT max(day) AS day FROM taken WHERE day BETWEEN last.day - 14 AND last.day - 7
) AS week
