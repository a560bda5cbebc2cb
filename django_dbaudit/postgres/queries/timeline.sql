-- Above 1 on a server that was a replica once, or was restored to a point in time.
SELECT timeline_id AS timeline FROM pg_catalog.pg_control_checkpoint()
