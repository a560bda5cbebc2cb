INSERT INTO django_dbaudit_recordedserver
    (database_id, alias, counting_since, statistics_reset_at, first_taken_at, taken_at)
VALUES
    (%(database)s, %(alias)s, %(counting_since)s, %(statistics_reset_at)s, %(taken_at)s, %(taken_at)s)
RETURNING id
