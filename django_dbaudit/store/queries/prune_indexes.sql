DELETE FROM django_dbaudit_recordedindex AS i
USING django_dbaudit_recordedserver AS s
WHERE s.id = i.server_id
    AND s.database_id = %(database)s
    AND i.last_seen_at < %(before)s::date
    AND NOT EXISTS (SELECT FROM django_dbaudit_recordedday AS d WHERE d.index_id = i.id)
