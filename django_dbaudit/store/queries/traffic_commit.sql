-- Nobody waits for the disk because we count.
SELECT pg_catalog.set_config('synchronous_commit', 'off', true)
