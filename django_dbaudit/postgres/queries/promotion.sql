-- The history file of the newest timeline is written when a replica is promoted. Needs pg_monitor.
SELECT modification AS promoted_at
FROM pg_catalog.pg_ls_waldir()
WHERE name LIKE '%.history'
ORDER BY name DESC
LIMIT 1
