-- When the relation c was last scanned.
pg_catalog.pg_stat_get_lastscan(c.oid)
