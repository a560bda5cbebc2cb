-- How full the leaf pages of some btree indexes are. pgstatindex reads each from end to end, under
-- ACCESS SHARE, through a ring of buffers of its own (BAS_BULKREAD), which leaves the others in memory.
SELECT
    c.oid::bigint AS oid,
    m.internal_pages,
    m.leaf_pages,
    -- NaN, if there is no leaf.
    CASE WHEN m.leaf_pages > 0 THEN m.avg_leaf_density / 100 ELSE 0 END AS density
FROM pg_catalog.unnest(%(oids)s::bigint[]) AS wanted (oid)
JOIN pg_catalog.pg_class AS c ON c.oid = wanted.oid::oid AND c.relkind = 'i'
CROSS JOIN LATERAL {pgstattuple}.pgstatindex(c.oid::pg_catalog.regclass) AS m
WHERE c.oid NOT IN (
    -- include busy
)
