-- By index and not by day, because the key begins with the index; no more at once than is quickly done.
DELETE FROM django_dbaudit_recordedday
WHERE (index_id, day) IN (
    SELECT old.index_id, old.day
    FROM django_dbaudit_recordedindex AS i
    JOIN django_dbaudit_recordedserver AS s ON s.id = i.server_id
    JOIN django_dbaudit_recordedday AS old ON old.index_id = i.id AND old.day < %(before)s::date
    WHERE s.database_id = %(database)s
    LIMIT 200000
)
