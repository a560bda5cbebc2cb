UPDATE django_dbaudit_recordedserver
SET alias = %(alias)s,
    counting_since = %(counting_since)s,
    statistics_reset_at = %(statistics_reset_at)s,
    taken_at = %(taken_at)s
WHERE id = %(id)s
