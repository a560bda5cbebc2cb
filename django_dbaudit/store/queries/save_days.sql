INSERT INTO django_dbaudit_recordedday (index_id, day, size_bytes, scans, tuples_read, tuples_fetched)
SELECT i.id, %(day)s::date, i.size_bytes, i.scans, i.tuples_read, i.tuples_fetched
FROM django_dbaudit_recordedindex AS i
WHERE i.server_id = %(server)s AND i.last_seen_at = %(taken_at)s::timestamptz
ON CONFLICT (index_id, day) DO UPDATE
SET size_bytes = excluded.size_bytes, scans = excluded.scans,
    tuples_read = excluded.tuples_read, tuples_fetched = excluded.tuples_fetched
