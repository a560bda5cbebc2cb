DELETE FROM django_dbaudit_recordedserver AS s
WHERE s.database_id = %(database)s
    AND s.taken_at < %(before)s::date
    AND NOT EXISTS (SELECT FROM django_dbaudit_recordedindex AS i WHERE i.server_id = s.id)
