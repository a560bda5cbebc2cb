-- As tables.sql, of what the migration after that makes.
SELECT pg_catalog.to_regclass('django_dbaudit_recordedcommit') IS NOT NULL AS are_there
