SELECT i.id, i.server_id, i.oid, i.schema, i."table", i.name, i.definition, i.is_partition, i.size_bytes,
    i.first_seen_at, i.last_seen_at, i.last_scan,
    i.counted_scans, i.counted_tuples_read, i.counted_tuples_fetched,
    i.scans, i.tuples_read, i.tuples_fetched,
    week_ago.scans AS scans_week_ago, month_ago.scans AS scans_month_ago
FROM django_dbaudit_recordedindex AS i
JOIN django_dbaudit_recordedserver AS s ON s.id = i.server_id
JOIN django_dbaudit_recordeddatabase AS d ON d.id = s.database_id
LEFT JOIN django_dbaudit_recordedday AS week_ago
    ON week_ago.index_id = i.id AND week_ago.day = %(week_ago)s::date
LEFT JOIN django_dbaudit_recordedday AS month_ago
    ON month_ago.index_id = i.id AND month_ago.day = %(month_ago)s::date
WHERE d.cluster = %(cluster)s AND d.name = %(name)s
ORDER BY i.id
