-- DO UPDATE rather than DO NOTHING, which would not return the row that is there.
INSERT INTO django_dbaudit_recordeddatabase (cluster, name)
VALUES (%(cluster)s, %(name)s)
ON CONFLICT (cluster, name) DO UPDATE SET name = excluded.name
RETURNING id
