UPDATE django_dbaudit_recordedindex AS i
SET oid = n.oid, schema = n.schema, "table" = n."table", name = n.name, definition = n.definition,
    is_partition = n.is_partition, size_bytes = n.size_bytes,
    last_seen_at = n.last_seen_at, last_scan = n.last_scan,
    counted_scans = n.counted_scans, counted_tuples_read = n.counted_tuples_read,
    counted_tuples_fetched = n.counted_tuples_fetched,
    scans = n.scans, tuples_read = n.tuples_read, tuples_fetched = n.tuples_fetched
FROM json_to_recordset(%(indexes)s::json) AS n (
    id bigint, oid bigint, schema text, "table" text, name text, definition text, is_partition bool,
    size_bytes bigint, last_seen_at timestamptz, last_scan timestamptz,
    counted_scans bigint, counted_tuples_read bigint, counted_tuples_fetched bigint,
    scans bigint, tuples_read bigint, tuples_fetched bigint
)
WHERE i.id = n.id
