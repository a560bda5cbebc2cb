-- Whether migrate has made our tables, asked so that no error gets into the server's log if not.
SELECT pg_catalog.to_regclass('django_dbaudit_recordedday') IS NOT NULL AS are_there
